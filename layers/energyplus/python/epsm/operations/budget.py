"""A study's budget: what its variants have cost so far, and giving it up when that is what it may cost at most.

Every running variant of a study with a budget adds what it has cost to the study's record, every few seconds and at its
end; the additions are atomic. Whoever finds the budget spent says so in an event, and the cleanup function stops the
execution. What is spent beyond the budget is what the variants that run then cost within some 20 seconds.
"""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from epsm.estimate import RunTime, estimate
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.schema import MANIFEST_NAME, Study

EVENT_SOURCE = "epsm"
EVENT_TYPE = "Budget Spent"
STOP_ERROR = "BudgetSpent"


def check_budget(study: Study, sha256_of: Callable[[str], str], records: Records, memory_mb: int) -> list[Problem]:
    """What is wrong with a study of which it is known already that it costs more than it may.

    Only where every model has run before: a guess is no reason to refuse.

    Args:
        study: The study.
        sha256_of: The hash of a model, by its name in the study.
        records: The table, which keeps the run times of models.
        memory_mb: Memory of the function that runs a variant.
    """
    budget_usd = study.options.max_cost_usd
    if budget_usd is None:
        return []
    run_times = measured_run_times(study, sha256_of, records)
    if len(run_times) < len(study.models):
        return []
    cost_usd = estimate(study, run_times, memory_mb=memory_mb, capacity=1).cost_usd
    if cost_usd <= budget_usd:
        return []
    where = f"{MANIFEST_NAME}: options.max_cost_usd"
    what = f"{budget_usd:g} is too little: by earlier runs of its models the study costs about {in_usd(cost_usd)}"
    return [Problem(where, what)]


def measured_run_times(study: Study, sha256_of: Callable[[str], str], records: Records) -> dict[str, RunTime]:
    """The run times of those of a study's models that have run before."""
    found = {model: records.run_time(sha256_of(model)) for model in study.models}
    return {model: RunTime(seconds, "measured") for model, seconds in found.items() if seconds is not None}


def in_usd(amount: float) -> str:
    """An amount as it is told.

    >>> in_usd(1234.5), in_usd(0.00051)
    ('$1234.50', '$0.00051')
    """
    return f"${amount:.2f}" if amount >= 0.1 else f"${amount:.2g}"


def announcer(events: Any) -> Callable[[str], None]:
    """Tells the event bus that a simulation's budget is spent.

    Args:
        events: A boto3 EventBridge client.
    """

    def announce(simulation: str) -> None:
        entry = {
            "Source": EVENT_SOURCE,
            "DetailType": EVENT_TYPE,
            "Detail": json.dumps({"simulation_id": simulation}),
        }
        answer = events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"EventBridge did not take the event: {answer['Entries']}")

    return announce


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
