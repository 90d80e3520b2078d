"""Following a study: polling its status until it ends."""

import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from epsm.client.aws_faults import is_passing
from epsm.client.connection import Connection
from epsm.errors import NotPickedUp
from epsm.store.executions import Executions, RunCounts, is_throttle
from epsm.study.records import StudyRecord

_PICKED_UP_WITHIN_S = 120.0
_MAX_INTERVAL_S = 1.0
"""Longest polling interval, unless that of the connection is longer."""
_PROGRESS_S = 1.0
"""Shortest polling interval of a stack that reports the end of a study itself: polls only show its progress."""
_POLLS_TO_THE_END = 20
"""Polls in the time that the rest of a study is expected to take: on a laptop, they take the cores of its engines."""


def follow(
    connection: Connection,
    simulation: str,
    show: Callable[[StudyRecord | None, RunCounts], None],
    show_silence: Callable[[], None] = lambda: None,
) -> StudyRecord:
    """Wait for the end of a study. Transient network failures, throttling and service errors are retried.

    Args:
        connection: The stack.
        simulation: The study.
        show: Called at each poll with the record, None before it exists, and the counts.
        show_silence: Called instead if the stack does not answer.

    Raises:
        NotPickedUp: If there is no record within two minutes.
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the stack has not answered for
            `connection.patience_s`, or the error is permanent (expired credentials, access denied).
    """
    started = time.monotonic()
    min_s = connection.poll_s if connection.wait_for_change is None else max(_PROGRESS_S, connection.poll_s)
    # Other clients may be following too, and an account is limited to about one request per second.
    executions = Executions(
        connection.client("stepfunctions"), connection.stack.settings.state_machine_arn, fresh_s=3 * connection.poll_s
    )
    counts = RunCounts()
    answered = time.monotonic()
    first_running = None
    while True:
        try:
            record = connection.stack.records.study(simulation)
            try:
                counts = executions.counts(record) if record else counts
            except ClientError as error:
                if not is_throttle(error):
                    raise
        except (BotoCoreError, ClientError) as error:
            if not is_passing(error) or time.monotonic() - answered > connection.patience_s:
                raise
            show_silence()
            time.sleep(connection.poll_s)
            continue
        answered = time.monotonic()
        show(record, counts)
        if record is not None and record.status.final:
            return record
        if record is None and time.monotonic() - started > _PICKED_UP_WITHIN_S:
            raise NotPickedUp(f"{simulation}: uploaded, but the stack has not picked it up")
        if first_running is None and counts.running:
            first_running = time.monotonic()
        running_s = 0.0 if first_running is None else time.monotonic() - first_running
        status = None if record is None else record.status
        connection.wait(simulation, status, interval_s(min_s, running_s, counts))


def interval_s(min_s: float, running_s: float, counts: RunCounts) -> float:
    """Time until the next poll, seconds: the longer, the more time the study is expected to need.

    Args:
        min_s: Shortest interval, seconds.
        running_s: How long variants have been running, seconds.
        counts: Variants by state.

    >>> interval_s(0.1, 30.0, RunCounts(running=2, succeeded=10, total=100))
    1.0
    >>> interval_s(0.1, 30.0, RunCounts(running=2, succeeded=96, total=100))
    0.1
    >>> interval_s(0.1, 5.0, RunCounts(running=2, total=100))
    0.25
    >>> interval_s(3.0, 30.0, RunCounts(running=2, succeeded=10, total=100))
    3.0
    """
    if not counts.total or counts.ended >= counts.total:
        return min_s
    # If none has ended, the rest takes at least as long as the first have taken so far.
    rest_s = running_s * (counts.total - counts.ended) / counts.ended if counts.ended else running_s
    return max(min_s, min(_MAX_INTERVAL_S, rest_s / _POLLS_TO_THE_END))
