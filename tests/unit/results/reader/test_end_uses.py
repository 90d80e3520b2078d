"""End uses and intensities: sums over the fuels, per area."""

import pytest

from epsm.results.metrics import (
    END_USES,
    FUELS,
    INTENSITIES,
    SUMS,
    snake,
)
from epsm.results.reader import EndUse
from tests.unit.results.reader.databases import (
    AREA,
    KWH,
    PERFORMANCE,
    SITE_EUI,
    Reader,
    building,
    end_use,
    exactly,
    without,
)


# -- end uses ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fuel", FUELS)
def test_every_fuel_counts_for_an_end_use(read: Reader, fuel: str) -> None:
    cells = building() | {end_use("Cooling", fuel): ("kWh", "42.5")}

    assert read(cells).metrics["cooling_kwh"] == 42.5


@pytest.mark.parametrize("row", END_USES)
def test_every_end_use_is_summed_over_the_fuels(read: Reader, row: str) -> None:
    cells = building() | {end_use(row, fuel): ("GJ", str(number)) for number, fuel in enumerate(FUELS)}

    expected = exactly(str(sum(range(len(FUELS)))), KWH["GJ"])
    assert read(cells).metrics[f"{snake(row)}_kwh"] == expected


def test_a_sum_that_lacks_a_fuel_is_none(read: Reader) -> None:
    cells = building() | {end_use("Heating", "Electricity"): ("kWh", "11")}

    results = read(without(cells, end_use("Heating", "District Heating Steam").__eq__))

    assert (results.metrics["heating_kwh"], results.missing["heating_kwh"]) == (
        None,
        f"there is no {PERFORMANCE}, End Uses, row 'Heating', column 'District Heating Steam'",
    )


def test_end_uses_are_listed_where_they_are_not_zero(read: Reader) -> None:
    cells = building() | {
        end_use("Heating", "Natural Gas"): ("kWh", "11.5"),
        end_use("Cooling", "District Cooling"): ("kWh", "22.5"),
    }

    assert read(cells).end_uses == (
        EndUse("Heating", "Natural Gas", 11.5),
        EndUse("Cooling", "District Cooling", 22.5),
    )


def test_an_end_use_names_its_column() -> None:
    assert EndUse("Interior Lighting", "Fuel Oil No 1", 1.0).metric == "interior_lighting_fuel_oil_no_1_kwh"


@pytest.mark.parametrize("metric", INTENSITIES)
def test_an_intensity_is_the_end_use_over_the_area(read: Reader, metric: str) -> None:
    row = SUMS[INTENSITIES[metric]]

    assert read(building() | {end_use(row, "Natural Gas"): ("kWh", "250")}).metrics[metric] == 2.5


def test_a_building_without_area_has_no_intensity(read: Reader) -> None:
    results = read(building() | {AREA: ("m2", "0"), SITE_EUI: ("kWh/m2", "")})

    for name in ("heating_kwh_m2", "site_eui_kwh_m2"):
        assert (results.metrics[name], results.missing[name]) == (None, "the building has no floor area")


def test_an_intensity_without_a_known_area_says_what_is_missing(read: Reader) -> None:
    results = read(without(building(), AREA.__eq__))

    assert results.missing["heating_kwh_m2"] == results.missing["total_building_area_m2"]
