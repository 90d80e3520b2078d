"""The tabular reports of a run as the engine stored them, looked up by report, table, row and column name."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from epsm.results.metrics import (
    ANNUAL_VALUE,
    DEMAND,
    DEMAND_ROWS,
    ENVELOPE,
    ENVELOPE_COLUMNS,
    FACTORS,
    METERS,
    READ_REPORTS,
    READ_TABLES,
    READ_WHOLLY,
    Cell,
)
from epsm.text import fold_name

_BUILDING = "Entire Facility"
_WITHOUT_CONDITION = tuple(name for name in READ_REPORTS if name not in (METERS, ENVELOPE, DEMAND))


class Reports:
    """The tabular reports of a run, looked up by name, and the names of its zones.

    Most cells are never asked for: texts are decoded, and tables indexed, when they are.

    Args:
        tables: Row, column, unit and value of each cell, as bytes, by report and table, in the engine's order.
        zones: The names of the zones.
        steps_per_hour: Time steps of the zones in an hour.
    """

    def __init__(
        self,
        tables: Mapping[tuple[str, str], list[tuple[Any, ...]]],
        zones: Sequence[str],
        steps_per_hour: int = 0,
    ) -> None:
        self._rows = tables
        self._indexed: dict[tuple[str, str], Mapping[tuple[str, str], tuple[Any, Any]]] = {}
        self.zones = zones
        self.steps_per_hour = steps_per_hour

    def text(self, report: str, table: str, row: str, column: str) -> str | None:
        found = self._cells(report, table).get((_fold(row), _fold(column)))
        return None if found is None else decoded(found[1]).strip()

    def number(self, cell: Cell) -> tuple[Decimal | None, str]:
        """The cell in the unit of its metric, or None and the reason."""
        cells = self._cells(cell.report, cell.table)
        if not cells:
            return None, f"the run has no table '{cell.table}' in {cell.report}"
        found = cells.get((_fold(cell.row), _fold(cell.column)))
        if found is None:
            return None, f"there is no {_place(cell)}"
        number, fault = _converted(*found, cell.unit)
        return number, f"{_place(cell)} {fault}" if fault else ""

    def has(self, report: str) -> bool:
        return any(name == report for name, _ in self._rows)

    def places(self, report: str) -> Iterator[tuple[str, str, str]]:
        """Table, row and column of each cell of a report; row and column in lower case."""
        tables = [table for of_report, table in self._rows if of_report == report]
        return ((table, *place) for table in tables for place in self._cells(report, table))

    def rows(self, report: str, table: str = "") -> Iterator[tuple[str, str]]:
        """Table and row, of one table of a report or of all; the row in lower case."""
        tables = [table] if table else [of_report for name, of_report in self._rows if name == report]
        for name in tables:
            yield from {(name, row): None for row, _ in self._cells(report, name)}

    def stored(self, report: str) -> Iterator[tuple[Any, ...]]:
        """Row, column, unit and value of each cell of a report, as bytes, in the engine's order of tables."""
        return (row for (name, _), rows in self._rows.items() if name == report for row in rows)

    def _cells(self, report: str, table: str) -> Mapping[tuple[str, str], tuple[Any, Any]]:
        """Unit and value of each cell of a table by row and column, in lower case."""
        cells = self._indexed.get((report, table))
        if cells is None:
            assert report in READ_WHOLLY or table in READ_TABLES, f"{table} of {report} is not read"
            found = dict[tuple[str, str], tuple[Any, Any]]()
            for row, column, unit, value in self._rows.get((report, table), ()):
                # The first one is kept: zones precede the totals, and a zone may be named TOTAL.
                found.setdefault((_fold(row), _fold(column)), (unit, value))
            self._indexed[report, table] = cells = found
        return cells


@lru_cache(maxsize=16_384)
def _fold(stored: str | bytes) -> str:
    """A name as EnergyPlus compares it. The runs of a study have the same names."""
    return fold_name(decoded(stored))


@lru_cache(maxsize=16_384)
def _converted(stored_unit: Any, stored_value: Any, unit: str) -> tuple[Decimal | None, str]:
    """A value in the unit of a metric, or None and its fault. Most cells of a study are 0."""
    of_value, value = decoded(stored_unit).strip(), decoded(stored_value).strip()
    factor = FACTORS[unit].get(of_value)
    if factor is None:
        return None, f"is in '{of_value}', an unknown unit"
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None, f"holds '{value}'"
    return (number * factor, "") if number.is_finite() else (None, f"holds '{value}'")


