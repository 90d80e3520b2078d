"""Weather files: whole ones pass, damaged ones are refused with the line."""

import datetime
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pyenergyplus
import pytest

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


# Files that are not whole


@pytest.mark.parametrize("keep", [0, 1, 24, 167])
def test_a_file_cut_off_at_the_end_of_a_line_is_refused(keep: int) -> None:
    (problem,) = problems(epw(records=keep))
    assert f"has {keep} data lines, and its header promises 168" in problem.what


def test_a_file_cut_off_within_a_line_is_refused_with_the_line() -> None:
    lines = epw().splitlines(keepends=True)
    found = problems(b"".join(lines[: FIRST_RECORD + 9]) + lines[FIRST_RECORD + 9][:40])
    assert [each.where for each in found] == [f"town.epw: line {FIRST_RECORD + 10}", "town.epw"]


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_a_real_file_cut_off_anywhere_is_refused(fraction: float, chicago: Path) -> None:
    content = chicago.read_bytes()
    assert problems(content[: int(fraction * len(content))])


def test_a_record_too_many_is_refused() -> None:
    (problem,) = problems(epw(records=169))
    assert "has 169 data lines" in problem.what


def test_every_period_counts() -> None:
    periods = "DATA PERIODS,2,1,Winter,Sunday,1/1,1/31,Summer,Monday,7/1,7/31"
    assert "promises 1488" in problems(epw(periods, 31 * 24))[0].what


def test_a_leap_year_that_is_named_must_have_its_leap_day() -> None:
    assert problems(epw("DATA PERIODS,1,1,Data,Sunday,1/1/2024,12/31/2024", 365 * 24))


@pytest.mark.parametrize("column", [1, 4, 5, 7, 20, 28])
@pytest.mark.parametrize("value", ["", " ", "abc", "nan", "inf", '"1', "5..0", "--5", "1.0D0"])
def test_a_value_that_is_no_number_is_refused_with_its_place(column: int, value: str) -> None:
    (problem,) = problems(with_record(column, value))
    assert problem.where == f"town.epw: line {FIRST_RECORD + 4}"
    assert problem.what.startswith(f"column {column} is ")


@pytest.mark.parametrize("column", [29, 35])
def test_text_in_a_late_column_is_refused(column: int) -> None:
    (problem,) = problems(with_record(column, "abc"))
    assert problem.what == f"column {column} is 'abc'"


def test_a_line_with_too_few_values_is_refused_with_its_place() -> None:
    lines = epw().splitlines()
    lines[20] = b",".join(lines[20].split(b",")[:27])
    (problem,) = problems(b"\n".join(lines))
    assert problem == Problem("town.epw: line 21", "has 27 values", "at least 28 values")


def test_many_faulty_lines_are_counted_not_listed() -> None:
    found = problems(epw().replace(b",-5.0,", b",cold,"))
    assert len(found) == 6
    assert found[-1] == Problem("town.epw", "163 further lines have such faults")


def test_a_number_as_only_python_writes_it_is_refused() -> None:
    assert problems(with_record(7, "1_0"))


def test_a_blank_line_between_records_is_refused() -> None:
    lines = epw().splitlines()
    assert Problem("town.epw: line 51", "is blank", "at least 28 values") in problems(
        b"\n".join([*lines[:50], b"", *lines[50:]])
    )


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


# Records out of order


def in_order(*, start: str = "2023-01-01", days: int = 7) -> list[list[str]]:
    return [line.split(",") for line in dated(days * 24, start)]


def faults(records: list[list[str]], periods: str = ONE_WEEK) -> list[Problem]:
    return problems(epw(periods, lines=[",".join(record) for record in records]))


def hour_shifted(record: list[str], hour: int) -> list[str]:
    return [*record[:3], str(hour), *record[4:]]


def test_the_years_of_a_typical_year_may_be_mixed() -> None:
    records = in_order()
    for record in records[48:]:
        record[0] = "1987"
    assert not faults(records)


def test_hours_from_0_to_23_are_refused_at_the_first_line() -> None:
    (found,) = faults([hour_shifted(record, int(record[3]) - 1) for record in in_order()])
    assert found.where == f"town.epw: line {FIRST_RECORD}"
    assert "hours go from 1 to 24" in found.what


