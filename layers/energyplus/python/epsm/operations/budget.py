"""A study's budget: what its variants have cost so far, and giving it up when that is what it may cost at most.

Every running variant of a study with a budget adds what it has cost to the study's record, every few seconds and at its
end; the additions are atomic. Whoever finds the budget spent says so in an event, and the cleanup function stops the
execution. What is spent beyond the budget is what the variants that run then cost within some 20 seconds.
"""

from typing import Any

from botocore.exceptions import ClientError

from epsm.estimate import in_usd
from epsm.store import keys
from epsm.store.records import Records

STOP_ERROR = "BudgetSpent"


def give_up(records: Records, step_functions: Any, state_machine_arn: str, simulation: str) -> bool:
    """Stop a study whose budget is spent; False, and nothing done, if it has ended, or its budget was raised.

    That its execution was stopped makes the cleanup function collect what has succeeded and close it as failed.
    """
    record = records.study(simulation)
    if record is None or record.status.final:
        return False
    budget_usd = record.options.get("max_cost_usd")
    if budget_usd is None or record.spent_usd < budget_usd:
        return False
    why = f"Its variants have cost {in_usd(record.spent_usd)}; max_cost_usd is {budget_usd:g}."
    records.note_stop(simulation, why)
    arn = record.execution_arn or keys.execution_arn(state_machine_arn, simulation, record.attempt)
    try:
        step_functions.stop_execution(executionArn=arn, error=STOP_ERROR, cause=why)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
    return True
