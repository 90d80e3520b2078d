"""The layers that surfaces get: targets, layers in full, glazing, epJSON; and what the engine reports of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.films import films_of
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.energyplus.surfaces import surfaces_of
from epsm.results.areas import read_surfaces
from tests.unit.energyplus.constructions.edits import BRICK, GAP, PANE, STORE, layers, material, plan_of, study_with

WOOL = {"name": "Wool", "r_m2kw": 4, "roughness": "Rough"}
BRICK_M2K_W, CONCRETE_M2K_W = 0.12 / 0.9, 0.15 / 1.7


def rendered(engine: Engine, model: str, *edits: dict[str, Any]) -> tuple[PreparedModel, ModelOutline]:
    prepared = prepare(model.encode(), "room.idf", study_with(*edits), engine.idd)
    return prepared, read_outline(prepared.render({"envelope": "new"}).encode(), "in.idf")


def test_a_target_with_films_changes_the_thickness_of_a_copy(building: str, engine: Engine) -> None:
    edit = {"slot": "wall_exterior", "u_w_m2k": 0.25, "films": "included"}
    prepared, outline = rendered(engine, building, edit)
    thickness = (1 / 0.25 - 0.1197548 - 0.0299387 - BRICK_M2K_W) * 0.035

    assert layers(outline, "South Wall") == ["Brick", "envelope new Wall Insulation"]
    assert layers(outline, "Store North") == ["Brick", "Wall Insulation"], "adiabatic walls are another slot"
    copy = material(outline, "envelope new Wall Insulation")
    assert float(copy[2]) == pytest.approx(thickness, rel=1e-12)
    assert (copy[1], *copy[3:]) == ("Rough", "0.035", "30", "1400"), "the rest is copied"
    assert material(outline, "Wall Insulation")[2] == "0.05"
    assert "envelope new" not in prepared.render({}), "the baseline is as before"
    assert prepared.render({"envelope": "none"}) == prepared.render({})


def test_a_target_without_films_is_that_of_the_layers_alone(building: str, engine: Engine) -> None:
    edit = {"slot": "roof_ceiling_exterior", "u_w_m2k": 0.25, "films": "excluded"}
    _, outline = rendered(engine, building, edit)

    copy = material(outline, "envelope new Wall Insulation")
    assert float(copy[2]) == pytest.approx((4 - CONCRETE_M2K_W) * 0.035, rel=1e-12)


def test_a_resistance_without_mass_is_changed_as_such(building: str) -> None:
    plan = plan_of(building, slot="door", u_w_m2k=2, films="included")

    assert plan.objects[0].class_name == "Material:NoMass"
    assert plan.objects[0].fields["Thermal Resistance"] == pytest.approx(0.5 - 0.1197548 - 0.0299387)


def test_the_named_layer_is_changed(building: str) -> None:
    plan = plan_of(
        building, slot="wall_exterior", u_w_m2k=0.5, films="excluded", insulation_layer="brick", surfaces="South Wall"
    )

    assert plan.objects[0].fields["Thickness"] == pytest.approx((2 - 0.05 / 0.035) * 0.9)


def test_the_two_sides_of_an_interior_wall_stay_mirrored(building: str, engine: Engine) -> None:
    one_side = {"slot": "wall_interior", "u_w_m2k": 0.4, "films": "included", "zones": "Room"}
    _, outline = rendered(engine, building, one_side)

    assert layers(outline, "Partition South") == ["Brick", "envelope new Wall Insulation", "Concrete"]
    assert layers(outline, "Partition North") == ["Concrete", "envelope new Wall Insulation", "Brick"]
    wanted = (2.5 - 2 * 0.1197548 - BRICK_M2K_W - CONCRETE_M2K_W) * 0.035
    assert float(material(outline, "envelope new Wall Insulation")[2]) == pytest.approx(wanted, rel=1e-12)


def test_layers_in_full_and_of_the_model(building: str, engine: Engine) -> None:
    inside = {"material": "concrete"}
    _, outline = rendered(engine, building, {"slot": "wall_interior", "layers": [BRICK, WOOL, inside]})

    assert layers(outline, "Partition South") == ["envelope new Brick", "envelope new Wool", "Concrete"]
    assert layers(outline, "Partition North") == ["Concrete", "envelope new Wool", "envelope new Brick"]
    assert material(outline, "envelope new Brick")[1:] == ("Rough", "0.2", "0.8", "1700", "800", "0.9", "0.6", "0.6")


def test_panes_and_gaps(building: str, engine: Engine) -> None:
    _, outline = rendered(engine, building, {"slot": "window", "layers": [PANE, GAP, {**PANE, "name": "Inner"}]})

    assert layers(outline, "South Window") == ["envelope new Pane", "envelope new gap", "envelope new Inner"]
    (gap,) = outline.of_class("WindowMaterial:Gas")
    assert gap.values == ("envelope new gap", "Argon", "0.013")
    pane = next(iter(outline.of_class("WindowMaterial:Glazing")))
    assert list(pane.values)[3:6] == ["0.006", "0.8", "0.07"]


def test_films_follow_the_engine() -> None:
    """DataHeatBalance.cc: a floor over a ceiling has the film of each."""
    floors = "BuildingSurface:Detailed,F,Floor,X,Z,,Surface,C,NoSun,NoWind,0,0;"
    text = floors + "BuildingSurface:Detailed,C,Ceiling,X,Y,,Surface,F;"
    floor, ceiling = surfaces_of(read_outline(text.encode(), "x.idf"))

    assert films_of(floor, ceiling) == films_of(ceiling, floor) == 0.1620212 + 0.1074271


def test_epjson_is_edited_alike(engine: Engine) -> None:
    model = {
        "Version": {"Version 1": {"version_identifier": "25.2"}},
        "Material": {
            "Brick": {
                "roughness": "Rough",
                "thickness": 0.12,
                "conductivity": 0.9,
                "density": 1800,
                "specific_heat": 840,
            },
            "Wool": {
                "roughness": "Rough",
                "thickness": 0.05,
                "conductivity": 0.035,
                "density": 30,
                "specific_heat": 840,
            },
        },
        "Construction": {"Wall": {"outside_layer": "Brick", "layer_2": "Wool"}},
        "BuildingSurface:Detailed": {
            "W": {
                "surface_type": "Wall",
                "construction_name": "Wall",
                "zone_name": "Z",
                "outside_boundary_condition": "Outdoors",
                "vertices": [
                    dict(zip(("vertex_x_coordinate", "vertex_y_coordinate", "vertex_z_coordinate"), point, strict=True))
                    for point in ((0, 0, 3), (0, 0, 0), (8, 0, 0), (8, 0, 3))
                ],
            }
        },
    }
    edit = {"slot": "wall_exterior", "orientation": ["S"], "u_w_m2k": 0.25, "films": "included"}
    study = study_with(edit, model="room.epJSON")
    prepared = prepare(json.dumps(model).encode(), "room.epJSON", study, engine.idd)
    before = prepared.render({})
    written = json.loads(prepared.render({"envelope": "new"}))

    name = written["BuildingSurface:Detailed"]["W"]["construction_name"]
    assert written["Construction"][name] == {"outside_layer": "Brick", "layer_2": "envelope new Wool"}
    thickness = written["Material"]["envelope new Wool"]["thickness"]
    assert thickness == pytest.approx((4 - 0.1197548 - 0.0299387 - BRICK_M2K_W) * 0.035, rel=1e-12)
    assert prepared.render({}) == before
    ((added,),) = prepared.amounts({"envelope": "new"})["envelope"]
    assert added.surface == "W"
    (insulation,) = added.layers
    assert insulation == pytest.approx((thickness - 0.05, 30 * (thickness - 0.05)), rel=1e-12)


def test_the_engine_reports_what_was_asked(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    before = "North Wall,Wall,Wall,Room,,Outdoors,,SunExposed,WindExposed"
    model = one_day.replace(before, "North Wall,Wall,Wall,Room,,Adiabatic,,NoSun,NoWind") + STORE
    edits: list[dict[str, Any]] = [
        {"slot": "wall_exterior", "u_w_m2k": 0.25, "films": "included"},
        {"slot": "roof_ceiling_exterior", "u_w_m2k": 0.2, "films": "excluded"},
        {"slot": "floor_ground", "layers": [BRICK | {"name": "Insulated"}, WOOL, {"material": "Concrete"}]},
        {"slot": "wall_interior", "u_w_m2k": 0.4, "films": "included"},
        {"slot": "door", "u_w_m2k": 1.5, "films": "included"},
        {"slot": "window", "glazing": {"u_w_m2k": 1.1, "shgc": 0.4, "visible_transmittance": 0.6}},
    ]
    study = study_with(*edits)
    text = prepare(model.encode(), "room.idf", study, engine.idd).render({"envelope": "new"})
    (tmp_path / "in.idf").write_text(text, encoding="utf-8")
    line = command(engine, tmp_path / "in.idf", chicago, tmp_path, run_period="as_in_model")
    assert run(line, tmp_path, timeout_s=120).exit_code == 0, (tmp_path / "eplusout.err").read_text()
    found = {each.name: each for each in read_surfaces(tmp_path / "eplusout.sql")}

    assert found["SOUTH WALL"].u_w_m2k == pytest.approx(0.25, abs=5e-4)
    assert found["STORE ROOF"].u_without_films_w_m2k == pytest.approx(0.2, abs=5e-4)
    assert found["STORE FLOOR"].u_w_m2k == pytest.approx(1 / (0.1620212 + 0.25 + 4 + CONCRETE_M2K_W), abs=5e-4)
    assert found["PARTITION SOUTH"].u_w_m2k == found["PARTITION NORTH"].u_w_m2k == pytest.approx(0.4, abs=5e-4)
    assert found["STORE DOOR"].u_w_m2k == pytest.approx(1.5, abs=5e-4)
    window = found["SOUTH WINDOW"]
    assert (window.u_w_m2k, window.shgc, window.visible_transmittance) == pytest.approx((1.1, 0.4, 0.6), rel=0.005)
