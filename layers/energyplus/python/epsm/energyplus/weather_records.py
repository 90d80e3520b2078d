"""The records of an EPW: readable, physically possible, in order, without missing values.

For a missing value the engine (WeatherManager.cc, 25.2) repeats the value of the previous record; if there is none, it
uses 6 C, 3 C, 50 %, the pressure of the elevation and no wind. Missing radiation counts as zero. Infrared radiation is
computed from opaque sky cover and dew point. No commonly read output reports this.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from epsm.energyplus import sun
from epsm.energyplus.constant_hours import ConstantHours
from epsm.energyplus.daylight import Daylight
from epsm.energyplus.radiation import Radiation
from epsm.energyplus.weather_periods import Day
from epsm.problems import Problem

NEEDED_COLUMNS = 28
"""The engine rejects a line with a blank in one of these; in later columns blanks are missing values."""
_FLAGS_COLUMN = 6
_MAX_LISTED = 5
_HOURS_A_DAY = 24

MAX_MISSING_SHARE = 0.01
"""Maximum share of missing records: 88 hours of a year. A repeated value is wrong by the daily swing, about 5 to 10 K;
with one hour in a hundred, the yearly mean changes by less than 0.1 K, less than the difference between typical years
of one place."""
MAX_GAP_H = 24
"""Maximum number of consecutive hours. Beyond a day, the repeated value replaces whole days, and the peaks that size
systems."""

_DARK_DEG = -10.0
_MUCH_RADIATION = 50.0
_SOME_RADIATION = 5.0
_MAX_AT_NIGHT_SHARE = 0.01

_RANGES = {
    7: ("dry bulb, C", -70.0, 70.0, 99.9),
    8: ("dew point, C", -70.0, 70.0, 99.9),
    9: ("relative humidity, %", 0.0, 110.0, 999.0),
    10: ("pressure, Pa", 31_000.0, 120_000.0, 999_999.0),
    15: ("direct normal radiation, Wh/m2", 0.0, 2_000.0, 9_999.0),
    16: ("diffuse horizontal radiation, Wh/m2", 0.0, 2_000.0, 9_999.0),
    21: ("wind direction, degrees", 0.0, 360.0, 999.0),
    22: ("wind speed, m/s", 0.0, 120.0, 999.0),
}
"""Column: content, minimum, maximum, and the code of a missing value, from the data dictionary, with measured extremes
instead of its 40 m/s for wind and its unlimited radiation. The engine treats values beyond these limits as missing, or
uses them, without a message."""
_AS_WELL_MISSING = {15: 99_999.0, 16: 99_999.0}
_INFRARED, _SKY_COVER = 13, 24
_CHECKED = tuple((column - 7, column, *_RANGES[column][1:]) for column in _RANGES)
_REPEATED, _DARK, _GUESSED = (
    "EnergyPlus repeats the last value",
    "EnergyPlus takes none",
    "EnergyPlus estimates the sky conditions",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Location of the records: degrees north and east, and hours ahead of UTC."""

    latitude_deg: float
    longitude_deg: float
    time_zone_h: float


@dataclass(slots=True)
class _Gaps:
    """Missing values of one column."""

    count: int = 0
    first_line: int = 0
    last_line: int = -1
    in_a_row: int = 0
    longest: int = 0

    def add(self, line: int) -> None:
        self.count += 1
        self.first_line = self.first_line or line
        self.in_a_row = self.in_a_row + 1 if line == self.last_line + 1 else 1
        self.last_line = line
        self.longest = max(self.longest, self.in_a_row)


@dataclass(slots=True)
class _Pass:
    """The findings of one pass over the records."""

    lines: list[Problem] = field(default_factory=list)
    faulty_lines: int = 0
    order: Problem | None = None
    gaps: dict[int, _Gaps] = field(default_factory=dict)
    at_night: int = 0
    first_at_night: int = 0
    daylight: Daylight = field(default_factory=Daylight)
    radiation: Radiation = field(default_factory=Radiation)
    constant: ConstantHours = field(default_factory=ConstantHours)
    dampest: float = 0.0


