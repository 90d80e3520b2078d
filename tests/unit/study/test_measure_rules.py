"""Measures in study.json: their levels, their edits one by one, and which are refused."""

import json
from typing import Any

import pytest

from epsm.study.assignments import assignments, construction_assignments, field_parameters
from epsm.study.consistency import sampling_problems
from epsm.study.constructions import ConstructionEdit
from epsm.study.loads import LoadEdit
from epsm.study.measures import Measure
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.study.documents import faults

THICK = {"class": "Material", "object": "Wall Insulation", "field": "Thickness", "value": 0.2}
ROUGH = {"class": "Material", "object": "Wall Insulation", "field": "Roughness", "value": "Rough"}
HALF = {"kind": "lighting", "multiply": 0.5}
U = {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included"}
GLASS = {"slot": "window", "glazing": {"u_w_m2k": 0.8, "shgc": 0.5}}
WALLS = {
    "name": "walls",
    "variants": [{"name": "thick", "targets": [THICK, ROUGH]}, {"name": "Both", "targets": [THICK], "loads": [HALF]}],
}
SHELL = {"name": "shell", "variants": [{"name": "new", "targets": [THICK], "constructions": [U, GLASS]}]}
BY_WALLS, BY_SHELL = {"name": "w", "measure": "walls"}, {"name": "s", "measure": "shell"}


def study(measures: list[dict[str, Any]], *parameters: dict[str, Any], **changes: Any) -> Study:
    return parse_study(json.dumps(study_document(measures=measures, parameters=list(parameters), **changes)))


def refused(measures: Any, *parameters: dict[str, Any], **changes: Any) -> dict[str, str]:
    return {
        place: f"{problem.what} | {problem.allowed}"
        for place, problem in faults(measures=measures, parameters=list(parameters), **changes).items()
    }


def test_the_levels_of_a_measure_are_its_variants_with_none_first() -> None:
    made = study([WALLS], BY_WALLS)
    (walls,) = made.parameters
    assert list(walls.levels) == ["none", "thick", "Both"]
    assert (walls.unchanged, walls.numeric, walls.multiplies, walls.bounds) == ("none", False, False, None)
    assert [each.field for each in walls.all_targets] == ["Thickness", "Roughness", "Thickness", *LIGHTS]
    measure = made.measures[0]
    assert [measure.has(name) for name in ("none", "THICK", "thik", 1.0)] == [True, True, False, False]
    assert measure.variant("NONE") is None
    found = measure.variant("BOTH")
    assert found is not None
    assert (found.name, found.changes) == ("Both", True)


LIGHTS = ["Lighting Level", "Watts per Floor Area", "Watts per Zone Floor Area", "Watts per Person"]
"""Fields of EnergyPlus's Lights, one for each of its methods."""


def test_some_variants_as_levels_need_not_have_none() -> None:
    assert study([WALLS], BY_WALLS | {"values": ["both"]}).parameters[0].unchanged is None
    assert study([WALLS], BY_WALLS | {"values": ["both", "None"]}).parameters[0].unchanged == "None"


def test_a_variant_none_may_be_written_down() -> None:
    written = {"name": "walls", "variants": [{"name": "thick", "targets": [THICK]}, {"name": "None"}]}
    assert list(study([written], BY_WALLS).parameters[0].levels) == ["none", "thick"]


def test_every_edit_is_an_assignment_of_one_value() -> None:
    found = list(assignments(study([SHELL, WALLS], BY_SHELL, BY_WALLS)))
    walls = "study.json: measures[1].variants"
    assert [each.where for each in found] == [
        "study.json: measures[0].variants[0].targets[0]",
        f"{walls}[0].targets[0]",
        f"{walls}[0].targets[1]",
        f"{walls}[1].targets[0]",
        *[f"{walls}[1].loads[0]"] * 4,
    ]
    assert [(each.parameter, each.index, each.variant) for each in found] == [
        ("s", 0, "new"),
        *[("w", 1, "thick")] * 2,
        *[("w", 1, "Both")] * 5,
    ]
    assert [(each.position, each.count) for each in found] == [
        (0, 3),
        (0, 2),
        (1, 2),
        (0, 1),
        *[(1 + n, 4) for n in range(4)],
    ]
    assert [each.ready for each in found] == [""] * 4 + ["multiply"] * 4
    assert [list(each.levels.levels) for each in found] == [[0.2], [0.2], ["Rough"], [0.2], *[[0.5]] * 4]
    assert [each.levels.name for each in found] == ["s", *["w"] * 7]
    assert len(field_parameters(study([SHELL, WALLS], BY_SHELL, BY_WALLS))) == len(found)


def test_edits_of_constructions_count_on_after_the_targets_of_their_variant() -> None:
    (wall, window) = construction_assignments(study([WALLS, SHELL], BY_WALLS, BY_SHELL))
    assert [each.where for each in (wall, window)] == [
        "study.json: measures[1].variants[0].constructions[0]",
        "study.json: measures[1].variants[0].constructions[1]",
    ]
    assert [(each.parameter, each.measure, each.variant) for each in (wall, window)] == [("s", "shell", "new")] * 2
    assert [(each.position, each.count, each.label) for each in (wall, window)] == [
        (1, 3, "shell new 2"),
        (2, 3, "shell new 3"),
    ]
    alone = {"name": "shell", "variants": [{"name": "new", "constructions": [U]}]}
    assert [each.label for each in construction_assignments(study([alone], BY_SHELL))] == ["shell new"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("lighting", {"Lights": 4}),
        ("electric_equipment", {"ElectricEquipment": 4}),
        ("gas_equipment", {"GasEquipment": 4}),
        (
            "infiltration",
            {
                "ZoneInfiltration:DesignFlowRate": 4,
                "ZoneInfiltration:EffectiveLeakageArea": 1,
                "ZoneInfiltration:FlowCoefficient": 1,
            },
        ),
    ],
)
def test_a_load_is_multiplied_in_every_field_that_may_hold_its_size(kind: str, fields: dict[str, int]) -> None:
    edit = LoadEdit.model_validate({"kind": kind, "object": "Core*", "except": "Core 2", "multiply": 0.7})
    targets = list(edit.targets)
    names = [each.class_name for each in targets]
    assert {name: names.count(name) for name in names} == fields
    assert {(each.apply, each.value, each.blank) for each in targets} == {("multiply", 0.7, "skip")}
    assert {each.matches(name) for each in targets for name in ("core 1",)} == {True}
    assert {each.matches(name) for each in targets for name in ("Core 2", "West")} == {False}


