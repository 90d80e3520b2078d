"""Parameters: names and levels."""

import json
from typing import Any

import pytest

from epsm.problems import Problem
from tests.conftest import study_document
from tests.unit.study.documents import THICKNESS, faults, faults_of, parameter


def fault_of_parameter(**changes: Any) -> Problem:
    (fault,) = faults(parameters=[parameter(**changes)]).values()
    return fault


# What is refused: parameters
@pytest.mark.parametrize("name", ["2nd", "_x", "wall-u", "wall u", "Dämmung", "a.b", "x\n", "a,b", "=1+1", ""])
def test_a_name_that_is_no_column_name_is_refused(name: str) -> None:
    assert fault_of_parameter(name=name).where == "study.json: parameters[0].name"


@pytest.mark.parametrize("names", [("insulation", "insulation"), ("insulation", "Insulation")])
def test_two_parameters_of_one_name_are_refused(names: tuple[str, str]) -> None:
    (fault,) = faults(parameters=[parameter(name=name) for name in names]).values()
    assert "more than once" in fault.what


def test_a_parameter_without_levels_needs_a_list_of_samples() -> None:
    fault = fault_of_parameter(values=None)
    assert fault == Problem(
        "study.json: parameters[0]", "has no levels", "'values', 'multiply', 'range' or 'distribution'"
    )


@pytest.mark.parametrize(
    "other",
    [{"multiply": [2]}, {"range": {"from": 0, "to": 1}}, {"distribution": {"kind": "uniform", "low": 0, "high": 1}}],
)
def test_a_parameter_gives_one_kind_of_levels(other: dict[str, Any]) -> None:
    fault = fault_of_parameter(values=[1], **other)
    assert (fault.where, fault.what.split(";")[0]) == (
        "study.json: parameters[0]",
        f"has values and {next(iter(other))}",
    )


@pytest.mark.parametrize("changes", [{"values": []}, {"values": None, "multiply": []}])
def test_a_parameter_without_levels_is_refused(changes: dict[str, Any]) -> None:
    assert fault_of_parameter(**changes).what == "is empty"


@pytest.mark.parametrize(
    "changes",
    [
        {"values": [1, 2, 1.0]},
        {"values": [0, -0.0]},
        {"values": ["Rough", "Rough"]},
        {"values": None, "multiply": [0.5, 0.5]},
    ],
)
def test_a_level_listed_twice_is_refused(changes: dict[str, Any]) -> None:
    assert fault_of_parameter(**changes).what == "the same value is listed twice"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 400])
@pytest.mark.parametrize("key", ["values", "multiply"])
def test_a_number_that_is_not_finite_is_refused(key: str, value: str) -> None:
    varied = {"name": "insulation", **THICKNESS, key: ["@"]}
    document = json.dumps(study_document(parameters=[varied])).replace('"@"', value)
    assert set(faults_of(document)) == {f"parameters[0].{key}[0]"}


@pytest.mark.parametrize("value", [True, None, [], {}, [1], "", "x" * 101])
def test_a_value_that_is_neither_number_nor_short_text_is_refused(value: Any) -> None:
    assert fault_of_parameter(values=[0.1, value]).where == "study.json: parameters[0].values[1]"


def test_what_could_stand_in_place_of_a_wrong_value_is_said_once() -> None:
    assert fault_of_parameter(values=[None]).allowed == "a number or text"


@pytest.mark.parametrize("value", ["2", True, None, "autosize"])
def test_a_factor_that_is_no_number_is_refused(value: Any) -> None:
    fault = fault_of_parameter(values=None, multiply=[value])
    assert (fault.where, fault.allowed) == ("study.json: parameters[0].multiply[0]", "a number")


@pytest.mark.parametrize("key", ["class", "object", "field"])
def test_an_empty_name_is_refused(key: str) -> None:
    assert fault_of_parameter(**{key: ""}) == Problem(f"study.json: parameters[0].{key}", "is empty", "some text")


def test_more_parameters_than_a_table_should_have_are_refused() -> None:
    many = [parameter(name=f"p{number}") for number in range(51)]
    assert faults(parameters=many)["parameters"].allowed == "at most 50 entries"
