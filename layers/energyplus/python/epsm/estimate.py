"""Estimates of a study before it starts: variants, time and cost.

Prices are AWS's list prices for us-east-1, x86: Lambda $0.0000166667 a GB-second and $0.20 a million requests, Fargate
$0.04048 a vCPU hour and $0.004445 a GB hour, Step Functions Standard $25 a million transitions, S3 $5 a million PUT
requests, DynamoDB $0.625 a million writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.study.batches import MB_PER_VCPU, engines_at_a_time
from epsm.study.preflight import MAX_TRIALS_AT_A_TIME, pairs_to_try
from epsm.study.schema import Study

_USD_PER_GB_S = 0.0000166667
_USD_PER_VCPU_H, _USD_PER_CONTAINER_GB_H = 0.04048, 0.004445
_TRANSITIONS = 4
_PUTS = 5
_WRITES = 2
USD_PER_VARIANT_BESIDES_TIME = 0.20 / 1e6 + _TRANSITIONS * 25 / 1e6 + _PUTS * 5 / 1e6 + _WRITES * 0.625 / 1e6
_SECONDS_AROUND_THE_ENGINE = 1.0
"""Fetching, editing, reading, storing; measured, with a first run's share of a cold start."""
_SECONDS_TO_START_ONE = 0.01
"""A map run starts at most 100 child executions a second (Step Functions, service quotas)."""
_SECONDS_START = 1.0
_SECONDS_PER_ZONE = 3.0
"""A year of a reference building takes 2 to 5 s a zone on one core; the spread is wide, so the estimate is rough."""
_TRIAL_START_S, _TRIAL_SHARE = 0.25, 0.12
"""Time of a trial of a model on one day: reading, sizing and warm-up. CPU seconds of the engine, measured on a
trial and on its year: one zone 0.28 and 0.71, small reference office 0.54 and 10.0, large one 3.09 and 23.8. The line
through the first and the last is the upper bound of trials; the small office takes less."""

Basis = Literal["measured", "assumed"]


def usd_per_second(memory_mb: float) -> float:
    """Cost of a second of a function with that much memory."""
    return memory_mb / 1024 * _USD_PER_GB_S


def container_usd_per_second(memory_mb: float) -> float:
    """Cost of a second of a Fargate task with one vCPU and that much memory."""
    return (_USD_PER_VCPU_H + memory_mb / 1024 * _USD_PER_CONTAINER_GB_H) / 3600


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
        wall_seconds: From start to end, with the concurrency that the study requests and can get.
        cost_usd: At list prices.
        preflight_runs: Number of trials of a model with a weather file before the variants are started.
        preflight_cost_usd: Cost of the trials; part of `cost_usd`.
        basis: ``measured`` if every model's run time is, else ``assumed``.
        run_times: For each model.
    """

    variants: int
    engine_seconds: float
    wall_seconds: float
    cost_usd: float
    preflight_runs: int
    preflight_cost_usd: float
    basis: Basis
    run_times: Mapping[str, RunTime]


def assumed_run_time(content: bytes, source: str) -> RunTime:
    """The run time of a model from its number of zones."""
    return run_time_of(read_outline(content, source))


def run_time_of(outline: ModelOutline) -> RunTime:
    """The same of a model that has been read."""
    zones = len(outline.of_class("Zone"))
    return RunTime(_SECONDS_START + _SECONDS_PER_ZONE * zones, "assumed")


def estimate(study: Study, run_times: Mapping[str, RunTime], *, memory_mb: int, capacity: int) -> Estimate:
    """Time and cost of a study.

    Args:
        study: The study.
        run_times: For each of its models.
        memory_mb: Memory of the function that runs a variant.
        capacity: Functions that can run at a time.
    """
    variants_per_model = study.variant_count // len(study.models)
    seconds = {model: run_times[model].engine_seconds + _SECONDS_AROUND_THE_ENGINE for model in study.models}
    total = sum(variants_per_model * one for one in seconds.values())
    engines = engines_at_a_time(study.options, study.variant_count, memory_mb)
    # Engines that share a function run as fast as it has vCPUs: two have 1.7 at 3,008 MB.
    engines_at_full_speed = 1.0 if engines == 1 else memory_mb / MB_PER_VCPU
    at_a_time = max(1.0, min(study.options.max_concurrency, capacity * engines_at_full_speed, study.variant_count))
    trials = [_trial_seconds(run_times[_model_of(study, index)]) for index in pairs_to_try(study)]
    trials_usd = sum(trials) * usd_per_second(memory_mb) + len(trials) * USD_PER_VARIANT_BESIDES_TIME
    trying = max(sum(trials) / min(at_a_time, MAX_TRIALS_AT_A_TIME), *trials) if trials else 0.0
    running = max(total / at_a_time, *seconds.values(), _SECONDS_TO_START_ONE * study.variant_count / engines)
    running_usd = (
        total / engines_at_full_speed * usd_per_second(memory_mb) + study.variant_count * USD_PER_VARIANT_BESIDES_TIME
    )
    return Estimate(
        variants=study.variant_count,
        engine_seconds=round(sum(variants_per_model * run_times[model].engine_seconds for model in study.models), 1),
        wall_seconds=round(trying + running, 1),
        cost_usd=round(running_usd + trials_usd, 4),
        preflight_runs=len(trials),
        preflight_cost_usd=round(trials_usd, 6),
        basis="measured" if all(run_time.basis == "measured" for run_time in run_times.values()) else "assumed",
        run_times=run_times,
    )


def _model_of(study: Study, index: int) -> str:
    return study.models[index // (study.sample_count * len(study.weather))]


def _trial_seconds(run_time: RunTime) -> float:
    """Time of a trial of a model with a weather file, at most that of a whole run."""
    engine_seconds = run_time.engine_seconds
    return min(engine_seconds, _TRIAL_START_S + _TRIAL_SHARE * engine_seconds) + _SECONDS_AROUND_THE_ENGINE


def in_words(expected: Estimate) -> str:
    """An estimate in one line."""
    return (
        f"On AWS about {in_usd(expected.cost_usd)} and {max(1, round(expected.wall_seconds / 60))} min, "
        f"{expected.engine_seconds / 3600:.1f} h of EnergyPlus, {expected.basis} "
        f"{'in earlier runs' if expected.basis == 'measured' else 'from the number of zones'}"
    )


def in_usd(amount: float) -> str:
    """An amount as it is shown.

    >>> in_usd(1234.5), in_usd(0.00051)
    ('$1234.50', '$0.00051')
    """
    return f"${amount:.2f}" if amount >= 0.1 else f"${amount:.2g}"
