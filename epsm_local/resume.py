"""Resuming the studies of a stopped or killed stack: each is closed, then continued as its next attempt.

The records define the remaining work, so nothing is lost if this is killed or fails: the next start finds the study
open, or closed with `INTERRUPTED`.
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
    """Resume every study that has not ended, and submit uploads that submit had not processed.

    Call it once, before anything else uses the stack, while nothing is running.

    Yields:
        One line per study.
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
    """Start the next attempt of each interrupted study, for the variants that have not succeeded.

    Yields:
        One line per study; if it could not be started, with the reason. The next start retries it.
    """
    records = stack.records
    for record in list(records.every_study()):
        simulation = record.simulation_id
        if record.status is StudyStatus.PENDING and record.attempt == 1:
            submit(_upload(record.source))  # idempotent
            yield f"{record.name or simulation} had not started; it is submitted again"
        elif not record.status.final or _was_interrupted(record):
            ended = (variant for variant in records.variants(simulation) if variant.stage != CANCELLED_STAGE)
            counts = Counter(variant.status for variant in ended)
            succeeded, failed = counts[VariantStatus.SUCCEEDED], counts[VariantStatus.FAILED]
            records.finish_study(simulation, StudyStatus.FAILED, succeeded=succeeded, failed=failed, error=INTERRUPTED)
            yield _run_missing(stack, simulation)


def submit_promised(journal: Journal, records: Records, submit: Callable[[dict[str, Any]], None]) -> Iterator[str]:
    """Submit the uploads with unprocessed events; all other events concern executions that no longer exist.

    Uploads with a record and those of removed studies are not included: their events had been processed. For this
    reason the bucket's own versions are not used.

    Yields:
        One line per upload.
    """
    submitted = set()
    for name, (function, text) in list(journal.read(PROMISES)):
        event = json.loads(text)
        if function.rsplit(":", 1)[-1] == _SUBMIT and event.get("detail-type") == "Object Created":
            source = _source(event["detail"])
            simulation = keys.simulation_id(**source)
            # The rule's event and the function's event are of the same upload.
            if simulation not in submitted and records.study_including_removed(simulation) is None:
                submit(_upload(source))
                submitted.add(simulation)
                yield f"{keys.study_folder(source['key'])} had not been processed; it is submitted"
        journal.write(PROMISES, name, None)


def _run_missing(stack: Stack, simulation: str) -> str:
    record = stack.records.study(simulation)
    if record is None or not _was_interrupted(record):
        return f"{simulation} has ended meanwhile"
    try:
        missing = rerun_missing(stack, record)
    except (BotoCoreError, ClientError, NotFound, ValidationError) as fault:
        logger.exception("study could not be resumed", extra={"simulation_id": simulation})
        return f"{record.name} was interrupted and could not be resumed; the next start retries: {fault}"
    return f"{record.name} was interrupted: {record.succeeded} variants had succeeded; {missing} are run now"


def _was_interrupted(record: StudyRecord) -> bool:
    return record.status is StudyStatus.FAILED and record.error == INTERRUPTED


def _upload(source: dict[str, str]) -> dict[str, Any]:
    """The fields of an upload's event that submit reads."""
    detail = {
        "bucket": {"name": source["bucket"]},
        "object": {"key": source["key"], "version-id": source["version_id"]},
    }
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def _source(detail: dict[str, Any]) -> dict[str, str]:
    uploaded = detail["object"]
    return {"bucket": detail["bucket"]["name"], "key": uploaded["key"], "version_id": uploaded["version-id"]}
