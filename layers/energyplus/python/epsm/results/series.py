"""Time series of one run: the meters and output variables of a study, from its eplusout.sql."""

import datetime
import math
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pandas as pd

from epsm.energyplus.sql import FREQUENCY_IN_DATABASE, WEATHER_FILE_PERIOD, read_only
from epsm.energyplus.verdict import read_environments
from epsm.results.reader import ImpossibleResult
from epsm.study.schema import Outputs
from epsm.text import fold_name

_Interval = tuple[datetime.datetime, datetime.datetime]
_DAY = datetime.timedelta(days=1)
_J_PER_KWH = 3_600_000
_MONTHLY = 3  # Time.IntervalType
_TIMES = """
    SELECT t.TimeIndex, p.EnvironmentName, p.EnvironmentPeriodIndex, t.IntervalType, t.Interval,
        t.Year, t.Month, t.Day, t.Hour, t.Minute
    FROM Time t JOIN EnvironmentPeriods p ON p.EnvironmentPeriodIndex = t.EnvironmentPeriodIndex
    WHERE p.EnvironmentType = ? AND coalesce(t.WarmupFlag, 0) = 0
    ORDER BY t.TimeIndex
"""
_SERIES = """
    SELECT ReportDataDictionaryIndex, KeyValue, Name, Units FROM ReportDataDictionary
    WHERE ReportingFrequency = ? AND coalesce(ScheduleName, '') = ''
        AND NOT (IsMeter = 1 AND coalesce(KeyValue, '') LIKE 'Cumulative%')
    ORDER BY ReportDataDictionaryIndex
"""
"""Excludes outputs that only the model requests: cumulative meters, and variables controlled by a schedule."""
_PERIODS = """
    SELECT EnvironmentPeriodIndex FROM EnvironmentPeriods WHERE EnvironmentType = ? ORDER BY EnvironmentPeriodIndex
"""
_VALUES = "SELECT TimeIndex, Value FROM ReportData WHERE ReportDataDictionaryIndex = ?"


def read_series(database: Path, outputs: Outputs) -> pd.DataFrame | None:
    """The requested series, without design days and warm-up.

    Args:
        database: The run's eplusout.sql.
        outputs: Meters, variables and their frequency.

    Returns:
        One row per interval: `environment`, `interval_start` and `interval_end` (local standard time, within the run
        period), then one column per series with its unit in brackets, J in kWh (``Electricity:Facility [kWh]``, ``ROOM:
        Zone Mean Air Temperature [C]``). None if no series were requested.

    Raises:
        sqlite3.Error: If the database cannot be read.
        ImpossibleResult: If a value is infinite.
    """
    requested = {fold_name(name) for name in (*outputs.meters, *outputs.variables)}
    if not requested:
        return None
    frequency = FREQUENCY_IN_DATABASE[outputs.frequency]
    columns: dict[str, pd.Series[float]] = {}
    with closing(read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        times = {index: rest for index, *rest in connection.execute(_TIMES, (WEATHER_FILE_PERIOD,))}
        # One series at a time: joining and pivoting all together took 12 s and 1.1 GB for 500 hourly series.
        for index, key, name, unit in connection.execute(_SERIES, (frequency,)).fetchall():
            if fold_name(name) in requested:
                values = {at: value for at, value in connection.execute(_VALUES, (index,)) if at in times}
                label, factor = _label(key, name, unit)
                columns[label] = pd.Series(values, dtype=float) * factor
                if columns[label].isin([math.inf, -math.inf]).any():
                    raise ImpossibleResult(f"the series {label} contains an infinite number")
        run_periods = _run_periods(connection, database)
    series = pd.DataFrame(columns).sort_index()
    intervals = [_interval(run_periods.get(times[at][1]), *times[at][2:]) for at in series.index]
    series.insert(0, "interval_end", pd.DatetimeIndex([end for _, end in intervals]))
    series.insert(0, "interval_start", pd.DatetimeIndex([start for start, _ in intervals]))
    series.insert(0, "environment", [times[at][0] for at in series.index])
    return series.reset_index(drop=True)


def missing_series(series: pd.DataFrame, requested: Iterable[str]) -> dict[str, str]:
    """The requested meters and variables that a run lacks, each with the reason.

    Args:
        series: The result of `read_series`.
        requested: Names of meters and variables.
    """
    labels = [fold_name(column.rsplit(" [", 1)[0]) for column in series.columns]
    # A variable's name follows its key; but names, of Meter:Custom for example, may contain a colon themselves.
    names = {*labels, *(label.partition(": ")[2] for label in labels), *(label.rpartition(": ")[2] for label in labels)}
    hint = "; EnergyPlus truncates names at '[', also those of Meter:Custom: use a name without brackets and unit"
    return {
        name: f"the model has no '{name}'" + (hint if "[" in name else "")
        for name in requested
        if fold_name(name) not in names
    }


def _label(key: str | None, name: str, unit: str | None) -> tuple[str, float]:
    """The column name, and the factor to its unit."""
    label = f"{key}: {name}" if key else name
    return (f"{label} [kWh]", 1 / _J_PER_KWH) if unit == "J" else (f"{label} [{unit}]", 1.0)


def _run_periods(connection: sqlite3.Connection, database: Path) -> dict[int, _Interval]:
    """Begin and end of each weather-file run period by its index; they are not in the database but in eplusout.eio."""
    indices = [index for (index,) in connection.execute(_PERIODS, (WEATHER_FILE_PERIOD,))]
    printed = [
        environment
        for environment in read_environments(database.with_name("eplusout.eio"))
        if environment.from_weather_file
    ]
    if len(indices) != len(printed):
        return {}
    periods: dict[int, _Interval] = {}
    for index, period in zip(indices, printed, strict=True):
        try:
            start, last = (datetime.datetime.strptime(day, "%m/%d/%Y") for day in (period.start, period.end))  # noqa: DTZ007
        except ValueError:
            continue  # 29 February of a common year, for example
        periods[index] = (start, last + _DAY)
    return periods


def _interval(
    run_period: _Interval | None,
    kind: int,
    minutes: int,
    year: int | None,
    month: int | None,
    day: int | None,
    hour: int | None,
    minute: int | None,
) -> _Interval | tuple[None, None]:
    """Begin and end of an interval. EnergyPlus gives the end, counts hours from 1 to 24, and has whole months."""
    if year is None or month is None or day is None:  # a whole run period: the database has no date for it
        return run_period or (None, None)
    midnight = datetime.datetime(year, month, day)  # noqa: DTZ001 - the weather file's own standard time
    if kind != _MONTHLY:
        after = _DAY if hour is None else datetime.timedelta(hours=hour, minutes=minute or 0)
        return midnight + after - datetime.timedelta(minutes=minutes), midnight + after
    start, end = midnight.replace(day=1), midnight + _DAY
    if run_period is not None and start < run_period[1] and run_period[0] < end:
        return max(start, run_period[0]), min(end, run_period[1])
    return start, end
