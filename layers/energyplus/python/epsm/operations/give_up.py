"""Stopping a study that has reached one of its limits: its budget, or the number of variants that may fail.

Every running variant of a study with a budget adds its cost to the study's record, every few seconds and at its end;
the additions are atomic. The variant that finds the budget spent publishes an event, and the cleanup function stops the
execution. The budget is exceeded by the cost of running variants within about 20 seconds.

Failed variants of batches are counted on the study's record in the same way; if the last ones are too many, the map
ends before the execution is stopped, and collecting the results closes the study as this would. Failed variants of
other studies are counted by the map run, which then ends.
"""

from epsm.estimate import in_usd
from epsm.store.stack import Stack
from epsm.study.failures import BUDGET_SPENT, TOO_MANY_FAILURES, too_many_failures
from epsm.study.records import StudyRecord


def give_up(stack: Stack, simulation: str) -> bool:
    """Stop a study that has exceeded a limit; False, and nothing done, if it has ended, or its limit was raised.

    The stop of its execution triggers the cleanup function, which collects the results and closes the study as failed.
    """
    record = stack.records.study(simulation)
    if record is None or record.status.final:
        return False
    if cause := _budget_spent(record):
        error = BUDGET_SPENT
    elif cause := too_many_failures(record, stack.records.recount_failures):
        error = TOO_MANY_FAILURES
    else:
        return False
    if not stack.records.request_stop(simulation, cause, record.attempt):
        return False
    stack.executions.stop(record, error, cause)
    return True


def _budget_spent(record: StudyRecord) -> str:
    budget_usd = record.options.get("max_cost_usd")
    if budget_usd is None or record.spent_usd < budget_usd:
        return ""
    return f"Its variants have cost {in_usd(record.spent_usd)}; max_cost_usd is {budget_usd:g}."
