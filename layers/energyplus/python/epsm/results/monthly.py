"""Energy and peak demand of each month by fuel and end use.

Energy comes from the monthly values of meters. Peaks come from monthly reports, because eplusout.sql has the largest
value of a month only if it exceeds those of all earlier months (observed in 23.2 to 25.2).
"""

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from epsm.energyplus.monthly_reports import MONTHLY_REPORTS
from epsm.energyplus.sql import WEATHER_FILE_PERIOD, read_only
from epsm.results.metrics import END_USES, FACTORS, FUELS, snake
from epsm.results.reports import plain_number
from epsm.text import fold_name

TOTAL = "total"
"""End use for the whole of a fuel."""
_J_PER_KWH = 3_600_000
_METER_NAMES = {
    "Interior Lighting": "InteriorLights",
    "Exterior Lighting": "ExteriorLights",
    "Humidification": "Humidifier",
    "Generators": "Cogeneration",
}
"""End uses with different names in meters and tables, apart from blanks."""
_QUERY = """
    SELECT d.Name, p.EnvironmentName, t.Month, v.Value
    FROM ReportDataDictionary d
    JOIN ReportData v USING (ReportDataDictionaryIndex)
    JOIN Time t USING (TimeIndex)
    JOIN EnvironmentPeriods p USING (EnvironmentPeriodIndex)
    WHERE d.IsMeter = 1 AND d.ReportingFrequency = 'Monthly' AND coalesce(d.KeyValue, '') NOT LIKE 'Cumulative%'
        AND d.Name IN (SELECT value FROM json_each(?)) AND p.EnvironmentType = ? AND coalesce(t.WarmupFlag, 0) = 0
    ORDER BY t.TimeIndex
"""
_PEAKS = """
    SELECT RowName, ColumnName, Units, Value FROM TabularDataWithStrings
    WHERE ReportForString = 'Meter' AND ReportName IN (SELECT value FROM json_each(?)) AND ColumnName LIKE '% {Maximum}'
"""
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True, slots=True)
class MonthlyUse:
    """Energy and peak demand of a building in one month, for one fuel and end use.

    Attributes:
        environment: The run period.
        month: 1 to 12; in a run period of more than a year, months repeat.
        fuel, end_use: In lower case, as in the names of metrics; end use `total` is the whole of the fuel.
        energy_kwh: Energy on the simulated days of the month.
        peak_w: Largest mean power of a time step. None for end uses of district energy, which EnergyPlus does not
            report, and if the month was simulated more than once.
    """

    environment: str
    month: int
    fuel: str
    end_use: str
    energy_kwh: float
    peak_w: float | None


def _meters() -> dict[str, tuple[str, str]]:
    meters = {}
    for fuel in FUELS:
        resource = fuel.replace(" ", "")
        meters[f"{resource}:Facility"] = (snake(fuel), TOTAL)
        for end_use in END_USES:
            name = _METER_NAMES.get(end_use, end_use.replace(" ", ""))
            meters[f"{name}:{resource}"] = (snake(fuel), snake(end_use))
    return meters


METERS = _meters()
"""Fuel and end use by meter."""


def read_monthly(database: Path) -> tuple[MonthlyUse, ...]:
    """The months of a run in order; fuels and end uses that are 0 in all months are left out.

    Args:
        database: The run's eplusout.sql, with all meters reported monthly.

    Raises:
        sqlite3.Error: If the database cannot be read.
    """
    with closing(read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        rows = connection.execute(_QUERY, (json.dumps(list(METERS)), WEATHER_FILE_PERIOD)).fetchall()
        peaks = connection.execute(_PEAKS, (json.dumps(MONTHLY_REPORTS),)).fetchall()
    used = {name for name, _, _, value in rows if value}
    times = Counter((name, month) for name, _, month, _ in rows)
    peaks_w = {
        (fold_name(column), fold_name(row)): watt
        for row, column, unit, value in peaks
        if (watt := _power_w(value, str(unit).strip())) is not None
    }
    return tuple(
        MonthlyUse(
            environment,
            month,
            *METERS[name],
            value / _J_PER_KWH,
            peaks_w.get((fold_name(f"{name} {{Maximum}}"), _MONTHS[month - 1])) if times[name, month] == 1 else None,
        )
        for name, environment, month, value in rows
        if name in used
    )


def _power_w(value: str, unit: str) -> float | None:
    factor = FACTORS["w"].get(unit)
    number = plain_number(value)
    return None if factor is None or number is None else number * float(factor)
