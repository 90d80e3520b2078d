"""Finding studies that are open although nothing runs, because the event that should have closed them was lost.

Compares the table with Step Functions and closes orphaned studies. Can be repeated at any time.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from epsm.operations.close import Collect, NotCollected, NotReady, close
from epsm.store.executions import Execution
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord, StudyStatus

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=15)
NEVER_STARTED = "The study was never started; upload study.json again."
GONE = "Step Functions no longer knows the execution of this study."
_TIME_TO_START = timedelta(hours=1)
_TIME_TO_COLLECT = timedelta(hours=1)
_TIME_TO_BE_READY = timedelta(days=1)
"""Usually minutes; a function that is not ready after a day needs an operator."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A study that was open without a running execution.

    Attributes:
        simulation_id: Which one.
        status: Status of its record now.
        error: Why it could not be closed; empty if it was.
    """

    simulation_id: str
    status: str
    error: str = ""


def reconcile(
    stack: Stack,
    collect: Collect,
    *,
    look_back: timedelta | None = LOOK_BACK,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Reconciled, ...]:
    """Close open studies with an execution that has ended, no longer exists, or never started.

    Args:
        stack: The stack.
        collect: Calls the aggregate function.
        look_back: Maximum age of the studies that are checked; None for all.
        sleep: Waits between polls of running variants.

    Returns:
        The orphaned studies. One that cannot be closed is included with the reason, and does not stop the others.
    """
    found = []
    for simulation in [study.simulation_id for study in open_studies(stack.records, look_back)]:
        try:
            changed = _reconcile(stack, collect, simulation, sleep)
            error = ""
        except (BotoCoreError, ClientError, NotCollected) as fault:
            logger.exception("study could not be closed", extra={"simulation_id": simulation})
            changed, error = True, str(fault)
        if changed:
            record = stack.records.study(simulation)
            found.append(Reconciled(simulation, record.status.value if record else "", error))
    return tuple(found)


def open_studies(records: Records, look_back: timedelta | None = LOOK_BACK) -> Iterator[StudyRecord]:
    """Studies that have not ended, the newest first.

    Args:
        records: The store.
        look_back: Maximum age of the studies that are checked; None for all.
    """
    oldest = datetime.min.replace(tzinfo=UTC) if look_back is None else datetime.now(UTC) - look_back
    for study in records.every_study():
        if datetime.fromisoformat(study.created_at) < oldest:
            return
        if not study.status.final:
            yield study


def _reconcile(stack: Stack, collect: Collect, simulation: str, sleep: Callable[[float], None]) -> bool:
    records = stack.records
    record = records.study(simulation)  # the index is eventually consistent
    if record is None or record.status.final:
        return False
    execution = stack.executions.find(stack.executions.arn_of(record))
    if execution is None:
        return _close_without_execution(records, collect, record)
    try:
        return close(records, collect, execution, sleep)
    except NotCollected as fault:
        if not _given_up(execution, _TIME_TO_BE_READY if isinstance(fault, NotReady) else _TIME_TO_COLLECT):
            raise
        return _fail(records, record, f"The results could not be collected: {fault}"[:500])


def _close_without_execution(records: Records, collect: Collect, record: StudyRecord) -> bool:
    if record.is_waiting:
        return False  # waits for the end of another study, without a time limit
    if record.status is StudyStatus.PENDING:
        pending_since = datetime.fromisoformat(record.reopened_at or record.created_at)
        if datetime.now(UTC) - pending_since < _TIME_TO_START:
            return False
        return _fail(records, record, NEVER_STARTED)
    if not collect(record.simulation_id, {"Error": "ExecutionDoesNotExist", "Cause": GONE}, record.attempt):
        _fail(records, record, GONE)
    return True


def _fail(records: Records, record: StudyRecord, reason: str) -> bool:
    """Close a study without collecting; results of an earlier attempt stay."""
    return records.finish_study(
        record.simulation_id,
        StudyStatus.FAILED,
        succeeded=record.succeeded,
        failed=record.failed,
        error=reason,
        attempt=record.attempt,
    )


def _given_up(execution: Execution, after: timedelta) -> bool:
    """Whether collecting has failed for so long that the study is closed without it."""
    return execution.ended_at is not None and datetime.now(UTC) - execution.ended_at > after