def test_hour_24_before_hour_1_is_refused() -> None:
    records = in_order()
    rotated = [day for start in range(0, 168, 24) for day in (records[start + 23], *records[start : start + 23])]
    assert faults(rotated)[0].allowed == "1/1, hour 1"


@pytest.mark.parametrize(
    ("first", "moved"),
    [
        (30, lambda records: [*records[:31], records[30], *records[32:]]),
        (50, lambda records: [*records[:50], *records[74:98], *records[50:74], *records[98:]]),
        (24, lambda records: [*records[:24], *records[:24], *records[48:]]),
        (0, lambda records: records[::-1]),
        (10, lambda records: sorted(records, key=lambda record: record[3])[:10] + records[10:]),
        (0, lambda records: sorted(records, key=lambda record: (record[3], record[2]))),
        (72, lambda records: [*records[:72], *in_order(start="2023-02-04")[:24], *records[96:]]),
        (1, lambda records: [records[0], *records[2:], records[1]]),
    ],
    ids=["doubled", "swapped", "day twice", "reversed", "text order at first", "by hour", "other month", "moved"],
)
def test_the_first_record_out_of_order_is_named(
    first: int, moved: Callable[[list[list[str]]], list[list[str]]]
) -> None:
    found = faults(moved(in_order()))
    line = int(found[0].where.rsplit(" ", 1)[1])
    assert "records must be in order" in found[0].what
    assert FIRST_RECORD <= line <= FIRST_RECORD + first + 1
    assert len(found) == 1


def test_a_year_that_is_named_must_be_the_records() -> None:
    (found,) = faults(in_order(), "DATA PERIODS,1,1,Data,Sunday,1/1/2024,1/7/2024")
    assert found.allowed == "1/1/2024, hour 1"


@pytest.mark.parametrize("column", [2, 3, 4])
def test_a_date_with_a_fraction_is_refused(column: int) -> None:
    (found,) = problems(with_record(column, "1.5"))
    assert found == Problem("town.epw: line 13", f"column {column} is '1.5'", "a whole number")


@pytest.mark.parametrize("minutes", [(15, 30, 45, 60), (0, 15, 30, 45), (15, 30, 45, 0)])
def test_minutes_may_be_those_of_the_start_or_the_end(minutes: tuple[int, ...]) -> None:
    records = [line.split(",") for line in dated(96, per_hour=4)]
    for number, record in enumerate(records):
        record[4] = str(minutes[number % 4])
    assert not faults(records, "DATA PERIODS,1,4,Data,Sunday,1/1,1/1")


@pytest.mark.parametrize("minutes", [(15, 45, 30, 60), (15, 15, 15, 15), (60, 15, 30, 45), (15, 30, 45, 75)])
def test_minutes_that_do_not_rise_are_refused(minutes: tuple[int, ...]) -> None:
    records = [line.split(",") for line in dated(96, per_hour=4)]
    for number, record in enumerate(records):
        record[4] = str(minutes[number % 4])
    (found,) = faults(records, "DATA PERIODS,1,4,Data,Sunday,1/1,1/1")
    assert "minute" in found.what


def test_seven_records_an_hour_are_refused() -> None:
    assert problems(epw("DATA PERIODS,1,7,Data,Sunday,1/1,1/1", lines=dated(168, per_hour=7)))


@pytest.mark.parametrize("newline", ["\r", "\r\r\n"])
def test_line_ends_that_the_engine_does_not_read_are_refused(newline: str) -> None:
    found = problems(epw(newline=newline))
    assert found[0].where == "town.epw: line 1"
    assert "carriage return" in found[0].what


@pytest.mark.parametrize(
    ("column", "value"),
    [(9, ""), (9, "UTC"), (9, "15"), (9, "-8"), (10, ""), (10, "high"), (10, "99999"), (8, "-170")],
)
def test_a_location_that_the_engine_dies_of_or_that_contradicts_itself_is_refused(column: int, value: str) -> None:
    location = LOCATION.split(",")
    location[column - 1] = value
    weather_found = problems(epw(header=(",".join(location), *HEADER[1:])))
    assert weather_found[0].where == "town.epw: line 1"


# Missing values


def with_missing(column: int, code: str, hours: Iterable[int], days: int = 365) -> bytes:
    records = in_order(days=days)
    for hour in hours:
        records[hour][column - 1] = code
    end = records[-1]
    periods = f"DATA PERIODS,1,1,Data,Sunday,1/1,{end[1]}/{end[2]}"
    return epw(periods, lines=[",".join(record) for record in records])


