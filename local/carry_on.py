"""What a stack that was killed had begun: closed with what it had come to, then run on as one more attempt."""

import json
from collections.abc import Iterator
from typing import Any

from epsm.rerun import rerun_missing
from epsm.store.files import Files
from epsm.store.records import Records, StudyRecord, StudyStatus, VariantStatus
from local.stack import STACK_NAME, LocalStack

INTERRUPTED = "The local stack was stopped while this study ran."
_OWNER = "interrupted"


def carry_on(stack: LocalStack, files: Files, records: Records) -> Iterator[str]:
    """Run on with every open study. Call it once, before anything else uses the stack: nothing runs then.

    What is interrupted is in the journal until its next attempt has been started, so a kill in between loses nothing.

    Yields:
        A line for each study.
    """
    journal = stack.journal
    if journal is None:
        return
    for record in [each for each in records.studies() if not each.status.final]:
        if record.status is StudyStatus.PENDING and record.attempt == 1:
            _submit_again(stack, record)
            yield f"{record.name or record.simulation_id} had not begun; it is submitted again"
        else:
            journal.write(_OWNER, record.simulation_id, True)
            if record.status is StudyStatus.PENDING:
                records.finish_study(
                    record.simulation_id,
                    StudyStatus.FAILED,
                    succeeded=record.succeeded,
                    failed=record.failed,
                    error=INTERRUPTED,
                )
    interrupted = [name for name, _ in journal.read(_OWNER)]
    if interrupted:
        _invoke(stack, "cleanup", {"task": "reconcile"})
    for simulation in interrupted:
        closed = records.study(simulation)
        if closed is not None:
            missing = rerun_missing(
                files, records, stack.client("stepfunctions"), stack.outputs.state_machine_arn, closed
            )
            variants = list(records.variants(simulation))
            done = sum(each.status is VariantStatus.SUCCEEDED for each in variants)
            yield f"{closed.name} was interrupted: {done} variants were done; {missing} run now"
        journal.write(_OWNER, simulation, None)


def _submit_again(stack: LocalStack, record: StudyRecord) -> None:
    """Hand the upload's event to submit once more; it starts nothing twice."""
    source = record.source
    detail = {
        "bucket": {"name": source["bucket"]},
        "object": {"key": source["key"], "version-id": source["version_id"]},
    }
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    _invoke(stack, "submit", event, kind="Event")


def _invoke(stack: LocalStack, function: str, event: dict[str, Any], kind: str = "RequestResponse") -> None:
    stack.client("lambda").invoke(
        FunctionName=f"{STACK_NAME}-{function}", InvocationType=kind, Payload=json.dumps(event).encode()
    )