def check_records(
    data: Sequence[str], first_line: int, days: Sequence[Day], per_hour: int, place: Place, source: str
) -> tuple[list[Problem], list[str]]:
    """Check every record in one pass.

    Args:
        data: The lines after the header.
        first_line: Number of the first of them in the file.
        days: The days that they are to cover, in order; empty if the header does not say.
        per_hour: Records per hour.
        place: Location of the records.
        source: The file's path in the study.

    Returns:
        The problems, and remarks on peculiarities that are allowed.
    """
    found = _Pass()
    expected = _expected(days, per_hour)
    minute = -1
    for number, line in enumerate(data, start=first_line):
        day, hour, index = next(expected, (None, 0, 0))
        values = line.split(",")
        numbers = _numbers(values, line)
        if numbers is None:
            problem = _record_fault(values, line, f"{source}: line {number}")
        else:
            problem = _judge(numbers, number, day, hour, per_hour, place, found, source)
        if problem is not None:
            found.faulty_lines += 1
            if len(found.lines) < _MAX_LISTED:
                found.lines.append(problem)
        if numbers is not None and found.order is None and day is not None:
            minute = -1 if index == 0 else minute
            found.order, minute = _order(values, day, hour, index == per_hour - 1, minute, source, number)
    problems = list(found.lines)
    if (rest := found.faulty_lines - len(found.lines)) > 0:
        problems.append(Problem(source, f"{rest} further lines have such faults"))
    if found.order is not None:
        problems.append(found.order)
    missing, remarks = _judge_gaps(found.gaps, len(data), per_hour, source)
    problems += missing
    hours = len(data) / per_hour
    if found.at_night > _MAX_AT_NIGHT_SHARE * hours and found.order is None:
        message = (
            f"has sunshine in {found.at_night:,} hours with the sun well below the horizon at this position and "
            f"time zone, first on line {found.first_at_night}: its hours are shifted, or its position or zone is wrong"
        )
        problems.append(Problem(source, message))
    elif found.order is None and (fault := found.radiation.fault()):
        problems.append(Problem(source, fault))
    if len(data) >= _HOURS_A_DAY and 0 < found.dampest <= 1:
        message = f"has a relative humidity (column 9) of at most {found.dampest:g} %, which does not occur on earth"
        problems.append(Problem(source, message, "percent, 0 to 100, and not a fraction of 1"))
    if shifted := found.daylight.remark(place.longitude_deg, place.time_zone_h):
        remarks.append(shifted)
    remarks += found.radiation.remarks()
    if constant := found.constant.remark(per_hour):
        remarks.append(constant)
    return problems, remarks


def _expected(days: Sequence[Day], per_hour: int) -> Iterator[tuple[Day, int, int]]:
    for day in days:
        for hour in range(1, _HOURS_A_DAY + 1):
            for index in range(per_hour):
                yield day, hour, index


def _numbers(values: list[str], line: str) -> list[float] | None:
    """Columns 7 to 28; None if any number of the line is unreadable."""
    try:
        numbers = list(map(float, values[_FLAGS_COLUMN:NEEDED_COLUMNS]))
        others = list(map(float, values[: _FLAGS_COLUMN - 1]))
        others += [float(value) for value in values[NEEDED_COLUMNS:] if value and not value.isspace()]
    except ValueError:
        return None
    if len(values) < NEEDED_COLUMNS or not math.isfinite(sum(numbers) + sum(others)):
        return None
    if line.count("_") != values[_FLAGS_COLUMN - 1].count("_"):  # float accepts `1_0`
        return None
    return numbers


def _record_fault(values: list[str], line: str, where: str) -> Problem | None:
    if len(values) < NEEDED_COLUMNS:
        found = f"has {len(values)} values" if line.strip() else "is blank"
        return Problem(where, found, f"at least {NEEDED_COLUMNS} values")
    for column, value in enumerate(values, start=1):
        blank_allowed = column > NEEDED_COLUMNS and not value.strip()
        if column != _FLAGS_COLUMN and not blank_allowed and not is_number(value):
            return Problem(where, f"column {column} is '{value.strip()[:20]}'", "a number")
    return Problem(where, "has numbers that are too large", "at most 1e300")


