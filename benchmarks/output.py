"""How benchmarks print: tables in Markdown, to be copied into README.md, under a line that says what machine it was."""

import os
import platform
from collections.abc import Sequence


def print_machine() -> None:
    """Number of cores, system and Python; a number means little without them."""
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}\n")


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; numbers with a point get one or two digits after it."""
    for cells in (heads, ["---"] * len(heads), *([_text(cell) for cell in row] for row in rows)):
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.1f}" if abs(cell) >= 100 else f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
