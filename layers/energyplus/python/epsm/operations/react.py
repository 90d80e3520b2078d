"""Reactions to the start and end of a study: the concurrency is reallocated, followers start, and studies marked for
removal are deleted once their workers have stopped."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from epsm.operations.reconcile import open_studies
from epsm.operations.retention import Removal, Remover, StillRuns
from epsm.operations.shares import capacity_of, requested_concurrency, share
from epsm.pipeline.start import start_followers
from epsm.store.stack import Stack
from epsm.study.compute import Compute, Tasks, compute_of
from epsm.study.records import StudyRecord

_SECONDS_TO_THE_MAP = 600.0
"""A new execution has no map run yet: its models are tried first, which takes minutes for a large one. If it takes
longer, its share is allocated when the next study starts or ends, or by the hourly reconciliation."""
_MAP_POLL_S = 3.0
_SECONDS_TO_THE_END = 240.0
_POLL_INTERVAL_S = 10.0


@dataclass(frozen=True, slots=True)
class Reaction:
    """The actions after the end of a study.

    Attributes:
        started: Simulations that had waited for another one.
        shares: New concurrency of the studies with a changed share.
    """

    started: Sequence[str]
    shares: dict[str, int]


def on_execution_started(
    stack: Stack,
    execution_arn: str,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Allocate the concurrency once the variants of an execution start, if the studies request more than is available.

    Args:
        stack: The deployed stack.
        execution_arn: The execution that has started.
        sleep: Waits so many seconds.
        clock: Seconds.

    Returns:
        The shares that were changed.
    """
    deadline = clock() + _SECONDS_TO_THE_MAP
    while clock() < deadline and _is_contended(stack) and not _is_past_the_trials(stack, execution_arn):
        sleep(_MAP_POLL_S)
    return share_among(stack, list(open_studies(stack.records))) if _is_contended(stack) else {}


def _is_contended(stack: Stack) -> bool:
    studies = list(open_studies(stack.records))
    return any(
        requested_concurrency(_running_on(compute, studies)) > capacity
        for compute, capacity in _capacities(stack).items()
    )


def _is_past_the_trials(stack: Stack, execution_arn: str) -> bool:
    """Whether an execution runs variants, or has ended."""
    if stack.executions.map_run_of(execution_arn):
        return True
    execution = stack.executions.find(execution_arn)
    return execution is None or execution.ended


def on_execution_ended(stack: Stack) -> Reaction:
    """Start the studies that waited for one that has ended, and allocate the freed concurrency."""
    studies = list(open_studies(stack.records))
    started = start_followers(stack, studies)
    return Reaction(started, share_among(stack, studies))


def share_among(stack: Stack, studies: Sequence[StudyRecord]) -> dict[str, int]:
    """Allocate the concurrency among studies: functions, containers and containers on Fargate Spot separately."""
    changed: dict[str, int] = {}
    for compute, capacity in _capacities(stack).items():
        if concerned := _running_on(compute, studies):
            changed |= share(stack.executions, concerned, capacity)
    return changed


def _running_on(compute: Compute, studies: Iterable[StudyRecord]) -> list[StudyRecord]:
    return [study for study in studies if compute_of(study.options) == compute]


def _capacities(stack: Stack) -> dict[Compute, int]:
    """Functions and tasks that can run at a time; without functions if Lambda does not report its limit."""
    functions = capacity_of(stack.functions, stack.settings.variant_concurrency)
    tasks = Tasks.within(stack.settings.fargate_vcpus).at_a_time
    in_functions: dict[Compute, int] = {} if functions is None else {"function": functions}
    return in_functions | {"container": tasks, "spot": tasks}


def remove_when_ended(
    stack: Stack,
    simulation: str,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    seconds_left: Callable[[], float] = lambda: math.inf,
) -> Removal | None:
    """Remove a study; if it was just cancelled, wait until its workers have stopped and its results are collected.

    Args:
        stack: The deployed stack.
        simulation: The study's simulation.
        sleep: Waits so many seconds.
        clock: Seconds.
        seconds_left: Time that the function has left.

    Returns:
        The removal; None if there was no such study.

    Raises:
        StillRuns: If it is not marked for removal, or has not ended after a few minutes.
        OutOfTime: If the function's time is too short; the rest is removed within 15 minutes.
    """
    remover = Remover(stack, seconds_left=seconds_left)
    record = stack.records.study_including_removed(simulation)
    timeout_s = _SECONDS_TO_THE_END if record is not None and record.removing else 0.0
    started = clock()
    while True:
        try:
            return remover.remove(simulation)
        except StillRuns:
            if clock() - started > timeout_s:
                raise
            sleep(_POLL_INTERVAL_S)
