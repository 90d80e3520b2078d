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
    # Other clients may be following too, and an account is limited to about one request per second.
    executions = Executions(
        connection.client("stepfunctions"), connection.stack.settings.state_machine_arn, fresh_s=3 * connection.poll_s
    )
    counts = RunCounts()
    answered = time.monotonic()
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
        time.sleep(connection.poll_s)
