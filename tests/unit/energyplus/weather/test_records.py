"""Records: cut off, out of order, of another form, damaged."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from epsm.energyplus.weather import read_weather
from epsm.problems import Problem
from tests.unit.energyplus.weather.epw_files import FIRST_RECORD, ONE_WEEK, dated, epw, in_order, problems, with_record


# Files that are not whole
@pytest.mark.parametrize("keep", [0, 1, 24, 167])
def test_a_file_cut_off_at_the_end_of_a_line_is_refused(keep: int) -> None:
    (problem,) = problems(epw(records=keep))
    assert f"has {keep} data lines instead of 168 as in its header" in problem.what


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
    assert "instead of 1488" in problems(epw(periods, 31 * 24))[0].what


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
