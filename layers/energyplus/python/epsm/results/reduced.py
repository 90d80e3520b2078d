"""Meters and output variables reduced to one number each, read like series; a missing number is None with a reason."""

import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from epsm.energyplus.sql import FREQUENCY_IN_DATABASE, WEATHER_FILE_PERIOD, read_only
from epsm.results.reader import ImpossibleResult
from epsm.results.requested import RequestedValues
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


def read_reduced(database: Path, requested: Sequence[ReducedSeries]) -> RequestedValues:
    """Reduce the series that a study names, without design days and warm-up.

    Args:
        database: The run's eplusout.sql.
        requested: The requested reductions.

    Raises:
        sqlite3.Error: If the database cannot be read.
        ImpossibleResult: If a number is infinite.
    """
    found = RequestedValues()
    if not requested:
        return found
    with closing(read_only(database)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        minutes = dict(connection.execute(_TIMES, (WEATHER_FILE_PERIOD,)).fetchall())
        stored = [
            _Series(index, key, name, unit, bool(is_meter), kind == "Sum", frequency, schedule)
            for index, key, name, unit, is_meter, kind, frequency, schedule in connection.execute(_SERIES)
        ]
        for request in requested:
            found.numbers[request.name] = None
            try:
                number = _number(request, stored, connection, minutes)
            except _NoNumber as reason:
                found.missing[request.name] = f"{request.name}: {reason}"
                continue
            if not math.isfinite(number):
                raise ImpossibleResult(f"{request.name} is not a finite number")
            found.numbers[request.name] = number
    return found


def _number(
    request: ReducedSeries, stored: Sequence[_Series], connection: sqlite3.Connection, minutes: Mapping[int, float]
) -> float:
    if not minutes:
        raise _NoNumber("no run period of the weather file was simulated")
    series = _fitting(request, stored)
    unit = _unit(request, series[0])
    if request.unit is not None and request.unit != unit:
        raise _NoNumber(f"the number is in '{unit}', not in '{request.unit}'")
    if request.reduce == "sum" and not series[0].adds_up:
        raise _NoNumber(f"{request.series} is an average over each interval, which cannot be summed; use 'mean'")
    if len(series) > 1 and request.across is None:
        keys = listed([candidate.key for candidate in series], most=5)
        raise _NoNumber(f"{len(series)} keys match '{request.key}'; give 'across', or one of them: {keys}")
    numbers = [_reduced(request, one_series, connection, minutes) for one_series in series]
    return numbers[0] if request.across is None else _ACROSS[request.across](numbers)


def _fitting(request: ReducedSeries, stored: Sequence[_Series]) -> list[_Series]:
    """The series of each key; the same key may have been requested twice."""
    is_meter = request.meter is not None
    kind = "meter" if is_meter else "variable"
    matching = [
        candidate
        for candidate in stored
        if candidate.is_meter == is_meter and fold_name(candidate.name) == fold_name(request.series)
    ]
    frequency = FREQUENCY_IN_DATABASE[request.frequency]
    matching = [
        candidate
        for candidate in matching
        if candidate.frequency == frequency and fold_name(candidate.schedule) == fold_name(request.schedule or "")
    ]
    if not matching:
        raise _NoNumber(f"the model has no {kind} '{request.series}'")
    fitting = (
        matching if is_meter else [candidate for candidate in matching if fits_pattern(candidate.key, request.key)]
    )
    if not fitting:
        keys = [candidate.key for candidate in matching]
        near = nearest(request.key, keys) or listed(keys, most=5)
        raise _NoNumber(f"the variable '{request.series}' has no key '{request.key}'; it has {near}")
    return list({fold_name(candidate.key): candidate for candidate in fitting}.values())


def _unit(request: ReducedSeries, series: _Series) -> str:
    if request.counts_hours:
        return "h"
    if not series.is_energy:
        return series.unit
    return "kWh" if request.reduce == "sum" else "kW"


def _reduced(
    request: ReducedSeries, series: _Series, connection: sqlite3.Connection, minutes: Mapping[int, float]
) -> float:
    rows: list[tuple[float, float]] = [
        (minutes[time], value) for time, value in connection.execute(_VALUES, (series.index,)) if time in minutes
    ]
    if not rows:
        where = f" of '{series.key}'" if series.key else ""
        raise _NoNumber(f"{request.series}{where} has no value in the run periods")
    if request.reduce == "sum":
        return math.fsum(value for _, value in rows) / (_J_PER_KWH if series.is_energy else 1)
    if series.is_energy:
        rows = [(length, value / (60_000 * length)) for length, value in rows]  # J per interval in minutes, as kW
    match request.reduce:
        case "mean":
            return math.fsum(length * value for length, value in rows) / math.fsum(length for length, _ in rows)
        case "max":
            return max(value for _, value in rows)
        case "min":
            return min(value for _, value in rows)
        case _:
            return _hours(request, rows)


def _hours(request: ReducedSeries, rows: Iterable[tuple[float, float]]) -> float:
    assert request.threshold is not None
    sign, threshold = (1 if request.reduce == "hours_above" else -1), request.threshold
    return math.fsum(length for length, value in rows if sign * (value - threshold) > 0) / 60
