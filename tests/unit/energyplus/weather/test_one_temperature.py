"""One temperature for days: a sign that a gap was filled."""

from collections.abc import Callable

import pytest

from epsm.energyplus.weather import read_weather
from tests.unit.energyplus.weather.epw_files import FIRST_RECORD, ONE_WEEK, dated, epw


def with_dry_bulb(values: Callable[[int], float], per_hour: int = 1) -> list[str]:
    """A week in which the dry bulb of each record is given by its number, from 0."""
    lines = [line.split(",") for line in dated(7 * 24 * per_hour, per_hour=per_hour)]
    return [",".join([*line[:6], f"{values(number):g}", *line[7:]]) for number, line in enumerate(lines)]


def remarks_on(lines: list[str], periods: str = ONE_WEEK) -> list[str]:
    weather, problems = read_weather(epw(periods, lines=lines), "town.epw")
    assert weather is not None
    assert problems == []
    return [each for each in weather.remarks if each.startswith("dry bulb")]


def test_one_temperature_for_days_is_remarked() -> None:
    """Such a file runs like any other; a gap of a measured year was filled with the last value."""
    (remark,) = remarks_on(with_dry_bulb(lambda number: -5 if 40 <= number < 88 else number % 24))
    assert remark.startswith(f"dry bulb (column 7) is -5 C for 48 hours in a row from line {FIRST_RECORD + 40} on: ")


def test_all_such_hours_are_counted_up_to_the_end() -> None:
    (remark,) = remarks_on(with_dry_bulb(lambda number: -5 if number < 50 else 7 if number >= 100 else number % 24))
    assert f"is 7 C for 68 hours in a row from line {FIRST_RECORD + 100} on, 118 hours in 2 such periods" in remark


@pytest.mark.parametrize("per_hour", [1, 4])
def test_hours_are_counted_and_not_records(per_hour: int) -> None:
    lines = with_dry_bulb(lambda number: -5 if number < 47 * per_hour else number % 24, per_hour)
    assert remarks_on(lines, ONE_WEEK.replace("1,1,Data", f"1,{per_hour},Data")) == []


def test_a_week_of_one_temperature_alone_is_meant_so() -> None:
    assert remarks_on(with_dry_bulb(lambda number: 20.0)) == []