@pytest.mark.parametrize(
    ("measure", "place", "said"),
    [
        ({"variants": [{"name": "1st", "targets": [THICK]}]}, ".variants[0].name", "does not begin with a letter"),
        (
            {"variants": [{"name": "a", "targets": [THICK]}] * 2},
            ".variants",
            "a: the same name is there more than once",
        ),
        ({"variants": [{"name": "None"}]}, ".variants", "has no variant but 'none'"),
        ({"variants": [{"name": "none", "targets": [THICK]}]}, ".variants[0]", "is called 'none'"),
        ({"variants": [{"name": "a"}]}, ".variants[0]", "has no edits"),
        (
            {"variants": [{"name": "a", "targets": [THICK | {"apply": "linear", "scale": 2}]}]},
            ".variants[0].targets[0]",
            "has apply 'linear', which is for levels",
        ),
        (
            {"variants": [{"name": "a", "targets": [ROUGH | {"apply": "add"}]}]},
            ".variants[0].targets[0]",
            "has a text as its value",
        ),
    ],
)
def test_a_measure_that_means_nothing_is_refused(measure: dict[str, Any], place: str, said: str) -> None:
    found = refused([{"name": "walls"} | measure], BY_WALLS)
    assert list(found) == [f"measures[0]{place}"]
    assert said in found[f"measures[0]{place}"]


