"""Cancelling a study: nothing new starts, engines that run are ended within seconds, what has succeeded is kept.

The record comes first: whatever is on its way finds the study closed. Stopping the execution stops its children, but
not the functions that they called: those look at the record every few seconds and end their engine. That the execution
was stopped makes the cleanup function collect what there is.
"""

from typing import Any

from botocore.exceptions import ClientError

from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyRecord


def cancel(records: Records, step_functions: Any, state_machine_arn: str, record: StudyRecord, why: str) -> bool:
    """Cancel a study; False, and nothing done, if it has ended.

    Args:
        records: The table.
        step_functions: A boto3 Step Functions client.
        state_machine_arn: The machine that runs studies.
        record: The study.
        why: Who cancelled it, as a sentence for its record.
    """
    if not records.cancel_study(record.simulation_id, why):
        return False
    arn = record.execution_arn or keys.execution_arn(state_machine_arn, record.simulation_id, record.attempt)
    try:
        step_functions.stop_execution(executionArn=arn, error="Cancelled", cause=why)
    except ClientError as error:
        # It was not started yet; when it is, it finds the study closed.
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
    return True
