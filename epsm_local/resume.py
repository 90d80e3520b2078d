"""What a stack that was stopped or killed had begun: closed, then run on as one more attempt.

The records define the remaining work, so a kill or a failure in the middle of this loses nothing: the next start finds
the study open, or closed with `INTERRUPTED`.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from epsm.errors import NotFound
from epsm.operations.rerun import rerun_missing
from epsm.store import keys
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.records import CANCELLED_STAGE, StudyRecord, StudyStatus, VariantStatus
from epsm_local.aws.journal import Journal
from epsm_local.moto_patches import PROMISES
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack

logger = logging.getLogger(__name__)

INTERRUPTED = "The local stack was stopped while this study ran."
_SUBMIT = f"{STACK_NAME}-submit"


def resume_studies(local: LocalStack, stack: Stack) -> Iterator[str]:
    """Run on with every study that has not ended, and submit uploads that submit had not seen.

    Call it once, before anything else uses the stack: nothing runs then.

    Yields:
        A line for each study.
    """
    if local.journal is None:
        return

    def submit(event: dict[str, Any]) -> None:
        local.client("lambda").invoke(FunctionName=_SUBMIT, InvocationType="Event", Payload=json.dumps(event).encode())

    yield from run_on(stack, submit)
    yield from submit_promised(local.journal, stack.records, submit)


def run_on(
    stack: Stack,
    submit: Callable[[dict[str, Any]], None],
) -> Iterator[str]:
    """Start one more attempt of each study that was interrupted, of the variants that have not succeeded.

    Yields:
        A line for each; for one that could not be started, why. The next start tries that one again.
    """
    records = stack.records
    for record in list(records.every_study()):
        simulation = record.simulation_id
        if record.status is StudyStatus.PENDING and record.attempt == 1:
            submit(_upload(record.source))  # it starts nothing twice
            yield f"{record.name or simulation} had not begun; it is submitted again"
        elif not record.status.final or _was_interrupted(record):
            ended = (each for each in records.variants(simulation) if each.stage != CANCELLED_STAGE)
            found = Counter(each.status for each in ended)
            succeeded, failed = found[VariantStatus.SUCCEEDED], found[VariantStatus.FAILED]
            records.finish_study(simulation, StudyStatus.FAILED, succeeded=succeeded, failed=failed, error=INTERRUPTED)
            yield _run_missing(stack, simulation)


def submit_promised(journal: Journal, records: Records, submit: Callable[[dict[str, Any]], None]) -> Iterator[str]:
    """Submit the uploads whose event had not been dealt with; all other events were about what is gone.

    Uploads with a record are not included, nor those of removed studies: their events had been processed, which is why
    the bucket's own versions are not consulted.

    Yields:
        A line for each.
    """
    submitted = set()
    for name, (function, text) in list(journal.read(PROMISES)):
        event = json.loads(text)
        if function.rsplit(":", 1)[-1] == _SUBMIT and event.get("detail-type") == "Object Created":
            source = _source(event["detail"])
            simulation = keys.simulation_id(**source)
            # The rule's promise and the function's are of the same upload.
            if simulation not in submitted and records.study_including_removed(simulation) is None:
                submit(_upload(source))
                submitted.add(simulation)
                yield f"{keys.study_folder(source['key'])} had not been seen; it is submitted"
        journal.write(PROMISES, name, None)


def _run_missing(stack: Stack, simulation: str) -> str:
    record = stack.records.study(simulation)
    if record is None or not _was_interrupted(record):
        return f"{simulation} has ended meanwhile"
    try:
        missing = rerun_missing(stack, record)
    except (BotoCoreError, ClientError, NotFound, ValidationError) as fault:
        logger.exception("study could not be resumed", extra={"simulation_id": simulation})
        return f"{record.name} was interrupted and could not be resumed, the next start tries again: {fault}"
    return f"{record.name} was interrupted: {record.succeeded} variants were done; {missing} run now"


def _was_interrupted(record: StudyRecord) -> bool:
    return record.status is StudyStatus.FAILED and record.error == INTERRUPTED


def _upload(source: dict[str, str]) -> dict[str, Any]:
    """The event of an upload, as far as submit reads it."""
    detail = {
        "bucket": {"name": source["bucket"]},
        "object": {"key": source["key"], "version-id": source["version_id"]},
    }
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def _source(detail: dict[str, Any]) -> dict[str, str]:
    uploaded = detail["object"]
    return {"bucket": detail["bucket"]["name"], "key": uploaded["key"], "version_id": uploaded["version-id"]}
