"""Areas, volumes and masses of measures, in a building that the engine simulated: worked out by hand."""

import json
from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.results.quantities import Quantities, measured_quantities
from epsm.study.parsing import parse_study
from tests.conftest import study_document
from tests.unit.results.test_areas import STORE

INNER = "BuildingSurface:Detailed,Inner,Wall,Wall,Store,,Zone,Room,NoSun,NoWind,0,4, 9,6,2, 9,6,0, 8,6,0, 8,6,2;"
FACE = {"roughness": "Rough", "thermal_absorptance": 0.9, "solar_absorptance": 0.7, "visible_absorptance": 0.7}
BRICK = {**FACE, "name": "New Brick", "thickness_m": 0.24, "conductivity_w_mk": 0.6, "density_kg_m3": 1500}
LAYERS = [{**BRICK, "specific_heat_j_kgk": 900}, {"material": "Wall Insulation"}, {"material": "Brick"}]
EDITS = [
    {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "excluded", "gwp": {"kgco2e_per_kg": 3}},
    {"slot": "window", "glazing": {"u_w_m2k": 1.1, "shgc": 0.5}},
    {"slot": "wall_interior", "surfaces": "Store South", "layers": LAYERS},
    {"slot": "wall_interior", "surfaces": "Inner", "construction": "Roof"},
    {"slot": "roof_ceiling_exterior", "zones": "Store", "construction": "Slab"},
    {"slot": "skylight", "orientation": [], "glazing": {"u_w_m2k": 1.1, "shgc": 0.5}},
    {"slot": "door", "layers": LAYERS[:1]},
]


@pytest.fixture(scope="module")
def quantities(
    engine: Engine, one_day: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Quantities]:
    """Of a measure in a building of six rooms (a zone of multiplier 3, twice in a zone list) and a store."""
    model = one_day.replace("  1;                       !- Multiplier", "  3;") + STORE + INNER
    model = model.replace("South Wall,,0.5,,1,4,", "South Wall,,0.5,Frame,2,4,")
    inner = "North Wall,Wall,Wall,Room,,Surface,Store South,NoSun,NoWind"
    model = model.replace("North Wall,Wall,Wall,Room,,Outdoors,,SunExposed,WindExposed", inner)
    measure = {"name": "shell", "variants": [{"name": "new", "constructions": EDITS}]}
    study = parse_study(
        json.dumps(study_document(measures=[measure], parameters=[{"name": "shell", "measure": "shell"}]))
    )
    prepared = prepare(model.encode(), "room.idf", study, engine.idd)
    folder = tmp_path_factory.mktemp("quantities")
    (folder / "in.idf").write_text(prepared.render({"shell": "new"}), encoding="utf-8")
    line = command(engine, folder / "in.idf", chicago, folder)
    assert run(line, folder, timeout_s=120).exit_code == 0
    found = measured_quantities(prepared.amounts({"shell": "new"}), folder / "eplusout.sql")
    assert measured_quantities(prepared.amounts({}), folder / "eplusout.sql") == {}
    return found["shell"]


def test_net_areas_times_multipliers(quantities: list[Quantities]) -> None:
    # Two windows of 4.2 m x 1.6 m with their frames in each south wall; the room six times, the store once.
    opening = 4.2 * 1.6 * 2
    walls = (24 - opening) * 6 + 18 * 6 * 2 + (9 - 2) + 9
    areas = [each["area_m2"] for each in quantities]

    assert areas[0] == pytest.approx(walls, rel=1e-9)
    assert areas[1] == pytest.approx(opening * 6, rel=1e-9)
    assert areas[4:] == pytest.approx([24 - 2, 2, 2], rel=1e-9)


def test_a_pair_between_zones_counts_once(quantities: list[Quantities]) -> None:
    # One side is six walls of 24 m2, the other one: half of both. The other side of "Inner", of 2 m2, is the engine's.
    assert quantities[2]["area_m2"] == pytest.approx((24 * 6 + 24) / 2, rel=1e-9)
    assert quantities[3]["area_m2"] == pytest.approx((2 * 6 + 2) / 2, rel=1e-9)


def test_volumes_and_masses_of_layers(quantities: list[Quantities]) -> None:
    area = (24 * 6 + 24) / 2
    # 0.24 m of 1500 kg/m3, and of the model 0.05 m of 30 kg/m3 and 0.12 m of 1800 kg/m3
    expected = [(0.24 * area, 360 * area), (0.05 * area, 1.5 * area), (0.12 * area, 216 * area)]
    for found, wanted in zip(quantities[2]["layers"], expected, strict=True):
        assert found == pytest.approx(wanted, rel=1e-9)


def test_the_insulation_that_is_added_for_a_target_u(quantities: list[Quantities]) -> None:
    # 1 / 0.2 = 0.12 / 0.9 + d / 0.035, of which 0.05 m are there.
    added_m = 0.035 * (5 - 0.12 / 0.9) - 0.05
    area = quantities[0]["area_m2"]
    assert area is not None
    assert quantities[0]["layers"] == [pytest.approx((added_m * area, 30 * added_m * area), rel=1e-9)]
