"""The models' own values of the parameters."""

import json
from typing import Any

import pytest

from epsm.energyplus.baseline_values import baseline_values
from epsm.energyplus.model_reader import read_outline
from epsm.study.schema import Study
from tests.conftest import study_document

MODEL = """Version,25.2;
Material,Wall Insulation,Rough,0.15,0.04,30,1400;
Material,Roof Insulation,Rough,0.2,0.04,30,1400;
Material,Wall Board,Smooth,0.2,0.16,800,1090;
Zone,Room,,,,,,,autocalculate;
"""


def own(model: str = MODEL, name: str = "room.idf", **parameter: Any) -> float | str | None:
    given = {"name": "x", "class": "Material", "field": "Thickness", "values": [0.1], **parameter}
    study = Study.model_validate(study_document(parameters=[given]))
    return baseline_values(read_outline(model.encode(), name), study).get("x")


def test_the_value_of_the_one_object() -> None:
    assert own(object="wall insulation") == 0.15


def test_objects_that_agree_have_one_value() -> None:
    assert own(object="*oa*") == 0.2
    assert own(object="Roof*") == 0.2


def test_objects_that_differ_have_none() -> None:
    assert own(object="*") is None


def test_the_baseline_of_factors_is_1() -> None:
    assert own(object="*", values=None, multiply=[0.5]) == 1.0


@pytest.mark.parametrize("field", ["Volume", "Floor Area"])
def test_a_text_or_a_blank_is_no_number(field: str) -> None:
    assert own(**{"class": "Zone", "field": field}) is None


def test_a_text_is_a_value_beside_texts() -> None:
    assert own(object="Wall Board", field="Roughness", values=["Rough"]) == "Smooth"


def test_an_epjson_model_has_its_values_too() -> None:
    model = {"Version": {"Version 1": {"version_identifier": "25.2"}}, "Material": {"Wall": {"thickness": 0.3}}}
    assert own(json.dumps(model), "room.epJSON", object="Wall") == 0.3
