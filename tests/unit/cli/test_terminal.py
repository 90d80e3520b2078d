"""Text that reaches a terminal: epsm_cli.terminal."""

import io
from pathlib import Path

import pytest
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from epsm.study.schema import Study
from epsm_cli.show_results import show_results
from epsm_cli.terminal import Terminal
from tests.conftest import study_document
from tests.unit.cli.test_show import parquet as parquet


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
    console.print(f"Zone {name}")
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


def test_brackets_and_colons_in_names_are_shown_as_they_are() -> None:
    """`[v2]` was swallowed as an unknown style, and `[/b]` ended the command with a fault of its own."""
    name = "office [v2] [/b] :house: [bold].idf"
    out = io.StringIO()
    console = Terminal(file=out, width=200)
    table = Table(title=name)
    table.add_column(name)
    table.add_row(name)
    console.print(table)
    console.print(f"{name}: kWh/m2")
    assert out.getvalue().count(name) == 4


def test_results_of_a_study_with_brackets_in_its_names_are_shown(
    parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epsm.results.remarks.remarks", lambda table, study: [])
    out = io.StringIO()
    parameter = {"name": "insulation_m", "class": "Material", "field": "Thickness", "values": [0.1]}
    study = Study.model_validate(study_document(name="Nord [/b] [v2]", parameters=[parameter]))
    show_results(Terminal(file=out, width=200), parquet, study)
    assert "Nord [/b] [v2]: kWh/m2" in out.getvalue()
