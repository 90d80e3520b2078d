"""Finding studies that seem to run but do not, because the event that should have closed them was lost.

Compares the table with Step Functions and closes what is left over. Repeatable at any time.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from epsm.operations.close import Collect, NotCollected, NotReady, close
from epsm.pipeline.start import waits
from epsm.store.executions import Execution
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord, StudyStatus

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=15)
NEVER_STARTED = "The study was never started; upload study.json again."
GONE = "Step Functions knows the execution of this study no more."
_TIME_TO_START = timedelta(hours=1)
_TIME_TO_COLLECT = timedelta(hours=1)
_TIME_TO_BE_READY = timedelta(days=1)
"""Minutes are usual; a function that is not ready after a day will not be without somebody's help."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A study that was open without an execution that runs.

    Attributes:
        simulation_id: Which one.
        status: Of its record now.
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
    """Close open studies whose execution has ended, is gone, or never began.

    Args:
        stack: The stack.
        collect: Calls the aggregate function.
        look_back: How old the oldest study may be that is looked at; None for all.
        sleep: Waits between looks at variants that still run.

    Returns:
        What was found. A study that cannot be closed is in it with the reason, and does not stop the others.
    """
    found = []
    for simulation in [each.simulation_id for each in open_studies(stack.records, look_back)]:
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
        look_back: How old the oldest study may be that is looked at; None for all.
    """
    oldest = datetime.min.replace(tzinfo=UTC) if look_back is None else datetime.now(UTC) - look_back
    for study in records.every_study():
        if datetime.fromisoformat(study.created_at) < oldest:
            return
        if not study.status.final:
            yield study


def _reconcile(stack: Stack, collect: Collect, simulation: str, sleep: Callable[[float], None]) -> bool:
    records = stack.records
    record = records.study(simulation)  # the index may be behind
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
    if waits(record):
        return False  # for another study's end, however long that takes
    if record.status is StudyStatus.PENDING:
        pending_since = datetime.fromisoformat(record.reopened_at or record.created_at)
        if datetime.now(UTC) - pending_since < _TIME_TO_START:
            return False
        return _fail(records, record, NEVER_STARTED)
    if not collect(record.simulation_id, {"Error": "ExecutionDoesNotExist", "Cause": GONE}):
        _fail(records, record, GONE)
    return True


def _fail(records: Records, record: StudyRecord, why: str) -> bool:
    """Close a study without collecting; what an attempt before had come to stays."""
    return records.finish_study(
        record.simulation_id, StudyStatus.FAILED, succeeded=record.succeeded, failed=record.failed, error=why
    )


def _given_up(execution: Execution, after: timedelta) -> bool:
    """Whether collecting has been tried for so long that the study is closed without it."""
    return execution.ended_at is not None and datetime.now(UTC) - execution.ended_at > after
