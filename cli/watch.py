"""Following a study: where it is, until it ends."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.target import Target
from epsm.store.records import StudyRecord, StudyStatus

_PICKED_UP_WITHIN_S = 120.0


class NotPickedUp(Exception):
    """The upload was not followed by a record: nothing in the stack reacted to it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Child executions of the map run, or zeros before there is one."""

    running: int = 0
    succeeded: int = 0
    failed: int = 0
    total: int = 0


def counts_of(target: Target, record: StudyRecord) -> Counts:
    """How far a study is, from its map run; exact at any size, and nothing that could drift."""
    if record.status.final:
        return Counts(0, record.succeeded, record.failed, record.variants)
    if not record.execution_arn:
        return Counts(total=record.variants)
    step_functions = target.client("stepfunctions")
    runs = step_functions.list_map_runs(executionArn=record.execution_arn)["mapRuns"]
    if not runs:
        return Counts(total=record.variants)
    counts: dict[str, Any] = step_functions.describe_map_run(mapRunArn=runs[-1]["mapRunArn"])["itemCounts"]
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    return Counts(counts["running"], counts["succeeded"], failed, record.variants)


def follow(target: Target, simulation: str, show: Callable[[StudyRecord | None, Counts], None]) -> StudyRecord:
    """Wait for the end of a study.

    Args:
        target: The stack.
        simulation: The study.
        show: Called with every look: the record, None before there is one, and the counts.

    Raises:
        NotPickedUp: If there is no record within two minutes.
    """
    started = time.monotonic()
    while True:
        record = target.records.study(simulation)
        show(record, counts_of(target, record) if record else Counts())
        if record is not None and record.status.final:
            return record
        if record is None and time.monotonic() - started > _PICKED_UP_WITHIN_S:
            raise NotPickedUp(f"{simulation}: uploaded, but the stack has not picked it up")
        time.sleep(target.poll_s)


def exit_code(status: StudyStatus) -> int:
    """What a command ends with: 0 all variants succeeded, 1 some or all failed, 2 the study was refused."""
    if status is StudyStatus.COMPLETED:
        return 0
    return 2 if status is StudyStatus.REJECTED else 1
