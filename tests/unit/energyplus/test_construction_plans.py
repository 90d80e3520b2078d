"""Edits of constructions: what they do to a model, by hand and as the engine reports it, and what they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.construction_plans import ConstructionPlan, plans_of
from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.films import films_of
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.energyplus.surfaces import surfaces_of
from epsm.errors import StudyRejected
from epsm.results.areas import read_surfaces
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document

STORE = """
Zone,Store,0,0,0,0,1,1;
Construction,Wall Inside Out,Wall Insulation,Brick;
Material:NoMass,Board,Rough,0.2;
Construction,Panel,Board;
Construction,Partition,Brick,Wall Insulation,Concrete;
Construction,Partition Back,Concrete,Wall Insulation,Brick;
BuildingSurface:Detailed,Partition South,Wall,Partition,Room,,Surface,Partition North,NoSun,NoWind,0.5,4,
  8,6,3, 8,6,0, 0,6,0, 0,6,3;
BuildingSurface:Detailed,Partition North,Wall,Partition Back,Store,,Surface,Partition South,NoSun,NoWind,0.5,4,
  0,6,3, 0,6,0, 8,6,0, 8,6,3;
BuildingSurface:Detailed,Store North,Wall,Wall,Store,,Adiabatic,,NoSun,NoWind,0.5,4,
  8,9,3, 8,9,0, 0,9,0, 0,9,3;
BuildingSurface:Detailed,Store East,Wall,Wall,Store,,Outdoors,,SunExposed,WindExposed,0.5,4,
  8,6,3, 8,6,0, 8,9,0, 8,9,3;
BuildingSurface:Detailed,Store Floor,Floor,Slab,Store,,Ground,,NoSun,NoWind,0,4,
  0,6,0, 0,9,0, 8,9,0, 8,6,0;
BuildingSurface:Detailed,Store Roof,Roof,Roof,Store,,Outdoors,,SunExposed,WindExposed,0,4,
  0,9,3, 0,6,3, 8,6,3, 8,9,3;
FenestrationSurface:Detailed,Store Skylight,Window,Window,Store Roof,,,,1,4,
  2,8,3, 2,7,3, 4,7,3, 4,8,3;
FenestrationSurface:Detailed,Store Door,Door,Panel,Store East,,,,1,4,
  8,7,2, 8,7,0, 8,8,0, 8,8,2;
