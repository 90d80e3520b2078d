"""Closing studies whose execution ended without doing so."""

import io
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.operations.close import STOPPED, AggregateFunction, NotCollected, NotReady, close
from epsm.pipeline.stop_watch import _POLL_INTERVAL_S
from epsm.store.executions import Execution, Executions
from epsm.store.files import Files
from epsm.store.notifications import Notification
from epsm.study.records import StudyStatus
from tests.unit.fakes import MACHINE, MemoryCollector, MemoryRecords, MemoryS3, MemoryStepFunctions, fake, study_record

SIMULATION = "office-1"
ABORTED = Execution("arn:office-1", SIMULATION, SIMULATION, "ABORTED")
OPEN = (StudyStatus.PENDING, StudyStatus.RUNNING)


def no_sleep(seconds: float) -> None:
    raise AssertionError("nothing runs, so there is nothing to wait for")


class Case:
    """A study and what is done to it."""

    def __init__(self, status: StudyStatus, **changes: Any) -> None:
        self.records = MemoryRecords(study_record(SIMULATION, status, datetime(2026, 1, 1, tzinfo=UTC), **changes))
        self.collect = MemoryCollector(self.records)

    def close(self, execution: Execution, sleep: Callable[[float], None] = no_sleep) -> bool:
        return close(self.records, self.collect, execution, sleep)

    @property
    def status(self) -> StudyStatus:
        return self.records.by_name[SIMULATION].status

    @property
    def error(self) -> str:
        return self.records.by_name[SIMULATION].error


@pytest.mark.parametrize("status", OPEN)
def test_a_stopped_study_is_cancelled(status: StudyStatus) -> None:
    case = Case(status)
    case.close(ABORTED)
    assert (case.status, case.error) == (StudyStatus.CANCELLED, STOPPED)


def test_what_succeeded_before_a_stop_is_collected() -> None:
    case = Case(StudyStatus.RUNNING)
    case.close(ABORTED)
    assert case.collect.asked == [(SIMULATION, None)]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
def test_another_bad_end_is_collected_with_its_reason(status: str) -> None:
    case = Case(StudyStatus.RUNNING)
    case.close(replace(ABORTED, status=status, error="States.Runtime", cause="No such path"))
    assert case.collect.asked == [(SIMULATION, {"Error": "States.Runtime", "Cause": "No such path"})]


def test_an_end_without_a_reason_is_its_own_reason() -> None:
    case = Case(StudyStatus.RUNNING)
    case.close(replace(ABORTED, status="TIMED_OUT"))
    assert case.collect.asked == [(SIMULATION, {"Error": "TIMED_OUT", "Cause": ""})]


@pytest.mark.parametrize(
    "status", [StudyStatus.COMPLETED, StudyStatus.PARTIAL, StudyStatus.FAILED, StudyStatus.REJECTED]
)
def test_a_study_that_the_state_machine_closed_is_left_alone(status: StudyStatus) -> None:
    case = Case(status)
    assert not case.close(replace(ABORTED, status="FAILED"))
    assert (case.status, case.collect.asked) == (status, [])


@pytest.mark.parametrize("status", ["ABORTED", "FAILED"])
def test_a_study_that_was_cancelled_before_is_collected_as_such(status: str) -> None:
    case = Case(StudyStatus.CANCELLED, error="Cancelled by the modeller.")
    case.close(replace(ABORTED, status=status, error="NotPending"))
    assert case.collect.asked == [(SIMULATION, None)]
    assert (case.status, case.error) == (StudyStatus.CANCELLED, "Cancelled by the modeller.")


def test_a_second_event_leaves_the_record_as_it_is() -> None:
    case = Case(StudyStatus.RUNNING)
    case.close(ABORTED)
    record = case.records.by_name[SIMULATION]
    case.close(ABORTED)
    assert case.records.by_name[SIMULATION] == record


def test_a_study_that_is_rerun_while_its_workers_are_waited_for_is_neither_collected_nor_closed() -> None:
    case = Case(StudyStatus.CANCELLED, batched=True)
    case.records.running_workers = 1

    def rerun(seconds: float) -> None:
        again = replace(case.records.by_name[SIMULATION], status=StudyStatus.RUNNING, attempt=2)
        case.records.by_name[SIMULATION] = again

    assert not case.close(ABORTED, rerun)

    assert case.collect.asked == []
    assert case.status is StudyStatus.RUNNING


