"""Zones with their areas, volumes and multipliers."""

import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

from epsm.results.reader import ImpossibleResult, read_results
from epsm.results.zones import Zone
from tests.unit.results.reader.databases import (
    SQUARE_FOOT_IN_M2,
    VERIFICATION,
    YEAR,
    Cells,
    Reader,
    building,
    exactly,
    of_zone,
    write_database,
    zone_summary,
)


# -- zones -------------------------------------------------------------------------------------------------------
def test_a_zone_has_the_area_and_volume_of_one(read: Reader) -> None:
    cells = building() | zone_summary("ROOM", Area="48.5", Volume="145.5", Multipliers="3")

    assert read(cells, zones=["ROOM"]).zones == (
        Zone("ROOM", area_m2=48.5, volume_m3=145.5, multiplier=3.0, conditioned=True, part_of_total_area=True),
    )


def test_a_zone_that_is_not_conditioned_is_reported(read: Reader) -> None:
    columns = {"Conditioned (Y/N)": "No", "Part of Total Floor Area (Y/N)": "No"}

    (zone,) = read(building() | zone_summary("ATTIC", **columns), zones=["ATTIC"]).zones

    assert (zone.conditioned, zone.part_of_total_area) == (False, False)


def test_zones_come_in_the_order_of_the_model(read: Reader) -> None:
    cells = building() | zone_summary("B") | zone_summary("A") | zone_summary("C")

    assert [zone.name for zone in read(cells, zones=["B", "A", "C"]).zones] == ["B", "A", "C"]


def test_a_zone_in_feet_is_converted(read: Reader) -> None:
    cells = building() | zone_summary("ROOM")
    cells |= {of_zone("ROOM", "Area"): ("ft2", "500"), of_zone("ROOM", "Volume"): ("ft3", "5000")}

    (zone,) = read(cells, zones=["ROOM"]).zones

    assert (zone.area_m2, zone.volume_m3) == (
        exactly("500", SQUARE_FOOT_IN_M2),
        exactly("5000", Fraction("0.3048") ** 3),
    )


def totals() -> Cells:
    """The rows behind the zones in the Zone Summary."""
    blank = {"Multipliers": "", "Conditioned (Y/N)": "", "Part of Total Floor Area (Y/N)": ""}
    names = ("Total", "Conditioned Total", "Unconditioned Total", "Not Part of Total")
    return {
        place: content
        for name in names
        for place, content in zone_summary(name, Area="1000", Volume="3000", **blank).items()
    }


def test_the_totals_are_no_zones(read: Reader) -> None:
    cells = building() | zone_summary("ROOM") | totals()

    assert [zone.name for zone in read(cells, zones=["ROOM"]).zones] == ["ROOM"]


@pytest.mark.parametrize("name", ["TOTAL", "CONDITIONED TOTAL"])
def test_a_zone_may_be_called_like_a_total(read: Reader, name: str) -> None:
    cells = building() | zone_summary(name) | totals()

    assert read(cells, zones=[name]).zones == (Zone(name, 48.0, 144.0, 1.0, True, True),)


def test_a_zone_name_may_be_in_any_encoding(tmp_path: Path) -> None:
    name = "BÜRO".encode("latin-1")
    write_database(tmp_path / "eplusout.sql", building() | zone_summary("PLACEHOLDER"), zones=[name])
    with closing(sqlite3.connect(tmp_path / "eplusout.sql")) as connection:
        rename = "UPDATE Strings SET Value = CAST(? AS TEXT) WHERE Value = 'PLACEHOLDER'"
        connection.execute(rename, (name,))
        connection.commit()

    (zone,) = read_results(tmp_path / "eplusout.sql", [YEAR]).zones

    assert (zone.name, zone.area_m2) == ("B\N{REPLACEMENT CHARACTER}RO", 48.0)


def test_a_chinese_zone_name_is_read(read: Reader) -> None:
    (zone,) = read(building() | zone_summary("办公室"), zones=["办公室"]).zones

    assert (zone.name, zone.area_m2) == ("办公室", 48.0)


def test_a_zone_is_not_taken_for_another_that_only_python_finds_the_same(read: Reader) -> None:
    cells = building() | zone_summary("STRASSE", Area="48") | zone_summary("STRAßE", Area="60")

    assert [zone.area_m2 for zone in read(cells, zones=["STRASSE", "STRAßE"]).zones] == [48.0, 60.0]


@pytest.mark.parametrize("column", ["Area", "Volume", "Multipliers"])
def test_a_zone_that_no_building_can_have_is_no_result(read: Reader, column: str) -> None:
    with pytest.raises(ImpossibleResult, match="zone ROOM"):
        read(building() | zone_summary("ROOM", **{column: "1e400"}), zones=["ROOM"])


@pytest.mark.parametrize(
    ("zone", "row"), [("ROOM [A]", "ROOM"), ("ROOM[A] B", "ROO"), ("[ROOM]", "[ROOM]"), ("A]B[", "A]B[")]
)
def test_a_zone_with_brackets_in_its_name_is_found_as_the_engine_writes_it(read: Reader, zone: str, row: str) -> None:
    (found,) = read(building() | zone_summary(row), zones=[zone]).zones

    assert found == Zone(zone, 48.0, 144.0, 1.0, conditioned=True, part_of_total_area=True)


def test_zones_that_the_engine_gives_one_name_have_no_numbers(read: Reader) -> None:
    first, second = read(building() | zone_summary("ROOM"), zones=["ROOM [A]", "ROOM [B]"]).zones

    assert (first.area_m2, first.conditioned, second.area_m2, second.conditioned) == (None, None, None, None)
    assert "2 zones are 'ROOM'" in first.missing


def test_a_zone_without_a_row_has_no_numbers(read: Reader) -> None:
    (zone,) = read(building(), zones=["ROOM"]).zones

    assert (zone.area_m2, zone.volume_m3, zone.multiplier, zone.conditioned) == (None, None, None, None)
    assert zone.missing == f"there is no {VERIFICATION}, Zone Summary, row 'ROOM'"


@pytest.mark.parametrize(
    "value",
    ["", "-"],
)
def test_a_multiplier_that_is_no_number_is_none(read: Reader, value: str) -> None:
    (zone,) = read(building() | zone_summary("ROOM", Multipliers=value), zones=["ROOM"]).zones

    assert zone.multiplier is None
