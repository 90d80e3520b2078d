"""The valid part of a study.json with faults, which is checked too."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.partial import PartialStudy, read_partial_study
from tests.conftest import study_document

GOOD = {"name": "good", "class": "Material", "field": "Thickness", "values": [1, 2]}
BAD = {"name": "bad", "class": "Material", "field": "Thickness", "values": "all"}


def measure(name: str, *targets: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "variants": [{"name": "thick", "targets": list(targets)}]}


THICK = {"class": "Material", "field": "Thickness", "value": 0.2}


def read(**changes: Any) -> PartialStudy:
    return read_partial_study(json.dumps(study_document(**changes)).encode())


def places(partial: PartialStudy) -> list[str]:
    return [problem.where.removeprefix("study.json: ") for problem in partial.problems]


def test_a_study_without_faults_is_whole() -> None:
    partial = read(parameters=[GOOD])
    assert partial.study is not None
    assert (partial.problems, dict(partial.numbers)) == ((), {})
    assert (
        partial.in_document(Problem("study.json: parameters[0].field", "x")).where == "study.json: parameters[0].field"
    )


def test_a_study_that_is_well_formed_may_still_not_fit_its_sampling() -> None:
    partial = read(parameters=[{**GOOD, "values": None, "range": {"from": 1, "to": 2}}])
    assert partial.study is not None
    assert places(partial) == ["parameters[0]"]


def test_faulty_entries_are_left_out_and_the_others_keep_their_places() -> None:
    partial = read(
        models=["a.idf", "b.txt", "c.idf"],
        weather=["x.pdf", "y.epw"],
        parameters=[BAD, GOOD, BAD, GOOD | {"name": "b"}],
    )
    assert partial.study is not None
    assert partial.study.models == ("a.idf", "c.idf")
    assert partial.study.weather == ("y.epw",)
    assert [each.name for each in partial.study.parameters] == ["good", "b"]
    assert set(places(partial)) == {"models[1]", "weather[0]", "parameters[0].values", "parameters[2].values"}

    def there(where: str) -> str:
        found = partial.in_document(Problem(f"study.json: {where}", "what", "allowed"))
        assert (found.what, found.allowed) == ("what", "allowed")
        return found.where.removeprefix("study.json: ")

    assert there("parameters[0].field") == "parameters[1].field"
    assert there("parameters[1]") == "parameters[3]"
    assert there("models[1]") == "models[2]"
    assert there("measures[0].name") == "measures[0].name"
    assert there("options.timeout_s") == "options.timeout_s"


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"name": 5}, "name"),
        ({"outputs": {"frequency": "Yearly"}}, "outputs"),
        ({"sampling": {"method": "dice"}}, "sampling"),
        ({"analysis": {"metrics": 5}}, "analysis"),
        ({"impact": {"fuels": {}}}, "impact"),
        ({"wether": ["x.epw"]}, "wether"),
    ],
)
def test_a_faulty_part_is_left_out(changes: dict[str, Any], gone: str) -> None:
    partial = read(**changes)
    assert partial.study is not None
    assert partial.study == read().study
    assert partial.problems
    assert all(place.startswith(gone) for place in places(partial))


def test_of_the_options_only_the_faulty_one_is_left_out() -> None:
    partial = read(options={"timeout_s": -1, "retention_days": 7})
    assert partial.study is not None
    assert (partial.study.options.timeout_s, partial.study.options.retention_days) == (840, 7)


@pytest.mark.parametrize(
    "changes", [{"options": {"run_period": "monthly"}}, {"models": "room.idf"}, {"models": ["a.txt"]}, {"schema": 99}]
)
def test_of_some_studies_too_little_is_left(changes: dict[str, Any]) -> None:
    partial = read(**changes)
    assert partial.study is None
    assert partial.problems


def test_a_faulty_measure_goes_with_its_parameter_and_the_other_way_round() -> None:
    wrong, right = measure("wrong", THICK | {"value": None}), measure("right", THICK)
    uses: list[Mapping[str, Any]] = [{"name": "a", "measure": "WRONG"}, {"name": "b", "measure": "right"}]
    partial = read(measures=[wrong, right], parameters=uses)
    assert partial.study is not None
    assert [each.name for each in partial.study.measures] == ["right"]
    assert [each.name for each in partial.study.parameters] == ["b"]
    assert all(place.startswith("measures[0]") for place in places(partial))

    partial = read(
        measures=[measure("left", THICK), right], parameters=[{"name": "a", "measure": "left", "x": 1}, uses[1]]
    )
    assert partial.study is not None
    assert [each.name for each in partial.study.measures] == ["right"]
    assert places(partial) == ["parameters[0].x"]


def test_a_faulty_parameter_without_a_measure_takes_none_along() -> None:
    partial = read(measures=[measure("right", THICK)], parameters=[BAD, {"name": "b", "measure": "right"}])
    assert partial.study is not None
    assert [each.name for each in partial.study.measures] == ["right"]
    partial = read(parameters=["no object", GOOD])
    assert partial.study is not None
    assert [each.name for each in partial.study.parameters] == ["good"]


def test_the_sampling_of_what_is_left_is_checked_in_the_places_of_the_document() -> None:
    endless = {
        "name": "n",
        "class": "Material",
        "field": "Thickness",
        "distribution": {"kind": "normal", "mean": 1, "sd": 1},
    }
    partial = read(parameters=[BAD, endless], sampling={"method": "morris", "trajectories": 4})
    assert places(partial) == ["parameters[0].values", "parameters[1].distribution"]
    # Without the sampling that was meant, nothing is said of the levels.
    partial = read(parameters=[endless], sampling={"method": "dice"})
    assert all(place.startswith("sampling") for place in places(partial))


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(StudyRejected):
        read_partial_study(b"{")
    assert read_partial_study(b"[]").study is None
