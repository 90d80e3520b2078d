"""Numbers and their units, and the reasons for those that are missing."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

from epsm.results.metrics import (
    FUELS,
    METRICS,
    OPTIONAL_METRICS,
    snake,
)
from epsm.results.reader import read_results
from tests.unit.results.reader.databases import (
    AREA,
    BTU_IN_J,
    ELECTRICITY,
    ELECTRICITY_PEAK,
    KWH,
    PERFORMANCE,
    SITE_EUI,
    SQUARE_FOOT_IN_M2,
    TOTAL,
    YEAR,
    Cells,
    Place,
    Reader,
    add_cells,
    building,
    end_use,
    exactly,
    without,
    write_database,
)

WATER: Place = (PERFORMANCE, "End Uses", TOTAL, "Water")
KWH_M2 = {
    **{f"{unit}/m2": factor for unit, factor in KWH.items()},
    "kBtu/ft2": KWH["kBtu"] / SQUARE_FOOT_IN_M2,
    "kWh/ft2": 1 / SQUARE_FOOT_IN_M2,
}


@pytest.mark.parametrize("unit", KWH)
def test_energy_is_converted_from_its_unit(read: Reader, unit: str) -> None:
    results = read(building() | {ELECTRICITY: (unit, "1234.5678901234")})

    assert results.metrics["electricity_kwh"] == exactly("1234.5678901234", KWH[unit])


@pytest.mark.parametrize("unit", KWH_M2)
def test_intensity_is_converted_from_its_unit(read: Reader, unit: str) -> None:
    results = read(building() | {SITE_EUI: (unit, "123.45678901234567")})

    assert results.metrics["site_eui_kwh_m2"] == exactly("123.45678901234567", KWH_M2[unit])


@pytest.mark.parametrize(
    ("place", "metric", "unit", "factor"),
    [
        (AREA, "total_building_area_m2", "m2", Fraction(1)),
        (AREA, "total_building_area_m2", "ft2", SQUARE_FOOT_IN_M2),
        (WATER, "water_m3", "m3", Fraction(1)),
        (WATER, "water_m3", "gal", Fraction("0.003785411784")),
        (ELECTRICITY_PEAK, "electricity_peak_w", "W", Fraction(1)),
        (ELECTRICITY_PEAK, "electricity_peak_w", "kBtuh", 1000 * BTU_IN_J / 3600),
    ],
)
def test_other_quantities_are_converted_from_their_units(
    read: Reader, place: Place, metric: str, unit: str, factor: Fraction
) -> None:
    assert read(building() | {place: (unit, "511.18")}).metrics[metric] == exactly("511.18", factor)


def test_a_number_comes_back_to_the_last_digit(read: Reader) -> None:
    source = random.Random(25_2)
    written = {fuel: source.uniform(0, 10 ** source.randint(-3, 12)) for fuel in FUELS}

    results = read(building() | {end_use(TOTAL, fuel): ("kWh", repr(value)) for fuel, value in written.items()})

    assert {fuel: results.metrics[f"{snake(fuel)}_kwh"] for fuel in FUELS} == written


def test_the_spaces_that_pad_a_table_do_not_count(read: Reader) -> None:
    report, table, row, column = SITE_EUI

    results = read(without(building(), SITE_EUI.__eq__) | {(report, table, f"  {row}", column): (" kWh/m2 ", "  12.5")})

    assert results.metrics["site_eui_kwh_m2"] == 12.5


def test_a_negative_number_is_a_number(read: Reader) -> None:
    net = (PERFORMANCE, "Site and Source Energy", "Net Site Energy", "Total Energy")

    assert read(building() | {net: ("kWh", "-15.5")}).metrics["net_site_energy_kwh"] == -15.5


def test_0_is_a_number_and_not_a_missing_one(read: Reader) -> None:
    results = read(building())

    assert (results.metrics["natural_gas_kwh"], "natural_gas_kwh" in results.missing) == (0.0, False)


def test_tables_of_parts_of_the_building_are_left_alone(read: Reader, tmp_path: Path) -> None:
    write_database(tmp_path / "two.sql", building())
    with closing(sqlite3.connect(tmp_path / "two.sql")) as connection:
        add_cells(connection, {SITE_EUI: ("kWh/m2", "999")}, "ZONE 1")
        connection.commit()

    assert read_results(tmp_path / "two.sql", [YEAR]).metrics["site_eui_kwh_m2"] == 0.0


def test_every_metric_is_there_in_the_order_of_the_table(read: Reader) -> None:
    assert tuple(read(building()).metrics) == (*METRICS, *OPTIONAL_METRICS)


def test_heating_is_not_read_from_cooling(read: Reader) -> None:
    cells = building() | {
        end_use("Heating", "Electricity"): ("kWh", "11"),
        end_use("Cooling", "Electricity"): ("kWh", "22"),
    }

    metrics = read(cells).metrics

    assert (metrics["heating_kwh"], metrics["cooling_kwh"]) == (11.0, 22.0)


# -- what is not there -------------------------------------------------------------------------------------------
WHERE = f"{PERFORMANCE}, Site and Source Energy, row 'Total Site Energy', column 'Energy Per Total Building Area'"


@pytest.mark.parametrize(
    ("unwanted", "reason"),
    [
        (
            lambda place: place[1] == "Site and Source Energy",
            f"the run has no table 'Site and Source Energy' in {PERFORMANCE}",
        ),
        (lambda place: place[2] == "Total Site Energy", f"there is no {WHERE}"),
        (lambda place: place[3] == "Energy Per Total Building Area", f"there is no {WHERE}"),
    ],
    ids=["table", "row", "column"],
)
def test_what_is_not_there_is_none_with_the_reason(
    read: Reader, unwanted: Callable[[Place], bool], reason: str
) -> None:
    results = read(without(building(), unwanted))

    assert (results.metrics["site_eui_kwh_m2"], results.missing["site_eui_kwh_m2"]) == (None, reason)


def test_an_unknown_unit_is_none_with_the_reason(read: Reader) -> None:
    results = read(building() | {SITE_EUI: ("ton/m2", "12.5")})

    assert (results.metrics["site_eui_kwh_m2"], results.missing["site_eui_kwh_m2"]) == (
        None,
        f"{WHERE} is in 'ton/m2', an unknown unit",
    )


@pytest.mark.parametrize("value", ["", "-", "N/A", "1,234.5", "12.5 (est.)", "nan", "inf", "-Infinity"])
def test_what_is_no_number_is_none_with_the_reason(read: Reader, value: str) -> None:
    results = read(building() | {SITE_EUI: ("kWh/m2", value)})

    assert (results.metrics["site_eui_kwh_m2"], results.missing["site_eui_kwh_m2"]) == (
        None,
        f"{WHERE} holds '{value}'",
    )


def test_nothing_at_all_gives_none_for_everything(read: Reader) -> None:
    results = read({})

    assert set(results.metrics.values()) == {None}


@pytest.mark.parametrize("cells", [building(), {}, without(building(), AREA.__eq__)], ids=["all", "nothing", "no area"])
def test_there_is_a_reason_for_every_none_and_for_nothing_else(read: Reader, cells: Cells) -> None:
    results = read(cells)

    without_value = {name for name, value in results.metrics.items() if value is None}
    reasons = results.missing | results.not_applicable
    assert {name for name, reason in reasons.items() if reason} == without_value
    assert set(results.not_applicable) <= set(OPTIONAL_METRICS)


def test_a_file_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        read_results(tmp_path / "eplusout.sql", [YEAR])

    assert not (tmp_path / "eplusout.sql").exists()
