"""Parameters on a model: the objects that they match, and the resulting values."""

import json
from typing import Any

import pytest

from epsm.checks.parameters import check_parameters
from epsm.problems import Problem
from tests.unit.checks.checked_models import as_epjson, check, fault, faults, study, vary


# Parameters on a model
@pytest.mark.parametrize(
    "parameter",
    [
        vary("Material", "Brick", "Thickness", 0.1),
        vary("MATERIAL", "  BRICK ", "thickness", 0.1),
        vary("Material", "*", "Thickness", 0.1),
        vary("Material", "wall*", "Thickness", 0.1),
        vary("Lights", "*", "Watts per Floor Area", multiply=[0.5, 2]),
        vary("BuildingSurface:Detailed", "*wall", "Vertex 2 X-coordinate", multiply=[1, 2]),
        vary("Schedule:Compact", "Office Hours", "Field 4", 0.5, "0.25"),
        vary("Schedule:Compact", "Office Hours", "Field 4", multiply=[2.0]),
        vary("Construction", "Wall", "Layer 2", "concrete", "BRICK"),
        vary("SimulationControl", "*", "Do Zone Sizing Calculation", "Yes"),
        vary("Timestep", "*", "Number of Timesteps per Hour", 6.0),
    ],
)
@pytest.mark.parametrize("form", ["idf", "epJSON"])
def test_a_parameter_that_fits_the_model_passes(parameter: dict[str, Any], form: str, one_zone: str) -> None:
    model = one_zone if form == "idf" else json.dumps(as_epjson(one_zone))
    assert check_parameters(study(parameter)) == []
    assert not check(model, parameter, source=f"room.{form}").problems


@pytest.mark.parametrize(("name", "allowed"), [("Bricks", "'Brick'"), ("Z*", "'Brick', 'Wall Insulation', 'Concrete'")])
def test_an_object_that_is_not_there_is_refused_with_those_that_are(name: str, allowed: str, one_zone: str) -> None:
    found = fault(one_zone, vary("Material", name, "Thickness", 0.1))
    assert found.where == "study.json: parameters[0].object"
    assert (f"room.idf has no Material object called '{name}'", allowed) == (found.what, found.allowed)


def test_a_class_of_which_the_model_has_none_is_refused(one_zone: str) -> None:
    found = fault(one_zone, vary("Chiller:Electric", "*", "Nominal Capacity", 1.0))
    assert found == Problem("study.json: parameters[0].class", "room.idf has no Chiller:Electric object")


@pytest.mark.parametrize(
    "others",
    [
        ("Material", "Brick", "Thickness"),
        ("MATERIAL", "brick", "thickness"),
        ("Material", "B*", "Thickness {m}"),
        ("Material", "*", "Thickness"),
    ],
)
def test_two_parameters_for_one_field_are_refused(others: tuple[str, str, str], one_zone: str) -> None:
    found = fault(one_zone, vary("Material", "Brick", "Thickness", 0.1), vary(*others, 0.2))
    assert found.where == "study.json: parameters[1]"
    assert "'varied_0' and 'varied_1' both set Material 'Brick', Thickness in room.idf" in found.what


def test_two_parameters_for_one_vertex_are_refused(one_zone: str) -> None:
    walls = ("BuildingSurface:Detailed", "*wall", "Vertex 1 X-coordinate")
    assert "both set" in fault(one_zone, vary(*walls, 1.0), vary(*walls, 2.0)).what


@pytest.mark.parametrize(
    "other",
    [
        vary("Material", "Concrete", "Thickness", 0.1),
        vary("Material", "Brick", "Density", 1000.0),
        vary("Zone", "*", "Multiplier", 2.0),
    ],
)
def test_parameters_for_different_fields_pass(other: dict[str, Any], one_zone: str) -> None:
    assert not check(one_zone, vary("Material", "Brick", "Thickness", 0.1), other).problems


@pytest.mark.parametrize("field", ["Lighting Level", "Watts per Person"])
@pytest.mark.parametrize("form", ["idf", "epJSON"])
def test_nothing_cannot_be_multiplied(field: str, form: str, one_zone: str) -> None:
    model = one_zone if form == "idf" else json.dumps(as_epjson(one_zone))
    found = fault(model, vary("Lights", "*", field, multiply=[2]), source=f"room.{form}")
    assert found.where == "study.json: parameters[0].multiply"
    assert f"Lights 'Room Lights' has nothing in {field}, which cannot be multiplied" in found.what