def _place(cell: Cell) -> str:
    return f"{cell.report}, {cell.table}, row '{cell.row}', column '{cell.column}'"


def decoded(stored: Any) -> str:
    """A text as it is stored. Names come from the model, in its original encoding."""
    return stored.decode("utf-8", errors="replace") if isinstance(stored, bytes) else str(stored)


def read_reports(connection: sqlite3.Connection) -> Reports:
    """Read the reports that metrics and the envelope come from.

    Args:
        connection: To the run's eplusout.sql, with texts as bytes.

    Raises:
        sqlite3.Error: If the database cannot be read.
    """
    tables = _read_tables(connection)
    zones = [decoded(name) for (name,) in connection.execute("SELECT ZoneName FROM Zones ORDER BY ZoneIndex")]
    (steps_per_hour,) = connection.execute("SELECT NumTimestepsPerHour FROM Simulations").fetchone() or (0,)
    return Reports(tables, zones, steps_per_hour)


def _read_tables(connection: sqlite3.Connection) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """The cells that are read, without the view `TabularDataWithStrings`: it looks up the six names of each cell before
    any condition is checked."""
    names = (_BUILDING, *READ_REPORTS, *READ_TABLES, *ENVELOPE_COLUMNS, *DEMAND_ROWS)
    numbers: dict[str, list[int]] = {name: [] for name in names}
    for number, name in connection.execute(
        "SELECT StringIndex, Value FROM Strings WHERE StringTypeIndex IN (SELECT StringTypeIndex FROM StringTypes) "
        "AND Value IN (SELECT value FROM json_each(?))",
        (json.dumps(names),),
    ):
        numbers[decoded(name)].append(number)

    def is_in(column: str, names: Iterable[str]) -> str:
        return f"d.{column} IN ({', '.join(str(int(number)) for name in names for number in numbers[name])})"

    rows = connection.execute(
        "SELECT d.ReportNameIndex, d.TableNameIndex, r.Value, c.Value, u.Value, d.Value FROM TabularData d "  # noqa: S608 - numbers only
        "CROSS JOIN Strings r ON r.StringIndex = d.RowNameIndex "
        "CROSS JOIN Strings c ON c.StringIndex = d.ColumnNameIndex "
        "CROSS JOIN Strings u ON u.StringIndex = d.UnitsIndex "
        f"WHERE {is_in('ReportForStringIndex', [_BUILDING])} AND {is_in('ReportNameIndex', READ_REPORTS)} AND ("
        f"{is_in('ReportNameIndex', _WITHOUT_CONDITION)} "
        f"AND ({is_in('TableNameIndex', READ_TABLES)} OR {is_in('ReportNameIndex', READ_WHOLLY)}) "
        f"OR {is_in('ReportNameIndex', [ENVELOPE])} AND {is_in('ColumnNameIndex', ENVELOPE_COLUMNS)} "
        f"OR {is_in('ReportNameIndex', [DEMAND])} AND {is_in('RowNameIndex', DEMAND_ROWS)} "
        f"AND {is_in('TableNameIndex', READ_TABLES)} "
        f"OR {is_in('ReportNameIndex', [METERS])} AND c.Value LIKE ?) ORDER BY d.TabularDataIndex",
        (f"%{ANNUAL_VALUE}",),
    ).fetchall()
    found: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    for place, cells in groupby(rows, itemgetter(0, 1)):
        found.setdefault(place, []).extend(cell[2:] for cell in cells)
    name_of = {
        number: decoded(name)
        for number, name in connection.execute(
            "SELECT StringIndex, Value FROM Strings WHERE StringIndex IN (SELECT value FROM json_each(?))",
            (json.dumps([number for place in found for number in place]),),
        )
    }
    tables: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for (report, table), rows_of_table in found.items():
        tables.setdefault((name_of[report], name_of[table]), []).extend(rows_of_table)
    return tables


def plain_number(text: str | None) -> float | None:
    """A number without a unit: if the zone's name has brackets, the unit column contains a part of the name."""
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None
