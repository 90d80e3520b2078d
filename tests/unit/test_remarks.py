"""Remarks: what no single variant shows."""

from typing import Any

import pandas as pd

from epsm.remarks import COLUMNS, remarks
from epsm.results import METRICS
from epsm.study import Study
from tests.conftest import study_document

OTHER = {"name": "lighting", "class": "Lights", "field": "Watts per Floor Area", "values": [5, 10]}
INSULATION = study_document()["parameters"][0]


def study(*parameters: dict[str, Any]) -> Study:
    return Study.model_validate(study_document(parameters=parameters))


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


def told(parameters: list[dict[str, Any]], *rows: dict[str, Any]) -> list[str]:
    columns = dict.fromkeys([*COLUMNS, *(parameter["name"] for parameter in parameters)])
    return remarks(pd.DataFrame(rows, columns=list(columns)), study(*parameters))


def test_a_parameter_that_changed_something_is_not_told_of() -> None:
    rows = (row(100), row(90, insulation_m=0.1), row(80, insulation_m=0.2))
    assert told([INSULATION], *rows) == []


def test_a_parameter_that_changed_nothing_is_told_of() -> None:
    rows = (row(100), row(90, insulation_m=0.1), row(90, insulation_m=0.2))
    (remark,) = told([INSULATION], *rows)
    assert remark.startswith("insulation_m changed nothing")
    assert "Material, Thickness" in remark


def test_each_parameter_is_looked_at_with_the_others_equal() -> None:
    rows = [row(100)]
    rows += [row(10 * light, insulation_m=level, lighting=light) for level in (0.1, 0.2) for light in (5, 10)]
    (remark,) = told([INSULATION, OTHER], *rows)
    assert remark.startswith("insulation_m changed nothing")


def test_a_single_value_is_compared_with_the_baseline() -> None:
    single = INSULATION | {"values": [0.1]}
    (remark,) = told([single], row(100), row(100, insulation_m=0.1))
    assert remark.startswith("insulation_m changed nothing")


def single_among_others(value: float) -> list[str]:
    single = INSULATION | {"values": [value]}
    rows = [row(100), *(row(10 * light, insulation_m=value, lighting=light) for light in (5, 10))]
    return told([single, OTHER], *rows)


def test_of_a_single_value_among_others_it_is_told_that_it_cannot_be_judged() -> None:
    (remark,) = single_among_others(0.5)
    assert remark.startswith("Whether insulation_m changed anything cannot be told")


def test_of_a_value_that_was_not_to_change_anything_nothing_is_told() -> None:
    assert single_among_others(1.0) == []


def test_failed_variants_say_nothing_about_a_parameter() -> None:
    rows = (row(100), row(90, insulation_m=0.1), row(90, "failed", insulation_m=0.2))
    assert told([INSULATION], *rows) == []


def test_what_is_missing_is_told_once_with_its_number() -> None:
    why = "the model has no 'Electricty:Facility'"
    rows = (row(100, missing=why), row(90, missing=why, insulation_m=0.1), row(80, insulation_m=0.2))
    assert told([INSULATION], *rows) == [f"Not there: {why} (2 variants)."]


def test_a_table_without_a_success_has_no_remarks() -> None:
    assert told([INSULATION], row(100, "failed"), row(90, "failed", insulation_m=0.1)) == []
