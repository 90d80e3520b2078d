"""Faults in a model that would end a run of EnergyPlus are reported on submission; what it accepts is not."""

import json
from collections.abc import Mapping
from pathlib import Path

import pyenergyplus
import pytest

from epsm.checks.models import check_model
from epsm.energyplus import dictionary
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.checks.checked_models import as_epjson

PROJECT = Path(__file__).parents[3]
SOUND = [
    *sorted((Path(pyenergyplus.__file__).parent / "data" / "model").glob("*.idf")),
    *sorted({*PROJECT.glob("tests/data/*.idf")} - {PROJECT / "tests/data/schedules.idf"}),  # part of a model
    *sorted(PROJECT.glob("examples/*/*.idf")),
    PROJECT / "layers/energyplus/python/epsm/operations/data/canary.idf",
]
THICKNESS = "0.12,                    !- Thickness {m}"
ROUGHNESS = "Rough,                   !- Roughness"
USE = "Office Hours,            !- Schedule Name"


def told(model: str, source: str = "room.idf", *parameters: Mapping[str, object]) -> list[str]:
    study = Study.model_validate(study_document(parameters=list(parameters), options={"run_period": "annual"}))
    return [str(each) for each in check_model(model.encode(), source, study).problems]


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.name)
def test_no_model_that_runs_is_refused(path: Path) -> None:
    assert told(path.read_text(encoding="latin-1")) == []


# Each of these was run: the engine ends with a severe error.
@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (THICKNESS, "abc,", "'abc' does not fit Thickness (allowed: a number > 0"),
        (THICKNESS, "1.2D-1,", "'1.2D-1' does not fit Thickness"),
        (THICKNESS, "0.12 m,", "'0.12 m' does not fit Thickness"),
        (THICKNESS, "autosize,", "'autosize' does not fit Thickness"),
        (THICKNESS, "-1,", "'-1' does not fit Thickness"),
        (THICKNESS, "0.,", "'0.' does not fit Thickness"),
        (THICKNESS, "@@thick@@,", "is a jEPlus tag, which is not replaced: define a parameter for this field"),
        (ROUGHNESS, "Ruf,", "'Ruf' does not fit Roughness (allowed: 'MediumRough'"),
        (ROUGHNESS, ",", "Material 'Brick': blank is not allowed in Roughness"),
        ("Room,                    !- Name", ",", "blank is not allowed in Name"),
        ("0,6,3, 0,0,3,", "0,6,3, 0,,3,", "blank is not allowed in Vertex 2 Y-coordinate"),
        ("8,0,3, 8,6,3;", "8,x,3, 8,6,3;", "'x' does not fit Vertex 3 Y-coordinate"),
        (USE, "Ofice Hours,", "Schedule Name: there is no schedule called 'Ofice Hours' (allowed: 'Office Hours')"),
        (USE, "@@use@@,", "is a jEPlus tag"),
        ("Brick,                   !- Outside Layer", "Brik,", "there is no material called 'Brik' (allowed: 'Brick')"),
        ("North Wall,Wall,Wall,Room", "North Wall,Wall,Wal,Room", "there is no construction called 'Wal'"),
        ("North Wall,Wall,Wall,Room", "North Wall,Wall,Wall,Rom", "there is no zone called 'Rom' (allowed: 'Room')"),
    ],
)
def test_what_the_engine_refuses_in_a_field_is_reported_with_its_line(
    before: str, after: str, fault: str, one_zone: str
) -> None:
    assert before in one_zone
    problems = told(one_zone.replace(before, after, 1))
    assert any(fault in each and each.startswith("room.idf: line ") for each in problems), problems


@pytest.mark.parametrize("number", ["nan", "-nan", "inf", "-Infinity", "1e999", "1_2", "\u0661"])
def test_what_only_looks_like_a_number_is_refused(number: str, one_zone: str) -> None:
    """The engine reads nan and inf and goes on; eppy makes numbers of the others."""
    model = one_zone.replace("  1;                       !- Hourly Value", f"  {number};", 1)
    assert model != one_zone
    assert f"'{number}' does not fit Hourly Value (allowed: a number)" in "".join(told(model))