"""
FACES = {"thermal_absorptance": 0.9, "solar_absorptance": 0.6, "visible_absorptance": 0.6}
BRICK = {
    "name": "Brick",
    "thickness_m": 0.2,
    "conductivity_w_mk": 0.8,
    "density_kg_m3": 1700,
    "specific_heat_j_kgk": 800,
    "roughness": "Rough",
    **FACES,
}
WOOL = {"name": "Wool", "r_m2kw": 4, "roughness": "Rough"}
PANE = {
    "name": "Pane",
    "thickness_m": 0.006,
    "infrared_transmittance": 0,
    "emissivity_front": 0.84,
    "emissivity_back": 0.84,
    "conductivity_w_mk": 0.9,
    **{
        f"{band}_{name}": value
        for band in ("solar", "visible")
        for name, value in (("transmittance", 0.8), ("reflectance_front", 0.07), ("reflectance_back", 0.07))
    },
}
GAP = {"gas": "Argon", "thickness_m": 0.013}
BRICK_M2K_W, CONCRETE_M2K_W = 0.12 / 0.9, 0.15 / 1.7


def study_with(*edits: dict[str, Any], model: str = "room.idf", **changes: Any) -> Study:
    variants = [{"name": "new", "constructions": list(edits)}]
    document = study_document(
        models=[model],
        measures=[{"name": "envelope", "variants": variants}],
        parameters=[{"name": "envelope", "measure": "envelope"}],
        **changes,
    )
    return parse_study(json.dumps(document))


@pytest.fixture
def building(one_zone: str) -> str:
    """Room and, behind it, Store."""
    before = "North Wall,Wall,Wall,Room,,Outdoors"
    assert before in one_zone
    return one_zone.replace(before, "North Wall,Wall,Wall,Room,,OtherSideCoefficients") + STORE


def planned(model: str, *edits: dict[str, Any], source: str = "room.idf") -> list[ConstructionPlan]:
    outline = read_outline(model.encode(), source)
    return [plan for _, plan in plans_of(outline, study_with(*edits))]


def plan_of(model: str, **edit: Any) -> ConstructionPlan:
    (plan,) = planned(model, edit)
    return plan


def names_of(plan: ConstructionPlan) -> list[str]:
    return [each.name for each in plan.surfaces]


def fault_of(model: str, **edit: Any) -> tuple[str, str, str]:
    (fault,) = plan_of(model, **edit).faults
    return fault.key, fault.what, fault.allowed


def rendered(engine: Engine, model: str, *edits: dict[str, Any]) -> tuple[PreparedModel, ModelOutline]:
    prepared = prepare(model.encode(), "room.idf", study_with(*edits), engine.idd)
    return prepared, read_outline(prepared.render({"envelope": "new"}).encode(), "in.idf")


def layers(outline: ModelOutline, surface: str) -> list[str]:
    """The layers that a surface has, from outside to inside."""
    (construction,) = [each.construction for each in surfaces_of(outline) if each.name == surface]
    (found,) = [each for each in outline.of_class("Construction") if each.name == construction]
    assert isinstance(found.values, tuple)
    return list(found.values[1:])


def material(outline: ModelOutline, name: str) -> tuple[str, ...]:
    (found,) = [each.values for each in outline.of_class("Material") if each.name == name]
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(
    ("slot", "names"),
    [
        ("wall_exterior", ["South Wall", "East Wall", "West Wall", "Store East"]),
        ("wall_interior", ["Partition South", "Partition North"]),
        ("wall_adiabatic", ["Store North"]),
        ("floor_ground", ["Floor", "Store Floor"]),
        ("roof_ceiling_exterior", ["Roof", "Store Roof"]),
        ("window", ["South Window"]),
        ("skylight", ["Store Skylight"]),
        ("door", ["Store Door"]),
        ("floor_interior", []),
    ],
)
def test_slots(building: str, slot: str, names: list[str]) -> None:
    assert (
        names_of(plan_of(building, slot=slot, construction="Window" if slot in ("window", "skylight") else "Slab"))
        == names
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"orientation": ["E", "S"]}, ["South Wall", "East Wall", "Store East"]),
        ({"zones": "store"}, ["Store East"]),
        ({"surfaces": ["*wall"], "except": "West*"}, ["South Wall", "East Wall"]),
        ({"constructions": "Partition*"}, []),
    ],
)
def test_filters(building: str, filters: dict[str, Any], names: list[str]) -> None:
    assert names_of(plan_of(building, slot="wall_exterior", construction="Slab", **filters)) == names


def test_a_building_that_is_turned_faces_elsewhere(building: str) -> None:
    turned = building.replace("Zone,Store,0,", "Zone,Store,90,").replace("  World; ", "  Relative; ")
    assert "Relative;" in turned

    facing = {each.name: each.orientation for each in surfaces_of(read_outline(turned.encode(), "room.idf"))}
    assert (facing["South Wall"], facing["Store East"], facing["Roof"]) == ("S", "S", "")


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


@pytest.mark.parametrize(
    ("changed", "edit", "fault"),
    [
        (
            ("", ""),
            {"slot": "wall_exterior", "u_w_m2k": 4, "films": "included"},
            (
                "u_w_m2k",
                "4 W/m2K cannot be reached with 'Wall': without 'Wall Insulation' it has 0.1333 m2K/W and films of "
                "0.1497 m2K/W; no thickness above 0 gives it",
                "below 3.533 W/m2K, or another 'insulation_layer'",
            ),
        ),
        (
            ("", ""),
            {"slot": "floor_ground", "u_w_m2k": 0.2, "films": "included"},
            (
                "u_w_m2k",
                "0.2 W/m2K cannot be reached with 'Slab': without 'Concrete' it has 0 m2K/W and films of 0.162 m2K/W; "
                "it would take 8.22 m of 'Concrete'",
                "another target, or another 'insulation_layer'",
            ),
        ),
        (
            ("", ""),
            {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included", "insulation_layer": "wool"},
            ("insulation_layer", "'Wall' has no layer called 'wool'", "'Brick', 'Wall Insulation'"),
        ),
        (
            ("Partition Back,Concrete,Wall Insulation,Brick", "Partition Back,Brick,Wall Insulation,Concrete"),
            {"slot": "wall_interior", "u_w_m2k": 0.4, "films": "included"},
            (
                "",
                "'Partition' of 'Partition South' is not the reverse of 'Partition Back' of 'Partition North', its "
                "other side",
                "mirrored pairs, or 'layers'",
            ),
        ),
        (
            ("Surface,Partition South", "Surface,Partition East"),
            {"slot": "wall_interior", "construction": "Partition", "zones": "Room"},
            (
                "",
                "means 'Partition South', and the other side of 'Partition North' is 'Partition East'",
                "pairs of surfaces",
            ),
        ),
        (
            ("Store Floor,Floor,Slab,Store,,Ground", "Store Floor,Floor,Slab,Store,,Foundation"),
            {"slot": "floor_ground", "construction": "Roof"},
            ("", "means 1 surface that cannot be edited: 'Store Floor', which lie on a Kiva foundation", "'except'"),
        ),
        (
            ("Zone,Store", "ConstructionProperty:InternalHeatSource,Pipes,Slab,1,1,1,0.1;\nZone,Store"),
            {"slot": "floor_ground", "construction": "Roof", "surfaces": "Store*"},
            (
                "",
                "means 1 surface that cannot be edited: 'Store Floor', whose construction has an internal heat source",
                "'except'",
            ),
        ),
        (
            ("Construction,Panel,Board;", "Construction:FfactorGroundFloor,Earth,1,20,10;Construction,Panel,Board;"),
            {"slot": "floor_ground", "construction": "Roof", "constructions": "Earth"},
            None,
        ),
        (
            (
                "Zone,Store",
                "WindowShadingControl,Blinds,Room,,InteriorBlind,,AlwaysOn,,,,,,,,,,,South Window;\nZone,Store",
            ),
            {"slot": "window", "glazing": {"u_w_m2k": 1, "shgc": 0.4}},
            (
                "",
                "means 1 surface that cannot be edited: 'South Window', which have a WindowShadingControl",
                "'except'",
            ),
        ),
        (
            ("Zone,Store", "MaterialProperty:PhaseChange,Wall Insulation,0,-20,0.1,22,18260,60,84000;\nZone,Store"),
            {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included", "insulation_layer": "Wall*"},
            (
                "u_w_m2k",
                "0.2 W/m2K cannot be reached with 'Wall': without 'Wall Insulation' it has 0.1333 m2K/W and films of "
                "0.1497 m2K/W; 'Wall Insulation' has a MaterialProperty:PhaseChange, which a copy would not have",
                "another target, or another 'insulation_layer'",
            ),
        ),
        (
            ("Zone,Store", "ConstructionProperty:InternalHeatSource,Pipes,Slab,1,1,1,0.1;\nZone,Store"),
            {"slot": "roof_ceiling_exterior", "construction": "slab"},
            (
                "construction",
                "'slab' cannot be copied to surfaces because it has an internal heat source",
                "a plain Construction",
            ),
        ),
        (
            ("", ""),
            {"slot": "wall_exterior", "construction": "Window"},
            (
                "construction",
                "'Window' is glazed, which slot 'wall_exterior' is not",
                "a construction for slot 'wall_exterior'",
            ),
        ),
        (
            ("", ""),
            {"slot": "wall_exterior", "layers": [{"material": "Woll"}]},
            ("layers[0].material", "the model has no material called 'Woll'", "the name of a material"),
        ),
    ],
)
def test_refusals(
    building: str, changed: tuple[str, str], edit: dict[str, Any], fault: tuple[str, str, str] | None
) -> None:
    model = building.replace(*changed) if changed[0] else building
    assert changed == ("", "") or model != building
    if fault is None:
        assert not plan_of(model, **edit).faults
    else:
        assert fault_of(model, **edit) == fault


def test_c_factor_and_f_factor_constructions_are_refused(building: str) -> None:
    model = building.replace(
        "Store Floor,Floor,Slab,Store,,Ground", "Store Floor,Floor,Earth,Store,,GroundFCfactorMethod"
    )
    model += "Construction:FfactorGroundFloor,Earth,1,20,10;"

    key, what, _ = fault_of(model, slot="floor_ground", construction="Roof")
    assert (key, what) == (
        "",
        "means 1 surface that cannot be edited: 'Store Floor', whose construction is an F-factor, which has no layers",
    )
    assert not plan_of(model, slot="floor_ground", construction="Roof", **{"except": "Store*"}).faults


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


@pytest.mark.parametrize(
    ("edit", "where", "what"),
    [
        ({"slot": "wall", "construction": "X"}, "slot", "is not known"),
        ({"slot": "window", "u_w_m2k": 1, "films": "included"}, "", "give 'glazing'"),
        ({"slot": "wall_exterior", "u_w_m2k": 1}, "", "without 'films'"),
        ({"slot": "wall_exterior"}, "", "does not say what the surfaces get"),
        (
            {"slot": "wall_exterior", "u_w_m2k": 1, "films": "included", "construction": "X"},
            "",
            "has construction and u_w",
        ),
        ({"slot": "skylight", "orientation": ["S"], "construction": "X"}, "", "has an orientation"),
        (
            {"slot": "wall_exterior", "layers": [{"name": "A", "thickness_m": 0.1}]},
            "layers[0].density_kg_m3",
            "is missing",
        ),
        (
            {"slot": "wall_exterior", "layers": [{"name": "A", "r_m2kw": 1, "roughness": "Rough"}]},
            "",
            "has no absorptances",
        ),
        (
            {"slot": "wall_exterior", "layers": [{"gas": "Argon", "thickness_m": 0.01}]},
            "",
            "has layer 1 of another kind",
        ),
        ({"slot": "window", "layers": [PANE, GAP]}, "", "has a gap as its first or last layer"),
        ({"slot": "window", "layers": [PANE, PANE]}, "", "has layers 1 and 2 of the same kind"),
        ({"slot": "window", "layers": [{**PANE, "emissivity_back": 2}]}, "layers[0].emissivity_back", "2 is too large"),
        ({"slot": "window", "glazing": {"u_w_m2k": 9, "shgc": 0.4}}, "glazing.u_w_m2k", "9 is too large"),
        ({"slot": "window", "glazing": {"u_w_m2k": 1}}, "glazing.shgc", "is missing"),
        ({"slot": "wall_exterior", "layers": [{**BRICK, "conductivity": 1}]}, "layers[0].conductivity", "is not a key"),
    ],
)
def test_faults_of_the_document(edit: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(StudyRejected) as refusal:
        study_with(edit)
    place = "study.json: measures[0].variants[0].constructions[0]" + (f".{where}" if where else "")
    found = {each.where: each.what for each in refusal.value.problems}
    assert place in found, found
    assert what in found[place]


OPEN = """
Material:NoMass,MAT-AIR-WALL,Rough,0.2079491,0.9,0.7;
Construction,AIR-WALL,MAT-AIR-WALL;
Material:InfraredTransparent,IRT;
Construction,Opening,IRT;
Material:NoMass,Stair Board,Rough,0.2;
Construction,Stair,Stair Board;
"""


def opened(building: str, construction: str) -> str:
    """The building with that construction on both sides of its partition."""
    for own in ("Wall,Partition,", "Wall,Partition Back,"):
        assert own in building
        building = building.replace(own, f"Wall,{construction},")
    return building + OPEN


@pytest.mark.parametrize("name", ["AIR-WALL", "Opening"])
def test_open_partitions_are_left_as_they_are(building: str, name: str) -> None:
    plan = plan_of(opened(building, name), slot="wall_interior", layers=[BRICK])
    assert (names_of(plan), plan.left, plan.settings, plan.faults) == ([], 2, {}, [])
    elsewhere = plan_of(opened(building, name), slot="wall_interior", zones="*", layers=[BRICK])
    assert elsewhere.left == 2, "a filter by zone does not name them"


@pytest.mark.parametrize("by", [{"constructions": "AIR-*"}, {"surfaces": ["Partition South", "Partition North"]}])
def test_open_partitions_are_replaced_if_named(building: str, by: dict[str, Any]) -> None:
    plan = plan_of(opened(building, "AIR-WALL"), slot="wall_interior", layers=[BRICK], **by)
    assert (names_of(plan), plan.left) == (["Partition South", "Partition North"], 0)


def test_a_plain_partition_of_one_layer_is_no_opening(building: str) -> None:
    plan = plan_of(opened(building, "Stair"), slot="wall_interior", layers=[BRICK])
    assert (len(plan.surfaces), plan.left) == (2, 0)


MOISTURE = "CombinedHeatAndMoistureFiniteElement"


@pytest.mark.parametrize(
    ("tied", "named"),
    [
        (f"HeatBalanceAlgorithm,{MOISTURE};", "South Wall"),
        (f"SurfaceProperty:HeatTransferAlgorithm,south wall,{MOISTURE};", "South Wall"),
        (f"SurfaceProperty:HeatTransferAlgorithm:SurfaceList,Some,{MOISTURE},East Wall,South Wall;", "South Wall"),
        (f"SurfaceProperty:HeatTransferAlgorithm:MultipleSurface,All,AllExteriorWalls,{MOISTURE};", "South Wall"),
    ],
)
def test_surfaces_with_moisture_transfer_are_refused(building: str, tied: str, named: str) -> None:
    """A layer without moisture properties crashes the engine (25.2, seen)."""
    _, what, _ = fault_of(building + tied, slot="wall_exterior", surfaces=named, layers=[BRICK])
    assert what.startswith("means 1 surface that cannot be edited: 'South Wall', which are simulated with Combined")
    assert not plan_of(building + tied, slot="window", glazing={"u_w_m2k": 1.2, "shgc": 0.4}).faults


def test_other_algorithms_of_surfaces_do_not_matter(building: str) -> None:
    tied = "SurfaceProperty:HeatTransferAlgorithm,South Wall,ConductionFiniteDifference;"
    assert not plan_of(building + tied, slot="wall_exterior", layers=[BRICK]).faults


def test_ventilated_windows_are_refused(building: str) -> None:
    tied = "WindowProperty:AirflowControl,South Window,IndoorAir,OutdoorAir,0.008,AlwaysOnAtMaximumFlow,No,;"
    _, what, _ = fault_of(building + tied, slot="window", glazing={"u_w_m2k": 1.2, "shgc": 0.4})
    assert "'South Window', which have a WindowProperty:AirflowControl" in what
