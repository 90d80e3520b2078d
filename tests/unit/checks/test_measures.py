"""Measures: their variants as levels, what they edit, and what is refused at the door."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from epsm.errors import StudyRejected
from epsm.study.parsing import parse_study
from epsm.study.schema import Limits, Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.checks.test_study import DAY_OF_WEATHER, Folder

THICK = {"class": "Material", "object": "Wall Insulation", "field": "Thickness", "value": 0.2}
LIGHT = {"class": "Material", "object": "Wall Insulation", "field": "Density", "value": 0.5, "apply": "multiply"}
HALVED = {"class": "Lights", "field": "Watts per Floor Area", "value": 0.5, "apply": "multiply"}
WALLS = {
    "name": "walls",
    "variants": [{"name": "thick", "targets": [THICK]}, {"name": "Both", "targets": [THICK, LIGHT]}],
}
LIGHTS = {"name": "lights", "variants": [{"name": "LED", "targets": [HALVED]}]}
BY_WALLS, BY_LIGHTS = {"name": "walls", "measure": "walls"}, {"name": "lights", "measure": "lights"}


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    return {"room.idf": one_zone.encode(), "chicago.epw": DAY_OF_WEATHER.encode()}


def document(measures: list[dict[str, Any]], *parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return study_document(measures=measures, parameters=list(parameters), **changes)


def accept(files: dict[str, bytes], measures: list[Any], *parameters: dict[str, Any], **changes: Any) -> CheckedStudy:
    asked = json.dumps(document(measures, *parameters, **changes)).encode()
    return check_study(asked, Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], measures: list[Any], *parameters: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, measures, *parameters, **changes)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


def parsed(measures: list[dict[str, Any]], *parameters: dict[str, Any], **changes: Any) -> Study:
    return parse_study(json.dumps(document(measures, *parameters, **changes)))


def values(study: Study) -> list[dict[str, Any]]:
    return [variant.values for variant in expand(study)]


def insulation(text: str, name: str = "in.idf") -> tuple[float, float]:
    """Thickness and density of the wall's insulation in a model's text."""
    (found,) = [
        each for each in read_outline(text.encode(), name).of_class("Material") if each.name == "Wall Insulation"
    ]
    own = found.values
    return (float(own[2]), float(own[4])) if isinstance(own, tuple) else (own["thickness"], own["density"])


def test_variants_are_levels_with_none_as_the_baseline() -> None:
    grid = parsed([WALLS, LIGHTS], BY_WALLS, BY_LIGHTS)

    assert values(grid) == [
        {},
        {"walls": "none", "lights": "LED"},
        {"walls": "thick", "lights": "none"},
        {"walls": "thick", "lights": "LED"},
        {"walls": "Both", "lights": "none"},
        {"walls": "Both", "lights": "LED"},
    ]
    assert grid.variant_count == 6


def test_one_at_a_time_runs_each_variant_once() -> None:
    study = parsed([WALLS, LIGHTS], BY_WALLS, BY_LIGHTS, sampling={"method": "one_at_a_time"})

    assert values(study) == [{}, {"walls": "thick"}, {"walls": "Both"}, {"lights": "LED"}]
    assert study.variant_count == 4


def test_beside_a_parameter_of_numbers_none_is_run_with_each_of_them() -> None:
    thickness = {"name": "lights_w_m2", "class": "Lights", "field": "Watts per Floor Area", "values": [5, 6]}

    assert len(values(parsed([WALLS], BY_WALLS, thickness))) == 1 + 3 * 2


def test_a_parameter_may_take_some_variants() -> None:
    some = {**BY_WALLS, "values": ["thick", "both"]}
    weighted = {
        **BY_WALLS,
        "distribution": {"kind": "discrete", "values": ["none", "thick"], "weights": [1, 3]},
    }
    sampling = {"method": "latin_hypercube", "samples": 8, "seed": 1}

    assert [each["walls"] for each in values(parsed([WALLS], some))[1:]] == ["thick", "both"]
    drawn = [each["walls"] for each in values(parsed([WALLS], weighted, sampling=sampling))[1:]]
    assert (drawn.count("none"), drawn.count("thick")) == (2, 6)


def test_a_list_names_variants(files: dict[str, bytes]) -> None:
    rows = {"method": "list", "rows": [{"walls": "Both"}, {"walls": "none"}]}

    assert [each.values for each in expand(accept(files, [WALLS], BY_WALLS, sampling=rows).study)] == [
        {},
        {"walls": "Both"},
        {"walls": "none"},
    ]
    wrong = {"method": "list", "rows": [{"walls": "Both"}, {"walls": "thik"}]}
    assert faults(files, [WALLS], BY_WALLS, sampling=wrong) == {
        "sampling.rows[1].walls": "'thik' is not a variant of the measure 'walls' | 'thick', 'Both'"
    }


def test_a_variant_is_all_of_its_edits(one_zone: str, engine: Engine) -> None:
    prepared = prepare(one_zone.encode(), "room.idf", parsed([WALLS, LIGHTS], BY_WALLS, BY_LIGHTS), engine.idd)
    before = prepared.render({})
    thickness, density = insulation(before)

    assert insulation(prepared.render({"walls": "thick"})) == (0.2, density)
    assert insulation(prepared.render({"walls": "BOTH", "lights": "LED"})) == (0.2, density / 2)
    assert insulation(prepared.render({"walls": "none"})) == (thickness, density)
    assert prepared.render({}) == before, "the old values are put back"


def test_epjson_is_edited_alike(engine: Engine) -> None:
    model = {
        "Version": {"Version 1": {"version_identifier": "25.2"}},
        "Material": {"Wall Insulation": {"thickness": 0.05, "density": 30.0}},
    }
    study = parsed([WALLS], BY_WALLS, models=["room.epJSON"])
    prepared = prepare(json.dumps(model).encode(), "room.epJSON", study, engine.idd)

    assert insulation(prepared.render({"walls": "Both"}), "in.epJSON") == (0.2, 15.0)


def test_the_check_lists_what_each_variant_means(files: dict[str, bytes]) -> None:
    accepted = accept(files, [WALLS], BY_WALLS)

    assert [str(each) for each in accepted.targets] == [
        "walls thick: Material, Thickness of 1 object in room.idf: 0.05 -> 0.2",
        "walls Both: Material, Thickness of 1 object in room.idf: 0.05 -> 0.2",
        "walls Both: Material, Density of 1 object in room.idf: 30 -> 15",
    ]
    assert accepted.baseline_values["room.idf"] == {"walls": "none"}


def test_faults_of_edits_are_reported_at_their_places(files: dict[str, bytes]) -> None:
    thin = {**THICK, "value": -1}
    unknown = {**THICK, "object": "Wall Insulatio"}
    nowhere = {**THICK, "field": "Thicknes"}
    measures = [
        {"name": "a", "variants": [{"name": "thin", "targets": [thin]}]},
        {"name": "b", "variants": [{"name": "x", "targets": [unknown]}, {"name": "y", "targets": [nowhere]}]},
    ]

    assert faults(files, measures, {"name": "a", "measure": "a"}, {"name": "b", "measure": "b"}) == {
        "measures[0].variants[0].targets[0].value": "-1 does not fit Material, Thickness | a number > 0 [m]",
        "measures[1].variants[0].targets[0].object": "room.idf has no Material object called 'Wall Insulatio' | "
        "'Wall Insulation'",
        "measures[1].variants[1].targets[0].field": "'Thicknes' is not a field of Material | 'Thickness'",
    }


def test_what_two_measures_set_is_refused_and_what_two_variants_set_is_not(files: dict[str, bytes]) -> None:
    other = {"name": "other", "variants": [{"name": "thicker", "targets": [{**THICK, "value": 0.3}]}]}

    assert faults(files, [WALLS, other], BY_WALLS, {"name": "other", "measure": "other"}) == {
        "measures[1].variants[0].targets[0]": "'walls' and 'other' both set Material 'Wall Insulation', Thickness in "
        "room.idf | one parameter for a field"
    }
    assert accept(files, [WALLS], BY_WALLS)
    twice = {"name": "walls", "variants": [{"name": "thick", "targets": [THICK, {**THICK, "value": 0.4}]}]}
    assert "two targets set" in str(faults(files, [twice], BY_WALLS))


@pytest.mark.parametrize(
    ("measures", "parameters", "expected"),
    [
        ([], [BY_WALLS], {"parameters[0].measure": "'walls' is not a measure of the study | a study with 'measures'"}),
        (
            [WALLS, LIGHTS],
            [BY_WALLS],
            {
                "measures[1]": "'lights' is not used: no parameter has this measure | "
                'a parameter with "measure": "lights"'
            },
        ),
        (
            [WALLS],
            [BY_WALLS, {"name": "again", "measure": "walls"}],
            {"parameters[1].measure": "'walls' is the measure of 'walls' already | one parameter for each"},
        ),
        (
            [WALLS],
            [{**BY_WALLS, "values": ["thick", "thin"]}],
            {"parameters[0].values[1]": "'thin' is not a variant of the measure 'walls' | 'thick', 'Both'"},
        ),
        (
            [WALLS],
            [{**BY_WALLS, "multiply": [1]}],
            {
                "parameters[0]": "has a measure, whose levels are names; give 'values', a discrete distribution or "
                "neither | "
            },
        ),
        (
            [{"name": "walls", "variants": [{"name": "thick"}]}],
            [BY_WALLS],
            {"measures[0].variants[0]": "has no edits; give 'targets', 'constructions' or 'loads' | "},
        ),
        (
            [{"name": "walls", "variants": [{"name": "none", "targets": [THICK]}]}],
            [BY_WALLS],
            {"measures[0].variants[0]": "is called 'none', which leaves the model as it is, and has edits | "},
        ),
        (
            [{"name": "walls", "variants": [{"name": "2 cm", "targets": [THICK]}]}],
            [BY_WALLS],
            {"measures[0].variants[0].name": "'2 cm' does not begin with a letter | "},
        ),
        (
            [{"name": "walls", "variants": [{"name": "thick", "targets": [{**THICK, "values": [1]}]}]}],
            [BY_WALLS],
            {"measures[0].variants[0].targets[0].values": "is not a key that a study knows | 'value', 'scale'"},
        ),
        (
            [{"name": "walls", "variants": [{"name": "thick", "targets": [{**THICK, "value": True}]}]}],
            [BY_WALLS],
            {"measures[0].variants[0].targets[0].value": "true is not a value | a number or text"},
        ),
    ],
)
def test_faults_of_the_document(
    files: dict[str, bytes], measures: list[Any], parameters: list[Any], expected: dict[str, str]
) -> None:
    assert faults(files, measures, *parameters) == expected


def test_a_study_read_back_from_its_manifest_has_the_same_variants() -> None:
    study = parsed([WALLS, LIGHTS], BY_WALLS, BY_LIGHTS)

    assert values(Study.model_validate_json(study.model_dump_json(by_alias=True))) == values(study)


def envelope(*edits: dict[str, Any], name: str = "walls") -> dict[str, Any]:
    return {"name": name, "variants": [{"name": "warm", "constructions": list(edits)}]}


WARM = {"slot": "wall_exterior", "u_w_m2k": 0.25, "films": "included"}


def test_the_check_lists_the_surfaces_that_get_another_construction(files: dict[str, bytes]) -> None:
    accepted = accept(files, [envelope(WARM, {**WARM, "slot": "roof_ceiling_exterior"})], BY_WALLS)

    assert [str(each) for each in accepted.targets] == [
        "walls warm: construction of wall_exterior of 4 objects in room.idf: 'Wall' -> U 0.25 W/m2K, films included",
        "walls warm: construction of roof_ceiling_exterior of 1 object in room.idf: 'Roof' -> U 0.25 W/m2K, films "
        "included",
    ]


@pytest.mark.parametrize(
    ("edits", "other", "expected"),
    [
        (
            [{**WARM, "u_w_m2k": 5}],
            None,
            {
                "constructions[0].u_w_m2k": "room.idf: 5 W/m2K cannot be reached with 'Wall': without 'Wall "
                "Insulation' it has 0.1333 m2K/W and films of 0.1497 m2K/W; no thickness above 0 gives it | "
                "below 3.533 W/m2K, or another 'insulation_layer'"
            },
        ),
        (
            [{**WARM, "zones": "Attic", "orientation": ["N"]}],
            None,
            {
                "constructions[0]": "room.idf has no surface of slot 'wall_exterior' facing N with zones 'Attic' | "
                "surfaces of each model"
            },
        ),
        (
            [WARM, {**WARM, "slot": "floor_interior"}],
            None,
            {"constructions[1]": "no model has a surface of slot 'floor_interior' | surfaces of some model"},
        ),
        (
            [WARM, {**WARM, "orientation": ["S"]}],
            None,
            {
                "constructions[1]": "two targets set BuildingSurface:Detailed 'South Wall', Construction Name in "
                "room.idf | one parameter for a field"
            },
        ),
        (
            [WARM],
            {**THICK, "field": "Conductivity", "value": 0.03},
            {
                "constructions[0]": "'other' sets a field of Material 'Wall Insulation', from which the target U is "
                "computed | another measure for one of the two"
            },
        ),
        (
            [WARM],
            {"class": "BuildingSurface:Detailed", "object": "East*", "field": "Construction Name", "value": "Roof"},
            {
                "constructions[0]": "'other' and 'walls' both set BuildingSurface:Detailed 'East Wall', Construction "
                "Name in room.idf | one parameter for a field"
            },
        ),
    ],
)
def test_faults_of_constructions_are_reported_at_their_places(
    files: dict[str, bytes], edits: list[Any], other: dict[str, Any] | None, expected: dict[str, str]
) -> None:
    measures, parameters = [envelope(*edits)], [BY_WALLS]
    if other is not None:
        measures.append({"name": "other", "variants": [{"name": "on", "targets": [other]}]})
        parameters.append({"name": "other", "measure": "other"})

    found = faults(files, measures, *parameters)
    assert found == {f"measures[0].variants[0].{where}": what for where, what in expected.items()}


MORE_LOADS = """
Lights, Desk lamps, Room, Always On, LightingLevel, 120;
ZoneInfiltration:DesignFlowRate, Facade, Room, Always On, Flow/ExteriorArea, , , 0.0003;
ZoneInfiltration:EffectiveLeakageArea, Cracks, Room, Always On, 50, 0.000145, 0.000174;
"""


def loads(*edits: dict[str, Any]) -> dict[str, Any]:
    return {"name": "loads", "variants": [{"name": "less", "loads": list(edits)}]}


BY_LOADS = {"name": "loads", "measure": "loads"}


def test_loads_are_multiplied_however_they_are_stated(one_zone: str, engine: Engine, files: dict[str, bytes]) -> None:
    model = one_zone + MORE_LOADS
    halved = loads({"kind": "lighting", "multiply": 0.5}, {"kind": "infiltration", "except": "Room*", "multiply": 0.5})
    prepared = prepare(model.encode(), "room.idf", parsed([halved], BY_LOADS), engine.idd)
    before = prepared.render({})
    outline = read_outline(prepared.render({"loads": "less"}).encode(), "in.idf")

    def fields(class_name: str) -> dict[str, list[str]]:
        return {each.name: list(each.values) for each in outline.of_class(class_name)}

    lights, leaks = fields("Lights"), fields("ZoneInfiltration:DesignFlowRate")
    assert lights["Room Lights"][4:6] == ["", "5"]
    assert lights["Desk lamps"][4] == "60"
    cracks = fields("ZoneInfiltration:EffectiveLeakageArea")["Cracks"]
    assert (cracks[3], leaks["Facade"][6]) == ("25", "0.00015")
    assert prepared.render({}) == before

    accepted = accept({**files, "room.idf": model.encode()}, [halved], BY_LOADS)
    assert [str(each) for each in accepted.targets][:3] == [
        "loads less: Lights, Lighting Level of 1 object in room.idf: 120 -> 60",
        "loads less: Lights, Watts per Floor Area of 1 object in room.idf: 10 -> 5",
        "loads less: ZoneInfiltration:DesignFlowRate, Flow Rate per Exterior Surface Area of 1 object in room.idf: "
        "0.0003 -> 0.00015",
    ]


def test_a_load_that_a_model_does_not_have_is_refused(files: dict[str, bytes]) -> None:
    measures = [
        loads({"kind": "gas_equipment", "multiply": 0.5}, {"kind": "lighting", "object": "Hall*", "multiply": 2})
    ]

    assert faults(files, measures, BY_LOADS) == {
        "measures[0].variants[0].loads[0]": "room.idf has no object of this load | loads of each model",
        "measures[0].variants[0].loads[1]": "room.idf has no object of this load called 'Hall*' | loads of each model",
    }


def test_a_load_and_a_parameter_cannot_set_the_same_field(files: dict[str, bytes]) -> None:
    density = {"name": "lights_w_m2", "class": "Lights", "field": "Watts per Floor Area", "values": [5, 6]}

    found = faults(files, [loads({"kind": "lighting", "multiply": 0.5})], BY_LOADS, density)
    assert list(found) == ["parameters[1]"]
    assert "'loads' and 'lights_w_m2' both set Lights 'Room Lights'" in found["parameters[1]"]


def test_a_load_of_an_older_version_is_multiplied_by_its_names(files: dict[str, bytes]) -> None:
    model = files["room.idf"].replace(b"Version,25.2", b"Version,23.2")
    assert model != files["room.idf"]
    accepted = accept({**files, "room.idf": model}, [loads({"kind": "lighting", "multiply": 0.5})], BY_LOADS)

    assert [str(each) for each in accepted.targets] == [
        "loads less: Lights, Watts per Zone Floor Area of 1 object in room.idf: 10 -> 5"
    ]
