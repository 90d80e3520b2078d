"""Counts of studies in batches: the map run counts batches, so variants are counted on the record."""

import pytest

from epsm.store.executions import RunCounts
from epsm.study.records import StudyStatus
from tests.unit.store.map_runs import StepFunctions, executions_of, running


def test_variants_of_batches_are_counted_on_the_record() -> None:
    runs = StepFunctions(running=3, succeeded=4, failed=1, total=20)
    batched = running(batched=True, engines=6, successes=40, failures=2)
    assert executions_of(runs).counts(batched) == RunCounts(running=18, succeeded=40, failed=2, total=100)


def test_no_more_variants_of_batches_run_than_have_not_ended() -> None:
    batched = running(batched=True, engines=6, successes=91, failures=5)
    assert executions_of(StepFunctions(running=3, total=20)).counts(batched).running == 4


@pytest.mark.parametrize(
    ("successes", "failures", "expected"), [(99, 2, (98, 2)), (90, 101, (0, 100)), (101, 0, (100, 0))]
)
def test_variants_of_batches_that_were_counted_twice_are_not_more_than_there_are(
    successes: int, failures: int, expected: tuple[int, int]
) -> None:
    batched = running(batched=True, engines=6, successes=successes, failures=failures)
    found = executions_of(StepFunctions(running=1, total=2)).counts(batched)
    assert (found.succeeded, found.failed) == expected
    assert found.running == found.not_run == 0


def test_batches_of_a_later_attempt_add_to_what_had_succeeded() -> None:
    again = running(batched=True, attempt=2, succeeded=90, failed=10, successes=5, failures=1)
    found = executions_of(StepFunctions(running=1, total=2)).counts(again)
    assert found == RunCounts(running=1, succeeded=95, failed=1, total=100)


def test_failures_of_a_cancelled_study_in_batches_are_counted_when_it_is_collected() -> None:
    cancelled = running(status=StudyStatus.CANCELLED, batched=True, successes=3, failures=2)
    assert executions_of(StepFunctions(running=2, total=9)).counts(cancelled) == RunCounts(succeeded=3, total=100)
