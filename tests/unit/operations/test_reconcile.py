"""Closing studies that seem to run but do not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from epsm.operations.close import NotReady
from epsm.operations.reconcile import GONE, NEVER_STARTED, Reconciled, open_studies, reconcile
from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.fakes import MemoryCollector, MemoryRecords, MemoryStack, MemoryStepFunctions, study_record

EXECUTIONS = "arn:aws:states:eu-central-1:123456789012:execution:epsm-dev-study"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def execution(name: str, status: str, simulation: str = "", **changes: Any) -> dict[str, Any]:
    given = f'{{"simulation_id": "{simulation or name}"}}'
    return {"executionArn": f"{EXECUTIONS}:{name}", "name": name, "status": status, "input": given} | changes


def study(name: str, status: StudyStatus, age: timedelta = 2 * HOUR, **changes: Any) -> StudyRecord:
    return study_record(name, status, datetime.now(UTC) - age, **changes)


class Case:
    """Studies and executions that are compared."""

    def __init__(self, *studies: StudyRecord, executions: tuple[dict[str, Any], ...] = ()) -> None:
        self.records = MemoryRecords(*studies)
        self.collect = MemoryCollector(self.records)
        self.stack = MemoryStack(records=self.records, step_functions=MemoryStepFunctions(*executions))

    def reconcile(self, **options: Any) -> tuple[Reconciled, ...]:
        return reconcile(self.stack, self.collect, **options)

    def status(self, name: str) -> StudyStatus:
        return self.records.by_name[name].status


@pytest.mark.parametrize("status", [StudyStatus.PENDING, StudyStatus.RUNNING])
def test_a_study_whose_execution_was_stopped_is_cancelled(status: StudyStatus) -> None:
    case = Case(study("a", status), executions=(execution("a", "ABORTED"),))
    assert case.reconcile() == (Reconciled("a", "cancelled"),)


def test_a_study_whose_execution_failed_is_collected_with_the_reason() -> None:
    case = Case(study("a", StudyStatus.RUNNING), executions=(execution("a", "FAILED", error="States.Runtime"),))
    case.reconcile()
    assert case.collect.asked == [("a", {"Error": "States.Runtime", "Cause": ""})]


def test_a_study_whose_execution_succeeded_is_collected_without_a_reason() -> None:
    case = Case(study("a", StudyStatus.RUNNING), executions=(execution("a", "SUCCEEDED"),))
    case.reconcile()
    assert case.collect.asked == [("a", None)]


def test_a_study_that_runs_is_left_alone() -> None:
    case = Case(study("a", StudyStatus.RUNNING), executions=(execution("a", "RUNNING"),))
    assert case.reconcile() == ()
    assert case.status("a") is StudyStatus.RUNNING


def test_a_study_that_has_ended_is_left_alone() -> None:
    case = Case(study("a", StudyStatus.COMPLETED), executions=(execution("a", "ABORTED"),))
    assert case.reconcile() == ()


def test_a_study_that_never_began_is_failed_after_an_hour() -> None:
    case = Case(study("a", StudyStatus.PENDING, age=HOUR + timedelta(minutes=1)))
    case.reconcile()
    assert (case.status("a"), case.records.by_name["a"].error) == (StudyStatus.FAILED, NEVER_STARTED)


def test_a_study_that_may_still_begin_is_left_alone() -> None:
    case = Case(study("a", StudyStatus.PENDING, age=HOUR - timedelta(minutes=1)))
    assert case.reconcile() == ()
    assert case.status("a") is StudyStatus.PENDING


def test_a_running_study_whose_execution_is_forgotten_is_collected() -> None:
    case = Case(study("a", StudyStatus.RUNNING))
    case.reconcile()
    ((simulation, error),) = case.collect.asked
    assert (simulation, (error or {})["Error"]) == ("a", "ExecutionDoesNotExist")


def test_a_later_attempt_is_compared_with_its_own_execution() -> None:
    executions = (execution("a", "FAILED"), execution("a-2", "RUNNING", "a"))
    case = Case(study("a", StudyStatus.RUNNING, attempt=2), executions=executions)
    assert case.reconcile() == ()


def test_a_later_attempt_that_never_began_keeps_the_counts_of_the_one_before() -> None:
    case = Case(study("a", StudyStatus.PENDING, attempt=2, succeeded=5, failed=2))
    case.reconcile()
    record = case.records.by_name["a"]
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.FAILED, 5, 2)


def test_all_pages_of_studies_are_looked_at() -> None:
    studies = [study(f"s{number}", StudyStatus.PENDING, age=2 * HOUR + number * HOUR) for number in range(5)]
    assert len(Case(*studies).reconcile()) == 5


def test_a_study_older_than_the_look_back_is_left_alone() -> None:
    case = Case(study("old", StudyStatus.PENDING, age=16 * DAY))
    assert case.reconcile() == ()


def test_without_a_look_back_the_oldest_study_is_closed_too() -> None:
    case = Case(study("old", StudyStatus.PENDING, age=400 * DAY))
    case.reconcile(look_back=None)
    assert case.status("old") is StudyStatus.FAILED


def test_a_study_that_cannot_be_collected_does_not_stop_the_others() -> None:
    case = Case(
        study("a", StudyStatus.RUNNING, age=HOUR),
        study("b", StudyStatus.PENDING),
        executions=(execution("a", "FAILED", stopDate=datetime.now(UTC)),),
    )
    case.collect.fault = True
    assert case.reconcile() == (Reconciled("a", "running", "a: no memory left"), Reconciled("b", "failed"))


def test_a_study_that_could_not_be_collected_for_an_hour_is_failed() -> None:
    case = Case(
        study("a", StudyStatus.RUNNING), executions=(execution("a", "FAILED", stopDate=datetime.now(UTC) - 2 * HOUR),)
    )
    case.collect.fault = True
    case.reconcile()
    assert (case.status("a"), case.records.by_name["a"].error) == (
        StudyStatus.FAILED,
        "The results could not be collected: a: no memory left",
    )


@pytest.mark.parametrize(("ended", "status"), [(2 * HOUR, StudyStatus.RUNNING), (2 * DAY, StudyStatus.FAILED)])
def test_a_study_is_not_failed_because_the_function_that_collects_was_idle(
    ended: timedelta, status: StudyStatus
) -> None:
    case = Case(
        study("a", StudyStatus.RUNNING, age=3 * DAY),
        executions=(execution("a", "FAILED", stopDate=datetime.now(UTC) - ended),),
    )
    case.collect.fault, case.collect.failure = True, NotReady
    case.reconcile()
    assert case.status("a") is status


def test_reconciling_again_finds_nothing() -> None:
    case = Case(study("a", StudyStatus.RUNNING), executions=(execution("a", "ABORTED"),))
    case.reconcile()
    assert case.reconcile() == ()


def test_a_study_that_waits_for_another_is_left_alone_however_long() -> None:
    case = Case(study("a", StudyStatus.PENDING, age=10 * DAY, options={"after": "b"}))
    assert case.reconcile() == ()
    assert case.status("a") is StudyStatus.PENDING


def test_a_forgotten_study_without_a_manifest_is_failed() -> None:
    case = Case(study("a", StudyStatus.RUNNING, succeeded=3, failed=1))
    case.collect.has_manifest = False
    assert case.reconcile() == (Reconciled("a", "failed"),)
    record = case.records.by_name["a"]
    assert (record.error, record.succeeded, record.failed) == (GONE, 3, 1)


def test_a_study_that_ended_since_the_list_was_made_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(study("a", StudyStatus.PENDING))
    listed = list(open_studies(case.records))
    case.records.cancel_study("a", "Meanwhile.")
    monkeypatch.setattr("epsm.operations.reconcile.open_studies", lambda *_: listed)
    assert case.reconcile() == ()
    assert case.records.by_name["a"].error == "Meanwhile."
