"""Weather files made for a test, and what is found in them."""

import datetime
from collections.abc import Iterable
from pathlib import Path

import pyenergyplus

from epsm.energyplus.weather import Weather, read_weather
from epsm.problems import Problem
from tests.conftest import ENGINE_FOLDER

LOCATION = "LOCATION,Nürnberg,BY,DEU,TMY3,107630,49.50,11.08,1.0,312.0"
HEADER = (
    LOCATION,
    "DESIGN CONDITIONS,0",
    "TYPICAL/EXTREME PERIODS,0",
    "GROUND TEMPERATURES,0",
    "HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0",
    "COMMENTS 1,written for a test",
    "COMMENTS 2,",
)
RECORD_LINE = (
    "2001,1,1,1,60,?9?9?9,-5.0,-6.5,89,98000,0,1415,250,0,0,0,0,0,0,0,90,1.5,10,10,9.9,77777,9,999999999"
    ",0,0.1250,0,88,0.150,0.0,1.0"
)
ONE_WEEK = "DATA PERIODS,1,1,Data,Sunday,1/1,1/7"
FIRST_RECORD = len(HEADER) + 2
"""Line of the first record, from 1."""


def dated(records: int, start: str = "2023-01-01", per_hour: int = 1) -> list[str]:
    """Records in order from the first hour of a day."""
    first = datetime.date.fromisoformat(start)
    rest = RECORD_LINE.split(",", 5)[5]
    lines = []
    for number in range(records):
        hour, index = divmod(number, per_hour)
        day = first + datetime.timedelta(days=hour // 24)
        minute = (index + 1) * 60 // per_hour
        lines.append(f"{day.year},{day.month},{day.day},{hour % 24 + 1},{minute},{rest}")
    return lines


def epw(
    periods: str = ONE_WEEK,
    records: int = 7 * 24,
    header: Iterable[str] = HEADER,
    newline: str = "\n",
    lines: Iterable[str] | None = None,
) -> bytes:
    lines = [*header, periods, *(dated(records) if lines is None else lines)]
    return (newline.join(lines) + newline).encode("latin-1")


def with_record(column: int, value: str, line: int = 5) -> bytes:
    """A week with one value of one record, both counted from 1, replaced."""
    lines = epw().decode("latin-1").splitlines()
    record = lines[FIRST_RECORD + line - 2].split(",")
    record[column - 1] = value
    lines[FIRST_RECORD + line - 2] = ",".join(record)
    return ("\n".join(lines) + "\n").encode("latin-1")


def problems(content: bytes) -> list[Problem]:
    return read_weather(content, "town.epw")[1]


def whole(content: bytes) -> Weather:
    weather, found = read_weather(content, "town.epw")
    assert weather is not None
    assert not found
    return weather


def different_files(*folders: Path) -> list[Path]:
    """The EPWs below some folders; of those that two packages carry, one."""
    return [*{path.name: path for folder in folders for path in sorted(folder.rglob("*.epw"))}.values()]


REAL = different_files(Path(pyenergyplus.__file__).parent, ENGINE_FOLDER)


# Records out of order
def in_order(*, start: str = "2023-01-01", days: int = 7) -> list[list[str]]:
    return [line.split(",") for line in dated(days * 24, start)]
