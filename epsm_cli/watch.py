"""Following a study: where it is, until it ends."""

import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from epsm.store.executions import Executions, RunCounts, is_throttle
from epsm.study.records import StudyRecord, StudyStatus
from epsm_cli import faults
from epsm_cli.target import Target

_PICKED_UP_WITHIN_S = 120.0


class NotPickedUp(Exception):
    """The upload was not followed by a record: nothing in the stack reacted to it."""


def follow(
    target: Target,
    simulation: str,
    show: Callable[[StudyRecord | None, RunCounts], None],
    show_silence: Callable[[], None] = lambda: None,
) -> StudyRecord:
    """Wait for the end of a study. A network that fails for a while, throttling and faults of a service are waited out.

    Args:
        target: The stack.
        simulation: The study.
        show: Called with every look: the record, None before there is one, and the counts.
        show_silence: Called instead when the stack does not answer.

    Raises:
        NotPickedUp: If there is no record within two minutes.
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the stack has not answered for
            `target.patience_s`, or its answer will not change (expired credentials, access denied).
    """
    started = time.monotonic()
    # Others may be following too, and an account may ask about once a second.
    executions = Executions(
        target.client("stepfunctions"), target.stack.settings.state_machine_arn, fresh_s=3 * target.poll_s
    )
    counts = RunCounts()
    answered = time.monotonic()
    while True:
        try:
            record = target.stack.records.study(simulation)
            try:
                counts = executions.counts(record) if record else counts
            except ClientError as error:
                if not is_throttle(error):
                    raise
        except (BotoCoreError, ClientError) as error:
            if not faults.is_passing(error) or time.monotonic() - answered > target.patience_s:
                raise
            show_silence()
            time.sleep(target.poll_s)
            continue
        answered = time.monotonic()
        show(record, counts)
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
