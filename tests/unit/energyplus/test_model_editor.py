"""Editing a model: the baseline is the model as it is, edits show, and nothing stays for the next variant."""

import tracemalloc
from pathlib import Path
from typing import Any

import pyenergyplus
import pytest

from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_reader import ModelOutline, read_outline
from tests.conftest import DATA
from tests.unit.energyplus.edited_models import INSULATION, REWRITTEN, object_of, outline_of, prepared, values_of

REAL_MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"


def multiplied(*factors: float) -> dict[str, Any]:
    """The same parameter with factors for the 0.05 m that the model has."""
    return {name: value for name, value in INSULATION.items() if name != "values"} | {"multiply": factors}


def as_number(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


# -- the baseline ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", [DATA / "one_zone.idf", *sorted(REAL_MODELS.glob("*.idf"))], ids=lambda path: path.stem
)
def test_the_baseline_keeps_every_value_of_the_file(engine: Engine, path: Path) -> None:
    content = path.read_bytes()
    before = read_outline(content, path.name)

    after = outline_of(prepared(engine, content).render({}))

    def numerically(outline: ModelOutline) -> dict[str, list[list[float | str]]]:
        return {
            name: [[as_number(str(value)) for value in each.values] for each in group]
            for name, group in outline.objects.items()
            if name not in REWRITTEN
        }

    assert numerically(after) == numerically(before)


def test_the_baseline_is_the_same_text_every_time(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)

    assert model.render({}) == model.render({})


def test_a_latin_1_file_becomes_utf_8_text(engine: Engine, one_zone: str) -> None:
    content = one_zone.replace("Wall Insulation", "Dämmung").encode("latin-1")

    assert object_of(prepared(engine, content).render({}), "Construction", "Wall") == ("Wall", "Brick", "Dämmung")


def test_a_chinese_name_survives(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone.replace("Wall Insulation", "墙体保温")).render({})

    assert object_of(text, "Material", "墙体保温")[2] == "0.05"


def test_a_byte_order_mark_is_not_part_of_the_model(engine: Engine, one_zone: str) -> None:
    content = one_zone.replace("! A single conditioned room", "Version,25.2;!", 1).replace("\nVersion,25.2;", "", 1)

    text = prepared(engine, b"\xef\xbb\xbf" + content.encode()).render({})

    assert values_of(text, "Version") == [("25.2",)]


# -- parameters --------------------------------------------------------------------------------------------------
def test_an_edit_shows_in_the_text(engine: Engine, one_zone: str) -> None:
    text = prepared(engine, one_zone, INSULATION).render({"insulation": 0.3})

    assert object_of(text, "Material", "Wall Insulation")[2] == "0.3"


def test_an_edit_touches_nothing_else(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)

    changed = set(model.render({"insulation": 0.123}).splitlines()) - set(model.render({}).splitlines())

    assert changed == {"  0.123,"}


def test_objects_keep_their_order(engine: Engine, one_zone: str) -> None:
    """The order of surfaces, programs and the like counts for the engine."""
    names = [values[0] for values in values_of(one_zone, "Material")]
    text = prepared(engine, one_zone, INSULATION).render({"insulation": 0.3})

    assert [values[0] for values in values_of(text, "Material")] == names
    assert names[0] != "Wall Insulation" != names[-1]


def test_objects_that_are_not_edited_keep_the_text_of_their_values(engine: Engine, one_zone: str) -> None:
    other = "Material,Other,Rough,1.00E-01,+1.50,1000.0,900.00;\n"

    assert object_of(prepared(engine, one_zone + other, INSULATION).render({}), "Material", "Other")[2:] == (
        *("1.00E-01", "+1.50", "1000.0", "900.00"),
    )


