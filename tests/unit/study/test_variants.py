"""Variants: how many there are, which, and in what order."""

import itertools
import json
import math
import random
from collections.abc import Iterator

import pytest

from epsm.pipeline.items import item_of
from epsm.study.schema import Study
from epsm.study.variants import Variant, expand


def study(models: int = 1, weather: int = 1, levels: tuple[int, ...] = ()) -> Study:
    """A study with so many models and weather files, and a parameter of so many levels for each of `levels`."""
    return Study.model_validate(
        {
            "models": [f"m{number}.idf" for number in range(models)],
            "weather": [f"w{number}.epw" for number in range(weather)],
            "parameters": [
                {
                    "name": f"p{number}",
                    "class": "Material",
                    "field": "Thickness",
                    "values": [float(level) for level in range(count)],
                }
                for number, count in enumerate(levels)
            ],
        }
    )


def random_study(seed: int) -> Study:
    chance = random.Random(seed)
    return study(
        models=chance.randint(1, 3),
        weather=chance.randint(1, 3),
        levels=tuple(chance.randint(1, 4) for _ in range(chance.randint(0, 4))),
    )


SEEDS = range(8)


def test_a_study_without_parameters_is_the_baseline_of_each_model_and_weather() -> None:
    assert [(each.model, each.weather) for each in expand(study(models=2, weather=2))] == [
        ("m0.idf", "w0.epw"),
        ("m0.idf", "w1.epw"),
        ("m1.idf", "w0.epw"),
        ("m1.idf", "w1.epw"),
    ]


def test_the_last_parameter_changes_fastest() -> None:
    assert [each.values for each in expand(study(levels=(2, 3)))] == [
        {},
        {"p0": 0.0, "p1": 0.0},
        {"p0": 0.0, "p1": 1.0},
        {"p0": 0.0, "p1": 2.0},
        {"p0": 1.0, "p1": 0.0},
        {"p0": 1.0, "p1": 1.0},
        {"p0": 1.0, "p1": 2.0},
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_count_is_the_number_of_variants(seed: int) -> None:
    assert random_study(seed).variant_count == sum(1 for _ in expand(random_study(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_variants_are_numbered_from_0_without_a_gap(seed: int) -> None:
    variants = list(expand(random_study(seed)))
    assert [each.index for each in variants] == list(range(len(variants)))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_variant_is_there_twice(seed: int) -> None:
    variants = list(expand(random_study(seed)))
    assert len({(each.model, each.weather, tuple(each.values.items())) for each in variants}) == len(variants)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_model_and_weather_begins_with_its_baseline_and_has_no_other(seed: int) -> None:
    groups = itertools.groupby(expand(random_study(seed)), key=lambda each: (each.model, each.weather))
    for _, group in groups:
        assert [each.is_baseline for each in group][:2] in ([True], [True, False])
    baselines = [each for each in expand(random_study(seed)) if each.is_baseline]
    assert len(baselines) == len(random_study(seed).models) * len(random_study(seed).weather)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_variant_but_the_baseline_has_a_level_of_every_parameter(seed: int) -> None:
    levels = {parameter.name: set(parameter.levels) for parameter in random_study(seed).parameters}
    for each in expand(random_study(seed)):
        assert each.is_baseline or (
            list(each.values) == list(levels) and all(value in levels[name] for name, value in each.values.items())
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_is_always_the_same(seed: int) -> None:
    assert list(expand(random_study(seed))) == list(expand(random_study(seed)))


def test_variants_are_made_one_at_a_time() -> None:
    huge = study(models=3, weather=3, levels=(100,) * 50)
    assert huge.variant_count == 9 * (1 + 100**50)
    variants: Iterator[Variant] = expand(huge)
    assert [each.index for each in itertools.islice(variants, 3)] == [0, 1, 2]


def test_factors_are_levels_like_values() -> None:
    document = {"name": "p", "class": "Lights", "field": "Watts per Floor Area", "multiply": [1, 0.7]}
    varied = Study.model_validate({"models": ["a.idf"], "weather": ["a.epw"], "parameters": [document]})
    assert [each.values for each in expand(varied)] == [{}, {"p": 1.0}, {"p": 0.7}]


def test_a_variant_survives_being_an_item_of_the_map() -> None:
    for each in (Variant(0, "Büro.idf", "a b.epw"), Variant(7, "m.idf", "w.epw", {"p": 0.1 + 0.2, "q": "Rough"})):
        assert Variant.from_item(json.loads(json.dumps(item_of(each)))) == each


@pytest.mark.parametrize("runs_on", ["function", "container"])
def test_an_item_says_where_it_runs(runs_on: str) -> None:
    assert item_of(Variant(7, "m.idf", "w.epw"), runs_on)["runs_on"] == runs_on


def test_an_item_may_carry_more_than_the_variant() -> None:
    item = item_of(Variant(7, "m.idf", "w.epw")) | {"record_key": "VARIANT#0000007"}
    assert Variant.from_item(item) == Variant(7, "m.idf", "w.epw")


def test_numbers_of_levels_multiply() -> None:
    assert study(models=2, weather=3, levels=(4, 5)).variant_count == 2 * 3 * (1 + math.prod((4, 5)))


@pytest.mark.parametrize(("other", "own"), [("product", "grid"), ("one_by_one", "one_at_a_time")])
def test_combinations_of_measures_have_two_names(other: str, own: str) -> None:
    document = study(levels=(2, 2)).model_dump(mode="json", by_alias=True)
    found, expected = (Study.model_validate({**document, "sampling": {"method": name}}) for name in (other, own))
    assert found.sampling == expected.sampling
    assert [each.values for each in expand(found)] == [each.values for each in expand(expected)]
    stored = Study.model_validate_json(found.model_dump_json(by_alias=True))
    assert stored.sampling.method == own


def test_the_name_of_a_thing_has_one_spelling() -> None:
    """Two spellings would be two levels in the table and in the sensitivity analysis."""
    led = {"name": "LED", "targets": [{"class": "Lights", "field": "Watts per Floor Area", "value": 5}]}
    document = {
        "models": ["a.idf"],
        "weather": ["a.epw"],
        "measures": [{"name": "lighting", "variants": [led]}],
        "parameters": [
            {"name": "light", "measure": "lighting"},
            {"name": "wall", "replaces": {"construction": "Ext Wall"}},
        ],
        "sampling": {
            "method": "list",
            "rows": [{"light": "led", "wall": "EXT WALL"}, {"light": "None", "wall": "New"}],
        },
    }
    listed = [variant.values for variant in expand(Study.model_validate(document))]
    assert listed[1:] == [{"light": "LED", "wall": "Ext Wall"}, {"light": "none", "wall": "New"}]

    parameters = [{"name": "light", "measure": "lighting", "values": ["led"]}]
    grid = Study.model_validate({**document, "parameters": parameters, "sampling": {"method": "grid"}})
    assert [variant.values for variant in expand(grid)] == [{}, {"light": "LED"}]