@pytest.mark.parametrize(("attempt", "collected"), [(1, 1), (2, 0)])
def test_a_stopped_study_that_is_cancelled_or_rerun_before_it_is_closed(
    monkeypatch: pytest.MonkeyPatch, attempt: int, collected: int
) -> None:
    case = Case(StudyStatus.RUNNING)

    def cancelled_by_the_modeller(simulation: str, reason: str, of: int) -> bool:
        status = StudyStatus.CANCELLED if attempt == of else StudyStatus.RUNNING
        case.records.by_name[simulation] = replace(case.records.by_name[simulation], status=status, attempt=attempt)
        return False

    monkeypatch.setattr(case.records, "cancel_study", cancelled_by_the_modeller)
    assert case.close(ABORTED) is bool(collected)
    assert len(case.collect.asked) == collected


def test_collecting_waits_until_no_variant_runs(caplog: pytest.LogCaptureFixture) -> None:
    case = Case(StudyStatus.CANCELLED)
    case.records.running = {4: "", 7: ""}
    still_running = []

    def one_ends(seconds: float) -> None:
        assert case.collect.asked == []
        still_running.append(len(case.records.running))
        case.records.running.popitem()

    with caplog.at_level(logging.WARNING):
        case.close(ABORTED, one_ends)
    assert (still_running, len(case.collect.asked), caplog.messages) == ([2, 1], 1, [])


@pytest.mark.parametrize("status", OPEN)
def test_variants_of_batches_that_workers_store_after_a_stop_are_collected(status: StudyStatus) -> None:
    case = Case(status, batched=True)
    case.records.running_workers = 2

    def one_ends(seconds: float) -> None:
        assert not case.collect.asked
        case.records.running_workers -= 1

    case.close(ABORTED, one_ends)

    assert case.records.running_workers == 0
    assert case.collect.asked == [(SIMULATION, None)]


def test_a_study_in_batches_without_workers_is_collected_at_once() -> None:
    case = Case(StudyStatus.CANCELLED, batched=True)
    case.close(ABORTED, no_sleep)
    assert case.collect.asked == [(SIMULATION, None)]


def test_workers_that_were_killed_are_waited_for_as_long_as_others_take_to_store() -> None:
    case = Case(StudyStatus.CANCELLED, batched=True)
    case.records.running_workers = 1
    slept: list[float] = []
    case.close(ABORTED, slept.append)
    assert sum(slept) > _POLL_INTERVAL_S
    assert (sum(slept), len(case.collect.asked)) == (9, 1)


def test_a_variant_that_does_not_end_is_waited_for_45_seconds(caplog: pytest.LogCaptureFixture) -> None:
    case = Case(StudyStatus.CANCELLED)
    case.records.running = {4: ""}
    slept: list[float] = []
    with caplog.at_level(logging.WARNING):
        case.close(ABORTED, slept.append)
    assert (sum(slept), len(case.collect.asked)) == (45, 1)
    assert caplog.messages == ["variants are still running"]


def test_a_study_cancelled_before_it_was_accepted_stays_cancelled() -> None:
    case = Case(StudyStatus.RUNNING)
    case.collect.has_manifest = False
    case.close(ABORTED)
    assert case.status is StudyStatus.CANCELLED


def test_a_failed_study_without_a_manifest_is_closed() -> None:
    case = Case(StudyStatus.RUNNING)
    case.collect.has_manifest = False
    case.close(replace(ABORTED, status="FAILED"))
    assert (case.status, case.error) == (
        StudyStatus.FAILED,
        "The results could not be collected: the run has no manifest.",
    )


def test_an_execution_that_runs_again_closes_nothing() -> None:
    case = Case(StudyStatus.RUNNING)
    assert not case.close(replace(ABORTED, status="RUNNING"))
    assert case.status is StudyStatus.RUNNING


def test_a_late_event_of_the_attempt_before_closes_nothing() -> None:
    case = Case(StudyStatus.RUNNING, attempt=2)
    assert not case.close(ABORTED)
    assert case.status is StudyStatus.RUNNING


def test_a_later_attempt_is_closed_by_its_own_execution() -> None:
    case = Case(StudyStatus.RUNNING, attempt=2)
    assert case.close(replace(ABORTED, name=f"{SIMULATION}-2"))
    assert case.status is StudyStatus.CANCELLED


@pytest.mark.parametrize("simulation", ["", "unknown"])
def test_an_execution_of_no_known_study_closes_nothing(simulation: str) -> None:
    assert not Case(StudyStatus.RUNNING).close(replace(ABORTED, simulation_id=simulation))


def test_what_could_not_be_collected_is_an_error_so_that_the_event_comes_again() -> None:
    case = Case(StudyStatus.RUNNING)
    case.collect.fault = True
    with pytest.raises(NotCollected):
        case.close(ABORTED)


