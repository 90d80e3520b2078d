"""Closing a study after its execution ended without closing it: stopped by hand, timed out, or failed early.

Repeatable: a second call for the same execution finds the record closed, or writes the same results again.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import ClientError

from epsm.errors import NotFound
from epsm.store import keys
from epsm.store.executions import Execution
from epsm.store.files import Files
from epsm.store.notifications import Notification
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus

logger = logging.getLogger(__name__)

STOPPED = "The execution was stopped in Step Functions."
_POLL_INTERVAL_S = 3.0
_MAX_POLLS = 15
"""45 s in total: a running variant notices within a few seconds that its study was cancelled."""
_BATCH_POLL_INTERVAL_S = 1.0
_MAX_BATCH_POLLS = 9
"""9 s in total. Workers of batches notice it within 3 s, end their engines, and store a pack of the variants that have
ended, and their records. No record states that these variants are running, but workers are counted; one that was killed
stays counted, and is waited for to the end."""

_BEING_PREPARED = frozenset(
    {"CodeArtifactUserPendingException", "ResourceConflictException", "ResourceNotReadyException"}
)
"""Lambda's errors while it prepares the image of an idle function, as in `infra.state_machine.retries`."""
_BEFORE_NEXT_INVOKE_S = 10.0
_MAX_INVOKES = 25
"""Four minutes in total, of the cleanup function's fifteen. If the function is not ready after that, the event is
retried, and open studies are checked every 15 minutes."""


class NotCollected(Exception):
    """The aggregate function could not write the results of a study; a retry may succeed."""


class NotReady(NotCollected):
    """Lambda is still preparing the aggregate function after weeks of inactivity; this is not a fault of the study."""


class Collect(Protocol):
    """Writes the results of a study and closes its record; an `AggregateFunction`."""

    def __call__(self, simulation: str, map_error: dict[str, str] | None = None, attempt: int | None = None) -> bool:
        """Returns whether there was anything to collect. A study of which a later attempt has begun stays open.

        Raises:
            NotCollected: If the results could not be written.
        """


def close(
    records: Records, collect: Collect, execution: Execution, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Close the record of an execution's study, unless the state machine did; results so far are kept.

    Args:
        records: The store.
        collect: Calls the aggregate function.
        execution: Its current state; nothing is closed if it is still running or is not the study's latest.
        sleep: Waits between polls of the running variants.

    Returns:
        Whether there was something to do.

    Raises:
        NotCollected: If the results could not be written.
    """
    simulation = execution.simulation_id
    record = records.study(simulation) if execution.ended and simulation else None
    if record is None or not _is_of(execution, record):
        return False
    if record.stop_reason and not record.status.final:
        _wait_for_workers(records, record, sleep)
    elif not record.status.final and execution.status == "ABORTED":
        attempt = record.attempt
        records.cancel_study(simulation, STOPPED, attempt)
        record = records.study(simulation)
        if record is None or record.attempt != attempt:
            return False  # it was removed or rerun in between
    if record.status is StudyStatus.CANCELLED:
        _wait_for_workers(records, record, sleep)
    elif record.status.final:
        return False
    attempt, record = record.attempt, records.study(simulation)
    if record is None or record.attempt != attempt:
        return False  # it was removed, or rerun while its workers were waited for: that attempt collects the results
    if record.status is StudyStatus.CANCELLED:
        collect(simulation, attempt=attempt)
        return True
    if not collect(simulation, _map_error(execution), attempt):
        reason = "The results could not be collected: the run has no manifest."
        records.finish_study(
            simulation,
            StudyStatus.FAILED,
            succeeded=record.succeeded,
            failed=record.failed,
            error=reason,
            attempt=attempt,
        )
    return True


def _map_error(execution: Execution) -> dict[str, str] | None:
    if execution.status == "SUCCEEDED":
        return None
    return {"Error": execution.error or execution.status, "Cause": execution.cause}


def _is_of(execution: Execution, record: StudyRecord) -> bool:
    """Whether it is the latest execution of the study: an event of an earlier attempt may be delivered late."""
    return execution.name == keys.execution_name(record.simulation_id, record.attempt)


def _wait_for_workers(records: Records, record: StudyRecord, sleep: Callable[[float], None]) -> None:
    """Wait until the workers of a cancelled study have recorded their variants, at most 45 s; in batches, 54 s."""
    simulation = record.simulation_id
    if record.batched:
        for _ in range(_MAX_BATCH_POLLS):
            if not records.workers(simulation):
                break
            sleep(_BATCH_POLL_INTERVAL_S)
    # One pass over all: no further variant starts, so later polls read only the running ones.
    running = set(records.running_since(simulation))
    for _ in range(_MAX_POLLS):
        if not running:
            return
        sleep(_POLL_INTERVAL_S)
        running = {index for index in running if records.is_running(simulation, index)}
    if running:
        logger.warning("variants are still running", extra={"simulation_id": simulation, "variants": len(running)})


class AggregateFunction:
    """Invokes the aggregate function and waits for it; a `Collect`.

    Args:
        functions: A boto3 Lambda client with a read timeout above the function's, and without retries.
        name: Name of the function.
        files: The store.
        notify: Notifies subscribers; the state machine, which usually does, has ended.
        sleep: Waits while Lambda prepares an idle function.
    """

    def __init__(
        self,
        functions: Any,
        name: str,
        files: Files,
        notify: Callable[[Notification], None] = lambda notice: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._functions = functions
        self._sleep = sleep
        self._notify = notify
        self._name = name
        self._files = files

    def __call__(self, simulation: str, map_error: dict[str, str] | None = None, attempt: int | None = None) -> bool:
        # Checked here rather than by the function's error: its role cannot distinguish a missing object from a
        # forbidden one.
        if not self._has_manifest(simulation):
            return False
        payload: dict[str, Any] = {"simulation_id": simulation} | ({"map_error": map_error} if map_error else {})
        payload |= {"attempt": attempt} if attempt is not None else {}
        answer = self._invoke(json.dumps(payload).encode(), simulation)
        content = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise NotCollected(f"{simulation}: {content.decode(errors='replace')[:500]}")
        summary = json.loads(content)
        if summary["notify"]:
            self._notify(Notification(summary["subject"], summary["message"]))
        return True

    def _invoke(self, payload: bytes, simulation: str) -> Any:
        """Invoke the function, and wait while Lambda prepares it.

        Raises:
            NotReady: If that takes too long.
        """
        for attempt in range(1, _MAX_INVOKES + 1):
            try:
                return self._functions.invoke(FunctionName=self._name, Payload=payload)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in _BEING_PREPARED:
                    raise
                if attempt == _MAX_INVOKES:
                    raise NotReady(f"{simulation}: the function {self._name} is not ready yet: {code}") from error
                if attempt == 1:
                    logger.info("waiting for an idle function", extra={"simulation_id": simulation, "reason": code})
            self._sleep(_BEFORE_NEXT_INVOKE_S)
        raise AssertionError("the last attempt returns or raises")

    def _has_manifest(self, simulation: str) -> bool:
        try:
            self._files.open_result(keys.run_key(simulation, "manifest.json")).close()
        except NotFound:
            return False
        return True
