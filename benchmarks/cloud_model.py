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
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.output import print_table
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
SECONDS_AROUND_THE_ENGINE = 0.3
TRANSITION_USD, REQUEST_USD, PUT_USD, WRITE_USD = 25e-6, 0.2e-6, 5e-6, 0.625e-6
TRANSITIONS_OF_A_CHILD = 4
"""The start, two choices and the task."""
PUTS_OF_A_VARIANT = 4
"""Of a variant with a child execution of its own: model, messages, database, results."""
FLUSH_S, FLUSHED_VARIANTS = 10.0, 64
"""A batch stores the small files of its variants in one object every 10 s, and after 64 variants."""
DATABASE_IN_PACK_S = 5.0
"""Databases of shorter runs are small enough for the pack; others are objects of their own."""
MARKED_RUNNING_S = 3.0
"""A variant of a batch is recorded as running if it takes longer than this."""
WCU_OF_A_START, WCU_OF_AN_END, WCU_OF_KEPT_RESULTS = 1, 2, 1
"""Two for the 1.7 KB of a variant that has ended; in release 0.2.0, three for 2.6 KB. Kept results, through which later
studies find the variant, have partitions of their own."""


@dataclass(frozen=True, slots=True)
class Account:
    """Limits of an account.

    Attributes:
        functions: Maximum number of functions that run at a time.
        memory_mb: Memory of the function that runs variants, MiB.
        children_per_second: Child executions that a map run starts.
        cold_start_s: Time that a new environment takes to start.
        seconds_around_the_engine: Time of a variant in a function besides its engine.
    """

    functions: int
    memory_mb: int
    children_per_second: float = CHILDREN_PER_SECOND
    cold_start_s: float = COLD_START_S
    seconds_around_the_engine: float = SECONDS_AROUND_THE_ENGINE


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
    slowdown = max(1.0, batching.engines * MB_PER_VCPU / account.memory_mb)
    environments = _Environments(account.functions)
    last_end = busy_s = 0.0
    children = first = 0
    puts = 0.0
    marked = not batched or run_seconds > MARKED_RUNNING_S
    wcu = WCU_OF_AN_END + (WCU_OF_A_START if marked else 0)
    writes = _Writes(wcu)
    for size in _sizes(variants, batching):
        start, cold = environments.take(children / account.children_per_second)
        around_s = account.seconds_around_the_engine
        seconds = _batch_seconds(size, batching.engines, run_seconds * slowdown, spread, chance, around_s)
        writes.add(first, size, start, seconds)
        puts += puts_of_a_batch(size, seconds, run_seconds) if batching.batched else size * PUTS_OF_A_VARIANT
        first += size
        seconds += account.cold_start_s * chance.lognormvariate(0, 0.2) if cold else 0.0
        environments.busy_until(start + seconds)
        last_end = max(last_end, start + seconds)
        busy_s += seconds
        children += 1
    usd = (
        busy_s * usd_per_second(account.memory_mb)
        + children * (TRANSITIONS_OF_A_CHILD * TRANSITION_USD + REQUEST_USD)
        + puts * PUT_USD
        + variants * (wcu + WCU_OF_KEPT_RESULTS) * WRITE_USD
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


def puts_of_a_batch(size: int, seconds: float, run_seconds: float) -> float:
    """PUT requests of a batch that takes that many seconds."""
    packs = max(1.0, min(size, max(size / FLUSHED_VARIANTS, seconds / FLUSH_S)))
    return packs + (size if run_seconds > DATABASE_IN_PACK_S else 0)


def _batch_seconds(
    size: int, engines: int, run_seconds: float, spread: float, chance: random.Random, around_s: float
) -> float:
    """Time of a batch: each engine takes the next variant when its current one ends."""
    ends = [0.0] * min(engines, size)
    for _ in range(size):
        seconds = run_seconds * chance.lognormvariate(0, spread) + around_s
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cloud_model", description=__doc__)
    parser.add_argument("--variants", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000], metavar="N")
    chosen = parser.parse_args()
    new = Account(50, 3008)
    usual = Account(900, 1769)
    large = Account(900, 10_240)
    rows: list[list[object]] = []
    for model, seconds in (("small office", 25.0), ("large office", 150.0), ("one zone", 1.0)):
        for variants in chosen.variants:
            for account, batched in ((new, True), (usual, False), (usual, True), (large, True)):
                found = predict(variants, seconds, account, batched=batched)
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
