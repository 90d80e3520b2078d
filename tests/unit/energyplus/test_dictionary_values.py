"""Values that fit a field."""

import math
from pathlib import Path

import pyenergyplus
import pytest

from epsm.energyplus.dictionary import FieldRule
from epsm.energyplus.model_reader import read_outline
from tests.unit.energyplus.dictionary_rules import class_rule, field_rule

MODELS = sorted((Path(pyenergyplus.__file__).parent / "data" / "model").glob("*.idf"))


# Values
THICKNESS = field_rule("Material", "Thickness")
ROUGHNESS = field_rule("Material", "Roughness")
AIR_FLOW = field_rule("ZoneHVAC:IdealLoadsAirSystem", "Maximum Heating Air Flow Rate")
TIMESTEPS = field_rule("Timestep", "Number of Timesteps per Hour")
RADIANT = field_rule("Lights", "Fraction Radiant")
LAYER = field_rule("Construction", "Outside Layer")
FIELD_4 = field_rule("Schedule:Compact", "Field 4")


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (THICKNESS, 0.1),
        (THICKNESS, 1e-9),
        (RADIANT, 0.0),
        (RADIANT, 1.0),
        (TIMESTEPS, 4.0),
        (TIMESTEPS, 60.0),
        (AIR_FLOW, 0.3),
        (AIR_FLOW, "Autosize"),
        (AIR_FLOW, "autosize"),
        (AIR_FLOW, "AUTOSIZE"),
        (ROUGHNESS, "Rough"),
        (ROUGHNESS, "VERYROUGH"),
        (LAYER, "Brick"),
        (FIELD_4, 0.5),
        (FIELD_4, "Until: 18:00"),
    ],
)
def test_a_fitting_value_is_accepted(rule: FieldRule, value: float | str) -> None:
    assert rule.accepts(value)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (THICKNESS, 0.0),
        (THICKNESS, -0.1),
        (THICKNESS, math.nan),
        (THICKNESS, math.inf),
        (THICKNESS, "0.1"),
        (THICKNESS, "autosize"),
        (RADIANT, 1.0001),
        (RADIANT, -1e-9),
        (TIMESTEPS, 0.0),
        (TIMESTEPS, 61.0),
        (TIMESTEPS, 4.5),
        (AIR_FLOW, -1.0),
        (AIR_FLOW, "big"),
        (ROUGHNESS, "Roughish"),
        (ROUGHNESS, 3.0),
        (LAYER, 3.0),
        pytest.param(FIELD_4, math.inf),
    ],
)
def test_a_value_that_does_not_fit_is_refused(rule: FieldRule, value: float | str) -> None:
    assert not rule.accepts(value)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (THICKNESS, "a number > 0 [m]"),
        (RADIANT, "a number >= 0 and <= 1"),
        (TIMESTEPS, "a whole number >= 1 and <= 60"),
        (AIR_FLOW, "a number >= 0 [m3/s], or 'Autosize'"),
        (LAYER, "text"),
        (field_rule("SimulationControl", "Do Zone Sizing Calculation"), "'No', 'Yes'"),
        (field_rule("Curve:Linear", "Minimum Value of x"), "a number"),
    ],
)
def test_what_is_allowed_is_said_in_words(rule: FieldRule, allowed: str) -> None:
    assert rule.allowed == allowed


def refused_values(path: Path) -> list[tuple[str, str, str]]:
    """Values of a model that the dictionary does not accept in the field where they stand."""
    refused = []
    for group in read_outline(path.read_bytes(), path.name).objects.values():
        rule = class_rule(group[0].class_name)
        for each in group:
            for position, text in enumerate(each.values):
                plain = position < len(rule.fields)
                field = (
                    rule.fields[position] if plain else rule.repeats[(position - len(rule.fields)) % len(rule.repeats)]
                )
                if text and not field.accepts(number_or_text(text, field)):
                    refused.append((rule.name, field.name, text))
    return refused


def number_or_text(text: str, field: FieldRule) -> float | str:
    try:
        return float(text) if field.numeric else text
    except ValueError:
        return text


@pytest.mark.parametrize("path", MODELS[::4], ids=lambda path: path.stem)
def test_what_real_models_have_in_a_field_is_accepted_there(path: Path) -> None:
    refused = refused_values(path)
    # finding 13: the engine takes the one word for the other.
    assert not [each for each in refused if each[2].casefold() not in ("autosize", "autocalculate")]


@pytest.mark.parametrize(
    ("class_name", "field", "word"),
    [("PlantLoop", "Plant Loop Volume", "Autosize"), ("People", "Sensible Heat Fraction", "autosize")],
)
def test_autosize_and_autocalculate_are_one(class_name: str, field: str, word: str) -> None:
    assert field_rule(class_name, field).accepts(word)
