"""How long a study takes on AWS and what it costs: a discrete-event model of the map, Lambda's quotas and the batches.

The model includes the factors that determine time and cost: a limited number of child executions start per second;
concurrency grows by 1,000 functions every 10 s up to the account's limit; a new environment starts cold; run times
vary; batches have the sizes that submit gives them. It excludes failures and other functions of the account.
"""

import argparse
import heapq
import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.output import print_table
from epsm import prices
from epsm.footprint import large_files, puts_of_a_batch, puts_of_a_variant, record_writes, writes_of_a_variant
from epsm.prices import usd_per_second
from epsm.store import keys
from epsm.study.batches import MB_PER_VCPU, Batching, batching_of, engines_of
from epsm.study.schema import Options

CHILDREN_PER_SECOND = 100.0
"""Child executions that a map run starts in a second."""
BURST, BURST_INTERVAL_S = 1000, 10.0
"""Lambda Developer Guide, "Lambda scaling behavior": 1,000 execution environments every 10 s for each function."""
COLD_START_S = 6.0
"""Cold start of an image function with EnergyPlus; an assumption."""
CPU_SECONDS_AROUND_THE_ENGINE = 0.12
"""Editing, verdict, results and compression of a variant: 0.069 s of one zone (`benchmarks.model_check`), and 0.051 s
more for the larger files of a small office (`benchmarks.around`)."""
WAITING_SECONDS = 0.15
"""Storing its database: "roughly 100-200 milliseconds", Amazon S3 User Guide, "Performance guidelines"."""
SAVED_BY_FORKING_S = 0.1
"""Of each run, because its engine is forked with its library loaded: decision 29, `benchmarks.engine_means`. The run
times of the table are those of single runs."""
TRANSITIONS_OF_A_CHILD = 4
"""The start, two choices and the task."""
KEPT = ("sql", "err")
"""Files that a study keeps by default."""


@dataclass(frozen=True, slots=True)
class Account:
    """Limits of an account.

    Attributes:
        functions: Maximum number of functions that run at a time.
        memory_mb: Memory of the function that runs variants, MiB.
        children_per_second: Child executions that a map run starts.
        cold_start_s: Time that a new environment takes to start.
        cpu_seconds_around_the_engine: CPU time of a variant besides its engine.
        waiting_seconds: Time of a variant in which it uses no vCPU.
    """

    functions: int
    memory_mb: int
    children_per_second: float = CHILDREN_PER_SECOND
    cold_start_s: float = COLD_START_S
    cpu_seconds_around_the_engine: float = CPU_SECONDS_AROUND_THE_ENGINE
    waiting_seconds: float = WAITING_SECONDS


@dataclass(frozen=True, slots=True)
class Prediction:
    """Time and cost of a study.

    Attributes:
        children: Child executions.
        wall_seconds: From the start of the map to the end of the last variant.
        usd: Cost at list prices of us-east-1.
        puts: PUT requests to S3.
        study_wcu, partition_wcu: Largest number of write units a second for all variants of the study, and for the
            variants of one partition of the table; DynamoDB takes 1,000 in a partition.
    """

    children: int
    wall_seconds: float
    usd: float
    puts: float
    study_wcu: float
    partition_wcu: float


def predict(
    variants: int,
    run_seconds: float,
    account: Account,
    *,
    batched: bool = True,
    spread: float = 0.05,
    seed: int = 1,
) -> Prediction:
    """Run the model.

    Args:
        variants: Number of variants, all of one model.
        run_seconds: Run time of EnergyPlus on a whole vCPU.
        account: Its limits.
        batched: Whether submit makes batches.
        spread: Standard deviation of the logarithm of the run times; 0.045 for the 18 variants of `make demo`.
        seed: Seed of the run times.
    """
    chance = random.Random(seed)
    options = Options(max_concurrency=10_000, batch=None if batched else 1)
    batching = batching_of(
        options,
        variants,
        memory_mb=account.memory_mb,
        reserved=account.functions,
        seconds_of=lambda model: run_seconds,
    )
    function = _Function(batching.engines, account.memory_mb / MB_PER_VCPU, account.waiting_seconds)
    environments = _Environments(account.functions)
    last_end = busy_s = 0.0
    children = first = 0
    puts = 0.0
    large = large_files(run_seconds, KEPT, series=False)
    writes = _Writes(record_writes(run_seconds, batched=batched))
    for size in _sizes(variants, batching):
        start, cold = environments.take(children / account.children_per_second)
        runs = [run_seconds * chance.lognormvariate(0, spread) for _ in range(size)]
        seconds = function.seconds([run + account.cpu_seconds_around_the_engine for run in runs])
        writes.add(first, size, start, seconds)
        puts += (
            puts_of_a_batch(size, seconds, large) if batching.batched else size * puts_of_a_variant(KEPT, series=False)
        )
        first += size
        seconds += account.cold_start_s * chance.lognormvariate(0, 0.2) if cold else 0.0
        environments.busy_until(start + seconds)
        last_end = max(last_end, start + seconds)
        busy_s += seconds
        children += 1
    usd = (
        busy_s * usd_per_second(account.memory_mb)
        + children * (TRANSITIONS_OF_A_CHILD * prices.TRANSITION + prices.FUNCTION_REQUEST)
        + puts * prices.PUT
        + variants * writes_of_a_variant(run_seconds, batched=batched) * prices.WRITE
    )
    return Prediction(children, last_end, usd, puts, writes.peak(whole_study=True), writes.peak(whole_study=False))


