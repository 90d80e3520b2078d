"""Weather files that are whole, real ones and unusual ones."""

from pathlib import Path

import pytest

from epsm.energyplus.weather import Weather
from tests.unit.energyplus.weather.epw_files import REAL, dated, epw, problems, whole, with_record


# Files that are whole
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_files_are_whole(path: Path) -> None:
    weather = whole(path.read_bytes())
    assert (weather.records, weather.records_per_hour, weather.country) == (8760, 1, "USA")
    assert not any("daylight" in remark for remark in weather.remarks)


def test_real_weather_is_there_to_be_tested() -> None:
    assert len(REAL) >= 16


def test_a_file_says_where_it_is_from() -> None:
    assert whole(epw()) == Weather(
        city="Nürnberg",
        region="BY",
        country="DEU",
        latitude_deg=49.5,
        longitude_deg=11.08,
        time_zone_h=1.0,
        elevation_m=312.0,
        records=168,
        records_per_hour=1,
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_either_line_ending_is_read(newline: str) -> None:
    assert whole(epw(newline=newline)).records == 168


def test_the_last_line_needs_no_end() -> None:
    assert whole(epw().rstrip()).records == 168


@pytest.mark.parametrize(("per_hour", "records"), [(1, 24), (2, 48), (4, 96), (60, 1_440)])
def test_an_hour_may_have_several_records(per_hour: int, records: int) -> None:
    lines = dated(records, per_hour=per_hour)
    weather = whole(epw(f"DATA PERIODS,1,{per_hour},Data,Sunday,1/1,1/1", lines=lines))
    assert weather.records_per_hour == per_hour


@pytest.mark.parametrize(
    ("periods", "blocks"),
    [
        ("DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31", [("2023-01-01", 365)]),
        ("DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31", [("2024-01-01", 366)]),
        ("DATA PERIODS,1,1,Data,Sunday,1/1/2023,12/31/2023", [("2023-01-01", 365)]),
        ("DATA PERIODS,1,1,Data,Sunday,1/1/2024,12/31/2024", [("2024-01-01", 366)]),
        ("DATA PERIODS,1,1,Data,Sunday,12/1/2023,2/29/2024", [("2023-12-01", 91)]),
        ("DATA PERIODS,1,1,Data,Sunday,7/1,7/1", [("1999-07-01", 1)]),
        (
            "DATA PERIODS,2,1,Winter,Sunday,1/1,1/31,Summer,Monday,7/1,7/31",
            [("2001-01-01", 31), ("1998-07-01", 31)],
        ),
        (
            "DATA PERIODS,3,1,A,Sunday,1/1,1/2,B,Monday,3/1,3/2,C,Friday,5/1,5/2",
            [("2023-01-01", 2), ("2023-03-01", 2), ("2023-05-01", 2)],
        ),
    ],
)
def test_a_file_that_has_the_days_of_its_header_is_whole(periods: str, blocks: list[tuple[str, int]]) -> None:
    lines = [line for start, days in blocks for line in dated(days * 24, start)]
    assert whole(epw(periods, lines=lines)).records == len(lines)


@pytest.mark.parametrize("column", range(29, 36))
def test_a_late_column_may_be_blank(column: int) -> None:
    assert whole(with_record(column, " "))


def test_late_columns_may_be_missing() -> None:
    content = epw().replace(b",0,0.1250,0,88,0.150,0.0,1.0", b"")
    assert whole(content).records == 168


def test_the_flags_may_be_anything() -> None:
    assert whole(with_record(6, ""))
    assert whole(with_record(6, "*_*9*9 ?"))


@pytest.mark.parametrize("value", ["-5", " -5.0 ", "+5.", ".5", "5e0", "5E+00", "99.9"])
def test_numbers_may_be_written_in_any_way(value: str) -> None:
    assert whole(with_record(7, value))


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        (7, "250", "-70 to 70, or 99.9 for a missing value"),
        (8, "-80", "-70 to 70, or 99.9 for a missing value"),
        (9, "-1", "0 to 110, or 999 for a missing value"),
        (10, "1013.25", "31000 to 120000, or 999999 for a missing value"),
    ],
)
def test_air_that_is_nowhere_on_earth_is_refused(column: int, value: str, allowed: str) -> None:
    (problem,) = problems(with_record(column, value))
    assert problem.where.endswith("line 13")
    assert (problem.what.startswith(f"column {column} is {float(value):g} ("), problem.allowed) == (True, allowed)


@pytest.mark.parametrize(("column", "value"), [(7, "99.9"), (8, "99.9"), (9, "999"), (10, "999999"), (9, "110")])
def test_a_missing_value_of_the_air_is_none_beyond_its_range(column: int, value: str) -> None:
    assert whole(with_record(column, value))


def test_blank_lines_at_the_end_do_no_harm() -> None:
    assert whole(epw() + b"\n \n").records == 168
