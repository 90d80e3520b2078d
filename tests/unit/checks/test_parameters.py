"""Parameters by themselves: the class, the field, the unit and the values that they name."""

import json
from typing import Any

import pytest

from epsm.checks.parameters import check_parameters
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.results.metrics import METRICS
from epsm.results.table import table_schema
from epsm.study.parameters import Parameter
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.checks.checked_models import faults, study, vary


def fault_of_parameter(**changes: Any) -> Problem:
    """The one fault that shows without a model."""
    (found,) = check_parameters(study(vary("Material", "Brick", "Thickness") | changes))
    return found


# Names of objects
def matches(pattern: str, name: str) -> bool:
    parameter = {"name": "x", "class": "Zone", "object": pattern, "field": "Volume", "values": [1]}
    return Parameter.model_validate(parameter).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("Brick", "Brick"),
        ("brick", "BRICK"),
        (" Brick ", "Brick"),
        ("Brick", "  Brick "),
        ("*", "Brick"),
        ("*", ""),
        ("Br*", "Brick"),
        ("*ick", "Brick"),
        ("B*k", "Brick"),
        ("*ric*", "Brick"),
        ("Brick*", "Brick"),
        ("* wall *", "North WALL 3"),
        ("wand süd", "WAND SüD"),
        ("a.b", "a.b"),
        ("a[1]+(b)", "A[1]+(B)"),
    ],
)
def test_a_name_fits(pattern: str, name: str) -> None:
    assert matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("Brick", "Bricks"),
        ("rick", "Brick"),
        ("B*x", "Brick"),
        ("a.b", "axb"),
        ("Br?ck", "Brick"),
        ("wand süd", "WAND SÜD"),
        ("Gerät Strasse", "Gerät Straße"),
        ("Gerät S*e", "GERÄT STRAßE"),
        ("a", "a\u00a0"),
    ],
)
def test_a_name_does_not_fit(pattern: str, name: str) -> None:
    assert not matches(pattern, name)


# Parameters alone
@pytest.mark.parametrize(
    "parameter",
    [
        vary("Material", "*", "Thickness", 0.1, 0.2),
        vary("MATERIAL", "*", "thickness", 0.1, unit="m"),
        vary("lights", "*", "watts_per_floor_area", multiply=[0.5, 1], unit="W/m2"),
        vary("Material", "*", "Roughness", "rough", "Smooth"),
        vary("Construction", "Wall", "Layer 2", "Concrete"),
        vary("ZoneHVAC:IdealLoadsAirSystem", "*", "Maximum Heating Air Flow Rate", 0.1, "AutoSize"),
        vary("BuildingSurface:Detailed", "*", "Vertex 2 X-coordinate", 3.5),
        vary("Schedule:Compact", "*", "Field 4", 0.5, "Until: 09:00"),
        vary("Curve:Linear", "*", "Minimum Value of x", 1.0, unit="whatever"),
        vary("Zone", "*", "Multiplier", 2.0),
    ],
)
def test_a_sound_parameter_passes(parameter: dict[str, Any]) -> None:
    assert check_parameters(study(parameter)) == []


@pytest.mark.parametrize(
    ("changes", "place", "allowed"),
    [
        ({"class": "Materials"}, "class", "'Material'"),
        ({"class": "material:nomas"}, "class", "'Material:NoMass'"),
        ({"field": "Thicknes"}, "field", "'Thickness'"),
        ({"field": "Conductivity of it"}, "field", "'Conductivity'"),
        ({"class": "Lights", "field": "Watts per Zone Floor Area"}, "field", "'Watts per Floor Area'"),
        ({"class": "BuildingSurface:Detailed", "field": "Vertex X-coordinate"}, "field", "'Vertex # X-coordinate'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(changes: dict[str, Any], place: str, allowed: str) -> None:
    found = fault_of_parameter(values=[0.1], **changes)
    assert found.where == f"study.json: parameters[0].{place}"
    assert found.allowed.startswith(allowed)


def test_a_field_that_is_like_no_other_is_refused_with_all_fields() -> None:
    assert "'Roughness', 'Thickness'" in fault_of_parameter(values=[0.1], field="qqq").allowed


def test_a_class_that_is_like_no_other_is_refused() -> None:
    assert "is not a class of EnergyPlus 25.2" in fault_of_parameter(values=[0.1], **{"class": "zzzz"}).what


def test_the_name_cannot_be_varied() -> None:
    assert fault_of_parameter(values=["a"], field="Name").where == "study.json: parameters[0].field"


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"unit": "mm"}, "'m'"),
        ({"unit": "M"}, "'m'"),
        ({"unit": ""}, "'m'"),
        ({"field": "Conductivity", "unit": "W/mK"}, "'W/m-K'"),
        ({"field": "Roughness", "values": ["Rough"], "unit": "m"}, "no unit"),
    ],
)
def test_a_wrong_unit_is_refused_with_the_right_one(changes: dict[str, Any], allowed: str) -> None:
    found = fault_of_parameter(**({"values": [0.1]} | changes))
    assert (found.where, found.allowed) == ("study.json: parameters[0].unit", allowed)


