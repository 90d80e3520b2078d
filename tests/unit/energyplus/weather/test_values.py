"""Values that are missing, impossible, or against the sun."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from epsm.energyplus.weather import read_weather
from tests.unit.energyplus.weather.epw_files import REAL, epw, in_order, problems, whole, with_record


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
    assert found.what.startswith("has diffuse radiation (column 16) above the extraterrestrial radiation")


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
    assert "direct radiation may be that on level ground" in remark


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
