"""A study's budget: the cost of its variants so far, and stopping it when that reaches its maximum.

Every running variant of a study with a budget adds its cost to the study's record, every few seconds and at its end;
the additions are atomic. The variant that finds the budget spent publishes an event, and the cleanup function stops the
execution. The budget is exceeded by the cost of running variants within about 20 seconds.
"""

from epsm.estimate import in_usd
from epsm.store.stack import Stack

STOP_ERROR = "BudgetSpent"


def give_up(stack: Stack, simulation: str) -> bool:
    """Stop a study whose budget is spent; False, and nothing done, if it has ended, or its budget was raised.

    The stop of its execution triggers the cleanup function, which collects the results and closes the study as failed.
    """
    record = stack.records.study(simulation)
    if record is None or record.status.final:
        return False
    budget_usd = record.options.get("max_cost_usd")
    if budget_usd is None or record.spent_usd < budget_usd:
        return False
    why = f"Its variants have cost {in_usd(record.spent_usd)}; max_cost_usd is {budget_usd:g}."
    stack.records.request_stop(simulation, why)
    stack.executions.stop(record, STOP_ERROR, why)
    return True