def test_a_whole_number_of_epjson_is_written_without_a_point(one_zone: str) -> None:
    document = as_epjson(one_zone)
    document["Zone"]["Room"]["multiplier"] = 2.0
    assert "2.0 does not fit multiplier (allowed: a whole number >= 1)" in "".join(
        told(json.dumps(document), "room.epJSON")
    )


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ("Material,Brick,Rough,0.1,1,1000,1000;", "Material 'Brick' has the same name as the Material on line"),
        ("Material:NoMass,BRICK,Rough,1;", "Material:NoMass 'BRICK' has the same name as the Material on line"),
        ("Schedule:Constant,office hours,,1;", "'office hours' has the same name as the Schedule:Compact on line 67"),
        ("Construction,WALL,Brick;", "Construction 'WALL' has the same name as the Construction on line"),
        ("ScheduleTypeLimits,Any number;", "has the same name as the ScheduleTypeLimits on line"),
        ("Parametric:SetValueForRun,$x,1;", "parametric preprocessor is not run; define its values as parameters"),
    ],
)
def test_an_object_that_the_engine_does_not_take_is_reported(added: str, fault: str, one_zone: str) -> None:
    (found,) = told(f"{one_zone}\n{added}\n")
    assert fault in found


# Each of these was run: the engine comes to its end.
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (THICKNESS, "+.12,"),
        (ROUGHNESS, "rOUGH,"),
        (USE, "OFFICE HOURS,"),
        (USE, "Constant-1.0,"),
        ("1;                       !- Multiplier", "1.0;"),
        ("1;                       !- Hourly Value", "+-1;"),
        ("Output:Table", "ScheduleTypeLimits,Other;\nSchedule:Constant,Free,No such limits,1;\n\nOutput:Table"),
        ("Output:Table", "ZoneList,Room,Room;\n\nOutput:Table"),
    ],
)
def test_what_the_engine_takes_passes(before: str, after: str, one_zone: str) -> None:
    assert before in one_zone
    assert told(one_zone.replace(before, after, 1)) == []


def test_all_faults_are_reported_at_once_and_alike_ones_are_counted(one_zone: str) -> None:
    lights = "".join(f"Lights,L{number},Room,Nowhere,LightingLevel,x;\n" for number in range(40))
    problems = told(one_zone.replace(ROUGHNESS, "Ruf,", 1) + lights)
    assert len(problems) == 5
    assert sum("does not fit Lighting Level" in each for each in problems) == 3
    assert any("and 37 more of this kind" in each for each in problems)
    assert any("no schedule called 'Nowhere'; 39 more fields refer to it" in each for each in problems)


def test_a_fault_that_a_parameter_fixes_is_not_reported(one_zone: str) -> None:
    tagged = one_zone.replace(THICKNESS, "@@thick@@,", 1)
    parameter = {"name": "d", "class": "Material", "object": "Brick", "field": "Thickness", "values": [0.1, 0.2]}
    assert told(tagged)
    assert told(tagged, "room.idf", parameter) == []


def test_what_expandobjects_may_make_is_not_missed(one_zone: str) -> None:
    template = "HVACTemplate:Thermostat,Setpoints,,20,,26;\n"
    assert told(one_zone.replace(USE, "HVACTemplate-Always 1,", 1) + template) == []
    assert told(one_zone.replace(USE, "Nowhere,", 1) + template) != []


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("thickness", "0.12", "the text '0.12' does not fit thickness"),
        ("thickness", None, "null does not fit thickness"),
        ("thickness", -1, "-1 does not fit thickness"),
        ("roughness", "rough", "'rough' does not fit roughness"),
    ],
)
def test_types_and_words_of_epjson_count_exactly(key: str, value: object, fault: str, one_zone: str) -> None:
    document = as_epjson(one_zone)
    assert told(json.dumps(document), "room.epJSON") == []
    document["Material"]["Brick"][key] = value
    (found,) = told(json.dumps(document), "room.epJSON")
    assert fault in found
    del document["Material"]["Brick"][key]
    (found,) = told(json.dumps(document), "room.epJSON")
    assert f"{key} has no value" in found


# Models of older versions: each was run with the engine of its version


@pytest.mark.parametrize(
    ("class_name", "name", "key", "fault"),
    [
        (
            "Material",
            "Brick",
            "Solar_Absorptance",
            "'Solar_Absorptance' is not a field of it; EnergyPlus would ignore it",
        ),
        (
            "Lights",
            "Room Lights",
            "watts_per_zone_floor_area",
            "is not a field of it; EnergyPlus would ignore it (allowed: 'watts_per_floor_area')",
        ),
        (
            "Zone",
            "Room",
            "xyz",
            "'xyz' is not a field of it; EnergyPlus would ignore it (allowed: a field of the class)",
        ),
    ],
)
def test_fields_that_a_class_of_epjson_does_not_have_are_refused(
    class_name: str, name: str, key: str, fault: str, one_zone: str
) -> None:
    """The engine ignores them without a word: lights in the field name of another version are none."""
    document = as_epjson(one_zone)
    document[class_name][name][key] = 0.1
    (problem,) = told(json.dumps(document), "room.epJSON")
    assert problem.startswith(f"room.epJSON: {class_name} '{name}': ")
    assert fault in problem