class _Writes:
    """Writes of records: those of a batch are spread evenly over its time.

    Args:
        wcu: Write units of a variant.
    """

    def __init__(self, wcu: int) -> None:
        self._wcu = wcu
        self._changes: list[tuple[float, int, float]] = []

    def add(self, first: int, size: int, start: float, seconds: float) -> None:
        """A batch of variants from index `first` on; batches of repeated samples are not modelled."""
        for block in range(first // keys.BLOCK_SIZE, (first + size - 1) // keys.BLOCK_SIZE + 1):
            inside = min(first + size, (block + 1) * keys.BLOCK_SIZE) - max(first, block * keys.BLOCK_SIZE)
            rate = inside * self._wcu / seconds
            self._changes += [(start, block, rate), (start + seconds, block, -rate)]

    def peak(self, *, whole_study: bool) -> float:
        """The largest rate of one partition, or of the study, write units a second."""
        rates: dict[int, float] = defaultdict(float)
        peak = 0.0
        for _, block, change in sorted(self._changes, key=lambda entry: (entry[0], entry[2])):
            partition = 0 if whole_study else block
            rates[partition] += change
            peak = max(peak, rates[partition])
        return peak


class _Environments:
    """Execution environments of a function.

    Args:
        most: The account's limit.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ends: list[float] = []
        self._now = 0.0
        self._warm = 0

    def take(self, earliest: float) -> tuple[float, bool]:
        """When an environment takes the next batch, and whether it starts cold."""
        self._now = max(self._now, earliest)
        while True:
            while self._ends and self._ends[0] <= self._now:
                heapq.heappop(self._ends)
                self._warm += 1
            if self._warm:
                self._warm -= 1
                return self._now, False
            intervals = math.floor(self._now / BURST_INTERVAL_S)
            if len(self._ends) < min(self._most, BURST * (1 + intervals)):
                return self._now, True
            more_at = (intervals + 1) * BURST_INTERVAL_S if len(self._ends) < self._most else math.inf
            self._now = min(self._ends[0], more_at)

    def busy_until(self, end: float) -> None:
        heapq.heappush(self._ends, end)


def _sizes(variants: int, batching: Batching) -> Iterator[int]:
    left = variants
    while left > 0:
        size = min(left, batching.size(left, "model.idf", in_container=False))
        yield size
        left -= size


class _Function:
    """A function that runs a batch: its engines share its vCPUs.

    Args:
        engines: Variants at a time.
        vcpus: vCPUs of the function, perhaps fewer than engines; a variant uses one at most.
        waiting_s: Time of a variant in which it uses no vCPU.
    """

    def __init__(self, engines: int, vcpus: float, waiting_s: float) -> None:
        self._engines = engines
        self._vcpus = vcpus
        self._waiting_s = waiting_s

    def seconds(self, cpu_seconds: Sequence[float]) -> float:
        """Time of a batch of variants with these CPU times: each engine takes the next variant when its current one
        ends."""
        # All that run progress at the same rate: `progress` is how far one has come that has run from the start.
        now = progress = 0.0
        running: list[float] = []
        waiting: list[float] = []
        first = min(self._engines, len(cpu_seconds))
        for seconds in cpu_seconds[:first]:
            heapq.heappush(running, seconds)
        following = iter(cpu_seconds[first:])
        open_ones = len(cpu_seconds) - first
        while running or waiting:
            rate = min(1.0, self._vcpus / len(running)) if running else 1.0
            ends = now + (running[0] - progress) / rate if running else math.inf
            if waiting and waiting[0] <= ends:
                progress += (waiting[0] - now) * rate
                now = heapq.heappop(waiting)
                if open_ones:
                    open_ones -= 1
                    heapq.heappush(running, progress + next(following))
            else:
                now, progress = ends, heapq.heappop(running)
                heapq.heappush(waiting, now + self._waiting_s)
        return now


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cloud_model", description=__doc__)
    parser.add_argument("--variants", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000], metavar="N")
    chosen = parser.parse_args()
    new = Account(50, 3008)
    usual = Account(950, 1769)
    large = Account(950, 10_240)
    rows: list[list[object]] = []
    for model, seconds in (("small office", 25.0), ("large office", 150.0), ("one zone", 1.0)):
        for variants in chosen.variants:
            for account, batched in ((new, True), (usual, False), (usual, True), (large, True)):
                found = predict(variants, seconds - SAVED_BY_FORKING_S, account, batched=batched)
                engines = engines_of(account.memory_mb) if batched else 1
                minutes = found.wall_seconds / 60
                limits = [account.functions, account.memory_mb, engines]
                wcu = [round(found.study_wcu), round(found.partition_wcu)]
                counts = [found.children, minutes, found.usd, round(found.puts), *wcu]
                rows.append([f"{model}, {seconds:g} s", variants, *limits, *counts])
    heads = ["model", "variants", "functions", "memory_mb", "engines", "children", "minutes", "usd", "puts"]
    heads += ["WCU/s of the study", "WCU/s of a partition"]
    print_table(heads, rows)


if __name__ == "__main__":
    main()
