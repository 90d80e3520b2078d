"""Time and cost of a study's variants on each kind of compute: functions, containers, Fargate Spot."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from epsm import prices
from epsm.footprint import (
    LOG_BYTES,
    large_files,
    puts_of_a_batch,
    puts_of_a_variant,
    stored_bytes,
    writes_of_a_variant,
)
from epsm.prices import container_usd_per_second, usd_per_second
from epsm.study.batches import MB_PER_VCPU, Batching, batching_of
from epsm.study.compute import COMPUTES, TASK_START_S, Compute, Tasks
from epsm.study.schema import MAX_FUNCTION_RUN_S, Study

SECONDS_AROUND_THE_ENGINE = 1.0
"""Fetching, editing, reading, storing; measured, with a first run's share of a cold start."""
_CHILDREN_PER_SECOND, _TASKS_PER_SECOND = 100, 20
"""Quotas: child executions that a map run starts (Step Functions), and tasks that RunTask starts (Fargate)."""
_TRANSITIONS, _TRANSITIONS_OF_A_TASK = 4, 7
"""Of a child execution: its start, its choices, its task and its end. A batch in a container is looked up by a function
afterwards."""
_GETS, _READS = 1, 2
"""Requests of a variant besides those of `epsm.footprint`: its model; earlier results, and its record in the end."""
_GETS_OF_A_CHILD = 6
_SECONDS_BETWEEN_POLLS = 3.0
_LOOKUP_S = 1.0
_LONG_TASK_MB = 4096
"""Of the task that runs a single variant for which a function has no time."""
_DAYS_OF_A_MONTH = 30.4


