"""Lambda (container image) that runs one variant of a study."""

import os
from typing import Any

from aws_lambda_powertools import Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.run_variant.running import logger, metrics, run

tracer = Tracer(patch_modules=("botocore",))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run `event["variant"]` of `event["simulation_id"]`."""
    tracer.put_annotation("simulation_id", event["simulation_id"])
    outcome = run(
        event["simulation_id"],
        event["variant"],
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        memory_mb=int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
    )
    return outcome.as_dict()
