"""Measures whose variants set fields: levels, lists, faults."""

import json
from typing import Any

import pytest

from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.unit.checks.measures.studies import BY_LIGHTS, BY_WALLS, THICK, accept, faults, parsed, values

LIGHT = {"class": "Material", "object": "Wall Insulation", "field": "Density", "value": 0.5, "apply": "multiply"}
HALVED = {"class": "Lights", "field": "Watts per Floor Area", "value": 0.5, "apply": "multiply"}
WALLS = {
    "name": "walls",
    "variants": [{"name": "thick", "targets": [THICK]}, {"name": "Both", "targets": [THICK, LIGHT]}],
}
LIGHTS = {"name": "lights", "variants": [{"name": "LED", "targets": [HALVED]}]}


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

    assert [each["walls"] for each in values(parsed([WALLS], some))[1:]] == ["thick", "Both"]
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
            {
                "measures[0].variants[0]": "has no edits; give 'targets', 'constructions', 'loads', 'setpoints', "
                "'efficiencies' or 'ideal_loads' | "
            },
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