@pytest.mark.parametrize(
    ("class_name", "field", "value", "allowed"),
    [
        ("Material", "Thickness", 0, "a number > 0 [m]"),
        ("Material", "Thickness", -0.1, "a number > 0 [m]"),
        ("Material", "Thickness", "0.1", "a number > 0 [m]"),
        ("Material", "Thickness", "thin", "a number > 0 [m]"),
        ("Material", "Thickness", "autosize", "a number > 0 [m]"),
        ("Material", "Roughness", "Roughish", "'Rough'"),
        ("Material", "Roughness", 3, "'Rough'"),
        ("Lights", "Fraction Radiant", 1.5, "a number >= 0 and <= 1"),
        ("Timestep", "Number of Timesteps per Hour", 4.5, "a whole number >= 1 and <= 60"),
        ("Timestep", "Number of Timesteps per Hour", 61, "a whole number >= 1 and <= 60"),
        ("ZoneHVAC:IdealLoadsAirSystem", "Maximum Heating Air Flow Rate", "NoLimit", "or 'Autosize'"),
        ("Construction", "Layer 2", 3, "text"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(class_name: str, field: str, value: float | str, allowed: str) -> None:
    (found,) = check_parameters(study(vary(class_name, "*", field, value)))
    assert found.where == "study.json: parameters[0].values[0]"
    assert allowed in found.allowed


def test_each_value_that_does_not_fit_is_named() -> None:
    found = check_parameters(study(vary("Material", "*", "Thickness", 0, 0.1, "thin")))
    assert [where for where, _, _ in faults(found)] == ["parameters[0].values[0]", "parameters[0].values[2]"]


@pytest.mark.parametrize(("class_name", "field"), [("Material", "Roughness"), ("Construction", "Layer 2")])
def test_what_is_no_number_cannot_be_multiplied(class_name: str, field: str) -> None:
    (found,) = check_parameters(study(vary(class_name, "*", field, multiply=[2])))
    assert found.where == "study.json: parameters[0].multiply"


@pytest.mark.parametrize("name", [*sorted(RESERVED), "Variant_Index", "STATUS"])
def test_the_name_of_a_column_of_every_table_is_refused(name: str) -> None:
    parameter = vary("Material", "*", "Thickness", 0.1, name=name)
    (found,) = check_parameters(Study.model_validate(study_document(parameters=[parameter])))
    assert found.where == "study.json: parameters[0].name"


def test_every_column_of_every_table_is_reserved() -> None:
    every = table_schema(Study(models=("a.idf",), weather=("a.epw",)), ["interior_lighting_electricity_kwh"])
    assert {*every, *METRICS, "end_uses"} <= RESERVED


def test_faults_of_all_parameters_are_named() -> None:
    found = check_parameters(
        study(
            vary("Materials", "*", "Thickness", 0.1),
            vary("Material", "*", "Thickness", 0.1),
            vary("Material", "*", "Thikness", 0.1),
            vary("Material", "*", "Thickness", 0, unit="mm"),
        )
    )
    assert [where for where, _, _ in faults(found)] == [
        "parameters[0].class",
        "parameters[2].field",
        "parameters[3].unit",
        "parameters[3].values[0]",
    ]


def test_a_field_with_an_endless_number_is_refused() -> None:
    assert fault_of_parameter(field="Vertex " + "9" * 190, values=[1.0])


@pytest.mark.parametrize("value", ["0.1 ! x", "0.1;", "0.1, 0.2", "0.1\nZone", "0.1;\nZone,Second;"])
def test_a_value_that_is_more_than_one_value_is_refused(value: str) -> None:
    parameter = vary("Schedule:Compact", "Office Hours", "Field 4", value)
    try:
        found = check_parameters(parse_study(json.dumps(study_document(parameters=[parameter]))))
    except StudyRejected as rejection:
        found = list(rejection.problems)
    assert found


@pytest.mark.parametrize(
    ("class_name", "field", "value"),
    [
        ("Output:Table:SummaryReports", "Report 1 Name", "ZoneComponentLoadSummary"),
        ("output:diagnostics", "Key 1", "ReportDuringWarmup"),
        ("Output:Variable", "Reporting Frequency", "Monthly"),
    ],
)
def test_what_a_model_reports_cannot_be_varied(class_name: str, field: str, value: str) -> None:
    """With another summary report the variant was ok and had no number."""
    changes = {"class": class_name, "object": "*", "field": field, "values": [value]}
    assert fault_of_parameter(**changes).what.endswith("is set for every run and cannot be varied")
