"""Tolerated failures, and retries inside a child."""

from pathlib import Path
from typing import Any

import pytest

from tests.local.map_run.machines import ECHO, FAIL, PASS, child_of, map_of, outputs, run_map, update
from tests.moto_fixtures import Aws

TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"


# --- tolerated failures


FOUR_ONE_FAILS = [ECHO, ECHO, ECHO, FAIL]
FOUR_TWO_FAIL = [ECHO, ECHO, FAIL, FAIL]


def test_one_failure_fails_a_map_that_tolerates_none(aws: Aws, work: dict[str, Any]) -> None:
    described = run_map(aws, work, FOUR_ONE_FAILS)
    assert (described["status"], described["error"]) == ("FAILED", TOO_MANY_FAILED)


@pytest.mark.parametrize(
    "tolerance",
    [
        {"ToleratedFailureCount": 0},
        {"ToleratedFailureCount": 1},
        {"ToleratedFailurePercentage": 0.0},
        {"ToleratedFailurePercentage": 49.9},
        {"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 100.0},
        {"ToleratedFailureCount": 4, "ToleratedFailurePercentage": 49.9},
    ],
)
def test_more_failures_than_tolerated_fail_the_map(aws: Aws, work: dict[str, Any], tolerance: dict[str, float]) -> None:
    described = run_map(aws, work, FOUR_TWO_FAIL, **tolerance)
    assert (described["status"], described["error"]) == ("FAILED", TOO_MANY_FAILED)


@pytest.mark.parametrize(
    "tolerance",
    [
        {"ToleratedFailureCount": 2},
        {"ToleratedFailurePercentage": 50.0},
        {"ToleratedFailurePercentage": 100.0},
        {"ToleratedFailureCount": 2, "ToleratedFailurePercentage": 50.0},
    ],
)
def test_no_more_failures_than_tolerated_let_the_map_succeed(
    aws: Aws, work: dict[str, Any], tolerance: dict[str, float]
) -> None:
    assert outputs(run_map(aws, work, FOUR_TWO_FAIL, **tolerance)) == [ECHO, ECHO]


@pytest.mark.parametrize("percentage", [50, 50.5, "fifty"])
def test_the_tolerated_percentage_can_come_from_the_input(aws: Aws, work: dict[str, Any], percentage: Any) -> None:
    given = {"items": FOUR_TWO_FAIL, "tolerated": percentage}
    described = run_map(aws, work, given, ToleratedFailurePercentagePath="$.tolerated")
    assert described["status"] == ("FAILED" if percentage == "fifty" else "SUCCEEDED")


def test_the_tolerated_count_can_come_from_the_input(aws: Aws, work: dict[str, Any]) -> None:
    given = {"items": FOUR_TWO_FAIL, "tolerated": 2}
    assert outputs(run_map(aws, work, given, ToleratedFailureCountPath="$.tolerated")) == [ECHO, ECHO]


def test_a_map_of_failures_alone_succeeds_if_they_are_tolerated(aws: Aws, work: dict[str, Any]) -> None:
    assert outputs(run_map(aws, work, [FAIL, FAIL], ToleratedFailurePercentage=100.0)) == []


def test_a_catch_is_reached_when_too_many_failed(aws: Aws, work: dict[str, Any]) -> None:
    catch = [{"ErrorEquals": [TOO_MANY_FAILED], "ResultPath": "$.why", "Next": "Caught"}]
    definition = map_of(work, Catch=catch)
    definition["States"]["Caught"] = PASS
    described = aws.run(aws.machine(definition), {"items": [FAIL], "kept": 1})
    assert outputs(described)["why"]["Error"] == TOO_MANY_FAILED
    assert outputs(described)["kept"] == 1


def test_states_all_catches_too_many_failures(aws: Aws, work: dict[str, Any]) -> None:
    definition = map_of(work, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}])
    definition["States"]["Caught"] = PASS
    assert outputs(aws.run(aws.machine(definition), {"items": [FAIL]}))["Error"] == TOO_MANY_FAILED


def test_the_map_run_failed_when_too_many_failed(aws: Aws, work: dict[str, Any]) -> None:
    described = run_map(aws, work, [FAIL])
    assert aws.map_run(described["executionArn"])["status"] == "FAILED"


def test_no_children_start_once_too_many_have_failed(aws: Aws, work: dict[str, Any]) -> None:
    described = run_map(aws, work, [FAIL, *[ECHO] * 50], MaxConcurrency=1)
    counts = aws.map_run(described["executionArn"])["itemCounts"]
    assert (counts["failed"], counts["succeeded"]) == (1, 0)


def test_the_tolerance_can_be_raised_while_the_map_runs(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    items = [{"do": "wait", "folder": str(tmp_path)}, FAIL]
    execution = aws.start(aws.machine(map_of(work, MaxConcurrency=1)), {"items": items})
    update(aws, execution, toleratedFailurePercentage=50)
    (tmp_path / "go").touch()
    assert aws.ended(execution)["status"] == "SUCCEEDED"


# --- retries inside a child


def improving(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {"do": "improve", "file": str(tmp_path / "calls"), "succeeds_at": 3, **more}


def retried(work: dict[str, Any], *errors: str) -> dict[str, Any]:
    retry = {"ErrorEquals": list(errors), "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 2}
    return work | {"Retry": [retry | {"MaxDelaySeconds": 2}]}


@pytest.mark.parametrize("error", ["Unlucky", "States.TaskFailed", "States.ALL"])
def test_a_task_is_retried_by_the_name_of_its_error(aws: Aws, work: dict[str, Any], tmp_path: Path, error: str) -> None:
    assert outputs(run_map(aws, retried(work, error), [improving(tmp_path)])) == ["at last"]


def test_a_task_whose_worker_died_is_retried(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    state = retried(work, "Runtime.ExitError")
    assert outputs(run_map(aws, state, [improving(tmp_path, dies=True)])) == ["at last"]


def test_a_task_is_not_retried_for_another_error(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    described = run_map(aws, retried(work, "SomethingElse"), [improving(tmp_path)])
    assert described["status"] == "FAILED"
    assert (tmp_path / "calls").read_text() == "x"


def test_a_first_retrier_with_no_attempts_keeps_the_next_from_trying(
    aws: Aws, work: dict[str, Any], tmp_path: Path
) -> None:
    state = retried(work, "States.TaskFailed")
    state["Retry"].insert(0, {"ErrorEquals": ["Unlucky"], "MaxAttempts": 0})
    assert run_map(aws, state, [improving(tmp_path)])["status"] == "FAILED"
    assert (tmp_path / "calls").read_text() == "x"


def test_a_task_that_takes_too_long_is_timed_out(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    state = work | {"TimeoutSeconds": 1}
    described = run_map(aws, state, [{"do": "wait", "folder": str(tmp_path)}], ToleratedFailureCount=1)
    (tmp_path / "go").touch()
    (map_run,) = aws.map_runs(described["executionArn"])
    assert child_of(aws, map_run, "FAILED")["error"] == "States.Timeout"


def test_an_error_can_be_caught_inside_a_child(aws: Aws, work: dict[str, Any]) -> None:
    definition = map_of(work | {"Catch": [{"ErrorEquals": ["Unlucky"], "Next": "Caught"}]})
    definition["States"]["Map"]["ItemProcessor"]["States"]["Caught"] = PASS | {"Result": "caught"}
    assert outputs(aws.run(aws.machine(definition), {"items": [FAIL]})) == ["caught"]
