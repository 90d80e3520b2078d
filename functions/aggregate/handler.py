"""Lambda (same container image as run_variant) that ends a study."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from epsm.pipeline.aggregate import aggregate
from epsm.store.stack import Stack

logger = Logger()
tracer = Tracer(patch_modules=("botocore",))
metrics = Metrics()

stack = Stack.from_environment()

_TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Aggregate `event["simulation_id"]`.

    `event["map_error"]` has the error that stopped the map, if any; `event["tried"]` has the outcomes of the trials of
    the models, if there were any; `event["attempt"]` the attempt that has ended, if it may not be the present one.
    """
    logger.set_correlation_id(event["simulation_id"])
    tracer.put_annotation("simulation_id", event["simulation_id"])
    tried = event.get("tried") or {}
    trials = tried["trials"] if tried.get("any_failed") else ()
    summary = aggregate(
        stack.files,
        stack.records,
        event["simulation_id"],
        _reason(event.get("map_error")),
        trials,
        event.get("attempt"),
    )
    metrics.add_metric("StudiesEnded", MetricUnit.Count, 1)
    logger.info("study ended", extra={"status": summary.status, "failed": summary.failed})
    return summary.as_dict()


def _reason(map_error: dict[str, str] | None) -> str:
    """Step Functions' error output, `{"Error", "Cause"}`, as one line."""
    if not map_error:
        return ""
    if map_error.get("Error") == _TOO_MANY_FAILED:
        return f"more variants failed than it allows ({_TOO_MANY_FAILED})"
    return ": ".join(part for part in (map_error.get("Error"), map_error.get("Cause")) if part)[:500]
