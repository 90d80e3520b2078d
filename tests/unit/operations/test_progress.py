"""How far a study is and what is left: epsm.operations.progress."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.operations.progress import seconds_left
from epsm.store.executions import Executions, RunCounts
from epsm.study.records import StudyRecord, StudyStatus, timestamp
from tests.unit.fakes import study_record


def executions_of(step_functions: Any, fresh_s: float = 2.0) -> Executions:
    return Executions(step_functions, "arn:machine", fresh_s)


def running(seconds: float = 60, **changes: Any) -> StudyRecord:
    """A study that started some seconds ago."""
    now = datetime.now(UTC)
    record = study_record("study-1", StudyStatus.RUNNING, now, variants=100, execution_arn="arn:execution")
    return replace(record, **{"started_at": timestamp(now - timedelta(seconds=seconds)), **changes})


class StepFunctions:
    """Step Functions with at most one map run."""

    def __init__(self, **counts: int) -> None:
        names = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total")
        self._counts = dict.fromkeys(names, 0) | counts
        self.asked = 0
        self.busy = False

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.asked += 1
        return {"mapRuns": [{"mapRunArn": "arn:map-run"}] if any(self._counts.values()) else []}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
        if self.busy:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeMapRun")
        self.asked += 1
        return {"itemCounts": self._counts}


def test_the_rest_is_expected_to_go_as_what_has_ended() -> None:
    assert seconds_left(running(60), RunCounts(succeeded=20, failed=5, total=100)) == pytest.approx(180, abs=1)


def test_of_a_study_whose_variants_have_all_ended_nothing_is_left() -> None:
    assert seconds_left(running(), RunCounts(succeeded=100, total=100)) == 0


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (running(), RunCounts(running=100, total=100)),
        (running(), RunCounts()),
        (running(started_at=""), RunCounts(succeeded=1, total=100)),
        (running(status=StudyStatus.CANCELLED), RunCounts(succeeded=1, total=100)),
        (running(status=StudyStatus.COMPLETED), RunCounts(succeeded=100, total=100)),
    ],
    ids=["none has ended", "nothing is known", "not started", "cancelled", "completed"],
)
def test_where_nothing_can_be_said_nothing_is(record: StudyRecord, counts: RunCounts) -> None:
    assert seconds_left(record, counts) is None


def test_a_clock_that_is_ahead_leaves_no_negative_time() -> None:
    assert seconds_left(running(-5), RunCounts(succeeded=1, total=100)) == 0


def test_what_an_earlier_attempt_has_done_makes_the_next_one_no_faster() -> None:
    again = running(60, attempt=2, succeeded=90)
    assert seconds_left(again, RunCounts(succeeded=95, total=100)) == pytest.approx(60, abs=1)


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


def test_of_a_study_that_has_ended_the_record_is_asked() -> None:
    ended = running(status=StudyStatus.PARTIAL, succeeded=98, failed=2)
    assert executions_of(StepFunctions(running=7)).counts(ended) == RunCounts(succeeded=98, failed=2, total=100)


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
