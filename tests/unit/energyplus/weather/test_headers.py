"""Headers: what EnergyPlus needs of them, and the periods that they promise."""

import pytest

from epsm.energyplus.weather import read_weather, statistics_beside
from tests.unit.energyplus.weather.epw_files import HEADER, LOCATION, dated, epw, problems, whole


# Files that were read before
def test_a_file_that_was_read_before_has_the_same_problems_under_each_name(monkeypatch: pytest.MonkeyPatch) -> None:
    content = epw(records=7 * 24 - 1)
    weather, first = read_weather(content, "a.epw")
    monkeypatch.setattr("epsm.energyplus.weather.check_records", lambda *_: pytest.fail("it is read again"))
    assert read_weather(content, "a.epw") == (weather, first)
    first.clear()  # the caller's own list
    (problem,) = read_weather(content, "a.epw")[1]
    assert problem.where == "a.epw"
    monkeypatch.undo()
    (problem,) = read_weather(content, "b.epw")[1]
    assert problem.where == "b.epw"
    assert not read_weather(epw(), "a.epw")[1]


# Files that are no EPW
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><html><body>404</body></html>",
        b'<?xml version="1.0"?><Error/>',
        b"Version,25.2;",
        b"PK\x03\x04" + bytes(256),
        b"\x00\x00\x00",
        epw().decode("latin-1").encode("utf-16"),
        b"DATA PERIODS,1,1,Data,Sunday,1/1,1/7\n",
    ],
    ids=["empty", "html", "xml", "idf", "zip", "zeros", "utf-16", "no location"],
)
def test_a_file_of_another_kind_is_refused(content: bytes) -> None:
    weather, (problem,) = read_weather(content, "town.epw")
    assert weather is None
    assert problem.what.startswith("is not an EPW weather file")


def test_an_empty_file_is_called_empty() -> None:
    assert problems(b"")[0].what.endswith("it is empty")


def test_the_beginning_of_another_file_is_shown() -> None:
    assert "'<html>'" in problems(b"<html>\n<body>")[0].what


@pytest.mark.parametrize("lines", [1, 4, 7])
def test_a_header_without_its_end_is_refused(lines: int) -> None:
    weather, (problem,) = read_weather("\n".join(HEADER[:lines]).encode("latin-1"), "town.epw")
    assert weather is None
    assert (problem.where, problem.allowed) == ("town.epw: line 8", "DATA PERIODS,...")


@pytest.mark.parametrize("location", ["LOCATION,Town", "LOCATION,Town,,,,,north,11", "LOCATION,Town,,,,,nan,11"])
def test_a_location_without_a_position_is_refused(location: str) -> None:
    weather, (problem, *_) = read_weather(epw(header=(location, *HEADER[1:])), "town.epw")
    assert weather is None
    assert problem.where == "town.epw: line 1"


@pytest.mark.parametrize("per_hour", ["", "0", "-1", "one", "1e999"])
def test_a_header_without_records_an_hour_is_refused(per_hour: str) -> None:
    weather, (problem,) = read_weather(epw(f"DATA PERIODS,1,{per_hour},Data,Sunday,1/1,1/7"), "town.epw")
    assert weather is None
    assert problem.where == "town.epw: line 8"


@pytest.mark.parametrize("name", [b"LOCATION", b"DATA PERIODS"])
def test_a_header_in_small_letters_is_refused(name: bytes) -> None:
    assert problems(epw().replace(name, name.lower()))


@pytest.mark.parametrize("missing", range(1, 7))
def test_a_header_that_lacks_a_line_is_refused(missing: int) -> None:
    assert problems(epw(header=(*HEADER[:missing], *HEADER[missing + 1 :])))


@pytest.mark.parametrize(("latitude", "longitude"), [("90.1", "11.08"), ("49.5", "-180.1")])
def test_a_position_that_is_not_on_earth_is_refused(latitude: str, longitude: str) -> None:
    location = LOCATION.replace("49.50,11.08", f"{latitude},{longitude}")
    assert problems(epw(header=(location, *HEADER[1:])))


# Dates that cannot be counted
@pytest.mark.parametrize(
    "periods",
    [
        "DATA PERIODS,1,1,Data,Sunday,1/1,13/31",
        "DATA PERIODS,1,1,Data,Sunday,1/1,2/30",
        "DATA PERIODS,1,1,Data,Sunday,January 1,January 7",
        "DATA PERIODS,1,1,Data,Sunday",
        "DATA PERIODS,2,1,Data,Sunday,1/1,1/7",
        "DATA PERIODS,,1,Data,Sunday,1/1,1/7",
        "DATA PERIODS,1,1.5,Data,Sunday,1/1,1/7",
    ],
)
def test_periods_that_cannot_be_counted_are_refused(periods: str) -> None:
    assert problems(epw(periods))


def test_a_file_over_the_turn_of_the_year_that_is_cut_off_is_refused() -> None:
    assert problems(epw("DATA PERIODS,1,1,Data,Sunday,7/1,6/30", 100 * 24))


def test_a_file_over_the_turn_of_the_year_is_whole() -> None:
    assert whole(epw("DATA PERIODS,1,1,Data,Sunday,7/1,6/30", lines=dated(365 * 24, "2022-07-01")))


def test_a_year_that_no_calendar_has_is_refused() -> None:
    assert problems(epw(f"DATA PERIODS,1,1,Data,Sunday,1/1,1/7/{'9' * 30}"))


@pytest.mark.parametrize(
    ("column", "value"),
    [(9, ""), (9, "UTC"), (9, "15"), (9, "-8"), (10, ""), (10, "high"), (10, "99999"), (8, "-170")],
)
def test_a_location_that_the_engine_dies_of_or_that_contradicts_itself_is_refused(column: int, value: str) -> None:
    location = LOCATION.split(",")
    location[column - 1] = value
    weather_found = problems(epw(header=(",".join(location), *HEADER[1:])))
    assert weather_found[0].where == "town.epw: line 1"


def test_statistics_lie_beside_under_the_same_name_in_any_case() -> None:
    names = ["study.json", "chic.stat", "weather/Chicago.STAT", "weather/chicago.stat.old", "chicago.stat"]
    assert statistics_beside("weather/chicago.epw", names) == "weather/Chicago.STAT"
    assert statistics_beside("chicago.EPW", names) == "chicago.stat"
    assert statistics_beside("golden.epw", names) is None
