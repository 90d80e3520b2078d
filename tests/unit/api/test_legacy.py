"""Construction sets and their mode in a form of legacy EPSM."""

import json
from typing import Any

import pytest

from epsm.api.forms import Form
from epsm.api.legacy import with_legacy_fields
from epsm.errors import StudyRejected
from epsm.study.parsing import parse_study
from epsm.study.variants import expand
from tests.conftest import study_document

PLAIN = json.dumps(study_document(parameters=[])).encode()
SETS: dict[str, Any] = {
    "wall": [
        {"name": "Brick and wool", "layers": ["Brick", "Wall Insulation"]},
        {"name": "U 0.2", "u_w_m2k": 0.2, "films": "included"},
    ],
    "window": [{"name": "triple", "glazing": {"u_w_m2k": 0.8, "shgc": 0.4}}],
}


def form(**texts: Any) -> Form:
    return Form({name: [text if isinstance(text, str) else json.dumps(text)] for name, text in texts.items()}, {})


def levels(document: bytes) -> list[dict[str, Any]]:
    return [variant.values for variant in expand(parse_study(document))]


def faults(document: bytes = PLAIN, **texts: Any) -> list[str]:
    with pytest.raises(StudyRejected) as refusal:
        with_legacy_fields(document, form(**texts))
    return [str(each) for each in refusal.value.problems]


def test_a_form_without_these_fields_is_left_as_it_is() -> None:
    assert with_legacy_fields(PLAIN, form(parallel="true", max_workers="4")) is PLAIN
    assert with_legacy_fields(b"no study", form(scenario=SETS)) == b"no study"


@pytest.mark.parametrize("mode", [None, "combinatorial", "product"])
def test_sets_are_combined_where_something_changes(mode: str | None) -> None:
    fields = {"scenario": SETS} | ({"construction_mode": mode} if mode else {})
    assert levels(with_legacy_fields(PLAIN, form(**fields))) == [
        {},
        {"wall": "none", "window": "triple"},
        {"wall": "Brick and wool", "window": "none"},
        {"wall": "Brick and wool", "window": "triple"},
        {"wall": "U 0.2", "window": "none"},
        {"wall": "U 0.2", "window": "triple"},
    ]


@pytest.mark.parametrize("mode", ["per_construction", "one_by_one"])
def test_each_set_alone(mode: str) -> None:
    assert levels(with_legacy_fields(PLAIN, form(scenario=SETS, construction_mode=mode))) == [
        {},
        {"wall": "Brick and wool"},
        {"wall": "U 0.2"},
        {"window": "triple"},
    ]


def test_sets_mean_exterior_surfaces_and_their_layers_are_materials_of_the_model() -> None:
    (wall, window) = parse_study(with_legacy_fields(PLAIN, form(scenario=SETS))).measures
    assert [each.constructions[0].slot for each in (*wall.variants, *window.variants)] == [
        *("wall_exterior", "wall_exterior", "window"),
    ]
    assert [getattr(each, "material", "") for each in wall.variants[0].constructions[0].layers or ()] == [
        *("Brick", "Wall Insulation"),
    ]


def test_sets_and_mode_come_beside_what_the_study_has() -> None:
    own = json.dumps(study_document()).encode()
    document = with_legacy_fields(own, form(scenario={"window": SETS["window"]}, construction_mode="one_by_one"))
    assert levels(document)[1:] == [{"insulation_m": 0.1}, {"insulation_m": 0.2}, {"window": "triple"}]
    assert levels(with_legacy_fields(own, form(construction_mode="per_construction"))) == levels(
        json.dumps(study_document(sampling={"method": "one_at_a_time"})).encode()
    )


def test_the_same_mode_twice_is_fine_and_another_is_refused() -> None:
    grid = json.dumps(study_document(sampling={"method": "product"})).encode()
    assert len(levels(with_legacy_fields(grid, form(construction_mode="combinatorial")))) == 3
    (fault,) = faults(grid, construction_mode="per_construction")
    assert "is 'per_construction', and study.json has the sampling 'product'" in fault


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"scenario_id": "7"}, "cannot be read here (allowed: 'scenario' with its construction sets, or 'study')"),
        ({"construction_mode": "combinatoral"}, "'combinatoral' is not known (allowed: 'combinatorial'"),
        ({"scenario": "{"}, "form field 'scenario': is not JSON"),
        ({"scenario": []}, "form field 'scenario': is not a JSON object"),
        ({"scenario": {"ceiling": []}}, "ceiling: is not an element (allowed: 'wall', 'roof', 'floor', 'window')"),
        ({"scenario": {"wall": [{"layers": []}]}}, "wall: is not a list of construction sets"),
    ],
)
def test_what_cannot_be_mapped_is_refused(fields: dict[str, Any], what: str) -> None:
    (fault,) = faults(**fields)
    assert what in fault