@dataclass(frozen=True, slots=True)
class ComputeEstimate:
    """Time and cost of a study on one kind of compute.

    Attributes:
        wall_seconds: From start to end.
        cost_usd: The sum of the following.
        run_usd: Functions or tasks, including their start.
        transitions_usd: State transitions of Step Functions.
        requests_usd: Requests to Lambda, S3 and DynamoDB.
        storage_usd: Files of the variants in S3 until the study is deleted.
        logs_usd: Log lines of the variants.
        available: Whether the stack offers it.
    """

    wall_seconds: float
    cost_usd: float
    run_usd: float
    transitions_usd: float
    requests_usd: float
    storage_usd: float
    logs_usd: float
    available: bool


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials before the variants, the same on each kind of compute.

    Attributes:
        seconds: How long they take.
        usd: What their functions cost.
        number: How many there are.
    """

    seconds: float
    usd: float
    number: int


@dataclass(frozen=True, slots=True)
class _Run:
    """The variants on one kind of compute.

    Attributes:
        wall_seconds: From the start of the map to its end.
        usd: Cost of functions or tasks.
        children: Child executions.
        batched: Whether they run batches, which store the small files of several variants together.
        engines: Engines of a batch at full speed.
        transitions: State transitions of one.
        invocations: Invocations of the function.
    """

    wall_seconds: float
    usd: float
    children: float
    batched: bool
    engines: float
    transitions: int
    invocations: float


def estimates(
    study: Study,
    engine_seconds: Mapping[str, float],
    trials: Trials,
    *,
    memory_mb: int,
    capacity: int,
    fargate_vcpus: int,
    has_containers: bool,
) -> dict[Compute, ComputeEstimate]:
    """Time and cost of a study on each kind of compute.

    Args:
        study: The study.
        engine_seconds: Run time of each of its models.
        trials: The trials before its variants.
        memory_mb: Memory of the function that runs variants, MiB.
        capacity: Functions that can run at a time.
        fargate_vcpus: vCPUs that tasks can have at a time.
        has_containers: Whether the stack was deployed with Fargate.
    """
    seconds = {model: engine_seconds[model] + SECONDS_AROUND_THE_ENGINE for model in study.models}
    tasks = Tasks.within(fargate_vcpus)
    found: dict[Compute, ComputeEstimate] = {}
    for compute in COMPUTES:
        if compute == "function":
            run = _in_functions(study, seconds, memory_mb, capacity, fargate_vcpus)
        else:
            run = _in_tasks(study, seconds, memory_mb, tasks, spot=compute == "spot")
        available = compute == "function" or has_containers
        found[compute] = _total(study, engine_seconds, run, trials, available=available)
    return found


def _in_functions(
    study: Study, seconds: Mapping[str, float], memory_mb: int, capacity: int, fargate_vcpus: int
) -> _Run:
    """In functions; in single tasks the models that are too slow for one, where the study has time for them."""
    options, each = study.options, study.variant_count // len(study.models)
    slow = [model for model in study.models if not options.fits_function and seconds[model] > MAX_FUNCTION_RUN_S]
    batching = _batching(study, seconds, memory_mb, capacity, Tasks.within(fargate_vcpus), "function")
    # Engines that share a function run as fast as it has vCPUs: two have 1.7 at 3,008 MB.
    full_speed = 1.0 if batching.engines == 1 else memory_mb / MB_PER_VCPU
    total = sum(each * seconds[model] for model in study.models if model not in slow)
    at_a_time = max(1.0, min(options.max_concurrency, capacity * full_speed, study.variant_count))
    children = _children(study, batching, in_container=False)
    wall = max(total / at_a_time, *seconds.values(), children / _CHILDREN_PER_SECOND)
    usd = total / full_speed * usd_per_second(memory_mb)
    if slow:
        tasks_s = sum(each * (seconds[model] + TASK_START_S) for model in slow)
        usd += tasks_s * container_usd_per_second(_LONG_TASK_MB)
        wall = max(wall, tasks_s / max(1, min(options.max_concurrency, fargate_vcpus, each * len(slow))))
    return _Run(wall, usd, children, batching.batched, full_speed, _TRANSITIONS, children)


def _in_tasks(study: Study, seconds: Mapping[str, float], memory_mb: int, tasks: Tasks, *, spot: bool) -> _Run:
    each = study.variant_count // len(study.models)
    batching = _batching(study, seconds, memory_mb, 1, tasks, "spot" if spot else "container")
    children = max(_children(study, batching, in_container=True), len(study.models))
    rounds_s = sum(-(-each // batching.engines) * seconds[model] for model in study.models)
    busy_s = children * TASK_START_S + rounds_s
    at_a_time = min(batching.functions, children)
    wall = max(busy_s / at_a_time, TASK_START_S + max(seconds.values()), children / _TASKS_PER_SECOND)
    usd = busy_s * container_usd_per_second(tasks.memory_mb, tasks.vcpus, spot=spot)
    usd += children * _LOOKUP_S * usd_per_second(memory_mb)
    return _Run(wall, usd, children, True, tasks.vcpus, _TRANSITIONS_OF_A_TASK, children)


def _batching(
    study: Study, seconds: Mapping[str, float], memory_mb: int, capacity: int, tasks: Tasks, compute: Compute
) -> Batching:
    return batching_of(
        study.options.model_copy(update={"compute": compute}),
        study.variant_count,
        memory_mb=memory_mb,
        reserved=capacity,
        seconds_of=lambda model: seconds[model] - SECONDS_AROUND_THE_ENGINE,
        tasks=tasks,
    )


def _children(study: Study, batching: Batching, *, in_container: bool) -> int:
    """About how many batches guided self-scheduling makes: large ones, then shrinking ones, then small ones."""
    model = study.models[0]
    largest = batching.size(study.variant_count, model, in_container=in_container)
    smallest = batching.size(1, model, in_container=in_container)
    wave = 2 * batching.functions
    shrinking = min(study.variant_count, wave * largest)
    small = min(shrinking, wave * smallest)
    number = (study.variant_count - shrinking) / largest + wave * math.log(shrinking / small) + small / smallest
    return math.ceil(number)


def _total(
    study: Study, engine_seconds: Mapping[str, float], run: _Run, trials: Trials, *, available: bool
) -> ComputeEstimate:
    variants = study.variant_count
    polls = sum(engine_seconds.values()) / len(engine_seconds) / _SECONDS_BETWEEN_POLLS
    usd = {
        "run_usd": run.usd + trials.usd,
        "transitions_usd": (run.children * run.transitions + trials.number * _TRANSITIONS) * prices.TRANSITION,
        "requests_usd": (run.invocations + trials.number) * prices.FUNCTION_REQUEST
        + _puts(study, engine_seconds, run) * prices.PUT
        + _writes(study, engine_seconds, run) * prices.WRITE
        + variants * (_GETS * prices.GET + _READS * prices.READ)
        + run.children * _GETS_OF_A_CHILD * prices.GET
        + variants * polls * prices.READ / 2,
        "storage_usd": _stored_bytes(study, engine_seconds)
        / 1e9
        * prices.STORED_GB_MONTH
        * study.options.retention_days
        / _DAYS_OF_A_MONTH,
        "logs_usd": variants * LOG_BYTES / 1e9 * prices.LOGGED_GB,
    }
    return ComputeEstimate(
        wall_seconds=round(trials.seconds + run.wall_seconds, 1),
        cost_usd=round(sum(usd.values()), 4),
        **{name: round(amount, 6) for name, amount in usd.items()},
        available=available,
    )


def _puts(study: Study, engine_seconds: Mapping[str, float], run: _Run) -> float:
    """PUT requests of all variants."""
    keep, series = study.outputs.keep, bool(study.outputs.meters or study.outputs.variables)
    if not run.batched:
        return study.variant_count * puts_of_a_variant(keep, series=series)
    batches = max(1, math.ceil(run.children / len(study.models)))
    size = study.variant_count / len(study.models) / batches
    total = 0.0
    for model in study.models:
        seconds = engine_seconds[model]
        large = large_files(seconds, keep, series=series)
        total += batches * puts_of_a_batch(size, math.ceil(size / run.engines) * seconds, large)
    return total


def _writes(study: Study, engine_seconds: Mapping[str, float], run: _Run) -> float:
    """Write units of all variants."""
    each = study.variant_count / len(study.models)
    return each * sum(writes_of_a_variant(engine_seconds[model], batched=run.batched) for model in study.models)


def _stored_bytes(study: Study, engine_seconds: Mapping[str, float]) -> float:
    """Rough size of the files of all variants."""
    each, outputs = study.variant_count // len(study.models), study.outputs
    return each * sum(
        stored_bytes(engine_seconds[model], outputs.keep, len(outputs.meters), len(outputs.variables))
        for model in study.models
    )
