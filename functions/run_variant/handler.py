"""Lambda (container image) that runs a variant, or a batch of variants, of a study."""

import os
from typing import Any

from aws_lambda_powertools import Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from epsm.study.batches import engines_of
from functions.run_variant.runner import logger, metrics, run, try_pair

tracer = Tracer(patch_modules=("botocore",))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run `event["variant"]` of `event["simulation_id"]`, an item of items.json, or try the pair of the baseline
    `event["preflight"]`."""
    tracer.put_annotation("simulation_id", event["simulation_id"])
    memory_mb = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    if "preflight" in event:
        trial = try_pair(event["simulation_id"], event["preflight"], seconds_left=seconds_left, memory_mb=memory_mb)
        return trial.as_dict()
    outcome = run(
        event["simulation_id"],
        event["variant"],
        seconds_left=seconds_left,
        memory_mb=memory_mb,
        engines=engines_of(memory_mb),
    )
    return outcome.as_dict()
