"""Lambda that runs a tiny study through the whole stack, every hour, and fails if the study fails."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from epsm.operations.canary import Canary
from epsm.store.functions import Functions
from epsm.store.stack import Stack

logger = Logger()
tracer = Tracer(patch_modules=("botocore",))
metrics = Metrics()

FOR_THE_REST_S = 90.0
"""Time of the function reserved for removing the study and reporting its failure before Lambda's timeout."""

stack = Stack.from_environment()
# No retries: a second request would remove what the first is removing.
patient = Config(read_timeout=FOR_THE_REST_S - 15, retries={"total_max_attempts": 1})
stack.functions = Functions(boto3.client("lambda", config=patient), stack.settings.cleanup_function)
canary = Canary(stack)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the canary; `CanaryFailed` has the outcome of a failed study."""
    done = canary.run(context.get_remaining_time_in_millis() / 1000 - FOR_THE_REST_S)
    metrics.add_metric("CanarySeconds", MetricUnit.Seconds, done.seconds)
    logger.info("canary succeeded", extra={"simulation_id": done.simulation_id, "seconds": done.seconds})
    return {"simulation_id": done.simulation_id, "seconds": done.seconds}
