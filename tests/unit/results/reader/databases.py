"""Databases as the engine writes them, with the cells that a test needs."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from epsm.energyplus.verdict import Environment
from epsm.results.metrics import (
    CELLS,
    END_USES,
    FUELS,
)
from epsm.results.reader import Results

VERIFICATION = "InputVerificationandResultsSummary"
PERFORMANCE = "AnnualBuildingUtilityPerformanceSummary"
DEMAND = "DemandEndUseComponentsSummary"
TOTAL = "Total End Uses"
Place = tuple[str, str, str, str]  # report, table, row, column
Cells = dict[Place, tuple[str, str]]  # unit, value
SITE_EUI: Place = (PERFORMANCE, "Site and Source Energy", "Total Site Energy", "Energy Per Total Building Area")
AREA: Place = (PERFORMANCE, "Building Area", "Total Building Area", "Area")
ELECTRICITY: Place = (PERFORMANCE, "End Uses", TOTAL, "Electricity")
ELECTRICITY_PEAK: Place = (DEMAND, "End Uses", TOTAL, "Electricity")
YEAR = Environment("WHOLE YEAR", "WeatherFileRunPeriod", "01/01/2017", "12/31/2017", 365)
WINTER_DAY = Environment("WINTER DAY", "SizingPeriod:DesignDay", "01/21", "01/21", 1)


def end_use(row: str, fuel: str) -> Place:
    return (PERFORMANCE, "End Uses", row, fuel)


def building() -> Cells:
    """The tables of a building of 100 m2 that uses nothing, as the engine writes them."""
    units = {"kwh": "kWh", "kwh_m2": "kWh/m2", "m2": "m2", "m3": "m3", "w": "W", "hours": "Hours"}
    cells: Cells = {
        (cell.report, cell.table, cell.row, cell.column): (units[cell.unit], "0") for cell in CELLS.values()
    }
    cells |= {end_use(row, fuel): ("kWh", "0") for row in END_USES for fuel in FUELS}
    return cells | {AREA: ("m2", "100")}


def without(cells: Cells, unwanted: Callable[[Place], bool]) -> Cells:
    return {place: content for place, content in cells.items() if not unwanted(place)}


TABULAR_DATA = """
CREATE TABLE StringTypes (StringTypeIndex INTEGER PRIMARY KEY, Value TEXT);
INSERT INTO StringTypes VALUES (1, 'ReportName'), (2, 'ReportForString'), (3, 'TableName'), (4, 'RowName'),
    (5, 'ColumnName'), (6, 'Units');
CREATE TABLE Strings (StringIndex INTEGER PRIMARY KEY, StringTypeIndex INTEGER, Value TEXT,
    UNIQUE (StringTypeIndex, Value));
CREATE TABLE TabularData (TabularDataIndex INTEGER PRIMARY KEY, ReportNameIndex INTEGER, ReportForStringIndex INTEGER,
    TableNameIndex INTEGER, RowNameIndex INTEGER, ColumnNameIndex INTEGER, UnitsIndex INTEGER, Value TEXT);
"""
"""The tables that the engine's view `TabularDataWithStrings` joins."""


def add_cells(
    connection: sqlite3.Connection, cells: Mapping[Place, tuple[str, str]], for_what: str = "Entire Facility"
) -> None:
    for (report, table, row, column), (unit, value) in cells.items():
        numbers = []
        for kind, name in enumerate((report, for_what, table, row, column, unit), start=1):
            connection.execute("INSERT OR IGNORE INTO Strings (StringTypeIndex, Value) VALUES (?, ?)", (kind, name))
            found = "SELECT StringIndex FROM Strings WHERE StringTypeIndex = ? AND Value = ?"
            numbers += connection.execute(found, (kind, name)).fetchone()
        connection.execute("INSERT INTO TabularData VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", (*numbers, value))


def write_database(path: Path, cells: Mapping[Place, tuple[str, str]], zones: Sequence[str | bytes] = ()) -> None:
    """The tables of an eplusout.sql that results are read from."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # waiting for the disk is most of the time otherwise
        connection.executescript(TABULAR_DATA)
        add_cells(connection, cells)
        connection.execute("CREATE TABLE Simulations (NumTimestepsPerHour INTEGER)")
        connection.execute("INSERT INTO Simulations VALUES (4)")
        connection.execute(
            "CREATE TABLE Zones (ZoneIndex INTEGER PRIMARY KEY, ZoneName TEXT, Multiplier REAL, ListMultiplier REAL)"
        )
        connection.execute("CREATE TABLE Constructions (ConstructionIndex INTEGER, Name TEXT, TotalLayers INTEGER)")
        connection.execute(
            "CREATE TABLE Surfaces (SurfaceIndex INTEGER, SurfaceName TEXT, ConstructionIndex INTEGER, ClassName TEXT, "
            "Area REAL, GrossArea REAL, Azimuth REAL, Tilt REAL, HeatTransferSurf INTEGER, ZoneIndex INTEGER, "
            "ExtBoundCond INTEGER)"
        )
        connection.executemany("INSERT INTO Zones (ZoneName) VALUES (CAST(? AS TEXT))", [(name,) for name in zones])
        connection.commit()


Reader = Callable[..., Results]


# -- values and units --------------------------------------------------------------------------------------------
BTU_IN_J = Fraction("1055.05585262")
SQUARE_FOOT_IN_M2 = Fraction("0.3048") ** 2
KWH = {
    "kWh": Fraction(1),
    "J": 1 / Fraction(3_600_000),
    "MJ": 1 / Fraction("3.6"),
    "GJ": 1000 / Fraction("3.6"),
    "kBtu": 1000 * BTU_IN_J / 3_600_000,
}


def exactly(value: str, factor: Fraction) -> float:
    """The number nearest to the product of both, computed without rounding in between."""
    return float(Fraction(value) * factor)


def of_zone(name: str, column: str) -> Place:
    return (VERIFICATION, "Zone Summary", name, column)


def zone_summary(name: str, **columns: str) -> Cells:
    """The row of a zone in the Zone Summary."""
    values = {"Area": "48", "Volume": "144", "Multipliers": "1", "Conditioned (Y/N)": "Yes"} | columns
    values = {"Part of Total Floor Area (Y/N)": "Yes"} | values
    units = {"Area": "m2", "Volume": "m3"}
    return {of_zone(name, column): (units.get(column, ""), value) for column, value in values.items()}
