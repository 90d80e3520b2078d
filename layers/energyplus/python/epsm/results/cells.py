"""Cells of tabular reports that a study requests, read by name and unit, like the metrics."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from epsm.energyplus.sql import read_only
from epsm.results.requested import RequestedValues
from epsm.study.cells import ReportCell
from epsm.text import fold_name, listed, nearest

_LARGEST = Decimal(10) ** 15
_STORED_AS = {
    "heatemissionssummary": "annualheatemissionsreport",
    "thermalresiliencesummary": "annualthermalresiliencesummary",
}
"""Reports whose name in the database is not the one by which they are requested."""


@dataclass(frozen=True, slots=True)
class _Stored:
    report: str
    for_name: str
    table: str
    row: str
    column: str
    unit: str
    value: str


def read_cells(database: Path, cells: Sequence[ReportCell]) -> RequestedValues:
    """Read the cells that a study requests.

    Args:
        database: The run's eplusout.sql.
        cells: The requested cells.

    Raises:
        sqlite3.Error: If the database cannot be read.
    """
    found = RequestedValues()
    if not cells:
        return found
    stored = _stored(database)
    for cell in cells:
        value, reason = _value(cell, stored)
        if cell.kind == "text":
            found.texts[cell.name] = value
        else:
            number, reason = (None, reason) if value is None else _number(value)
            found.numbers[cell.name] = number
        if reason:
            found.missing[cell.name] = f"{cell.name}: {reason}"
    return found


def _stored(database: Path) -> dict[str, list[_Stored]]:
    """All cells by report."""
    stored: dict[str, list[_Stored]] = {}
    with closing(read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        rows: Sequence[tuple[Any, ...]] = connection.execute(
            "SELECT ReportName, ReportForString, TableName, RowName, ColumnName, Units, Value "
            "FROM TabularDataWithStrings"
        ).fetchall()
    for row in rows:
        stored_cell = _Stored(*(str(part).strip() for part in row))
        stored.setdefault(report_key(stored_cell.report), []).append(stored_cell)
    return stored


def report_key(report: str) -> str:
    """A report's name without case and blanks, as it is stored.

    >>> report_key("Initialization Summary"), report_key("HeatEmissionsSummary")
    ('initializationsummary', 'annualheatemissionsreport')
    """
    folded = fold_name(report).replace(" ", "")
    return _STORED_AS.get(folded, folded)


def _value(cell: ReportCell, stored: dict[str, list[_Stored]]) -> tuple[str | None, str]:
    """The cell as EnergyPlus printed it, or None and the reason."""
    left = stored.get(report_key(cell.report))
    if left is None:
        near = nearest(cell.report, {rows[0].report for rows in stored.values()})
        return None, f"the run has no report '{cell.report}'" + (f"; it has {near}" if near else "")
    for part, requested in (
        ("for_name", cell.for_name),
        ("table", cell.table),
        ("row", cell.row),
        ("column", cell.column),
    ):
        if requested is None:
            continue
        fitting = [candidate for candidate in left if fold_name(getattr(candidate, part)) == fold_name(requested)]
        if not fitting:
            known = list(dict.fromkeys(getattr(candidate, part) for candidate in left))
            message = f"report '{cell.report}' has no {part.removesuffix('_name')} '{requested}'"
            return None, f"{message}; it has {nearest(requested, known) or listed(known, most=5)}"
        left = fitting
    places = list(dict.fromkeys((candidate.for_name, candidate.table) for candidate in left))
    if len(places) > 1:
        shown = listed((f"{of}, {table}" for of, table in places), most=5)
        return None, f"{len(places)} tables of '{cell.report}' have this cell; give 'for' and 'table': {shown}"
    if len(left) > 1:
        return None, f"{len(left)} cells of '{cell.report}' have this row and column"
    (only,) = left
    if cell.unit is not None and only.unit != cell.unit:
        return None, f"the cell is in '{only.unit}', not in '{cell.unit}'"
    return (only.value, "") if only.value else (None, "the cell is empty")


def _number(value: str) -> tuple[float | None, str]:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None, f"the cell holds '{value}', which is not a number"
    if not number.is_finite() or abs(number) > _LARGEST:
        return None, f"the cell holds '{value}', which is beyond what is physically possible (1e15)"
    return float(number), ""