def problems(measures: list[dict[str, Any]], *parameters: dict[str, Any], **changes: Any) -> dict[str, str]:
    made = Study.model_validate(study_document(measures=measures, parameters=list(parameters), **changes))
    return {
        each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in sampling_problems(made)
    }


def test_a_measure_has_one_parameter_and_a_parameter_a_measure_that_is_there() -> None:
    assert problems([WALLS], BY_WALLS) == {}
    assert problems([WALLS | {"name": "Walls"}], BY_WALLS) == {}, "whatever the case"
    assert problems([WALLS], {"name": "w", "measure": "wals"}) == {
        "parameters[0].measure": "'wals' is not a measure of the study | 'walls'",
        "measures[0]": '\'walls\' is not used: no parameter has this measure | a parameter with "measure": "walls"',
    }
    assert problems([], BY_WALLS) == {
        "parameters[0].measure": "'walls' is not a measure of the study | a study with 'measures'"
    }
    assert problems([WALLS], BY_WALLS, {"name": "again", "measure": "WALLS"}) == {
        "parameters[1].measure": "'WALLS' is the measure of 'w' already | one parameter for each"
    }


def test_levels_are_names_of_variants() -> None:
    assert problems([WALLS], BY_WALLS | {"values": ["none", "THICK", "thik", "zz", 2]}) == {
        "parameters[0].values[2]": "'thik' is not a variant of the measure 'walls' | 'thick', 'Both'",
        "parameters[0].values[3]": "'zz' is not a variant of the measure 'walls' | 'none', 'thick', 'Both'",
        "parameters[0].values[4]": "2 is not a variant of the measure 'walls' | 'none', 'thick', 'Both'",
    }
    drawn = {"distribution": {"kind": "discrete", "values": ["thick", "thin"]}}
    found = problems([WALLS], BY_WALLS | drawn, sampling={"method": "random", "samples": 2, "seed": 1})
    assert list(found) == ["parameters[0].distribution.values[1]"]


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"multiply": [1, 2]}, "has a measure, whose levels are names; give 'values'"),
        ({"range": {"from": 1, "to": 2}}, "has a measure, whose levels are names; give 'values'"),
        ({"distribution": {"kind": "uniform", "low": 0, "high": 1}}, "and a distribution 'uniform'"),
    ],
)
def test_numbers_are_no_levels_of_a_measure(levels: dict[str, Any], said: str) -> None:
    assert said in refused([WALLS], BY_WALLS | levels)["parameters[0]"]


def test_the_variants_of_a_study_are_those_of_its_measures() -> None:
    made = study([WALLS, SHELL], BY_WALLS, BY_SHELL)
    assert [variant.values for variant in expand(made)][:3] == [
        {},
        {"w": "none", "s": "new"},
        {"w": "thick", "s": "none"},
    ]
    assert made.variant_count == 6


PANE = {
    "name": "Clear",
    "thickness_m": 0.003,
    "solar_transmittance": 0.837,
    "solar_reflectance_front": 0.075,
    "solar_reflectance_back": 0.075,
    "visible_transmittance": 0.898,
    "visible_reflectance_front": 0.081,
    "visible_reflectance_back": 0.081,
    "infrared_transmittance": 0,
    "emissivity_front": 0.84,
    "emissivity_back": 0.84,
    "conductivity_w_mk": 0.9,
}
GAP = {"gas": "Argon", "thickness_m": 0.013}
BOARD = {"name": "Board", "roughness": "Smooth", "r_m2kw": 0.1}
FACE = BOARD | {"thermal_absorptance": 0.9, "solar_absorptance": 0.7, "visible_absorptance": 0.7}
WOOL = {
    "name": "Wool",
    "roughness": "Rough",
    "thickness_m": 0.1,
    "conductivity_w_mk": 0.04,
    "density_kg_m3": 30,
    "specific_heat_j_kgk": 1000,
}
OWN = {"material": "Concrete"}


