"""Targets of a parameter: which objects they fit, and what a level does to the model's value."""

import json
from typing import Any

import pytest

from epsm.study.assignments import assignments
from epsm.study.parameters import CoupledParameter
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from epsm.study.targets import Target, fits
from tests.conftest import study_document
from tests.unit.study.documents import faults

THICKNESS = {"class": "Material", "field": "Thickness"}


def target(**changes: Any) -> Target:
    return Target.model_validate(THICKNESS | changes)


def with_targets(*targets: dict[str, Any], **levels: Any) -> dict[str, Any]:
    return {"name": "x", "targets": list(targets)} | (levels or {"values": [1, 2]})


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("Wall", ["wall", "WALL"], ["Wall 1", "A Wall", ""]),
        ("*", ["", "anything"], []),
        ("Wall*", ["Wall", "wall 1"], ["A Wall"]),
        ("*Wall", ["Wall", "A Wall"], ["Wall 1"]),
        ("*a*b*", ["ab", "xxaxxbxx"], ["ba", "a", ""]),
        ("a*a", ["aa", "a-a"], ["a", "ab"]),
        ("x*ab*ab*y", ["xababy", "x-ab-ab-y"], ["xaby", "xab-y", "xabay"]),
    ],
)
def test_a_star_is_any_run_of_characters(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert [fits(name, pattern) for name in fitting] == [True] * len(fitting)
    assert [fits(name, pattern) for name in others] == [False] * len(others)


def test_objects_are_chosen_by_names_and_exceptions() -> None:
    chosen = target(object=["Wall*", "Roof"], **{"except": "*interior*"})
    assert [chosen.matches(name) for name in ("Wall 1", "roof", "Wall interior 2", "Floor")] == [
        True,
        True,
        False,
        False,
    ]
    assert (chosen.shown_objects, target().shown_objects) == ("Wall*', 'Roof", "*")


@pytest.mark.parametrize(
    ("wanted", "found", "met"),
    [
        ("Rough", "ROUGH", True),
        ("Rough", "Smooth", False),
        ("Rough", None, False),
        (0.3, "0.30", True),
        (0.3, 0.1 + 0.2, True),
        (0.3, 0.31, False),
        (0.3, None, False),
        (0.3, "autosize", False),
        ([0.1, "Rough"], "rough", True),
        ([0.1, 0.2], 0.2, True),
        ([0.1, 0.2], 0.3, False),
    ],
)
def test_objects_are_chosen_by_what_they_have_in_other_fields(wanted: Any, found: object, met: bool) -> None:
    assert target(where={"Roughness": wanted}).meets({"Roughness": found}) is met
    assert not target(where={"Roughness": wanted, "Name": "x"}).meets({"Roughness": found})


@pytest.mark.parametrize(
    ("way", "level", "own", "new"),
    [
        ({}, 5.0, 2.0, 5.0),
        ({}, "autosize", 2.0, "autosize"),
        ({"apply": "multiply"}, 5.0, 2.0, 10.0),
        ({"apply": "add"}, 5.0, 2.0, 7.0),
        ({"apply": "linear", "scale": 4, "offset": 3}, 5.0, None, 23.0),
        ({"apply": "linear", "offset": -3}, 5.0, None, 2.0),
    ],
)
def test_a_level_is_set_multiplied_added_or_mapped(way: dict[str, Any], level: Any, own: float, new: Any) -> None:
    assert target(**way).new_value(level, own) == new


@pytest.mark.parametrize(
    ("way", "own", "level", "relative"),
    [
        ({}, 2.0, 2.0, False),
        ({}, "autosize", "autosize", False),
        ({"apply": "multiply"}, 2.0, 1.0, True),
        ({"apply": "add"}, 2.0, 0.0, True),
        ({"apply": "linear", "scale": 4, "offset": 3}, 23.0, 5.0, False),
        ({"apply": "linear", "scale": 4}, "autosize", None, False),
    ],
)
def test_the_level_of_an_unchanged_model(way: dict[str, Any], own: Any, level: Any, relative: bool) -> None:
    asked = target(**way)
    assert (asked.level_of(own), asked.relative) == (level, relative)


@pytest.mark.parametrize(
    ("parameter", "where", "said"),
    [
        (with_targets(THICKNESS | {"scale": 2}), ".targets[0]", "which only apply 'linear' uses"),
        (with_targets(THICKNESS | {"offset": 2}), ".targets[0]", "which only apply 'linear' uses"),
        (with_targets(THICKNESS | {"apply": "linear", "scale": 0}), ".targets[0]", "has a 'scale' of 0"),
        (with_targets(THICKNESS, multiply=[1, 2]), "", "has 'multiply' beside 'targets'"),
        (with_targets(THICKNESS | {"apply": "add"}, values=["a", 1]), "", "texts can only be set"),
        (with_targets(THICKNESS, values=[0, -0.0]), "", "the same value is listed twice"),
        (with_targets(THICKNESS, values=["Rough", "ROUGH"]), "", "the same value is listed twice"),
        (with_targets(THICKNESS, values=[1], range={"from": 1, "to": 2}), "", "has values and range; give one of"),
        (with_targets(THICKNESS, range={"from": 1, "to": 1}), ".range", "'from' and 'to' are the same"),
    ],
)
def test_targets_that_do_not_fit_are_refused(parameter: dict[str, Any], where: str, said: str) -> None:
    ((place, problem),) = faults(parameters=[parameter]).items()
    assert place == f"parameters[0]{where}"
    assert said in problem.what


def study(*parameters: dict[str, Any], **changes: Any) -> Study:
    return parse_study(json.dumps(study_document(parameters=list(parameters), **changes)))


def test_every_target_of_a_parameter_gets_its_levels() -> None:
    other = THICKNESS | {"field": "Density"}
    made = study({"name": "one", **THICKNESS, "values": [1]}, with_targets(THICKNESS, other))
    found = list(assignments(made))
    places = [
        "study.json: parameters[0]",
        "study.json: parameters[1].targets[0]",
        "study.json: parameters[1].targets[1]",
    ]
    assert [each.where for each in found] == places
    assert [each.group for each in found] == [places[0], *["study.json: parameters[1].targets"] * 2]
    assert [(each.parameter, each.index, each.position, each.count) for each in found] == [
        ("one", 0, 0, 1),
        ("x", 1, 0, 2),
        ("x", 1, 1, 2),
    ]
    assert [each.target.field for each in found] == ["Thickness", "Thickness", "Density"]
    assert [each.last for each in found] == [True, False, True]
    assert [list(each.levels.levels) for each in found] == [[1.0], [1.0, 2.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("levels", "expected", "bounds", "continuous", "numeric"),
    [
        ({"values": [3, 1]}, [3.0, 1.0], (1.0, 3.0), False, True),
        ({"values": ["a", 1]}, ["a", 1.0], None, False, False),
        ({"range": {"from": 2, "to": 1}}, [], (1.0, 2.0), True, True),
        ({"range": {"from": 0, "to": 1, "steps": 3}}, [0.0, 0.5, 1.0], (0.0, 1.0), False, True),
        ({"distribution": {"kind": "discrete", "values": [2, 1]}}, [2.0, 1.0], (1.0, 2.0), False, True),
        ({"distribution": {"kind": "integer", "low": -1, "high": 1}}, [-1.0, 0.0, 1.0], (-1.0, 1.0), False, True),
        ({"distribution": {"kind": "uniform", "low": 1, "high": 2}}, [], (1.0, 2.0), True, True),
    ],
)
def test_the_levels_of_a_parameter(
    levels: dict[str, Any],
    expected: list[Any],
    bounds: tuple[float, float] | None,
    continuous: bool,
    numeric: bool,
) -> None:
    parameter = CoupledParameter.model_validate(with_targets(THICKNESS, **levels))
    assert list(parameter.levels) == expected
    assert (parameter.bounds, parameter.continuous, parameter.numeric) == (bounds, continuous, numeric)
    assert list(parameter.extremes) == (expected or list(bounds or ()))
    assert (parameter.has_levels, parameter.multiplies, parameter.unchanged) == (True, False, None)


def test_a_study_of_factors_multiplies() -> None:
    factors = with_targets(THICKNESS | {"apply": "multiply"}, THICKNESS | {"apply": "multiply"}, values=[0.5])
    mixed = with_targets(THICKNESS | {"apply": "multiply"}, THICKNESS, values=[0.5])
    plain = {"name": "y", **THICKNESS, "multiply": [0.5]}
    assert [each.multiplies for each in study(factors, plain | {"name": "z"}).parameters] == [True, True]
    assert [each.multiplies for each in study(mixed).parameters] == [False]


def test_whole_numbers_have_bounds() -> None:
    whole = {"kind": "integer", "low": -1_000_000, "high": 1_000_000}
    parameter = CoupledParameter.model_validate(with_targets(THICKNESS, distribution=whole))
    assert (list(parameter.levels), parameter.bounds) == ([], (-1e6, 1e6))
    for beyond in ({"low": -1_000_001}, {"high": 1_000_001}, {"low": 0.5}):
        wrong = with_targets(THICKNESS, distribution=whole | beyond)
        assert list(faults(parameters=[wrong])) == [f"parameters[0].distribution.{next(iter(beyond))}"]
