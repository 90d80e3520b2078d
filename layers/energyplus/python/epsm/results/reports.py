"""The tabular reports of a run as the engine stored them, looked up by report, table, row and column name."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from epsm.energyplus.sql import read_only
from epsm.results.metrics import FACTORS, READ_REPORTS, Cell
from epsm.text import fold_name


class Reports:
    """The tabular reports of a run, looked up by name, and the names of its zones."""

    def __init__(self, rows: Sequence[tuple[Any, ...]], zones: Sequence[str], steps_per_hour: int = 0) -> None:
        self._cells: dict[tuple[str, str, str, str], tuple[str, str]] = {}
        for report, table, row, column, unit, value in rows:
            key = (report, table, fold_name(row), fold_name(column))
            # The first one is kept: zones precede the totals, and a zone may be named TOTAL.
            self._cells.setdefault(key, (str(value).strip(), str(unit).strip()))
        self._tables = {(report, table) for report, table, *_ in rows}
        self.zones = zones
        self.steps_per_hour = steps_per_hour

    def text(self, report: str, table: str, row: str, column: str) -> str | None:
        found = self._cells.get((report, table, fold_name(row), fold_name(column)))
        return None if found is None else found[0]

    def number(self, cell: Cell) -> tuple[Decimal | None, str]:
        """The cell in the unit of its metric, or None and the reason."""
        where = f"{cell.report}, {cell.table}, row '{cell.row}', column '{cell.column}'"
        if (cell.report, cell.table) not in self._tables:
            return None, f"the run has no table '{cell.table}' in {cell.report}"
        found = self._cells.get((cell.report, cell.table, fold_name(cell.row), fold_name(cell.column)))
        if found is None:
            return None, f"there is no {where}"
        value, unit = found
        factor = FACTORS[cell.unit].get(unit)
        if factor is None:
            return None, f"{where} is in '{unit}', an unknown unit"
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None, f"{where} holds '{value}'"
        return (number * factor, "") if number.is_finite() else (None, f"{where} holds '{value}'")

    def places(self, report: str) -> Iterator[tuple[str, str, str]]:
        """Table, row and column of each cell of a report; row and column in lower case."""
        return (key[1:] for key in self._cells if key[0] == report)

    def rows(self, report: str, table: str = "") -> Iterator[tuple[str, str]]:
        """Table and row, of one table of a report or of all; the row in lower case."""
        yield from {place[:2]: None for place in self.places(report) if table in ("", place[0])}


def read_reports(database: Path) -> Reports:
    """Read the reports that metrics come from.

    Raises:
        sqlite3.Error: If the database cannot be read.
    """
    with closing(read_only(database)) as connection:
        # Names come from the model, in its original encoding.
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        rows = connection.execute(
            "SELECT ReportName, TableName, RowName, ColumnName, Units, Value FROM TabularDataWithStrings "
            "WHERE ReportForString = 'Entire Facility' AND ReportName IN (SELECT value FROM json_each(?))",
            (json.dumps(READ_REPORTS),),
        ).fetchall()
        zones = [name for (name,) in connection.execute("SELECT ZoneName FROM Zones ORDER BY ZoneIndex")]
        (steps_per_hour,) = connection.execute("SELECT NumTimestepsPerHour FROM Simulations").fetchone() or (0,)
    return Reports(rows, zones, steps_per_hour)


def plain_number(text: str | None) -> float | None:
    """A number without a unit: if the zone's name has brackets, the unit column contains a part of the name."""
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None
