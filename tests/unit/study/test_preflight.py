"""Which models are tried before a study of many variants starts, and what the trials decide."""

import json
from typing import Any

import pytest

from epsm.errors import StudyRejected
from epsm.pipeline.aggregate import decide
from epsm.results.table import OutcomeCounts
from epsm.study.parsing import parse_study
from epsm.study.preflight import MAX_TRIED_PAIRS, Trial, pairs_to_try, reason_of, variants_to_try
from epsm.study.records import StudyStatus
from epsm.study.schema import PREFLIGHT_FROM, Study
from tests.conftest import study_document


def study(samples: int = PREFLIGHT_FROM, **changes: Any) -> Study:
    """A study with that many variants of each model and weather, the baseline among them."""
    (parameter,) = study_document()["parameters"]
    parameters = [{**parameter, "values": [number / 100 for number in range(1, samples)]}] if samples > 1 else []
    return parse_study(json.dumps(study_document(**{"parameters": parameters, **changes})))


def failed(index: int, why: str = "bad input: No surfaces.") -> dict[str, Any]:
    return Trial(index, "failed", why).as_dict()


def test_a_study_of_many_variants_is_tried_without_being_asked() -> None:
    assert pairs_to_try(study(PREFLIGHT_FROM)) == [0]


def test_a_study_of_few_variants_is_not() -> None:
    assert pairs_to_try(study(PREFLIGHT_FROM - 1)) == []


def test_many_weathers_do_not_make_a_study_of_many_variants_of_one_model() -> None:
    assert pairs_to_try(study(2, weather=[f"{number}.epw" for number in range(30)])) == []


@pytest.mark.parametrize(("samples", "preflight", "tried"), [(1, True, [0]), (PREFLIGHT_FROM, False, [])])
def test_the_study_may_choose(samples: int, preflight: bool, tried: list[int]) -> None:
    assert pairs_to_try(study(samples, options={"preflight": preflight})) == tried


@pytest.mark.parametrize("value", [1, "yes", []])
def test_a_choice_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(StudyRejected, match="preflight"):
        study(options={"preflight": value})


def test_each_model_and_weather_is_tried_at_its_baseline() -> None:
    four = study(weather=["a.epw", "b.epw"], models=["x.idf", "y.idf"])
    assert sorted(pairs_to_try(four)) == [0, 20, 40, 60]
    assert all(variants_to_try(four, index)[0].is_baseline for index in pairs_to_try(four))


def test_every_model_is_tried_before_another_weather_is() -> None:
    many = study(models=[f"{number}.idf" for number in range(MAX_TRIED_PAIRS)], weather=["a.epw", "b.epw"])
    tried = pairs_to_try(many)
    assert len(tried) == MAX_TRIED_PAIRS
    assert {variants_to_try(many, index)[0].model for index in tried} == set(many.models)


def test_a_model_for_containers_is_not_tried() -> None:
    two = study(models=["x.idf", "y.idf"])
    assert pairs_to_try(two, {"x.idf"}) == [20]


@pytest.mark.parametrize(("options", "tried"), [({}, [20]), ({"preflight": True}, [0, 20])])
def test_a_pair_that_has_run_before_is_tried_only_if_the_study_says_so(
    options: dict[str, Any], tried: list[int]
) -> None:
    two = study(weather=["a.epw", "b.epw"], options=options)
    assert pairs_to_try(two, has_run=lambda model, weather: weather == "a.epw") == tried


def test_a_pair_is_tried_with_its_baseline_then_with_its_first_and_last_sample() -> None:
    two = study(models=["x.idf", "y.idf"])
    tried = variants_to_try(two, 20)
    assert [(each.index, each.model) for each in tried] == [(20, "y.idf"), (21, "y.idf"), (39, "y.idf")]


def test_a_study_without_parameters_is_tried_once() -> None:
    assert [each.index for each in variants_to_try(study(1), 0)] == [0]


@pytest.mark.parametrize("outcome", ["passed", "not tried"])
def test_nothing_speaks_against_a_study_whose_models_did_not_fail(outcome: Any) -> None:
    assert reason_of(study(), [Trial(0, outcome, "timed out").as_dict()]) == ""


def test_the_reason_names_model_weather_verdict_and_what_to_do() -> None:
    two = study(models=["x.idf", "y.idf"])
    assert reason_of(two, [Trial(0, "passed").as_dict(), failed(20)]) == (
        "Tried before the start: model y.idf with weather chicago.epw: bad input: No surfaces. "
        "No variant was started; options.preflight false runs them anyway."
    )


def test_of_many_failures_the_first_are_reported_and_the_others_counted() -> None:
    many = study(models=[f"{number}.idf" for number in range(9)])
    reason = reason_of(many, [failed(index) for index in reversed(pairs_to_try(many))])
    assert "model 0.idf" in reason
    assert "model 3.idf" not in reason
    assert "6 more failed." in reason


def test_all_outcomes_fit_into_the_data_of_a_state() -> None:
    longest = [failed(10**7, "\U0001f3e0" * 10_000)] * MAX_TRIED_PAIRS
    assert len(json.dumps(longest)) < 256 * 1024 * 0.9


def test_a_study_that_was_not_started_for_its_models_is_failed_with_their_reason() -> None:
    assert decide(OutcomeCounts(0, 0, 21), "", "Tried before the start: ...") == (
        StudyStatus.FAILED,
        "Tried before the start: ...",
    )
