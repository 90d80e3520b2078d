"""Lambda (container image) that runs one variant of a study."""

import os
import tempfile
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from epsm.budget import announcer
from epsm.engine import Progress, installed_engine
from epsm.estimate import usd_per_second
from epsm.settings import Settings
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.variant_run import SimulationFailed, VariantRunner
from epsm.variants import Variant

MEMORY_FOR_THE_HANDLER_MB = 350
"""Python with eppy, pandas and a parsed model; what remains of the function's memory is the engine's."""

logger = Logger()
tracer = Tracer()
metrics = Metrics()

settings = Settings.from_environment()
memory_mb = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
runner = VariantRunner(
    Files(boto3.client("s3"), settings.results_bucket),
    Records(boto3.resource("dynamodb").Table(settings.table_name)),
    Path(tempfile.gettempdir()) / "epsm",
    installed_engine(),
    usd_per_second(memory_mb),
    announcer(boto3.client("events")),
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run `event["variant"]` of `event["simulation_id"]`."""
    variant = Variant.from_item(event["variant"])
    logger.set_correlation_id(event["simulation_id"])
    logger.append_keys(variant_index=variant.index)
    tracer.put_annotation("simulation_id", event["simulation_id"])

    def report(progress: Progress) -> None:
        logger.debug("progress", extra={"environment": progress.environment, "month": progress.month})

    try:
        outcome = runner.run(
            event["simulation_id"],
            variant,
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
            memory_limit_mb=memory_mb - MEMORY_FOR_THE_HANDLER_MB,
            on_progress=report,
        )
    except SimulationFailed as failure:
        metrics.add_metric("VariantsFailed", MetricUnit.Count, 1)
        logger.warning("variant failed", extra={"reason": str(failure)})
        raise
    metrics.add_metric("VariantsSucceeded", MetricUnit.Count, 1)
    metrics.add_metric("EngineSeconds", MetricUnit.Seconds, outcome.engine_seconds)
    logger.info("variant succeeded", extra=outcome.as_dict())
    return outcome.as_dict()
