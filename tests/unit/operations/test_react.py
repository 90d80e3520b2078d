"""Reactions to the start and the end of a study, and to its removal while parts of it are running."""

from datetime import UTC, datetime
from typing import Any

import pytest

from epsm.operations import react
from epsm.operations.react import on_execution_ended, on_execution_started, remove_when_ended
from epsm.operations.retention import Removal, Remover, StillRuns
from epsm.store.functions import Functions
from epsm.study.records import StudyRecord, StudyStatus
from tests.unit.fakes import MemoryRecords, MemoryStack, MemoryStepFunctions, fake, study_record
from tests.unit.operations.test_shares import MapRuns, executions_of

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def study(name: str, max_concurrency: int, compute: str = "function") -> StudyRecord:
    options = {"max_concurrency": max_concurrency, "compute": compute}
    return study_record(name, StudyStatus.RUNNING, datetime.now(UTC), execution_arn=name, options=options)


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Account:
    """Lambda, which tells what the account may run at a time."""

    def __init__(self, executions: int) -> None:
        self._executions = executions

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self._executions}} if self._executions else {}


def stack_of(*studies: StudyRecord, runs: MapRuns, executions: int = 100) -> MemoryStack:
    functions = Functions(fake(Account(executions)), "cleanup")
    return MemoryStack(records=MemoryRecords(*studies), executions=executions_of(runs), functions=functions)


# --- A study begins


def test_where_there_is_enough_for_all_nothing_is_shared_nor_waited_for() -> None:
    runs = MapRuns(a=10)
    clock = Clock()
    stack = stack_of(study("a", max_concurrency=10), runs=runs)

    assert on_execution_started(stack, "a", clock.sleep, clock) == {}
    assert (clock.seconds, runs.concurrency) == (0.0, {"a": 10})


def test_a_study_that_begins_takes_its_part_once_its_models_have_been_tried() -> None:
    runs = MapRuns(a=90)
    clock = Clock()
    stack = stack_of(study("a", max_concurrency=90), study("b", max_concurrency=90), runs=runs)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.seconds > 200:
            runs.concurrency["b"] = 90

    shares = on_execution_started(stack, "b", sleep, clock)

    assert shares == {"a": 45, "b": 45} == runs.concurrency


def test_functions_containers_and_spot_are_shared_separately() -> None:
    runs = MapRuns(a=90, b=90, c=90, d=90)
    studies = [study("a", 90), study("b", 90, "container"), study("c", 90, "spot"), study("d", 90, "spot")]
    stack = stack_of(*studies, runs=runs)
    stack.settings = stack.settings.model_copy(update={"fargate_vcpus": 40})  # 10 tasks of 4
    clock = Clock()

    assert on_execution_started(stack, "d", clock.sleep, clock) == {"b": 10, "c": 5, "d": 5}
    assert runs.concurrency["a"] == 90


def test_a_study_whose_models_fail_their_trial_is_not_waited_for() -> None:
    runs = MapRuns(a=90)
    runs.ended.add("b")
    clock = Clock()
    stack = stack_of(study("a", max_concurrency=90), study("b", max_concurrency=90), runs=runs)

    assert on_execution_started(stack, "b", clock.sleep, clock) == {}
    assert clock.seconds == 0.0


def test_trials_are_not_waited_for_beyond_the_time_of_the_function() -> None:
    runs = MapRuns(a=90)
    clock = Clock()
    stack = stack_of(study("a", max_concurrency=90), study("b", max_concurrency=90), runs=runs)

    assert on_execution_started(stack, "b", clock.sleep, clock) == {}
    assert 300 < clock.seconds < 900


def test_without_knowing_how_much_there_is_nothing_is_shared() -> None:
    runs = MapRuns(a=90, b=90)
    stack = stack_of(study("a", max_concurrency=90), study("b", max_concurrency=90), runs=runs, executions=0)

    assert on_execution_started(stack, "b", lambda seconds: None) == {}
    assert on_execution_ended(stack).shares == {}


# --- A study ends


def test_what_becomes_free_goes_to_the_others() -> None:
    runs = MapRuns(a=45)

    reaction = on_execution_ended(stack_of(study("a", max_concurrency=90), runs=runs))

    assert (list(reaction.started), reaction.shares) == ([], {"a": 90})


# --- A study is to be removed


@pytest.fixture
def still_running(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each attempt to remove a study whether something of it still runs; for ever once the list is at its end."""
    answers: list[bool] = []

    def remove(self: Remover, simulation: str) -> Removal | None:
        if not answers or answers.pop(0):
            raise StillRuns("a variant runs")
        return None

    monkeypatch.setattr(Remover, "remove", remove)
    return answers


def cancelled(*, removing: bool) -> MemoryStack:
    record = study_record("a", StudyStatus.CANCELLED, LONG_AGO, removing=removing)
    return MemoryStack(records=MemoryRecords(record), step_functions=MemoryStepFunctions())


def test_a_removal_waits_for_the_workers_of_a_study_that_was_just_cancelled(still_running: list[bool]) -> None:
    still_running += [True, True, False]
    clock = Clock()

    assert remove_when_ended(cancelled(removing=True), "a", clock.sleep, clock) is None
    assert clock.seconds == 2 * react._POLL_INTERVAL_S


def test_a_removal_does_not_wait_for_ever(still_running: list[bool]) -> None:
    clock = Clock()

    with pytest.raises(StillRuns):
        remove_when_ended(cancelled(removing=True), "a", clock.sleep, clock)
    assert react._SECONDS_TO_THE_END < clock.seconds <= react._SECONDS_TO_THE_END + 2 * react._POLL_INTERVAL_S


def test_a_study_that_nobody_is_removing_is_not_waited_for(still_running: list[bool]) -> None:
    clock = Clock()

    with pytest.raises(StillRuns):
        remove_when_ended(cancelled(removing=False), "a", clock.sleep, clock)
    assert clock.seconds <= react._POLL_INTERVAL_S
