"""eppy with the rules of some classes: the same rules that it reads from the whole IDD."""

import io
from typing import Any

import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.engine import Engine
from epsm.energyplus.eppy_objects import EppyObjects, idd_of


def parsed(idd: str) -> dict[str, tuple[list[str], list[dict[str, Any]]]]:
    """Field identifiers and rules of each class."""
    from eppy.EPlusInterfaceFunctions.parse_idd import extractidddata

    blocks, _, rules, _ = extractidddata(io.StringIO(idd))
    return {block[0]: (block, fields) for block, fields in zip(blocks, rules, strict=True)}


def without_references(
    rules: dict[str, tuple[list[str], list[dict[str, Any]]]],
) -> dict[str, tuple[list[str], list[dict[str, Any]]]]:
    """Rules without the names of the classes that a field may refer to, which eppy derives from the other classes."""
    return {
        name: (block, [{key: value for key, value in rule.items() if key != "validobjects"} for rule in fields])
        for name, (block, fields) in rules.items()
    }


def test_the_sections_of_all_classes_are_the_idd(engine: Engine) -> None:
    names = dictionary.load().class_names
    whole = without_references(parsed(engine.idd.read_text(encoding="latin-1")))
    some = without_references(parsed(idd_of(engine.idd, names)))
    assert sorted(some) == sorted(names)
    assert {name: whole[name] for name in names} == some


def test_a_class_that_is_not_in_the_idd_is_an_error_of_ours(engine: Engine) -> None:
    with pytest.raises(ValueError, match="has no class No:Such:Class"):
        idd_of(engine.idd, ["No:Such:Class"])


def test_objects_are_read_with_their_names_in_any_case_and_numbers_as_numbers(engine: Engine) -> None:
    objects = EppyObjects(engine.idd)
    rows = [["LIGHTS", "One", "Room", "On", "LightingLevel", "7"], ["version", "25.2"], ["Lights", "Two"]]
    made = objects.read(rows)
    assert [objects.values(item) for item in made] == [
        ["LIGHTS", "One", "Room", "On", "LightingLevel", 7.0],
        ["version", "25.2"],
        ["Lights", "Two"],
    ]
    assert made[0].Design_Level_Calculation_Method == "LightingLevel"


def test_models_with_other_classes_do_not_disturb_each_other(engine: Engine) -> None:
    first, second = EppyObjects(engine.idd), EppyObjects(engine.idd)
    (lights,) = first.read([["Lights", "One", "Room"]])
    (material,) = second.read([["Material", "Brick", "Rough", "0.1"]])
    rule = dictionary.load().find_class("RunPeriod")
    assert rule is not None
    period = first.new(rule, ["Year", "1", "1"])
    assert (lights.Name, material.Thickness, period.Begin_Month) == ("One", 0.1, "1")
    assert first.read([]) == []
