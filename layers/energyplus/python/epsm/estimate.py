"""Estimates of a study before it starts: variants, time and cost. `epsm.prices` has the prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from epsm import prices
from epsm.compute_estimate import SECONDS_AROUND_THE_ENGINE, ComputeEstimate, Trials, estimates
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.prices import usd_per_second
from epsm.study.compute import DEFAULT_FARGATE_VCPUS, Compute
from epsm.study.preflight import MAX_TRIALS_AT_A_TIME, pairs_to_try
from epsm.study.schema import Study

_TRANSITIONS = 4
_PUTS = 5
_WRITES = 2
USD_PER_VARIANT_BESIDES_TIME = (
    prices.FUNCTION_REQUEST + _TRANSITIONS * prices.TRANSITION + _PUTS * prices.PUT + _WRITES * prices.WRITE
)
"""What a budget counts of each variant besides its time."""
_SECONDS_START = 1.0
_SECONDS_PER_ZONE = 3.0
"""A year of a reference building takes 2 to 5 s a zone on one core; the spread is wide, so the estimate is rough."""
_TRIAL_START_S, _TRIAL_SHARE = 0.25, 0.12
"""Time of a trial of a model on one day: reading, sizing and warm-up. CPU seconds of the engine, measured on a
trial and on its year: one zone 0.28 and 0.71, small reference office 0.54 and 10.0, large one 3.09 and 23.8. The line
through the first and the last is the upper bound of trials; the small office takes less."""

Basis = Literal["measured", "assumed"]


@dataclass(frozen=True, slots=True)
class RunTime:
    """Run time of a model.

    Attributes:
        engine_seconds: Of EnergyPlus, one core.
        basis: Whether it was measured in earlier runs of this model or assumed from its number of zones.
    """

    engine_seconds: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Estimate:
    """Time and cost of a study.

    Attributes:
        variants: Number of variants.
        engine_seconds: Of all variants together.
        wall_seconds: From start to end on the study's own `compute`, with the concurrency that it requests and can get.
        cost_usd: What a budget counts on the study's own `compute`, at list prices: run time, transitions and requests.
        preflight_runs: Number of trials of a model with a weather file before the variants are started.
        preflight_cost_usd: Cost of the trials; part of `cost_usd`.
        basis: ``measured`` if every model's run time is, else ``assumed``.
        run_times: For each model.
        compute: Where the study's variants run.
        computes: Time and whole cost on each kind of compute, with storage and logs.
    """

    variants: int
    engine_seconds: float
    wall_seconds: float
    cost_usd: float
    preflight_runs: int
    preflight_cost_usd: float
    basis: Basis
    run_times: Mapping[str, RunTime]
    compute: Compute
    computes: Mapping[Compute, ComputeEstimate]


def assumed_run_time(content: bytes, source: str) -> RunTime:
    """The run time of a model from its number of zones."""
    return run_time_of(read_outline(content, source))


def run_time_of(outline: ModelOutline) -> RunTime:
    """The same of a model that has been read."""
    zones = len(outline.of_class("Zone"))
    return RunTime(_SECONDS_START + _SECONDS_PER_ZONE * zones, "assumed")


def estimate(
    study: Study,
    run_times: Mapping[str, RunTime],
    *,
    memory_mb: int,
    capacity: int,
    fargate_vcpus: int | None = None,
) -> Estimate:
    """Time and cost of a study.

    Args:
        study: The study.
        run_times: For each of its models.
        memory_mb: Memory of the function that runs a variant.
        capacity: Functions that can run at a time.
        fargate_vcpus: vCPUs that Fargate tasks can have at a time; 0 without Fargate; None if it is not known.
    """
    each = study.variant_count // len(study.models)
    seconds = {model: run_times[model].engine_seconds for model in study.models}
    tried = [_trial_seconds(run_times[_model_of(study, index)]) for index in pairs_to_try(study)]
    trials_usd = sum(tried) * usd_per_second(memory_mb) + len(tried) * USD_PER_VARIANT_BESIDES_TIME
    at_a_time = max(1.0, min(study.options.max_concurrency, capacity, MAX_TRIALS_AT_A_TIME))
    trying = max(sum(tried) / at_a_time, *tried) if tried else 0.0
    computes = estimates(
        study,
        seconds,
        Trials(trying, sum(tried) * usd_per_second(memory_mb), len(tried)),
        memory_mb=memory_mb,
        capacity=capacity,
        fargate_vcpus=fargate_vcpus or DEFAULT_FARGATE_VCPUS,
        has_containers=fargate_vcpus != 0,
    )
    chosen = computes[study.options.compute]
    counted = study.variant_count + len(tried)
    return Estimate(
        variants=study.variant_count,
        engine_seconds=round(sum(each * seconds[model] for model in study.models), 1),
        wall_seconds=chosen.wall_seconds,
        cost_usd=round(chosen.run_usd + counted * USD_PER_VARIANT_BESIDES_TIME, 4),
        preflight_runs=len(tried),
        preflight_cost_usd=round(trials_usd, 6),
        basis="measured" if all(run_time.basis == "measured" for run_time in run_times.values()) else "assumed",
        run_times=run_times,
        compute=study.options.compute,
        computes=computes,
    )


def _model_of(study: Study, index: int) -> str:
    return study.models[index // (study.sample_count * len(study.weather))]


def _trial_seconds(run_time: RunTime) -> float:
    """Time of a trial of a model with a weather file, at most that of a whole run."""
    engine_seconds = run_time.engine_seconds
    return min(engine_seconds, _TRIAL_START_S + _TRIAL_SHARE * engine_seconds) + SECONDS_AROUND_THE_ENGINE


def in_words(expected: Estimate) -> str:
    """An estimate in one line."""
    chosen = expected.computes[expected.compute]
    return (
        f"On AWS about {in_usd(chosen.cost_usd)} and {_duration(chosen.wall_seconds)}, "
        f"{expected.engine_seconds / 3600:.1f} h of EnergyPlus, {expected.basis} "
        f"{'in earlier runs' if expected.basis == 'measured' else 'from the number of zones'}"
    )


def computes_in_words(expected: Estimate) -> list[str]:
    """A table of the kinds of compute: time and cost, and what the cost consists of; at most 80 columns."""
    heads = ("cost", "time", "run", "transitions", "requests", "storage", "logs")
    rows: list[tuple[str, ...]] = [("", *heads)]
    for compute, one in expected.computes.items():
        parts = (one.run_usd, one.transitions_usd, one.requests_usd, one.storage_usd, one.logs_usd)
        rows.append((compute, in_usd(one.cost_usd), _duration(one.wall_seconds), *map(in_usd, parts)))
    lines = [
        f"  {name:9}" + "".join(f" {cell:>{11 if number == 3 else 8}}" for number, cell in enumerate(cells))
        for name, *cells in rows
    ]
    without = [compute for compute, one in expected.computes.items() if not one.available]
    if without:
        lines.append(f"  Not on this stack, which was deployed without Fargate: {', '.join(without)}")
    return lines


def _duration(seconds: float) -> str:
    """A duration as it is shown.

    >>> _duration(20), _duration(7200), _duration(30_000)
    ('1 min', '120 min', '8.3 h')
    """
    return f"{max(1, round(seconds / 60))} min" if seconds <= 7200 else f"{seconds / 3600:.1f} h"


def in_usd(amount: float) -> str:
    """An amount as it is shown.

    >>> in_usd(1234.5), in_usd(0.00051)
    ('$1234.50', '$0.00051')
    """
    return f"${amount:.2f}" if amount >= 0.1 else f"${amount:.2g}"