@pytest.mark.parametrize("pattern", ["Office Hours", "*"])
def test_editing_takes_little_memory_whatever_the_class(engine: Engine, one_zone: str, pattern: str) -> None:
    """eppy alone takes 0.7 MB for a Schedule:Compact, however short: its class has 4,500 fields."""
    schedules = "".join(
        f"Schedule:Compact,S{number},,Through: 12/31,For: AllDays,Until: 24:00,{number};\n" for number in range(300)
    )
    hours = {"name": "h", "class": "Schedule:Compact", "object": pattern, "field": "Field 4", "values": ["0.5"]}
    prepared(engine, one_zone, hours)  # reads the IDD
    tracemalloc.start()
    try:
        text = prepared(engine, one_zone + schedules, hours).render({"h": "0.5"})
        peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert peak_mb < 20
    assert object_of(text, "Schedule:Compact", "S299")[5] == ("0.5" if pattern == "*" else "299")


def test_an_edit_is_undone_for_the_next_variant(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, INSULATION)
    baseline = model.render({})

    model.render({"insulation": 0.3})

    assert model.render({}) == baseline


def test_an_edit_is_undone_after_an_error_in_between(engine: Engine, one_zone: str) -> None:
    # Lighting Level is blank, so the second parameter fails when the first is already set.
    blank = {"name": "lights", "class": "Lights", "field": "Lighting Level", "multiply": [2]}
    model = prepared(engine, one_zone, INSULATION, blank)
    baseline = model.render({})

    with pytest.raises(CannotEdit):
        model.render({"insulation": 0.3, "lights": 2.0})

    assert model.render({}) == baseline


def test_objects_edited_before_the_one_that_fails_are_put_back(engine: Engine, one_zone: str) -> None:
    second = "\nLights,Other Lights,Room,Office Hours,LightingLevel,autosize;\n"
    model_text = one_zone.replace("  ,                        !- Lighting Level {W}", "  480.5,") + second
    model = prepared(engine, model_text, {"name": "w", "class": "Lights", "field": "Lighting Level", "multiply": [0.5]})
    baseline = model.render({})

    with pytest.raises(CannotEdit):
        model.render({"w": 0.5})

    assert model.render({}) == baseline


def test_a_field_behind_the_last_one_is_undone_too(engine: Engine, one_zone: str) -> None:
    layer = {"name": "layer", "class": "Construction", "object": "Wall", "field": "Layer 3", "values": ["Concrete"]}
    model = prepared(engine, one_zone, layer)
    baseline = model.render({})

    model.render({"layer": "Concrete"})

    assert model.render({}) == baseline


def test_a_whole_number_is_undone_to_the_same_text(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone.replace("  0.05, ", "  2, "), INSULATION)
    baseline = model.render({})

    model.render({"insulation": 0.3})

    assert model.render({}) == baseline


def test_a_factor_multiplies_the_value_of_the_model(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, multiplied(1.5, 3))

    text = model.render({"insulation": 3.0})

    assert float(object_of(text, "Material", "Wall Insulation")[2]) == 0.05 * 3.0


def test_a_factor_applies_to_the_model_and_not_to_the_variant_before(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone, multiplied(2, 3))

    model.render({"insulation": 2.0})
    text = model.render({"insulation": 3.0})

    assert float(object_of(text, "Material", "Wall Insulation")[2]) == 0.05 * 3.0


def test_a_factor_on_an_integer_field_gives_an_integer(engine: Engine, one_zone: str) -> None:
    steps = {"name": "steps", "class": "Timestep", "field": "Number of Timesteps per Hour", "multiply": [1.5]}

    assert values_of(prepared(engine, one_zone, steps).render({"steps": 1.5}), "Timestep") == [("6",)]


def test_a_product_that_is_no_number_is_refused(engine: Engine, one_zone: str) -> None:
    model = prepared(engine, one_zone.replace("  0.05, ", "  50.0, "), multiplied(1e308))

    with pytest.raises(CannotEdit):
        model.render({"insulation": 1e308})


def test_two_models_are_edited_independently_in_one_process(engine: Engine, one_zone: str) -> None:
    thick = prepared(engine, one_zone.replace("  0.05, ", "  0.5,"), INSULATION)
    thin = prepared(engine, one_zone, INSULATION)

    thick.render({"insulation": 0.3})

    assert object_of(thin.render({}), "Material", "Wall Insulation")[2] == "0.05"
