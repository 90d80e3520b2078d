"""Values that no building can have are not accepted as results."""

import pytest

from epsm.results.reader import ImpossibleResult
from tests.unit.results.reader.databases import (
    AREA,
    ELECTRICITY,
    ELECTRICITY_PEAK,
    PERFORMANCE,
    SITE_EUI,
    Place,
    Reader,
    building,
)

SITE_ENERGY: Place = (PERFORMANCE, "Site and Source Energy", "Total Site Energy", "Total Energy")
UNMET: Place = (
    PERFORMANCE,
    "Comfort and Setpoint Not Met Summary",
    "Time Setpoint Not Met During Occupied Heating",
    "Facility",
)
UNCONDITIONED: Place = (PERFORMANCE, "Building Area", "Unconditioned Building Area", "Area")
GENERATED: Place = (PERFORMANCE, "Electric Loads Satisfied", "Total On-Site Electric Sources", "Electricity")
NET_SITE: Place = (PERFORMANCE, "Site and Source Energy", "Net Site Energy", "Total Energy")


def test_net_energy_that_leaves_out_purchased_electricity_is_none_with_the_reason(read: Reader) -> None:
    results = read(building() | {SITE_ENERGY: ("kWh", "862"), NET_SITE: ("kWh", "0"), GENERATED: ("kWh", "0")})

    assert (results.metrics["net_site_energy_kwh"], results.metrics["net_site_eui_kwh_m2"]) == (None, None)
    assert "leaves out purchased electricity" in results.missing["net_site_energy_kwh"]


def test_net_energy_below_site_energy_is_true_where_electricity_is_generated(read: Reader) -> None:
    results = read(building() | {SITE_ENERGY: ("kWh", "862"), NET_SITE: ("kWh", "-5"), GENERATED: ("kWh", "867")})

    assert results.metrics["net_site_energy_kwh"] == -5


@pytest.mark.parametrize(
    ("place", "unit", "value"),
    [
        (ELECTRICITY, "kWh", "1e38"),
        (SITE_EUI, "kWh/m2", "-4.9e274"),
        (AREA, "m2", "-1"),
        (UNMET, "Hours", "-1"),
        (UNMET, "Hours", "8761"),
        (ELECTRICITY_PEAK, "W", "1e16"),
    ],
)
def test_what_no_building_can_have_is_no_result(read: Reader, place: Place, unit: str, value: str) -> None:
    with pytest.raises(ImpossibleResult, match="is"):
        read(building() | {place: (unit, value)})


@pytest.mark.parametrize(
    ("place", "unit", "value"),
    [
        (UNCONDITIONED, "m2", "-0.05"),
        (UNMET, "Hours", "-1e-7"),
        (UNMET, "Hours", "8760.0000001"),
    ],
)
def test_what_rounding_has_caused_is_no_fault(read: Reader, place: Place, unit: str, value: str) -> None:
    """An area of a building of 100,000 m2 that is off by its seventh digit, say."""
    cells = building() | {AREA: ("m2", "100000"), place: (unit, value)}

    assert read(cells).metrics["total_building_area_m2"] == 100_000


def test_a_plant_with_hardly_any_floor_area_is_possible(read: Reader) -> None:
    assert read(building() | {SITE_EUI: ("kWh/m2", "1e9")}).metrics["site_eui_kwh_m2"] == 1e9
