"""Lambda behind the EventBridge rules that keep records and storage in order."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from epsm.operations.close import AggregateFunction, close
from epsm.operations.give_up import give_up
from epsm.operations.react import on_execution_ended, on_execution_started, remove_when_ended, share_among
from epsm.operations.reconcile import LOOK_BACK, open_studies, reconcile
from epsm.operations.retention import Remover
from epsm.store import notifications
from epsm.store.removal import OutOfTime
from epsm.store.stack import Stack

logger = Logger()
tracer = Tracer(patch_modules=("botocore",))
metrics = Metrics()

stack = Stack.from_environment()
settings, records = stack.settings, stack.records
# The functions' time limit, without retries; a second request would start a second aggregate.
patient = Config(read_timeout=890, retries={"total_max_attempts": 1})
collect = AggregateFunction(
    boto3.client("lambda", config=patient), settings.aggregate_function, stack.files, stack.notify
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle the start or end of an execution, an exceeded limit of a study, or `event["task"]`.

    The tasks are `reconcile`, `retention` and, for the API, `share` and `remove`.
    """
    match event.get("detail-type"):
        case "Step Functions Execution Status Change":
            detail = event["detail"]
            if detail["status"] == "RUNNING":
                return {"shares": on_execution_started(stack, detail["executionArn"])}
            return _close(detail["executionArn"]) | _go_on()
        case notifications.BUDGET_SPENT | notifications.TOO_MANY_FAILURES:
            return _give_up(event["detail"]["simulation_id"])
    match event.get("task"):
        case "reconcile":
            return _reconcile() | {"removed": _remover(context).continue_removals()}
        case "retention":
            return _remove_expired(_remover(context), bool(event.get("dry_run", False)))
        case "share":
            return {"shares": share_among(stack, list(open_studies(records)))}
        case "remove":
            return _remove(event["simulation_id"], context)
        case task:
            raise ValueError(f"unknown task {task!r}")


def _close(execution_arn: str) -> dict[str, Any]:
    # Its current state, not that of the event: it may have been redriven since.
    execution = stack.executions.find(execution_arn)
    if execution is None:
        return {"closed": False}
    logger.set_correlation_id(execution.simulation_id)
    tracer.put_annotation("simulation_id", execution.simulation_id)
    closed = close(records, collect, execution)
    metrics.add_metric("StudiesClosed", MetricUnit.Count, int(closed))
    logger.info("execution ended", extra={"status": execution.status, "closed": closed})
    return {"simulation_id": execution.simulation_id, "closed": closed}


def _go_on() -> dict[str, Any]:
    reaction = on_execution_ended(stack)
    metrics.add_metric("StudiesFollowing", MetricUnit.Count, len(reaction.started))
    return {"started": reaction.started, "shares": reaction.shares}


def _give_up(simulation: str) -> dict[str, Any]:
    logger.set_correlation_id(simulation)
    given_up = give_up(stack, simulation)
    logger.info("limit exceeded", extra={"given_up": given_up})
    return {"simulation_id": simulation, "given_up": given_up}


def _reconcile(*, all_studies: bool = False) -> dict[str, Any]:
    look_back = None if all_studies else LOOK_BACK
    found = reconcile(stack, collect, look_back=look_back)
    faults = sum(bool(closed.error) for closed in found)
    metrics.add_metric("StudiesReconciled", MetricUnit.Count, len(found) - faults)
    metrics.add_metric("CleanupFaults", MetricUnit.Count, faults)
    for closed in found:
        logger.warning(
            "study had no running execution",
            extra={"simulation_id": closed.simulation_id, "status": closed.status, "reason": closed.error},
        )
    return {"reconciled": len(found) - faults, "faults": faults} | _go_on()


def _remover(context: LambdaContext) -> Remover:
    return Remover(stack, seconds_left=lambda: _seconds_left(context))


def _seconds_left(context: LambdaContext) -> float:
    return context.get_remaining_time_in_millis() / 1000


def _remove_expired(remover: Remover, dry_run: bool) -> dict[str, Any]:
    if not dry_run:
        # Once a day without an age limit: a study that is not closed is never removed.
        _reconcile(all_studies=True)
    removals = remover.remove_expired(dry_run=dry_run)
    faults = sum(bool(removal.error) for removal in removals)
    removed = sum(removal.removed for removal in removals)
    metrics.add_metric("StudiesRemoved", MetricUnit.Count, removed)
    metrics.add_metric("CleanupFaults", MetricUnit.Count, faults)
    return {"due": len(removals), "removed": removed, "faults": faults, "dry_run": dry_run}


def _remove(simulation: str, context: LambdaContext) -> dict[str, Any]:
    """Remove one study; `StillRuns` is raised, and returned as the error type, if it is still running."""
    logger.set_correlation_id(simulation)
    try:
        removal = remove_when_ended(stack, simulation, seconds_left=lambda: _seconds_left(context))
    except OutOfTime:
        logger.info("study is too large for one invocation: the next reconciliation removes the rest")
        return {"simulation_id": simulation, "removed": False}
    metrics.add_metric("StudiesRemoved", MetricUnit.Count, int(removal is not None))
    return {"simulation_id": simulation, "removed": removal is not None}