def _judge(
    numbers: list[float],
    line: int,
    day: Day | None,
    hour: int,
    per_hour: int,
    place: Place,
    found: _Pass,
    source: str,
) -> Problem | None:
    """Impossible values of a record; also counts missing values and sunshine at night."""
    for position, column, least, most, missing in _CHECKED:
        value = numbers[position]
        if least <= value <= most:
            continue
        if value not in (missing, _AS_WELL_MISSING.get(column)):
            fault = f"column {column} is {value:g} ({_RANGES[column][0]})"
            return Problem(
                f"{source}: line {line}", fault, f"{least:g} to {most:g}, or {missing:g} for a missing value"
            )
        if column not in (15, 16) or day is None or _altitude(place, day, hour) > 0:
            found.gaps.setdefault(column, _Gaps()).add(line)
    found.constant.add(line, numbers[0])
    if found.dampest < numbers[2] < 999:
        found.dampest = numbers[2]
    infrared = numbers[_INFRARED - 7]
    if (infrared <= 0 or infrared >= 9_999) and numbers[_SKY_COVER - 7] >= 99:
        found.gaps.setdefault(_INFRARED, _Gaps()).add(line)
    if day is not None and (line % per_hour == 0):
        direct, diffuse, day_of_year = numbers[8], numbers[9], _day_of_year(day)
        if _SOME_RADIATION < direct < 9_999 or _SOME_RADIATION < diffuse < 9_999:
            found.daylight.add(day_of_year, hour)
            if per_hour == 1:
                found.radiation.add(
                    line,
                    day_of_year,
                    lambda later_h: _altitude(place, day, hour + later_h),
                    global_=numbers[7],
                    direct=direct,
                    diffuse=diffuse,
                )
        elif per_hour == 1 and direct <= 0 and diffuse <= 0:
            found.radiation.add_dark(line, _altitude(place, day, hour))
        shines = _MUCH_RADIATION < direct < 9_999 or _MUCH_RADIATION < diffuse < 9_999
        if shines and _altitude(place, day, hour) < _DARK_DEG:
            found.at_night += 1
            found.first_at_night = found.first_at_night or line
    return None


def _altitude(place: Place, day: Day, hour: float) -> float:
    """Altitude of the sun in the middle of an hour."""
    return sun.altitude_deg(place.latitude_deg, place.longitude_deg, place.time_zone_h, _day_of_year(day), hour - 0.5)


def _day_of_year(day: Day) -> int:
    return (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)[day.month - 1] + day.day


def _order(
    values: list[str], day: Day, hour: int, last_of_hour: bool, minute: int, source: str, line: int
) -> tuple[Problem | None, int]:
    """Check that a record is the expected next one, and return its minute."""
    try:
        year, month, day_of_month, found_hour, found_minute = map(int, values[:5])
    except ValueError:
        column, value = next((number, text) for number, text in enumerate(values[:5], start=1) if not _is_whole(text))
        fault = f"column {column} is '{value.strip()[:20]}'"
        return Problem(f"{source}: line {line}", fault, "a whole number"), minute
    right = (month, day_of_month, found_hour) == (day.month, day.day, hour) and day.year in (None, year)
    if not right:
        shown = f"{month}/{day_of_month}" + (f"/{year}" if day.year else "") + f", hour {found_hour}"
        expected = f"{day}, hour {hour}"
        hint = "; hours go from 1 to 24" if found_hour == 0 else ""
        fault = f"is for {shown} instead of {expected}; records must be in order{hint}"
        return Problem(f"{source}: line {line}", fault, expected), minute
    if found_minute == 0 and last_of_hour and minute > 0:
        found_minute = 60
    if found_minute <= minute or found_minute > 60:
        fault = f"is for minute {found_minute} of {day}, hour {hour}, after minute {minute}"
        return Problem(f"{source}: line {line}", fault, "minutes that increase within the hour, up to 60"), minute
    return None, found_minute


def _judge_gaps(gaps: dict[int, _Gaps], records: int, per_hour: int, source: str) -> tuple[list[Problem], list[str]]:
    problems, remarks = [], []
    for column, column_gap in sorted(gaps.items()):
        name = "infrared radiation and sky cover" if column == _INFRARED else _RANGES[column][0].split(",")[0]
        then = _DARK if column in (15, 16) else _GUESSED if column == _INFRARED else _REPEATED
        share = column_gap.count / records
        daylight = " by day" if column in (15, 16) else ""
        fault = (
            f"{name} (column {column}) is missing in {column_gap.count:,} of {records:,} records{daylight} "
            f"({max(share, 0.0005):.1%}), first on line {column_gap.first_line}"
        )
        gap_h = column_gap.longest / per_hour
        if share > MAX_MISSING_SHARE or (gap_h > MAX_GAP_H and column not in (15, 16)):
            gap = f", {gap_h:.0f} hours in a row" if gap_h > MAX_GAP_H else ""
            allowed = f"at most {MAX_MISSING_SHARE:.0%} of the records and {MAX_GAP_H} hours in a row"
            problems.append(Problem(source, fault + gap, allowed))
        else:
            remarks.append(f"{fault}; {then}.")
    return problems, remarks


def _is_whole(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def is_number(text: str) -> bool:
    """A number as the engine reads it: Python's float would also accept `1_0`, `nan` and `inf`."""
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False
