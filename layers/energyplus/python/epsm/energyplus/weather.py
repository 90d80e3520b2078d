"""Weather files: completeness and order of an EPW file, and its metadata.

The format is the one of EnergyPlus's Auxiliary Programs guide, "EnergyPlus Weather File (EPW) Data Dictionary": eight
header lines from LOCATION to DATA PERIODS, then one line of values for each interval. Requirements here are
those of the engine (tried with 25.2); in addition, files that it would silently run with wrong results are refused:
truncated, out of order, impossible, or with long gaps (`weather_records`).
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from epsm.energyplus.weather_periods import declared_days
from epsm.energyplus.weather_records import Place, check_records, is_number
from epsm.problems import Problem

_HEADER_LINES = 8
_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_FURTHEST_FROM_MERIDIAN_DEG = 60
"""Four hours: the largest real difference is three (western China, east of Kamchatka's time)."""
_MAX_REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class Weather:
    """The metadata of an EPW.

    Attributes:
        city, region, country: From the LOCATION line.
        latitude_deg, longitude_deg: Position, degrees north and east.
        time_zone_h, elevation_m: Hours ahead of UTC, and metres above the sea.
        records: Number of data lines.
        records_per_hour: Intervals an hour, from the DATA PERIODS line.
        remarks: Sentences about dubious inputs in a file that can be run.
    """

    city: str
    region: str
    country: str
    latitude_deg: float
    longitude_deg: float
    time_zone_h: float
    elevation_m: float
    records: int
    records_per_hour: int
    remarks: tuple[str, ...] = ()


_remembered: dict[tuple[bytes, str], tuple[Weather | None, list[Problem]]] = {}
"""What was found in the last files, by the hash of their content and their path."""
_remembering = threading.Lock()


def statistics_beside(weather: str, names: Iterable[str]) -> str | None:
    """The name among `names` of an EPW's .stat file, case-insensitive, or None. The engine reads it, too."""
    expected_name = weather[: -len(".epw")].casefold() + ".stat"
    return next((name for name in names if name.casefold() == expected_name), None)


def read_weather(content: bytes, source: str) -> tuple[Weather | None, list[Problem]]:
    """Check a whole EPW file. The last files are remembered by their content: studies share weather, and a year takes
    80 ms.

    Args:
        content: The file's bytes.
        source: Its path in the study, used in problems.

    Returns:
        The metadata of the file, None if it is not an EPW, and the problems found.
    """
    key = hashlib.sha256(content).digest(), source
    weather, problems = _remembered.get(key) or _check(content, source)
    with _remembering:
        _remembered[key] = weather, problems
        if len(_remembered) > _MAX_REMEMBERED:
            del _remembered[next(iter(_remembered))]
    return weather, list(problems)


def _check(content: bytes, source: str) -> tuple[Weather | None, list[Problem]]:
    # Not splitlines: it treats some characters of Latin-1 as line ends.
    lines = re.split(r"\r\n|\r|\n", content.decode("latin-1").rstrip("\x1a \r\n"))
    if unreadable := _unreadable(lines, content, source):
        return None, unreadable

    problems: list[Problem] = []
    location = [part.strip() for part in lines[0].split(",")]
    periods = [part.strip() for part in lines[_HEADER_LINES - 1].split(",")]
    place = _place(location, source, problems)
    per_hour = _number(periods, 2)
    where = f"{source}: line {_HEADER_LINES}"
    if per_hour is None or per_hour < 1 or per_hour != int(per_hour) or 60 % per_hour:
        problems.append(
            Problem(where, "does not give the number of records per hour", "a whole number that divides 60")
        )
    if place is None or per_hour is None or problems:
        return None, problems

    data = lines[_HEADER_LINES:]
    readings = declared_days(periods)
    if not readings:
        problems.append(
            Problem(
                where,
                "does not give the first and the last day of the data",
                "e.g. DATA PERIODS,1,1,Data,Sunday,1/1,12/31",
            )
        )
    records_a_day = 24 * int(per_hour)
    fitting = [days for days in readings if len(days) * records_a_day == len(data)]
    days = (fitting or readings or [[]])[0]
    in_records, remarks = check_records(data, _HEADER_LINES + 1, days, int(per_hour), place, source)
    problems += in_records
    if readings and not fitting:
        promised = min(map(len, readings)) * records_a_day
        problems.append(
            Problem(source, f"has {len(data)} data lines instead of {promised} as in its header: it is incomplete")
        )
    weather = Weather(
        city=_text(location, 1),
        region=_text(location, 2),
        country=_text(location, 3),
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        time_zone_h=place.time_zone_h,
        elevation_m=_number(location, 9) or 0.0,
        records=len(data),
        records_per_hour=int(per_hour),
        remarks=tuple(remarks),
    )
    return weather, problems


def _unreadable(lines: Sequence[str], content: bytes, source: str) -> list[Problem]:
    """Why a file cannot be read as an EPW at all; empty if it can."""
    if lines[0].startswith(_BYTE_ORDER_MARK):
        # With it, the engine does not find LOCATION, warns, and uses the location of the model, or none.
        fault = "begins with a byte order mark, after which EnergyPlus does not find LOCATION"
        return [Problem(f"{source}: line 1", fault, "the file saved without it (UTF-8 without BOM, or ANSI)")]
    if not lines[0].startswith("LOCATION,"):
        start = lines[0].strip()[:40]
        found = (
            f"it starts with '{start}'" if start else "it is empty" if len(lines) == 1 else "its first line is blank"
        )
        return [Problem(source, f"is not an EPW weather file: {found}", "LOCATION,...")]
    if line_ends := _line_end_problems(content, source):
        return line_ends
    if len(lines) < _HEADER_LINES or not lines[_HEADER_LINES - 1].startswith("DATA PERIODS,"):
        fault = "is not the end of the header; the header has eight lines, the last of them"
        return [Problem(f"{source}: line {_HEADER_LINES}", fault, "DATA PERIODS,...")]
    return []


def _line_end_problems(content: bytes, source: str) -> list[Problem]:
    lone = re.search(rb"\r(?!\n)", content.rstrip(b"\x1a \r\n"))
    if lone is None:
        return []
    line = len(re.split(rb"\r\n|\r|\n", content[: lone.start()]))
    fault = (
        "ends in a carriage return alone (as on old Macintosh systems), which EnergyPlus does not read as a line's end"
    )
    return [Problem(f"{source}: line {line}", fault, "line feeds: save the file with Unix or Windows line ends")]


def _place(location: list[str], source: str, problems: list[Problem]) -> Place | None:
    """The file's location; adds a problem for every required value that the engine cannot read."""
    where = f"{source}: line 1"
    latitude, longitude = _number(location, 6), _number(location, 7)
    zone, elevation = _number(location, 8), _number(location, 9)
    known = latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180
    if not known:
        fault = "gives no position in columns 7 and 8"
        problems.append(Problem(where, fault, "a latitude from -90 to 90, a longitude from -180 to 180"))
    if zone is None or not -12 <= zone <= 14:
        shown = f"'{_text(location, 8)[:20]}'" if _text(location, 8) else "empty"
        problems.append(Problem(where, f"column 9, the time zone, is {shown}", "hours ahead of UTC, -12 to 14"))
    elif known and longitude is not None:
        apart = abs((15 * zone - longitude + 180) % 360 - 180)
        if apart > _FURTHEST_FROM_MERIDIAN_DEG:
            fault = f"the time zone, {zone:+g} h, is {apart / 15:.1f} h from that of longitude {longitude:g}"
            problems.append(Problem(where, fault, "longitudes east of Greenwich are positive, west negative"))
    if elevation is None or not -500 <= elevation <= 9_000:
        shown = f"'{_text(location, 9)[:20]}'" if _text(location, 9) else "empty"
        problems.append(Problem(where, f"column 10, the elevation, is {shown}", "metres above the sea, -500 to 9000"))
    if not known or latitude is None or longitude is None or zone is None:
        return None
    return Place(latitude, longitude, zone)


def _number(parts: list[str], index: int) -> float | None:
    return float(parts[index]) if index < len(parts) and is_number(parts[index]) else None


def _text(parts: list[str], index: int) -> str:
    return parts[index] if index < len(parts) else ""