MISSING = [
    (7, "99.9", "dry bulb"),
    (8, "99.9", "dew point"),
    (9, "999", "relative humidity"),
    (10, "999999", "pressure"),
    (15, "9999", "direct normal radiation"),
    (16, "9999", "diffuse horizontal radiation"),
    (21, "999", "wind direction"),
    (22, "999", "wind speed"),
]


@pytest.mark.parametrize(("column", "code", "name"), MISSING)
def test_a_few_missing_hours_are_remarked(column: int, code: str, name: str) -> None:
    remark, without_sun = whole(with_missing(column, code, range(12, 8_760, 480))).remarks
    assert without_sun.startswith("there is no radiation in ")
    assert remark.startswith(f"{name} (column {column}) is missing in 19 of 8,760 records")
    assert "first on line 21" in remark


@pytest.mark.parametrize(("column", "code", "name"), MISSING)
@pytest.mark.parametrize("hours", [range(8_760), range(4_344, 5_088), range(0, 8_760, 24)])
def test_many_missing_hours_are_refused(column: int, code: str, name: str, hours: range) -> None:
    daylight = range(12, 8_760, 24) if hours.step > 1 else hours
    (found,) = problems(with_missing(column, code, daylight))
    assert found.what.startswith(f"{name} (column {column}) is missing in ")
    assert found.allowed == "at most 1% of the records and 24 hours in a row"


def test_a_gap_of_more_than_a_day_is_refused_however_long_the_file() -> None:
    assert whole(with_missing(7, "99.9", range(100, 124))).remarks
    (found,) = problems(with_missing(7, "99.9", range(100, 125)))
    assert "25 hours in a row" in found.what


@pytest.mark.parametrize("column", [11, 12, 14, 17, 18, 19, 20, 23, 25, 26, 28, 29, 30, 31, 32, 33, 34, 35])
def test_columns_that_the_engine_does_not_use_may_be_missing(column: int) -> None:
    assert whole(with_missing(column, "999999" if column in (17, 18, 19) else "9999", range(168), 7)).remarks == ()


def test_missing_radiation_at_night_is_nothing() -> None:
    nights = [day * 24 + hour for day in range(7) for hour in (0, 1, 2, 22, 23)]
    assert whole(with_missing(15, "9999", nights, 7)).remarks == ()


@pytest.mark.parametrize("code", ["9999", "0"])
def test_infrared_radiation_is_computed_from_the_sky_cover_if_that_is_there(code: str) -> None:
    content = with_missing(13, code, range(168), 7)
    assert whole(content).remarks == ()
    (found,) = problems(content.replace(b",10,10,9.9,", b",10,99,9.9,"))
    assert found.what.startswith("infrared radiation and sky cover")


@pytest.mark.parametrize(
    ("column", "value"), [(15, "-1"), (16, "-2"), (15, "5000"), (21, "400"), (22, "-3"), (22, "300"), (7, "70.1")]
)
def test_values_that_are_nowhere_on_earth_are_refused(column: int, value: str) -> None:
    (found,) = problems(with_record(column, value))
    assert found.where == "town.epw: line 13"


@pytest.mark.parametrize("hours", [-12, -8, -4, 4, 8, 12])
def test_hours_that_are_rotated_against_the_sun_are_refused(hours: int, chicago: Path) -> None:
    lines = chicago.read_text(encoding="latin-1").splitlines()
    records = [line.split(",", 5) for line in lines[8:]]
    shifted = [[*record[:5], records[(number + hours) % 8_760][5]] for number, record in enumerate(records)]
    (found,) = problems("\n".join([*lines[:8], *(",".join(record) for record in shifted)]).encode("latin-1"))
    assert "has sunshine in" in found.what


