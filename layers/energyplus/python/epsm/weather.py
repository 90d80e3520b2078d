"""Weather files: whether an EPW is whole, and what it says about itself.

The format is the one of EnergyPlus's Auxiliary Programs guide, "EnergyPlus Weather File (EPW) Data Dictionary": eight
header lines from LOCATION to DATA PERIODS, then one line of values for each interval. What is required here is what
the engine requires (tried with 25.2), with two exceptions, which it runs without a word: a file that was cut off at the
end of a line, where it takes whatever it finds for the missing months, and air that is nowhere on earth. Such files are
refused.
"""

import datetime
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from epsm.problems import Problem

_HEADER_LINES = 8
_NEEDED_COLUMNS = 28
"""The engine refuses a line with a blank in one of these; behind them it takes blanks for missing values."""
_FLAGS_COLUMN = 6
_MOST_LISTED = 5
_RANGES = {
    7: ("dry bulb, C", -70, 70, 99.9),
    8: ("dew point, C", -70, 70, 99.9),
    9: ("relative humidity, %", 0, 110, 999),
    10: ("pressure, Pa", 31_000, 120_000, 999_999),
}
"""Column: what it holds, least, most, and what stands for a missing value, from the data dictionary. The engine takes
what is beyond them for missing, or as it is, and says nothing."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What an EPW says about itself.

    Attributes:
        city, region, country: From the LOCATION line.
        latitude_deg, longitude_deg: Position, degrees north and east.
        records: Number of data lines.
        records_per_hour: Intervals an hour, from the DATA PERIODS line.
    """

    city: str
    region: str
    country: str
    latitude_deg: float
    longitude_deg: float
    records: int
    records_per_hour: int


def statistics_beside(weather: str, names: Iterable[str]) -> str | None:
    """The name among `names` of the .stat that belongs to an EPW, in any case, or None. The engine reads it, too."""
    wanted = weather[: -len(".epw")].casefold() + ".stat"
    return next((name for name in names if name.casefold() == wanted), None)


def read_weather(content: bytes, source: str) -> tuple[Weather | None, list[Problem]]:
    """Check an EPW from its first line to its last.

    Args:
        content: The file's bytes.
        source: Its path in the study, used in problems.

    Returns:
        What the file says about itself, None if it is not an EPW, and the problems found.
    """
    # Not splitlines: it takes some letters of Latin-1 for the end of a line.
    lines = re.split(r"\r\n|\r|\n", content.decode("latin-1").rstrip("\x1a \r\n"))
    if not lines[0].startswith("LOCATION,"):
        start = lines[0].strip()[:40]
        found = (
            f"it starts with '{start}'" if start else "it is empty" if len(lines) == 1 else "its first line is blank"
        )
        return None, [Problem(source, f"is not an EPW weather file: {found}", "LOCATION,...")]
    if len(lines) < _HEADER_LINES or not lines[_HEADER_LINES - 1].startswith("DATA PERIODS,"):
        what = "is not the end of the header; the header has eight lines, the last of them"
        return None, [Problem(f"{source}: line {_HEADER_LINES}", what, "DATA PERIODS,...")]

    location = [part.strip() for part in lines[0].split(",")]
    periods = [part.strip() for part in lines[_HEADER_LINES - 1].split(",")]
    latitude, longitude, per_hour = _number(location, 6), _number(location, 7), _number(periods, 2)
    problems = []
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        what = "gives no position in columns 7 and 8"
        problems.append(Problem(f"{source}: line 1", what, "a latitude from -90 to 90, a longitude from -180 to 180"))
    if per_hour is None or per_hour < 1 or per_hour != int(per_hour):
        where = f"{source}: line {_HEADER_LINES}"
        problems.append(Problem(where, "does not say how many records an hour has", "a whole number"))
    if problems or latitude is None or longitude is None or per_hour is None:
        return None, problems

    data = list(enumerate(lines[_HEADER_LINES:], start=_HEADER_LINES + 1))
    problems += _line_problems(data, source)
    days = _declared_days(periods)
    if not days:
        what = "does not say from when to when the data go"
        problems.append(Problem(f"{source}: line {_HEADER_LINES}", what, "e.g. DATA PERIODS,1,1,Data,Sunday,1/1,12/31"))
    expected = {count * 24 * int(per_hour) for count in days}
    if days and len(data) not in expected:
        found = f"has {len(data)} data lines where its header promises {min(expected)}: it is not whole"
        problems.append(Problem(source, found))
    weather = Weather(
        city=_text(location, 1),
        region=_text(location, 2),
        country=_text(location, 3),
        latitude_deg=latitude,
        longitude_deg=longitude,
        records=len(data),
        records_per_hour=int(per_hour),
    )
    return weather, problems


def _declared_days(periods: list[str]) -> set[int]:
    """Days that the DATA PERIODS line promises; two numbers where 29 February may be there or not; empty if unclear."""
    count = _number(periods, 1)
    if count is None or count < 1 or len(periods) < 3 + 4 * int(count):
        return set()
    totals = set()
    for year in (2023, 2024):
        total = 0
        for index in range(int(count)):
            start, end = (_date(periods[3 + 4 * index + offset], year) for offset in (2, 3))
            if start is None or end is None:
                return set()
            if end < start:  # over New Year
                end = _date(periods[3 + 4 * index + 3], year + 1) or end
            total += (end - start).days + 1
        totals.add(total)
    return {total for total in totals if total > 0}


def _date(text: str, default_year: int) -> datetime.date | None:
    """A date as `1/31` or `1/31/2017`; 29 February counts as the 28th where the year has none."""
    try:
        month, day, *year = (int(part) for part in text.split("/"))
        given = year[0] if year else default_year
        if (month, day) == (2, 29) and not year:
            day = 28 if given % 4 else 29
        return datetime.date(given, month, day)
    except (ValueError, OverflowError):
        return None


def _line_problems(data: list[tuple[int, str]], source: str) -> list[Problem]:
    problems: list[Problem] = []
    for number, line in data:
        values = line.split(",")
        where = f"{source}: line {number}"
        if len(values) < _NEEDED_COLUMNS:
            found = f"has {len(values)} values" if line.strip() else "is blank"
            problems.append(Problem(where, found, f"at least {_NEEDED_COLUMNS} values"))
            continue
        for column, value in enumerate(values, start=1):
            blank_allowed = column > _NEEDED_COLUMNS and not value.strip()
            if column != _FLAGS_COLUMN and not blank_allowed and not _is_number(value):
                problems.append(Problem(where, f"column {column} is '{value.strip()[:20]}'", "a number"))
                break
        else:
            problems += _beyond(values, where)
    if len(problems) > _MOST_LISTED:
        rest = len(problems) - _MOST_LISTED
        return [*problems[:_MOST_LISTED], Problem(source, f"{rest} further lines have such faults")]
    return problems


def _beyond(values: list[str], where: str) -> list[Problem]:
    for column, (name, least, most, missing) in _RANGES.items():
        value = float(values[column - 1])
        if not least <= value <= most and value != missing:
            what = f"column {column} is {value:g} ({name})"
            return [Problem(where, what, f"{least} to {most}, or {missing:g} for a missing value")]
    return []


def _is_number(text: str) -> bool:
    """As the engine reads it: Python's float would also take `1_0`, `nan` and `inf`."""
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def _number(parts: list[str], index: int) -> float | None:
    return float(parts[index]) if index < len(parts) and _is_number(parts[index]) else None


def _text(parts: list[str], index: int) -> str:
    return parts[index] if index < len(parts) else ""
