"""Common parts of function and container: the runner, logs and metrics of a variant."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from epsm.energyplus.engine import Progress, installed_engine
from epsm.estimate import container_usd_per_second, usd_per_second
from epsm.model_memory import HANDLER_MB
from epsm.pipeline.items import REPEATS
from epsm.pipeline.run_variant import Outcome, VariantRunner
from epsm.pipeline.task_errors import SimulationFailed
from epsm.store.notifications import budget_event_publisher
from epsm.store.stack import Stack
from epsm.study.preflight import Trial
from epsm.study.variants import Variant

logger = Logger()
metrics = Metrics()

stack = Stack.from_environment()
settings = stack.settings


def _usd_per_second() -> float:
    function_memory_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    if function_memory_mb is None:
        return container_usd_per_second(settings.variant_memory_mb)
    return usd_per_second(float(function_memory_mb))


runner = VariantRunner(
    stack.files,
    stack.records,
    Path(tempfile.gettempdir()) / "epsm",
    installed_engine(),
    _usd_per_second(),
    budget_event_publisher(boto3.client("events")),
    count_costs=settings.owner_max_usd_per_month > 0,
    kept_results=stack.kept_results,
)


def run(simulation: str, item: dict[str, Any], *, seconds_left: Callable[[], float], memory_mb: int) -> Outcome:
    """Run the variant of an item; see `VariantRunner.run`.

    Args:
        simulation: The simulation it belongs to.
        item: An item of items.json.
        seconds_left: Time that is left, seconds.
        memory_mb: Memory of the function or the container, MiB.
    """
    variant = Variant.from_item(item)
    logger.set_correlation_id(simulation)
    logger.append_keys(variant_index=variant.index)

    def report(progress: Progress) -> None:
        logger.debug("progress", extra={"environment": progress.environment, "month": progress.month})

    try:
        outcome = runner.run(
            simulation,
            variant,
            seconds_left=seconds_left,
            memory_limit_mb=memory_mb - HANDLER_MB,
            on_progress=report,
            repeats=item.get(REPEATS),
        )
    except SimulationFailed as failure:
        metrics.add_metric("VariantsFailed", MetricUnit.Count, 1)
        logger.warning("variant failed", extra={"reason": str(failure)})
        raise
    metrics.add_metric("VariantsSucceeded", MetricUnit.Count, 1)
    metrics.add_metric("EngineSeconds", MetricUnit.Seconds, outcome.engine_seconds)
    logger.info("variant succeeded", extra=outcome.as_dict())
    return outcome


def try_pair(simulation: str, baseline: int, *, seconds_left: Callable[[], float], memory_mb: int) -> Trial:
    """Try a model with a weather file before any variant is started; see `VariantRunner.try_pair`.

    Args:
        simulation: The simulation they belong to.
        baseline: Index of their baseline.
        seconds_left: Time that is left, seconds.
        memory_mb: Memory of the function, MiB.
    """
    logger.set_correlation_id(simulation)
    logger.append_keys(preflight=baseline)
    limit_mb = memory_mb - HANDLER_MB
    trial = runner.try_pair(simulation, baseline, seconds_left=seconds_left, memory_limit_mb=limit_mb)
    logger.info("model tried", extra=trial.as_dict())
    return trial
