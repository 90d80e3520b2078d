"""Meters and output variables reduced to one number each, read like series; a missing number is None with a reason."""

import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from epsm.energyplus.sql import WEATHER_FILE_PERIOD, read_only
from epsm.results.reader import ImpossibleResult
from epsm.results.requested import RequestedValues
from epsm.results.series import FREQUENCY_IN_DATABASE
from epsm.study.reduced import ReducedSeries
from epsm.study.targets import fits_pattern
from epsm.text import fold_name, listed, nearest

_J_PER_KWH = 3_600_000
_TIMES = """
    SELECT t.TimeIndex, t.Interval FROM Time t JOIN EnvironmentPeriods p USING (EnvironmentPeriodIndex)
    WHERE p.EnvironmentType = ? AND coalesce(t.WarmupFlag, 0) = 0
"""
_SERIES = """
    SELECT ReportDataDictionaryIndex, coalesce(KeyValue, ''), Name, coalesce(Units, ''), IsMeter, Type,
        ReportingFrequency, coalesce(ScheduleName, '')
    FROM ReportDataDictionary WHERE NOT (IsMeter = 1 AND coalesce(KeyValue, '') LIKE 'Cumulative%')
    ORDER BY ReportDataDictionaryIndex
"""
_VALUES = "SELECT TimeIndex, Value FROM ReportData WHERE ReportDataDictionaryIndex = ?"
_ACROSS: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {"sum": math.fsum, "mean": lambda values: math.fsum(values) / len(values), "max": max, "min": min}
)


@dataclass(frozen=True, slots=True)
class _Series:
    index: int
    key: str
    name: str
    unit: str
    is_meter: bool
    adds_up: bool
    frequency: str
    schedule: str

    @property
    def is_energy(self) -> bool:
        return self.unit == "J"


class _NoNumber(Exception):
    """The reason for a missing number."""


def read_reduced(database: Path, wanted: Sequence[ReducedSeries]) -> RequestedValues:
    """Reduce the series that a study names, without design days and warm-up.

    Args:
        database: The run's eplusout.sql.
        wanted: The requested reductions.

    Raises:
        sqlite3.Error: If the database cannot be read.
        ImpossibleResult: If a number is infinite.
    """
    found = RequestedValues()
    if not wanted:
        return found
    with closing(read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        minutes = dict(connection.execute(_TIMES, (WEATHER_FILE_PERIOD,)).fetchall())
        stored = [
            _Series(index, key, name, unit, bool(is_meter), kind == "Sum", frequency, schedule)
            for index, key, name, unit, is_meter, kind, frequency, schedule in connection.execute(_SERIES)
        ]
        for each in wanted:
            found.numbers[each.name] = None
            try:
                number = _number(each, stored, connection, minutes)
            except _NoNumber as reason:
                found.missing[each.name] = f"{each.name}: {reason}"
                continue
            if not math.isfinite(number):
                raise ImpossibleResult(f"{each.name} is not a finite number")
            found.numbers[each.name] = number
    return found


def _number(
    wanted: ReducedSeries, stored: Sequence[_Series], connection: sqlite3.Connection, minutes: Mapping[int, float]
) -> float:
    if not minutes:
        raise _NoNumber("no run period of the weather file was simulated")
    series = _fitting(wanted, stored)
    unit = _unit(wanted, series[0])
    if wanted.unit is not None and wanted.unit != unit:
        raise _NoNumber(f"the number is in '{unit}', not in '{wanted.unit}'")
    if wanted.reduce == "sum" and not series[0].adds_up:
        raise _NoNumber(f"{wanted.series} is an average over each interval, which cannot be summed; use 'mean'")
    if len(series) > 1 and wanted.across is None:
        keys = listed([each.key for each in series], most=5)
        raise _NoNumber(f"{len(series)} keys match '{wanted.key}'; give 'across', or one of them: {keys}")
    numbers = [_reduced(wanted, each, connection, minutes) for each in series]
    return numbers[0] if wanted.across is None else _ACROSS[wanted.across](numbers)


def _fitting(wanted: ReducedSeries, stored: Sequence[_Series]) -> list[_Series]:
    """The series of each key; the same key may have been requested twice."""
    is_meter = wanted.meter is not None
    kind = "meter" if is_meter else "variable"
    named = [each for each in stored if each.is_meter == is_meter and fold_name(each.name) == fold_name(wanted.series)]
    frequency = FREQUENCY_IN_DATABASE[wanted.frequency]
    named = [
        each
        for each in named
        if each.frequency == frequency and fold_name(each.schedule) == fold_name(wanted.schedule or "")
    ]
    if not named:
        raise _NoNumber(f"the model has no {kind} '{wanted.series}'")
    fitting = named if is_meter else [each for each in named if fits_pattern(each.key, wanted.key)]
    if not fitting:
        keys = [each.key for each in named]
        near = nearest(wanted.key, keys) or listed(keys, most=5)
        raise _NoNumber(f"the variable '{wanted.series}' has no key '{wanted.key}'; it has {near}")
    return list({fold_name(each.key): each for each in fitting}.values())


def _unit(wanted: ReducedSeries, series: _Series) -> str:
    if wanted.counts_hours:
        return "h"
    if not series.is_energy:
        return series.unit
    return "kWh" if wanted.reduce == "sum" else "kW"


def _reduced(
    wanted: ReducedSeries, series: _Series, connection: sqlite3.Connection, minutes: Mapping[int, float]
) -> float:
    rows: list[tuple[float, float]] = [
        (minutes[time], value) for time, value in connection.execute(_VALUES, (series.index,)) if time in minutes
    ]
    if not rows:
        where = f" of '{series.key}'" if series.key else ""
        raise _NoNumber(f"{wanted.series}{where} has no value in the run periods")
    if wanted.reduce == "sum":
        return math.fsum(value for _, value in rows) / (_J_PER_KWH if series.is_energy else 1)
    if series.is_energy:
        rows = [(length, value / (60_000 * length)) for length, value in rows]  # J per interval in minutes, as kW
    match wanted.reduce:
        case "mean":
            return math.fsum(length * value for length, value in rows) / math.fsum(length for length, _ in rows)
        case "max":
            return max(value for _, value in rows)
        case "min":
            return min(value for _, value in rows)
        case _:
            return _hours(wanted, rows)


def _hours(wanted: ReducedSeries, rows: Iterable[tuple[float, float]]) -> float:
    assert wanted.threshold is not None
    sign, threshold = (1 if wanted.reduce == "hours_above" else -1), wanted.threshold
    return math.fsum(length for length, value in rows if sign * (value - threshold) > 0) / 60
