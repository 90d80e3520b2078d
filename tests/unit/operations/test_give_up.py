"""Giving up a study that has spent its budget, or has too many failures: epsm.operations.give_up."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from epsm.operations.close import close
from epsm.operations.give_up import give_up
from epsm.store.executions import Execution
from epsm.store.notifications import BUDGET_SPENT, event_publisher
from epsm.study.records import StudyStatus
from tests.unit.fakes import MemoryCollector, MemoryRecords, MemoryStack, MemoryStepFunctions, fake, study_record

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:epsm-dev-study"


def records(status: StudyStatus = StudyStatus.RUNNING, **changes: Any) -> MemoryRecords:
    given = {"options": {"max_cost_usd": 5.0}, "spent_usd": 5.01} | changes
    return MemoryRecords(study_record("a", status, datetime(2026, 1, 1, tzinfo=UTC), **given))


def given_up(of: MemoryRecords) -> list[tuple[str, str]]:
    step_functions = MemoryStepFunctions()
    done = give_up(MemoryStack(records=of, step_functions=step_functions), "a")
    assert done is bool(step_functions.stopped)
    return step_functions.stopped


@pytest.mark.parametrize("spent_usd", [5.0, 5.01])
def test_a_study_whose_budget_is_spent_is_stopped(spent_usd: float) -> None:
    execution = "arn:aws:states:eu-central-1:123456789012:execution:epsm-dev-study:a"
    assert given_up(records(spent_usd=spent_usd)) == [(execution, "BudgetSpent")]


def test_its_variants_learn_that_they_are_to_stop() -> None:
    of = records()
    given_up(of)
    assert of.by_name["a"].stop_reason == "Its variants have cost $5.01; max_cost_usd is 5."


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(records(spent_usd=4.99), id="not spent, as it was raised meanwhile"),
        pytest.param(records(options={}), id="no budget"),
        pytest.param(records(StudyStatus.COMPLETED), id="ended"),
        pytest.param(MemoryRecords(), id="removed"),
    ],
)
def test_nothing_is_stopped_without_need(of: MemoryRecords) -> None:
    assert given_up(of) == []


def failing(**changes: Any) -> MemoryRecords:
    """A study in batches, with 12 of 200 variants failed, of which it allows 10."""
    given = {"options": {"tolerated_failure_percentage": 5.0}, "variants": 200, "failures": 12, "batched": True}
    return records(**{**given, "spent_usd": 0.0, **changes})


def test_a_study_in_batches_with_more_failures_than_it_allows_is_stopped() -> None:
    of = failing()
    assert [error for _, error in given_up(of)] == ["TooManyFailures"]
    assert of.by_name["a"].stop_reason == "12 of its variants have failed; it allows 10."


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(failing(failures=10), id="as many as allowed"),
        pytest.param(failing(batched=False), id="counted by the map"),
        pytest.param(failing(options={}), id="any number allowed"),
    ],
)
def test_failures_that_are_allowed_stop_no_study(of: MemoryRecords) -> None:
    assert given_up(of) == []


@pytest.mark.parametrize(("succeeded", "allowed"), [(0, 10), (100, 5)])
def test_the_percentage_is_of_the_variants_of_the_attempt(succeeded: int, allowed: int) -> None:
    of = failing(succeeded=succeeded)
    given_up(of)
    assert of.by_name["a"].stop_reason.endswith(f"it allows {allowed}.")


def test_a_study_that_was_given_up_is_collected_with_the_reason_and_not_cancelled() -> None:
    of = records(stop_reason="Its variants have cost $5.01.")
    collect = MemoryCollector(of)
    stopped = Execution("arn", "a", "a", "ABORTED", "BudgetSpent", "Its variants have cost $5.01.")
    assert close(of, collect, stopped)
    assert collect.asked == [("a", {"Error": "BudgetSpent", "Cause": "Its variants have cost $5.01."})]
    assert of.by_name["a"].status is StudyStatus.FAILED


class Bus:
    def __init__(self, failed: int) -> None:
        self._failed = failed
        self.entries: list[Any] = []

    def put_events(self, *, Entries: list[Any]) -> Any:  # noqa: N803
        self.entries += Entries
        return {"FailedEntryCount": self._failed, "Entries": Entries}


def test_a_spent_budget_is_announced() -> None:
    bus = Bus(failed=0)
    event_publisher(fake(bus), BUDGET_SPENT)("a")
    (entry,) = bus.entries
    assert (entry["Source"], entry["DetailType"]) == ("epsm", "Budget Spent")
    assert json.loads(entry["Detail"]) == {"simulation_id": "a"}


def test_an_announcement_that_was_not_taken_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="rejected the event"):
        event_publisher(fake(Bus(failed=1)), BUDGET_SPENT)("a")