# --- executions


def described(**changes: Any) -> MemoryStepFunctions:
    answer = {"executionArn": "arn", "name": "x", "status": "FAILED", "input": json.dumps({"simulation_id": "s"})}
    return MemoryStepFunctions(answer | changes)


def test_an_execution_says_which_simulation_it_was_given() -> None:
    execution = Executions(fake(described()), MACHINE).find("arn")
    assert execution is not None
    assert (execution.simulation_id, execution.ended) == ("s", True)


@pytest.mark.parametrize("given", ["", "{", "[]", "{}", "7"])
def test_an_execution_started_by_hand_is_of_no_simulation(given: str) -> None:
    execution = Executions(fake(described(input=given)), MACHINE).find("arn")
    assert execution is not None
    assert execution.simulation_id == ""


def test_an_execution_that_step_functions_does_not_know_is_none() -> None:
    assert Executions(fake(described()), MACHINE).find("arn:other") is None


# --- the aggregate function


class Functions:
    """A Lambda client with one answer."""

    def __init__(self, error: str | None = None, *, notify: bool = True, refusals: Sequence[str] = ()) -> None:
        self.payloads: list[Any] = []
        self._refusals = list(refusals)
        self._error = {"FunctionError": error} if error else {}
        summary = {"notify": notify, "subject": "Office: failed", "message": "Study: Office"}
        self._answer = {"errorMessage": "no memory left"} if error else summary

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if self._refusals:
            raise ClientError({"Error": {"Code": self._refusals.pop(0)}}, "Invoke")
        self.payloads.append(json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(self._answer).encode()), **self._error}


def collector(
    functions: Functions,
    *,
    manifest: bool = True,
    notify: Callable[[Notification], None] = lambda notice: None,
    sleep: Callable[[float], None] = no_sleep,
) -> AggregateFunction:
    s3 = MemoryS3()
    if manifest:
        s3.put_object(Bucket="results", Key=f"runs/{SIMULATION}/manifest.json", Body=b"{}")
    return AggregateFunction(functions, "aggregate", Files(fake(s3), "results"), notify, sleep)


def test_the_aggregate_function_gets_the_error_of_the_map() -> None:
    functions, error = Functions(), {"Error": "States.Timeout", "Cause": ""}
    collector(functions)(SIMULATION, error)
    assert functions.payloads == [{"simulation_id": SIMULATION, "map_error": error}]


def test_the_aggregate_function_gets_no_error_if_there_is_none() -> None:
    functions = Functions()
    collector(functions)(SIMULATION)
    assert functions.payloads == [{"simulation_id": SIMULATION}]


def test_a_run_without_a_manifest_is_not_collected() -> None:
    functions = Functions()
    assert not collector(functions, manifest=False)(SIMULATION)
    assert functions.payloads == []


def test_an_error_of_the_aggregate_function_is_raised_with_its_message() -> None:
    with pytest.raises(NotCollected, match="no memory left"):
        collector(Functions("Unhandled"))(SIMULATION)


def test_subscribers_are_notified_of_an_end_that_the_state_machine_did_not_see() -> None:
    told: list[Notification] = []
    collector(Functions(), notify=told.append)(SIMULATION)
    assert told == [Notification("Office: failed", "Study: Office")]


def test_nobody_is_notified_where_the_study_says_so() -> None:
    told: list[Notification] = []
    collector(Functions(notify=False), notify=told.append)(SIMULATION)
    assert told == []


BEING_PREPARED = ("CodeArtifactUserPendingException", "ResourceNotReadyException", "ResourceConflictException")


def test_an_aggregate_function_that_was_idle_for_weeks_is_waited_for() -> None:
    functions, slept = Functions(refusals=BEING_PREPARED), list[float]()
    assert collector(functions, sleep=slept.append)(SIMULATION)
    assert (len(functions.payloads), len(slept)) == (1, 3)


@pytest.mark.parametrize("refusal", BEING_PREPARED)
def test_an_aggregate_function_that_does_not_become_ready_is_asked_again_by_another_event(refusal: str) -> None:
    slept: list[float] = []
    with pytest.raises(NotReady, match=refusal):
        collector(Functions(refusals=[refusal] * 1000), sleep=slept.append)(SIMULATION)
    assert sum(slept) == 4 * 60, "the cleanup function has a quarter of an hour, for more than one study"


def test_another_refusal_of_the_aggregate_function_is_not_waited_out() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        collector(Functions(refusals=["AccessDeniedException"]))(SIMULATION)
