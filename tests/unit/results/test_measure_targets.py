"""Coefficients that measures request against those that EnergyPlus reports, and their means in the table."""

import pytest

from epsm.energyplus.construction_plan import Expected
from epsm.results.areas import EnvelopeArea, EnvelopeSurface, envelope_coefficients
from epsm.results.measure_targets import differences
from epsm.results.metrics import ENVELOPE_COEFFICIENTS


def surface(name: str, **coefficients: float) -> EnvelopeSurface:
    return EnvelopeSurface(name, "wall", "exterior", "S", "ROOM", "WALL", 10, 8, **coefficients)


def test_what_the_engine_reports_otherwise_is_reported() -> None:
    surfaces = {
        "south": surface("SOUTH", u_w_m2k=0.2504),
        "east": surface("EAST", u_w_m2k=0.271),
        "west": surface("WEST", u_w_m2k=0.2711),
        "north": surface("NORTH"),
        "pane": surface("PANE", u_w_m2k=1.1, shgc=0.4, visible_transmittance=0.7),
    }
    walls = [Expected(name, 0.25) for name in ("South", "East", "West", "North")]
    pane = Expected("Pane", 1.1, None, 0.4, 0.6)

    assert differences("walls warm", [*walls, pane], surfaces) == [
        "walls warm: EnergyPlus reports U with films 0.271 W/m2K for 2 surfaces ('East', 'West'); "
        "asked for: 0.25 W/m2K.",
        "walls warm: EnergyPlus reports no U with films for 1 surface ('North'); asked for: 0.25 W/m2K.",
        "walls warm: EnergyPlus reports visible transmittance 0.7 for 1 surface ('Pane'); asked for: 0.6.",
    ]


def test_coefficients_are_means_by_net_area() -> None:
    areas = [
        EnvelopeArea("wall", "exterior", "S", 40, 30, 0.2, 0.21),
        EnvelopeArea("wall", "exterior", "N", 10, 10, 0.6, None),
        EnvelopeArea("wall", "interior", "", 99, 99, 5.0, 9.0),
        EnvelopeArea("window", "exterior", "S", 10, 10, 1.1, None, 0.4, 0.6),
    ]
    numbers, reasons = envelope_coefficients(areas)

    assert numbers["exterior_wall_u_w_m2k"] == pytest.approx((0.2 * 30 + 0.6 * 10) / 40)
    assert (numbers["window_u_w_m2k"], numbers["window_shgc"], numbers["window_visible_transmittance"]) == (
        1.1,
        0.4,
        0.6,
    )
    assert reasons["exterior_wall_u_without_films_w_m2k"] == "EnergyPlus does not report it for all of these surfaces"
    assert reasons["skylight_shgc"] == "the building has no skylight with boundary 'exterior'"
    assert numbers.keys() == ENVELOPE_COEFFICIENTS.keys()
    assert reasons.keys() == {name for name, number in numbers.items() if number is None}