def test_unknown_fields_in_lists_are_refused_and_counted(one_zone: str) -> None:
    document = as_epjson(one_zone)
    for surface in document["BuildingSurface:Detailed"].values():
        for vertex in surface["vertices"]:
            vertex["vertex_z"] = 1.0
    problems = told(json.dumps(document), "room.epJSON")
    assert len(problems) == 3
    assert "'vertex_z' in vertices[0] is not a field of it" in problems[0]
    assert "'vertex_z_coordinate'" in problems[0]
    assert "more of this kind" in problems[2]


def test_what_energyplus_writes_beside_the_fields_of_epjson_passes(one_zone: str) -> None:
    document = as_epjson(one_zone)
    document["Material"]["Brick"] |= {"idf_order": 3, "idf_max_fields": 9, "idf_max_extensible_fields": 0, "name": "x"}
    assert told(json.dumps(document), "room.epJSON") == []


def test_field_names_of_another_version_are_refused(one_zone: str) -> None:
    """EnergyPlus 23.2 ran such a model to its end, with no lights."""
    document = as_epjson(one_zone)
    document["Version"]["Version 1"]["version_identifier"] = "23.2"
    with dictionary.of_version("23.2"):
        problems = told(json.dumps(document), "room.epJSON")
    assert [problem for problem in problems if "watts_per_floor_area" in problem] == [
        "room.epJSON: Lights 'Room Lights': 'watts_per_floor_area' is not a field of it; EnergyPlus would ignore it "
        "(allowed: 'watts_per_zone_floor_area')"
    ]


def told_of(version: str, model: str) -> list[str]:
    with dictionary.of_version(version):
        return told(model.replace("Version,25.2", f"Version,{version}"))


@pytest.mark.parametrize("version", ["23.2", "25.1"])
@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (THICKNESS, "-1,", "'-1' does not fit Thickness"),
        (ROUGHNESS, ",", "blank is not allowed in Roughness"),
        ("0,6,3, 0,0,3,", "0,6,3, 0,,3,", "blank is not allowed in Vertex 2 Y-coordinate"),
        (USE, "Ofice Hours,", "there is no schedule called 'Ofice Hours' (allowed: 'Office Hours')"),
        ("Brick,                   !- Outside Layer", "Brik,", "there is no material called 'Brik'"),
        ("North Wall,Wall,Wall,Room", "North Wall,Wall,Wall,Rom", "there is no zone called 'Rom'"),
        (
            "ScheduleTypeLimits,",
            "Material,Brick,Rough,1,1,1000,1000;\nScheduleTypeLimits,",
            "'Brick' has the same name as",
        ),
    ],
)
def test_faults_in_models_of_older_versions_are_reported_alike(
    version: str, before: str, after: str, fault: str, one_zone: str
) -> None:
    assert before in one_zone
    problems = told_of(version, one_zone.replace(before, after, 1))
    assert any(fault in each for each in problems), problems


TWICE = {
    "limits": "ScheduleTypeLimits,Any number;",
    "curves": "Curve:Linear,Twice,0,1,0,1;\nCurve:Quadratic,TWICE,0,1,1,0,1;",
    "schedules": "Schedule:Constant,OFFICE hours,,1;",
}


@pytest.mark.parametrize(
    ("version", "refused"),
    [("23.2", {"schedules"}), ("25.1", {"schedules", "limits"}), ("25.2", {"schedules", "limits", "curves"})],
)
def test_names_that_differ_in_case_are_judged_as_the_version_does(
    version: str, refused: set[str], one_zone: str
) -> None:
    assert {kind for kind, added in TWICE.items() if told_of(version, f"{one_zone}\n{added}\n")} == refused


@pytest.mark.parametrize(("version", "known"), [("23.2", False), ("25.1", True), ("25.2", True)])
def test_schedules_that_the_engine_has_of_its_own_are_known_by_version(
    version: str, known: bool, one_zone: str
) -> None:
    assert (told_of(version, one_zone.replace(USE, "Constant-1.0,", 1)) == []) is known