def test_autosize_cannot_be_multiplied(one_zone: str) -> None:
    sized = one_zone.replace(
        "  Room Inlet;              !- Zone Supply", "  Room Inlet,,,,,,,LimitFlowRate,autosize;  !- "
    )
    parameter = vary("ZoneHVAC:IdealLoadsAirSystem", "*", "Maximum Heating Air Flow Rate", multiply=[2])
    assert "has 'autosize' in Maximum Heating Air Flow Rate" in fault(sized, parameter).what


def test_each_product_out_of_bounds_is_named(one_zone: str) -> None:
    checked = check(one_zone, vary("Lights", "*", "Fraction Radiant", multiply=[2, 3, -1]))
    assert [(where, allowed) for where, _, allowed in faults(checked)] == [
        ("parameters[0].multiply[1]", "a number >= 0 and <= 1"),
        ("parameters[0].multiply[2]", "a number >= 0 and <= 1"),
    ]


def test_a_product_that_is_no_whole_number_is_refused(one_zone: str) -> None:
    found = fault(one_zone, vary("Timestep", "*", "Number of Timesteps per Hour", multiply=[0.7]))
    assert found.allowed == "a whole number >= 1 and <= 60"


@pytest.mark.parametrize("stands", ["1e300", "inf", "nan"])
def test_a_product_that_is_not_finite_is_refused(stands: str, one_zone: str) -> None:
    model = one_zone.replace("0.12, ", f"{stands}, ")
    assert check(model, vary("Material", "Brick", "Thickness", multiply=[1e308])).problems


@pytest.mark.parametrize(("value", "allowed"), [("Bricks", "'Brick'"), ("qqqqq", "")])
def test_a_reference_to_an_object_that_is_not_there_is_refused(value: str, allowed: str, one_zone: str) -> None:
    found = fault(one_zone, vary("Construction", "Wall", "Layer 2", "Brick", value))
    assert found == Problem("study.json: parameters[0].values[1]", f"room.idf has no object called '{value}'", allowed)


def test_faults_of_all_parameters_on_a_model_are_named(one_zone: str) -> None:
    checked = check(
        one_zone,
        vary("Material", "Bricks", "Thickness", 0.1),
        vary("Lights", "*", "Lighting Level", multiply=[2]),
        vary("Chiller:Electric", "*", "Nominal Capacity", 1.0),
        vary("Construction", "Wall", "Layer 2", "Timber"),
    )
    assert [where for where, _, _ in faults(checked)] == [
        "parameters[0].object",
        "parameters[1].multiply",
        "parameters[2].class",
        "parameters[3].values[0]",
    ]


def test_a_parameter_that_is_unknown_anyway_is_not_looked_for_in_the_model(one_zone: str) -> None:
    assert not check(one_zone, vary("Materials", "*", "Thickness", 0.1), vary("Material", "*", "Thik", 0.1)).problems


def test_a_parameter_that_cannot_be_multiplied_anyway_is_not_looked_for_in_the_model(one_zone: str) -> None:
    assert not check(one_zone, vary("Material", "*", "Roughness", multiply=[2])).problems


@pytest.mark.parametrize("number", [5, 9, 10**12])
def test_a_vertex_that_the_surface_does_not_have_is_refused(number: int, one_zone: str) -> None:
    parameter = vary("BuildingSurface:Detailed", "Floor", f"Vertex {number} X-coordinate", 1.0)
    assert [*check_parameters(study(parameter)), *check(one_zone, parameter).problems]


@pytest.mark.parametrize(
    ("class_name", "field"),
    [
        ("Branch", "Component 1 Object Type"),
        ("PlantEquipmentList", "Equipment 1 Object Type"),
        ("AirLoopHVAC:OutdoorAirSystem:EquipmentList", "Component 1 Object Type"),
    ],
)
def test_a_class_is_accepted_where_a_class_is_named(class_name: str, field: str, one_zone: str) -> None:
    parameter = vary(class_name, "*", field, "Boiler:HotWater")
    assert not check(
        f"{one_zone}\n{class_name},List,{'' if class_name != 'Branch' else ','}Boiler:HotWater,Boiler,In,Out;\n",
        parameter,
    ).problems


def test_the_file_that_a_model_reads_cannot_be_varied_unnoticed(one_zone: str) -> None:
    parameter = vary("Schedule:File", "*", "File Name", "other.csv")
    checked = check(one_zone + "\nSchedule:File,Use,,use.csv,1,0;\n", parameter)
    assert [*check_parameters(study(parameter)), *checked.problems] or "other.csv" in checked.external_files
