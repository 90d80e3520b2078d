"""Cancelling a study: nothing new starts, running engines are stopped within seconds, results so far are kept.

The record is closed first, so that pending starts find the study closed. Stopping the execution stops its children, but
not the functions that they called: those poll the record every few seconds and stop their engine. The stop of the
execution triggers the cleanup function, which collects the partial results.
"""

from epsm.store.stack import Stack
from epsm.study.records import StudyRecord


def cancel(stack: Stack, record: StudyRecord, reason: str) -> bool:
    """Cancel a study; False, and nothing done, if it has ended.

    Args:
        stack: The stack it runs on.
        record: The study.
        reason: The reason, as a sentence for its record.
    """
    if not stack.records.cancel_study(record.simulation_id, reason):
        return False
    stack.executions.stop(record, "Cancelled", reason)
    return True