@pytest.mark.parametrize("hours", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("path", [REAL[0], REAL[-1]], ids=lambda path: path.stem)
def test_hours_that_are_shifted_a_little_are_remarked(hours: int, path: Path) -> None:
    lines = path.read_text(encoding="latin-1").splitlines()
    records = [line.split(",", 5) for line in lines[8:]]
    shifted = [[*record[:5], records[(number + hours) % 8_760][5]] for number, record in enumerate(records)]
    content = "\n".join([*lines[:8], *(",".join(record) for record in shifted)]).encode("latin-1")
    weather, _ = read_weather(content, "town.epw")
    assert weather is not None
    (remark,) = [remark for remark in weather.remarks if "daylight" in remark]
    offset = float(remark.split(" h ")[0].rsplit(" ", 1)[1])
    assert abs(offset - abs(hours)) < 0.2
    assert f"h {'before' if hours > 0 else 'after'} solar noon" in remark


# Random damage

PIECES = (b",", b"\n", b"\x00", b"\xff", b"\x85", b"-", b"9", b"e", b"/", b",,,,", b"DATA PERIODS,", b"LOCATION,")


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with a few places in or near its header cut out, doubled or overwritten."""
    result = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(min(len(result), 700) + 1)
        end = start + chance.choice((0, 1, 3, 40))
        result[start:end] = chance.choice(
            (b"", chance.choice(PIECES), chance.randbytes(5), bytes(result[start:][:100]))
        )
    return bytes(result)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_file_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    content = epw("DATA PERIODS,1,1,Data,Sunday,1/1,1/1", 24)
    for _ in range(25):
        weather, found = read_weather(damaged(content, chance), "town.epw")
        assert weather is not None or found


def test_a_byte_order_mark_before_location_is_reported() -> None:
    """EnergyPlus runs such a file with one warning and without its place: 146.6 for 143.6 kWh."""
    weather, (problem,) = read_weather(b"\xef\xbb\xbf" + epw(), "town.epw")
    assert weather is None
    assert problem.what == "begins with a byte order mark, after which EnergyPlus does not find LOCATION"


def with_records(path: Path, change: Callable[[list[str]], None]) -> bytes:
    """A real file with every record changed."""
    lines = path.read_text(encoding="latin-1").splitlines()
    records = [line.split(",") for line in lines[8:]]
    for record in records:
        change(record)
    return "\n".join([*lines[:8], *(",".join(record) for record in records)]).encode("latin-1")


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_direct_and_diffuse_radiation_exchanged_are_refused(path: Path) -> None:
    """The engine runs them without a word: a heating load 14 % lower in Golden."""

    def exchange(record: list[str]) -> None:
        record[14], record[15] = record[15], record[14]

    (found,) = problems(with_records(path, exchange))
    assert found.what.startswith("has more diffuse radiation (column 16) than the sun would give")


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_radiation_of_real_files_agrees_with_the_sun(path: Path) -> None:
    weather, found = read_weather(path.read_bytes(), "town.epw")
    assert weather is not None
    assert (found, [each for each in weather.remarks if "radiation" in each]) == ([], [])


def test_direct_radiation_that_is_not_normal_to_the_sun_is_remarked(chicago: Path) -> None:
    def level(record: list[str]) -> None:
        record[14] = str(max(0, int(record[13]) - int(record[15])))

    weather, found = read_weather(with_records(chicago, level), "town.epw")
    assert weather is not None
    (remark,) = weather.remarks
    assert found == []
    assert remark.startswith("its global radiation (column 14) is 1")
    assert "direct may be that on level ground" in remark


def test_relative_humidity_as_a_fraction_is_refused(chicago: Path) -> None:
    def fraction(record: list[str]) -> None:
        record[8] = f"{int(record[8]) / 100:.2f}"

    (found,) = problems(with_records(chicago, fraction))
    assert found.what == "has a relative humidity (column 9) of at most 1 %, which does not occur on earth"


@pytest.mark.parametrize(
    ("months", "columns", "value", "said"),
    [
        (range(1, 13), (13, 14, 15), "0", "there is no radiation in 3,"),
        (range(7, 8), (14, 15), "0", "there is no radiation in 3"),
    ],
)
def test_missing_radiation_that_was_written_as_0_is_remarked(
    months: range, columns: tuple[int, ...], value: str, said: str, chicago: Path
) -> None:
    """Not refused: somebody may want to know what a building does without sun."""

    def blank(record: list[str]) -> None:
        for column in columns if int(record[1]) in months else ():
            record[column] = value

    weather, found = read_weather(with_records(chicago, blank), "town.epw")
    assert weather is not None
    assert found == []
    assert [each for each in weather.remarks if each.startswith(said)], weather.remarks


# --- one temperature for days


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
