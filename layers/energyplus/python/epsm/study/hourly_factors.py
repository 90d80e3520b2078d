"""A factor for each hour of a year, from a CSV."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from epsm.problems import Problem
from epsm.study.impact import HourlyElectricity
from epsm.text import listed, nearest

MAX_BYTES = 5_000_000
_MAX_FACTOR = 1000.0
_MAX_SHOWN = 20
_HOURS = {8760: 2001, 8784: 2000}
"""Number of rows -> a year with that number of hours."""


@dataclass(frozen=True, slots=True)
class HourlyFactors:
    """A factor for each hour of a year, in local standard time, from 1 January, 00:00 to 01:00."""

    factors: tuple[float, ...]

    def at(self, month: int, day: int, hour: int) -> float | None:
        """The factor of an hour by its date; None for 29 February if the file has none.

        Args:
            month, day: Date of the hour.
            hour: 1 to 24; hour 1 ends at 01:00.
        """
        year = _HOURS[len(self.factors)]
        if (month, day) == (2, 29) and len(self.factors) == min(_HOURS):
            return None
        days = (date(year, month, day) - date(year, 1, 1)).days
        return self.factors[24 * days + hour - 1]


def read_hourly_factors(content: bytes, factor_source: HourlyElectricity) -> tuple[HourlyFactors | None, list[Problem]]:
    """The factors of a file, or its faults.

    Args:
        content: A CSV with a header row; columns may be separated by commas, semicolons or tabs.
        factor_source: The file and the column to read.
    """
    source = factor_source.file
    if len(content) > MAX_BYTES:
        return None, [Problem(source, f"has {len(content):,} bytes", f"at most {MAX_BYTES:,}")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [Problem(source, f"is not UTF-8 text (byte {error.start})", "UTF-8")]
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    names = [name.strip() for name in lines[0]] if lines else []
    body = [(number, cells) for number, cells in enumerate(lines[1:], start=1) if any(cell.strip() for cell in cells)]
    problems = []
    if len(body) not in _HOURS:
        problems.append(
            Problem(source, f"has {len(body):,} rows after the row of names", "8760, or 8784 with 29 February")
        )
    column = _column(names, factor_source)
    if isinstance(column, Problem):
        return None, [*problems, column]
    factors = []
    for number, cells in body:
        cell = cells[column].strip() if column < len(cells) else ""
        factor = _number(cell)
        if factor is None:
            where = f"{source}: row {number}, column {names[column]}"
            problems.append(Problem(where, f"'{cell}' is not a factor", f"a number from 0 to {_MAX_FACTOR:g}"))
            if len(problems) >= _MAX_SHOWN:
                break
        else:
            factors.append(factor)
    return (None, problems) if problems else (HourlyFactors(tuple(factors)), [])


def _column(names: Sequence[str], source: HourlyElectricity) -> int | Problem:
    shown = listed(names) or "a row of names"
    if source.column is None:
        fault = f"has {len(names)} columns, and 'hourly_electricity' does not name one"
        return 0 if len(names) == 1 else Problem(source.file, fault, f"'column': one of {shown}")
    found = [place for place, name in enumerate(names) if name == source.column]
    if len(found) == 1:
        return found[0]
    count = "several columns" if found else "no column"
    return Problem(source.file, f"has {count} '{source.column}'", nearest(source.column, names) or shown)


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= _MAX_FACTOR else None
