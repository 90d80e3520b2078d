"""Executions: started once, stopped where there are any, found by their ARN; the counts of their map runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from epsm.store.executions import Executions, RunCounts
from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.fakes import study_record
from tests.unit.store.map_runs import EXECUTION, MACHINE, StepFunctions, executions_of, running


@pytest.fixture
def step_functions(aws: boto3.Session) -> Any:
    """Step Functions with one machine, whose executions run until they are stopped."""
    client = aws.client("stepfunctions")
    # Where the interpreter is on, an execution of a machine without a wait has ended before it is looked at.
    wait = {"Type": "Wait", "Seconds": 3600, "End": True}
    definition = json.dumps({"StartAt": "Run", "States": {"Run": wait}})
    client.create_state_machine(name="study", definition=definition, roleArn="arn:aws:iam::123456789012:role/study")
    return client


@pytest.fixture
def executions(step_functions: Any) -> Executions:
    return Executions(step_functions, MACHINE)


def pending(**changes: Any) -> StudyRecord:
    return study_record("study-1", StudyStatus.PENDING, datetime.now(UTC), **changes)


# --- Starting, stopping, finding


def test_an_execution_is_found_with_what_it_was_given(executions: Executions) -> None:
    assert executions.start("study-1", {"simulation_id": "study-1", "preflight": [0]})

    found = executions.find(f"{EXECUTION}:study-1")
    assert found is not None
    assert (found.name, found.simulation_id, found.status, found.ended) == ("study-1", "study-1", "RUNNING", False)
    assert found.ended_at is None


def test_the_same_start_once_more_is_the_same_execution(executions: Executions) -> None:
    assert executions.start("study-1", {"simulation_id": "study-1"})
    assert executions.start("study-1", {"simulation_id": "study-1"})


def test_an_execution_that_ended_is_not_started_again(executions: Executions) -> None:
    executions.start("study-1", {"simulation_id": "study-1"})
    executions.stop(pending(), "Cancelled", "by anna")

    assert not executions.start("study-1", {"simulation_id": "study-1"})
    found = executions.find(f"{EXECUTION}:study-1")
    assert found is not None
    assert (found.status, found.ended) == ("ABORTED", True)
    assert found.ended_at is not None


def test_a_start_of_a_machine_that_is_not_there_is_a_fault(step_functions: Any) -> None:
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        Executions(step_functions, f"{MACHINE}-2").start("study-1", {})


def test_a_stop_of_an_execution_that_was_not_started_is_none(executions: Executions) -> None:
    executions.start("study-1-2", {})

    executions.stop(pending(), "Cancelled", "by anna")

    found = executions.find(f"{EXECUTION}:study-1-2")
    assert found is not None
    assert found.status == "RUNNING"


def test_a_stop_that_is_refused_is_a_fault(executions: Executions) -> None:
    with pytest.raises(ClientError, match="InvalidArn"):
        executions.stop(pending(execution_arn="no ARN"), "Cancelled", "by anna")


def test_the_execution_of_a_further_attempt_has_another_name(executions: Executions) -> None:
    assert executions.arn_of(pending()) == f"{EXECUTION}:study-1"
    assert executions.arn_of(pending(attempt=2)) == f"{EXECUTION}:study-1-2"
    assert executions.arn_of(pending(execution_arn="arn:another")) == "arn:another"


def test_an_execution_that_is_not_there_is_none(executions: Executions) -> None:
    assert executions.find(f"{EXECUTION}:never") is None


def test_a_question_that_is_refused_is_a_fault(executions: Executions) -> None:
    with pytest.raises(ClientError, match="InvalidArn"):
        executions.find("no ARN")


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda executions: executions.start("study-1", {}),
        lambda executions: executions.stop(pending(), "Cancelled", "by anna"),
        lambda executions: executions.find(f"{EXECUTION}:study-1"),
        lambda executions: executions.map_run(running()),
    ],
    ids=["start", "stop", "find", "map run"],
)
def test_another_refusal_is_not_an_absent_execution(code: str, ask: Callable[[Executions], Any]) -> None:
    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return self._refuse

        def _refuse(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": code}}, "any")

    with pytest.raises(ClientError, match=code):
        ask(executions_of(Refusing()))


@pytest.mark.parametrize("given", ["[]", "1", "{}"])
def test_an_execution_that_somebody_started_by_hand_has_no_simulation(
    step_functions: Any, executions: Executions, given: str
) -> None:
    step_functions.start_execution(stateMachineArn=MACHINE, name="by-hand", input=given)

    found = executions.find(f"{EXECUTION}:by-hand")
    assert found is not None
    assert found.simulation_id == ""


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("RUNNING", False),
        ("PENDING_REDRIVE", False),
        ("SUCCEEDED", True),
        ("FAILED", True),
        ("TIMED_OUT", True),
        ("ABORTED", True),
    ],
)
def test_an_execution_says_how_it_ended(status: str, ended: bool) -> None:
    class Described:
        def describe_execution(self, **_: Any) -> dict[str, Any]:
            return {"name": "study-1", "status": status, "error": "Lost", "cause": None}

    found = executions_of(Described()).find("arn")
    assert found is not None
    assert (found.ended, found.simulation_id, found.error, found.cause) == (ended, "", "Lost", "")


def test_a_machine_that_does_not_answer_is_a_fault(step_functions: Any, executions: Executions) -> None:
    executions.look()

    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        Executions(step_functions, f"{MACHINE}-2").look()


# --- Map runs, which plain moto has none of


def test_a_map_run_that_ended_has_no_concurrency() -> None:
    class Described(StepFunctions):
        status = "RUNNING"

        def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
            return {"status": self.status, "maxConcurrency": 40}

    runs = Described()
    executions = executions_of(runs)

    assert executions.running_concurrency("arn:map-run") == 40
    runs.status = "SUCCEEDED"
    assert executions.running_concurrency("arn:map-run") is None


def test_a_study_without_an_execution_has_no_map_run() -> None:
    step_functions = StepFunctions(running=1)

    assert executions_of(step_functions).map_run(pending()) is None
    assert step_functions.asked == 0


def test_of_several_map_runs_the_last_counts() -> None:
    class Twice(StepFunctions):
        def list_map_runs(self, **_: Any) -> dict[str, Any]:
            return {"mapRuns": [{"mapRunArn": "arn:first"}, {"mapRunArn": "arn:last"}]}

    assert executions_of(Twice()).map_run(running()) == "arn:last"


def test_a_function_that_lives_for_hours_does_not_remember_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epsm.store.executions._MAX_REMEMBERED", 2)
    step_functions = StepFunctions(running=1, total=1)
    executions = executions_of(step_functions, fresh_s=60)
    for number in range(3):
        executions.map_run(running(execution_arn=f"arn:{number}"))

    executions.map_run(running(execution_arn="arn:2"))
    assert step_functions.asked == 3, "the last is remembered"
    executions.map_run(running(execution_arn="arn:0"))
    assert step_functions.asked == 4, "the first is not"


def test_counts_are_those_of_the_map_run() -> None:
    runs = StepFunctions(running=3, succeeded=4, failed=1, timedOut=1, total=100)
    assert executions_of(runs).counts(running()) == RunCounts(running=3, succeeded=4, failed=2, total=100)


@pytest.mark.parametrize("status", [StudyStatus.RUNNING, StudyStatus.FAILED])
def test_what_was_stopped_with_its_study_has_not_run(status: StudyStatus) -> None:
    counts = executions_of(StepFunctions(succeeded=1, failed=1, aborted=2, total=4)).counts(
        running(status=status, variants=4)
    )
    assert (counts.failed, counts.ended, counts.not_run) == (1, 2, 2)


def test_a_variant_that_noticed_that_its_study_was_cancelled_has_not_failed() -> None:
    cancelled = running(status=StudyStatus.CANCELLED, variants=2)
    counts = executions_of(StepFunctions(succeeded=1, failed=1, total=2)).counts(cancelled)
    assert (counts.succeeded, counts.failed, counts.not_run) == (1, 0, 1)


def test_of_a_cancelled_study_that_was_counted_the_record_is_asked_also_where_nothing_ended() -> None:
    # One that noticed the cancellation before it was stopped has failed, as the map run sees it.
    cancelled = running(status=StudyStatus.CANCELLED, collected=True, variants=1)
    counts = executions_of(StepFunctions(failed=1, total=1)).counts(cancelled)
    assert (counts.failed, counts.not_run) == (0, 1)


def test_before_there_is_a_map_run_nothing_has_ended() -> None:
    assert executions_of(StepFunctions()).counts(running()) == RunCounts(total=100)


def test_of_a_study_that_ended_and_was_not_collected_the_map_run_is_asked() -> None:
    ended = running(status=StudyStatus.FAILED)
    runs = StepFunctions(succeeded=98, failed=1, running=1, total=100)
    assert executions_of(runs).counts(ended) == RunCounts(succeeded=98, failed=1, total=100)


def test_a_map_run_that_step_functions_has_forgotten_counts_nothing() -> None:
    class Forgotten(StepFunctions):
        def list_map_runs(self, **_: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "ListMapRuns")

    assert executions_of(Forgotten()).counts(running(status=StudyStatus.FAILED)) == RunCounts(total=100)


@pytest.mark.parametrize(("succeeded", "failed"), [(98, 2), (98, 0), (0, 2)])
def test_of_a_study_that_has_ended_the_record_is_asked(succeeded: int, failed: int) -> None:
    ended = running(status=StudyStatus.FAILED, succeeded=succeeded, failed=failed)
    counts = executions_of(StepFunctions(running=7)).counts(ended)
    assert counts == RunCounts(succeeded=succeeded, failed=failed, total=100)


@pytest.mark.parametrize(("running_now", "not_run"), [(0, 4), (2, 2), (4, 0), (5, 0)])
def test_what_neither_ended_nor_runs_has_not_run(running_now: int, not_run: int) -> None:
    assert RunCounts(running=running_now, succeeded=2, failed=1, total=7).not_run == not_run


def test_what_succeeded_in_an_earlier_attempt_is_counted() -> None:
    again = running(attempt=2, succeeded=90, failed=10)
    assert executions_of(StepFunctions(running=5, succeeded=5, total=10)).counts(again) == RunCounts(
        running=5, succeeded=95, total=100
    )


def test_what_succeeded_before_is_counted_before_the_next_attempt_runs() -> None:
    waiting = running(status=StudyStatus.PENDING, attempt=2, succeeded=90, execution_arn="")
    assert executions_of(StepFunctions()).counts(waiting) == RunCounts(succeeded=90, total=100)


def test_a_variant_that_is_handed_over_twice_is_counted_once() -> None:
    again = running(attempt=2, succeeded=100)
    assert executions_of(StepFunctions(succeeded=1, total=1)).counts(again) == RunCounts(succeeded=100, total=100)


def test_step_functions_is_asked_once_for_all_who_ask_within_a_moment() -> None:
    step_functions = StepFunctions(running=3, total=100)
    executions = executions_of(step_functions, fresh_s=60)
    assert {executions.counts(running()).running for _ in range(50)} == {3}
    assert step_functions.asked == 2, "for the map run, and for its counts"


def test_counts_are_taken_again_after_that_moment() -> None:
    step_functions = StepFunctions(running=3, total=100)
    executions = executions_of(step_functions, fresh_s=0)
    for _ in range(3):
        executions.counts(running())
    assert step_functions.asked == 1 + 3


def test_while_step_functions_is_busy_what_was_counted_last_is_good() -> None:
    step_functions = StepFunctions(running=3, succeeded=5, total=100)
    executions = executions_of(step_functions, fresh_s=0)
    before = executions.counts(running())
    step_functions.busy = True
    assert executions.counts(running()) == before


def test_while_step_functions_is_busy_and_nothing_was_counted_nothing_is_invented() -> None:
    step_functions = StepFunctions(running=3, total=100)
    step_functions.busy = True
    with pytest.raises(ClientError, match="ThrottlingException"):
        executions_of(step_functions).counts(running())
