"""Remarks on findings that no single variant shows."""

from typing import Any

import pandas as pd

from epsm.results.metrics import METRICS
from epsm.results.remarks import REMARK_COLUMNS, remarks
from epsm.study.schema import Study
from tests.conftest import study_document

OTHER = {"name": "lighting", "class": "Lights", "field": "Watts per Floor Area", "values": [5, 10]}
INSULATION = study_document()["parameters"][0]


def row(eui: float, status: str = "succeeded", missing: str | None = None, **levels: Any) -> dict[str, Any]:
    place = {"model": "room.idf", "weather": "chicago.epw", "baseline": not levels}
    return {
        **dict.fromkeys(METRICS, 1.0),
        "site_eui_kwh_m2": eui,
        "status": status,
        "missing": missing,
        **place,
        **levels,
    }


def baseline(eui: float, **own_values: Any) -> dict[str, Any]:
    return row(eui, baseline=True, **own_values)


def told(parameters: list[dict[str, Any]], *rows: dict[str, Any]) -> list[str]:
    columns = dict.fromkeys([*REMARK_COLUMNS, *(parameter["name"] for parameter in parameters)])
    models, weather = (list(dict.fromkeys(each[name] for each in rows)) for name in ("model", "weather"))
    document = study_document(parameters=parameters, models=models, weather=weather)
    return remarks(pd.DataFrame(rows, columns=list(columns)), Study.model_validate(document))


def test_a_parameter_that_changed_something_is_not_reported() -> None:
    rows = (row(100), row(90, insulation_m=0.1), row(80, insulation_m=0.2))
    assert told([INSULATION], *rows) == []


def test_surfaces_that_miss_the_target_of_a_measure_are_reported() -> None:
    off = [row(90 - level, insulation_m=level, measure_remarks=f"walls {level}: off.") for level in (0.1, 0.2)]

    assert told([INSULATION], row(100), *off) == [
        "walls 0.1: off. See column 'measure_remarks' for all 2 such variants."
    ]


def test_a_parameter_that_changed_nothing_is_reported() -> None:
    rows = (row(100), row(90, insulation_m=0.1), row(90, insulation_m=0.2))
    (remark,) = told([INSULATION], *rows)
    assert remark.startswith("insulation_m had no effect: ")
    assert "Material, Thickness" in remark


def test_each_parameter_is_looked_at_with_the_others_equal() -> None:
    rows = [row(100)]
    rows += [row(10 * light, insulation_m=level, lighting=light) for level in (0.1, 0.2) for light in (5, 10)]
    (remark,) = told([INSULATION, OTHER], *rows)
    assert remark.startswith("insulation_m had no effect: ")


def test_a_single_value_is_compared_with_the_baseline() -> None:
    single = INSULATION | {"values": [0.1]}
    (remark,) = told([single], row(100), row(100, insulation_m=0.1))
    assert remark.startswith("insulation_m had no effect: ")


def single_among_others(value: float) -> list[str]:
    single = INSULATION | {"values": [value]}
    rows = [row(100), *(row(10 * light, insulation_m=value, lighting=light) for light in (5, 10))]
    return told([single, OTHER], *rows)


def test_the_effect_of_a_single_value_is_reported_as_not_isolated() -> None:
    (remark,) = single_among_others(0.5)
    assert remark.startswith("The effect of insulation_m cannot be isolated")


def test_a_level_that_changes_nothing_on_purpose_has_no_remark() -> None:
    assert single_among_others(1.0) == []


def test_failed_variants_say_nothing_about_a_parameter() -> None:
    rows = (row(100), row(90, insulation_m=0.1), row(90, "failed", insulation_m=0.2))
    assert told([INSULATION], *rows) == []


def test_what_is_missing_is_reported_once_with_its_number() -> None:
    why = "the model has no 'Electricty:Facility'"
    rows = (row(100, missing=why), row(90, missing=why, insulation_m=0.1), row(80, insulation_m=0.2))
    assert told([INSULATION], *rows) == [f"Missing: {why} (2 variants)."]


def test_a_table_without_a_success_has_no_remarks() -> None:
    assert told([INSULATION], row(100, "failed"), row(90, "failed", insulation_m=0.1)) == []


def in_two_climates(warm: float, **place: Any) -> list[dict[str, Any]]:
    cold = [row(100), row(90, insulation_m=0.1), row(80, insulation_m=0.2)]
    return [*cold, *(each | {"weather": "miami.epw", "site_eui_kwh_m2": warm} | place for each in cold)]


def test_a_parameter_without_effect_in_one_weather_is_reported_for_that_weather() -> None:
    (remark,) = told([INSULATION], *in_two_climates(warm=50))
    assert remark.startswith("insulation_m had no effect with miami.epw: ")


def test_a_parameter_without_effect_in_one_model_is_reported_for_that_model() -> None:
    (remark,) = told([INSULATION], *in_two_climates(warm=50, model="hall.idf", weather="chicago.epw"))
    assert remark.startswith("insulation_m had no effect in hall.idf: ")


def test_of_several_models_and_weathers_the_pair_is_named() -> None:
    rows = in_two_climates(warm=50)
    other = [each | {"model": "hall.idf", "site_eui_kwh_m2": number} for number, each in enumerate(rows)]
    (remark,) = told([INSULATION], *rows, *other)
    assert remark.startswith("insulation_m had no effect in room.idf with miami.epw: ")


def test_a_single_value_among_others_is_compared_with_a_baseline_that_differs_in_it_alone() -> None:
    single = INSULATION | {"values": [0.5]}
    rows = (baseline(50, insulation_m=0.1, lighting=5), row(50, insulation_m=0.5, lighting=5))
    (remark,) = told([single, OTHER], *rows, row(100, insulation_m=0.5, lighting=10))
    assert remark.startswith("insulation_m had no effect: ")


def test_the_baselines_own_value_is_one_of_the_levels() -> None:
    rows = (baseline(90, insulation_m=0.1), row(90, insulation_m=0.1), row(80, insulation_m=0.2))
    assert told([INSULATION], *rows) == []


def test_the_effect_of_weather_is_looked_at_across_weather_files() -> None:
    climate = {"name": "climate", "weather": ["chicago.epw", "golden.epw"]}
    study = Study.model_validate(study_document(parameters=[climate, INSULATION]))

    def remarks_of(*euis: float) -> list[str]:
        levels = [(weather, d) for weather in climate["weather"] for d in (0.1, 0.2)]
        runs = [
            row(eui, climate=weather, insulation_m=d) | {"weather": weather}
            for eui, (weather, d) in zip(euis, levels, strict=True)
        ]
        rows = [row(100, climate="chicago.epw", baseline=True), *runs]
        columns = [*REMARK_COLUMNS, "climate", "insulation_m"]
        return remarks(pd.DataFrame(rows, columns=columns), study)

    assert remarks_of(90, 80, 70, 60) == []
    (remark,) = remarks_of(90, 80, 90, 80)
    assert remark.startswith("climate had no effect: ")
