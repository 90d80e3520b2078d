"""Common parts of function and container: the runners, logs and metrics of variants and batches."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from epsm.energyplus.engine import Progress, installed_engine
from epsm.model_memory import HANDLER_MB
from epsm.pipeline.batch import Batch, BatchedVariant, BatchOutcome
from epsm.pipeline.items import ATTEMPT, BATCH, REPEATS
from epsm.pipeline.run_batch import BatchRunner
from epsm.pipeline.run_variant import Outcome, VariantRunner
from epsm.pipeline.task_errors import SimulationFailed
from epsm.prices import container_usd_per_second, usd_per_second
from epsm.store.notifications import BUDGET_SPENT, TOO_MANY_FAILURES, event_publisher
from epsm.store.stack import Stack
from epsm.study.compute import TASK_START_S
from epsm.study.preflight import Trial
from epsm.study.records import VariantStatus
from epsm.study.variants import Variant

logger = Logger()
metrics = Metrics()

stack = Stack.from_environment()
settings = stack.settings


def _usd_per_second() -> float:
    function_memory_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    if function_memory_mb is None:
        spot = settings.capacity == "spot"
        return container_usd_per_second(settings.variant_memory_mb, settings.task_vcpus, spot=spot)
    return usd_per_second(float(function_memory_mb))


def _publisher(detail_type: str) -> Callable[[str], None]:
    """Publishes events of a kind. Few workers ever do, so the client is created with the first: it takes 0.1 s."""

    def publish(simulation: str) -> None:
        event_publisher(stack.events, detail_type)(simulation)

    return publish


runner = VariantRunner(
    stack.files,
    stack.records,
    Path(tempfile.gettempdir()) / "epsm",
    installed_engine(),
    _usd_per_second(),
    _publisher(BUDGET_SPENT),
    count_costs=settings.owner_max_usd_per_month > 0,
    kept_results=stack.kept_results,
    unbooked_s=0.0 if "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" in os.environ else TASK_START_S,
)


def _note(variant: BatchedVariant) -> None:
    """Log and count a variant of a batch that has ended."""
    extra = {"variant_index": variant.index, "verdict": variant.verdict, "engine_seconds": variant.engine_seconds}
    if variant.status == VariantStatus.SUCCEEDED:
        metrics.add_metric("VariantsSucceeded", MetricUnit.Count, 1)
        metrics.add_metric("EngineSeconds", MetricUnit.Seconds, variant.engine_seconds)
        logger.info("variant succeeded", extra=extra)
    else:
        metrics.add_metric("VariantsFailed", MetricUnit.Count, 1)
        logger.warning("variant failed", extra=extra)


batches = BatchRunner(runner, _publisher(TOO_MANY_FAILURES), _note)


def run(
    simulation: str,
    item: dict[str, Any],
    *,
    seconds_left: Callable[[], float],
    memory_mb: int,
    engines: int,
    repeatable: bool = False,
) -> Outcome | BatchOutcome:
    """Run the variant or the batch of an item; see `VariantRunner.run` and `BatchRunner.run`.

    Args:
        simulation: The simulation it belongs to.
        item: An item of items.json.
        seconds_left: Time that is left, seconds.
        memory_mb: Memory of the function or the container, MiB.
        engines: Engines at a time, in a batch.
        repeatable: Whether a batch of one variant, too, can be run again if the time is short.
    """
    logger.set_correlation_id(simulation)
    if BATCH in item:
        return batches.run(
            simulation,
            Batch.from_item(item),
            engines=engines,
            seconds_left=seconds_left,
            memory_limit_mb=memory_mb - HANDLER_MB,
            repeatable=repeatable,
        )
    return _run_variant(simulation, item, seconds_left, memory_mb)


def _run_variant(simulation: str, item: dict[str, Any], seconds_left: Callable[[], float], memory_mb: int) -> Outcome:
    variant = Variant.from_item(item)
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
            attempt=item.get(ATTEMPT),
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
