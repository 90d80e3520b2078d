"""Cancelling a study: nothing new starts, engines that run are ended within seconds, what has succeeded is kept.

The record comes first: whatever is on its way finds the study closed. Stopping the execution stops its children, but
not the functions that they called: those look at the record every few seconds and end their engine. The stop of the
execution makes the cleanup function collect the partial results.
"""

from epsm.store.stack import Stack
from epsm.study.records import StudyRecord


def cancel(stack: Stack, record: StudyRecord, why: str) -> bool:
    """Cancel a study; False, and nothing done, if it has ended.

    Args:
        stack: The stack it runs on.
        record: The study.
        why: Who cancelled it, as a sentence for its record.
    """
    if not stack.records.cancel_study(record.simulation_id, why):
        return False
    stack.executions.stop(record, "Cancelled", why)
    return True
