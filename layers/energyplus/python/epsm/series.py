"""Time series of one run: the meters and output variables that a study asks for, from its eplusout.sql."""

import datetime
from contextlib import closing
from pathlib import Path

import pandas as pd

from epsm.study import Outputs
from epsm.text import fold_name
from epsm.verdict import read_only

_J_PER_KWH = 3_600_000
_WEATHER_FILE_PERIOD = 3  # EnvironmentPeriods.EnvironmentType: 1 and 2 are design days and sizing run periods
_FREQUENCY_IN_DATABASE = {
    "Timestep": "Zone Timestep",
    "Hourly": "Hourly",
    "Daily": "Daily",
    "Monthly": "Monthly",
    "RunPeriod": "Run Period",
}
_TIMES = """
    SELECT t.TimeIndex, p.EnvironmentName, t.Year, t.Month, t.Day, t.Hour, t.Minute
    FROM Time t JOIN EnvironmentPeriods p ON p.EnvironmentPeriodIndex = t.EnvironmentPeriodIndex
    WHERE p.EnvironmentType = ? AND coalesce(t.WarmupFlag, 0) = 0
    ORDER BY t.TimeIndex
"""
_SERIES = """
    SELECT ReportDataDictionaryIndex, KeyValue, Name, Units FROM ReportDataDictionary WHERE ReportingFrequency = ?
    ORDER BY ReportDataDictionaryIndex
"""
_VALUES = "SELECT TimeIndex, Value FROM ReportData WHERE ReportDataDictionaryIndex = ?"


def read_series(database: Path, outputs: Outputs) -> pd.DataFrame | None:
    """The requested series, without design days and warm-up.

    Args:
        database: The run's eplusout.sql.
        outputs: Which meters and variables, at which frequency.

    Returns:
        One row a time: `environment`, `interval_end` (local standard time, the end of the interval as EnergyPlus
        reports it; empty for a whole run period), then a column for each series with its unit in brackets, J in kWh
        (``Electricity:Facility [kWh]``, ``ROOM: Zone Mean Air Temperature [C]``). None if nothing was asked for.

    Raises:
        sqlite3.Error: If the database cannot be read.
    """
    wanted = {fold_name(name) for name in (*outputs.meters, *outputs.variables)}
    if not wanted:
        return None
    frequency = _FREQUENCY_IN_DATABASE[outputs.frequency]
    columns: dict[str, pd.Series[float]] = {}
    with closing(read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        times = {index: rest for index, *rest in connection.execute(_TIMES, (_WEATHER_FILE_PERIOD,))}
        # A series at a time: joining and pivoting all of them at once took 12 s and 1.1 GB for 500 hourly ones.
        for index, key, name, unit in connection.execute(_SERIES, (frequency,)).fetchall():
            if fold_name(name) in wanted:
                values = {at: value for at, value in connection.execute(_VALUES, (index,)) if at in times}
                label, factor = _label(key, name, unit)
                columns[label] = pd.Series(values, dtype=float) * factor
    series = pd.DataFrame(columns).sort_index()
    series.insert(0, "interval_end", pd.to_datetime([_moment(*times[at][1:]) for at in series.index]))
    series.insert(0, "environment", [times[at][0] for at in series.index])
    return series.reset_index(drop=True)


def _label(key: str | None, name: str, unit: str | None) -> tuple[str, float]:
    """The column name, and the factor to its unit."""
    label = f"{key}: {name}" if key else name
    return (f"{label} [kWh]", 1 / _J_PER_KWH) if unit == "J" else (f"{label} [{unit}]", 1.0)


def _moment(
    year: int | None, month: int | None, day: int | None, hour: int | None, minute: int | None
) -> datetime.datetime | None:
    """EnergyPlus counts hours 1 to 24 and gives the end of the interval; longer intervals leave parts empty."""
    if year is None or month is None or day is None:  # a whole run period: the database keeps no date for it
        return None
    midnight = datetime.datetime(year, month, day)  # noqa: DTZ001 - the weather file's own standard time
    if hour is None:
        return midnight + datetime.timedelta(days=1)
    return midnight + datetime.timedelta(hours=hour, minutes=minute or 0)
