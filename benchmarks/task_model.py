"""Duration and cost of a study in Fargate tasks on AWS: a discrete-event model of tasks, quota and Spot.

The model includes a limited rate of new tasks, the time that a task takes to start, the account's quota of vCPUs, the
batches that submit makes, the spread of run times, and interruptions of Spot tasks: variants that end within the notice
are kept, the others run in another task. It excludes missing capacity.
"""

import argparse
import heapq
import random
from dataclasses import dataclass

from benchmarks.cloud_model import CPU_SECONDS_AROUND_THE_ENGINE, KEPT, SAVED_BY_FORKING_S, WAITING_SECONDS
from benchmarks.output import print_table
from epsm import prices
from epsm.footprint import large_files, puts_of_a_batch, writes_of_a_variant
from epsm.prices import container_usd_per_second, usd_per_second
from epsm.study.batches import batching_of
from epsm.study.compute import STOP_TIMEOUT_S, TASK_START_S, Tasks
from epsm.study.schema import MAX_CONTAINER_RUN_S, Options

TASKS_PER_SECOND = 20.0
"""Quota of Fargate: tasks that start in a second."""
SECONDS_TO_STORE = 30.0
TRANSITIONS_OF_A_CHILD, TRANSITIONS_OF_AN_INTERRUPTION = 7, 5
LOOKUP_S, LOOKUP_MB = 1.0, 1769
MAX_INTERRUPTIONS = 5


@dataclass(frozen=True, slots=True)
class Prediction:
    """Time and cost of a study.

    Attributes:
        tasks: Tasks, including those that were interrupted.
        interruptions: How many were.
        wall_seconds: From the start of the map to the end of the last variant.
        usd: Cost at list prices of us-east-1.
    """

    tasks: int
    interruptions: int
    wall_seconds: float
    usd: float


def predict(
    variants: int,
    run_seconds: float,
    quota_vcpus: int,
    *,
    spot: bool,
    interruptions_per_hour: float = 0.0,
    spread: float = 0.05,
    seed: int = 1,
) -> Prediction:
    """Run the model.

    Args:
        variants: Number of variants, all of one model.
        run_seconds: Run time of EnergyPlus on a whole vCPU.
        quota_vcpus: vCPUs that the account's tasks may have at a time.
        spot: Whether they run on Fargate Spot.
        interruptions_per_hour: Expected number for each hour of a task on Spot.
        spread: Standard deviation of the logarithm of the run times.
        seed: Seed of the run times.
    """
    chance, tasks = random.Random(seed), Tasks.within(quota_vcpus)
    options = Options(max_concurrency=10_000, compute="spot" if spot else "container", timeout_s=MAX_CONTAINER_RUN_S)
    batching = batching_of(
        options, variants, memory_mb=LOOKUP_MB, reserved=0, seconds_of=lambda model: run_seconds, tasks=tasks
    )
    large = large_files(run_seconds, KEPT, series=False)
    around_s = CPU_SECONDS_AROUND_THE_ENGINE + WAITING_SECONDS
    free = [0.0] * batching.functions
    usd = last_end = puts = 0.0
    started = interruptions = children = 0
    left = variants
    while left > 0:
        size = min(left, batching.size(left, "model.idf", in_container=True))
        left -= size
        children += 1
        now = heapq.heappop(free)
        runs = [run_seconds * chance.lognormvariate(0, spread) + around_s for _ in range(size)]
        puts += puts_of_a_batch(size, sum(runs) / tasks.vcpus, large)
        interrupted = 0
        while runs:
            now = max(now, started / TASKS_PER_SECOND)
            started += 1
            on_spot = spot and interrupted < MAX_INTERRUPTIONS
            rate = interruptions_per_hour / 3600 if on_spot else 0.0
            notice_at = chance.expovariate(rate) if rate else float("inf")
            start_s = TASK_START_S * chance.lognormvariate(0, 0.2)
            busy_s, runs = _run(runs, tasks.vcpus, notice_at)
            if runs:
                interrupted += 1
            usd += max(prices.MIN_TASK_S, start_s + busy_s) * container_usd_per_second(
                tasks.memory_mb, tasks.vcpus, spot=on_spot
            )
            now += start_s + busy_s
        interruptions += interrupted
        heapq.heappush(free, now)
        last_end = max(last_end, now)
    usd += children * (LOOKUP_S * usd_per_second(LOOKUP_MB) + prices.FUNCTION_REQUEST)
    transitions = TRANSITIONS_OF_A_CHILD * children + TRANSITIONS_OF_AN_INTERRUPTION * interruptions
    usd += transitions * prices.TRANSITION
    usd += puts * prices.PUT + variants * writes_of_a_variant(run_seconds, batched=True) * prices.WRITE
    return Prediction(started, interruptions, last_end, usd)


def _run(runs: list[float], engines: int, notice_at: float) -> tuple[float, list[float]]:
    """Run variants in a task; returns how long it ran, and the variants that have to run again."""
    ends, left, last = [0.0] * min(engines, len(runs)), [], 0.0
    until = notice_at + STOP_TIMEOUT_S - SECONDS_TO_STORE
    for seconds in runs:
        end = ends[0] + seconds
        if end > until:
            left.append(seconds)
            last = max(last, until) if ends[0] < notice_at else last
            continue
        heapq.heapreplace(ends, end)
        last = max(last, end)
    return last, left


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.task_model", description=__doc__)
    parser.add_argument("--quota", type=int, nargs="+", default=[6, 1000, 4000], metavar="VCPUS")
    parser.add_argument("--interruptions", type=float, nargs="+", default=[0.0, 0.05, 0.5], metavar="PER_HOUR")
    chosen = parser.parse_args()
    rows: list[list[object]] = []
    for model, seconds, variants in (
        ("small office", 25.0, 10_000),
        ("large office", 150.0, 1_000),
        ("3 h", 10_800.0, 100),
        ("one zone", 1.0, 100_000),
    ):
        for quota in chosen.quota:
            for rate in (None, *chosen.interruptions):
                spot = rate is not None
                found = predict(
                    variants, seconds - SAVED_BY_FORKING_S, quota, spot=spot, interruptions_per_hour=rate or 0.0
                )
                compute = f"spot, {rate:g} an hour" if spot else "container"
                minutes = found.wall_seconds / 60
                rows.append([model, variants, quota, compute, found.tasks, found.interruptions, minutes, found.usd])
    print_table(["model", "variants", "vcpus", "compute", "tasks", "interruptions", "minutes", "usd"], rows)


if __name__ == "__main__":
    main()
