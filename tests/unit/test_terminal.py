"""What reaches a terminal: cli.terminal."""

import io

import pytest
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from cli.terminal import Terminal


@pytest.mark.parametrize(
    "name", ["\x1b[2J\x1b]0;title\x07", "\x9b2J", "\x9d52;c;aGk=\x9c", "\u202egnp.exe", "a\rb", "\u2066x\u2069"]
)
def test_no_name_in_a_study_is_obeyed_by_the_terminal(name: str) -> None:
    out = io.StringIO()
    console = Terminal(file=out, force_terminal=True, color_system=None, width=200)
    table = Table()
    table.add_column(Text(name))
    table.add_row(Text(name))
    console.print(table)
    console.print(Text(f"Zone {name}"))
    console.print(f"Zone {name}", markup=False)
    assert not set(out.getvalue()) & {*"\x1b\x07\x9b\x9d\x9c\r", "\u202e", "\u2066", "\u2069"}
    assert "Zone " in out.getvalue()


def test_colours_and_progress_still_work() -> None:
    out = io.StringIO()
    console = Terminal(file=out, force_terminal=True, color_system="standard", width=80)
    console.print(Text("failed", style="red"))
    with Progress(console=console, auto_refresh=False) as progress:
        progress.add_task("runs")
    assert "\x1b[31mfailed\x1b[0m" in out.getvalue()
    assert "\x1b[?25l" in out.getvalue()  # hides the cursor