@pytest.mark.parametrize(
    "edit",
    [
        U,
        U | {"orientation": ["N", "W"], "insulation_layer": "Wool*"},
        GLASS,
        {"slot": "wall_ground", "construction": "Other"},
        {"slot": "wall_interior", "layers": [OWN]},
        {"slot": "roof_ceiling_exterior", "layers": [FACE, WOOL, FACE]},
        {"slot": "floor_ground", "layers": [OWN, WOOL, BOARD, OWN]},
        {"slot": "window", "layers": [PANE, GAP, PANE, GAP, PANE]},
        {"slot": "skylight", "layers": [OWN, GAP, OWN]},
    ],
)
def test_constructions_that_can_be_built_are_accepted(edit: dict[str, Any]) -> None:
    assert ConstructionEdit.model_validate(edit).model_dump(mode="json", by_alias=True, exclude_unset=True) == edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"slot": "door"}, "has no new construction for the surfaces; give one of"),
        (U | {"construction": "Other"}, "has construction and u_w_m2k; give one of"),
        ({"slot": "floor_ground", "construction": "x", "orientation": ["N"]}, "slot 'floor_ground' do not have"),
        ({"slot": "window", "u_w_m2k": 1, "films": "included"}, "has 'u_w_m2k' for slot 'window'; give 'glazing'"),
        (GLASS | {"slot": "door"}, "has 'glazing' for slot 'door', which is opaque"),
        ({"slot": "door", "u_w_m2k": 1}, "has 'u_w_m2k' without 'films'"),
        ({"slot": "door", "construction": "x", "films": "included"}, "has 'films' without 'u_w_m2k'"),
        ({"slot": "door", "construction": "x", "insulation_layer": "*"}, "which only 'u_w_m2k' uses"),
        (
            {"slot": "window", "layers": [PANE, WOOL, PANE]},
            "layer 2 of another kind: slot 'window' takes panes and gaps",
        ),
        ({"slot": "door", "layers": [FACE, PANE]}, "layer 2 of another kind: slot 'door' takes materials with mass"),
        ({"slot": "window", "layers": [GAP, PANE]}, "has a gap as its first or last layer"),
        ({"slot": "window", "layers": [PANE, GAP]}, "has a gap as its first or last layer"),
        ({"slot": "window", "layers": [PANE, GAP, PANE, PANE]}, "has layers 3 and 4 of the same kind"),
        ({"slot": "window", "layers": [PANE, GAP, GAP, PANE]}, "has layers 2 and 3 of the same kind"),
        ({"slot": "door", "layers": [BOARD, FACE]}, "has no absorptances in layer 1, which has a visible face"),
        ({"slot": "door", "layers": [FACE, OWN, WOOL]}, "has no absorptances in layer 3, which has a visible face"),
    ],
)
def test_constructions_that_cannot_be_built_are_refused(edit: dict[str, Any], said: str) -> None:
    measure = {"name": "shell", "variants": [{"name": "new", "constructions": [edit]}]}
    ((place, found),) = refused([measure], BY_SHELL).items()
    assert place == "measures[0].variants[0].constructions[0]"
    assert said in found


@pytest.mark.parametrize(
    ("slot", "element", "boundary"),
    [
        ("wall_exterior", "wall", "exterior"),
        ("roof_ceiling_adiabatic", "roof_ceiling", "adiabatic"),
        ("floor_ground", "floor", "ground"),
        ("window", "window", "exterior"),
        ("door", "door", "exterior"),
    ],
)
def test_a_slot_says_what_a_surface_is_and_what_is_behind_it(slot: str, element: str, boundary: str) -> None:
    edit = ConstructionEdit.model_validate({"slot": slot, "construction": "x"})
    assert (edit.element, edit.boundary) == (element, boundary)


def test_a_name_of_a_measure_is_one_word() -> None:
    assert Measure.model_validate(WALLS).name == "walls"
    assert "measures[0].name" in refused([WALLS | {"name": "2 walls"}], BY_WALLS)
