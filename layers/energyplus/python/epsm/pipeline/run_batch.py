"""Running a batch of variants in one function, one at a time on each of its engines.

Each variant ends as if it had run alone, with its own record, verdict and files. A batch that is repeated because its
function was killed or ran short of time skips the variants that have ended in this attempt.
"""

import dataclasses
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from epsm.estimate import USD_PER_VARIANT_BESIDES_TIME
from epsm.pipeline.items import ATTEMPT, BATCH, INDEX, MAX_FAILURES, REPEATS
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.run_variant import SECONDS_TO_STORE, VariantRunner
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.stop_watch import stop_watch
from epsm.pipeline.task_errors import NeedsMoreRoom, RanTooLong, StudyCancelled
from epsm.store.records import Records
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.variants import expand

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_COUNTS = 5.0
"""Minimum interval at which a batch adds to its study's progress."""
_TIME_FOR_THE_NEXT = 1.5
"""A further variant is started if the time left is at least this multiple of the longest variant's time so far."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, from an item of items.json.

    Attributes:
        indices: Its variants.
        repeats: Variants with the same sample as an earlier one -> the index of the earlier one.
        attempt: The study's attempt.
        max_failures: Number of failed variants that the attempt tolerates; one more stops the study.
    """

    indices: tuple[int, ...]
    repeats: Mapping[int, int]
    attempt: int
    max_failures: int

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> "Batch":
        entries = item[BATCH]
        return cls(
            tuple(entry[INDEX] for entry in entries),
            {entry[INDEX]: entry[REPEATS] for entry in entries if REPEATS in entry},
            item[ATTEMPT],
            item[MAX_FAILURES],
        )


@dataclass(frozen=True, slots=True)
class BatchedVariant:
    """A variant of a batch that has ended.

    Attributes:
        index: Which one.
        status: ``succeeded`` or ``failed``.
        verdict: How the run of the engine ended.
        engine_seconds: Run time of EnergyPlus.
        site_eui_kwh_m2: Site EUI, if the variant succeeded.
    """

    index: int
    status: str
    verdict: str
    engine_seconds: float
    site_eui_kwh_m2: float | None

    @classmethod
    def of(cls, record: VariantRecord) -> "BatchedVariant":
        summary = record.summary
        eui = summary.get("metrics", {}).get("site_eui_kwh_m2")
        return cls(record.index, record.status.value, record.verdict, summary.get("engine_seconds", 0.0), eui)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """How a batch ended, for the state machine.

    Attributes:
        variants: Those that have ended, by index.
        failed: Number of those that failed.
        left: Number of variants that have to run in a further invocation.
        alone: Whether each of these has to run alone: one needs more memory or disk than its share of the function's,
            or no variant ended in this invocation.
    """

    variants: tuple[BatchedVariant, ...]
    failed: int
    left: int
    alone: bool

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class BatchRunner:
    """Runs batches.

    Args:
        runner: Runs their variants.
        too_many_failures: Called with the name of a simulation when more of its variants have failed than it allows.
        on_end: Called with each variant that ends in this process, one call at a time.
    """

    def __init__(
        self,
        runner: VariantRunner,
        too_many_failures: Callable[[str], None] = lambda simulation: None,
        on_end: Callable[[BatchedVariant], None] = lambda variant: None,
    ) -> None:
        self._runner = runner
        self._too_many_failures = too_many_failures
        self._on_end = on_end

    def run(
        self,
        simulation: str,
        batch: Batch,
        *,
        engines: int,
        seconds_left: Callable[[], float],
        memory_limit_mb: float | None = None,
        repeatable: bool = False,
    ) -> BatchOutcome:
        """Run the variants of a batch that have not ended in this attempt.

        Args:
            simulation: The simulation they belong to.
            batch: The batch.
            engines: Number of engines at a time.
            seconds_left: Time that the function has left, seconds; infinite in a container until it is being stopped.
            memory_limit_mb: Memory for all engines together, MiB; see `VariantRunner.run`.
            repeatable: Whether a batch of one variant can be run again, too, if the time is short.

        Raises:
            RanTooLong: If the batch has one variant, which exceeded the function's time, and the study allows more; or
                which was stopped with its container.
            StudyCancelled: If the study was cancelled or given up; all engines have been stopped.
            Exception: Anything else is an infrastructure error of at least one variant. The others have ended, and the
                batch can be repeated.
        """
        engines = min(engines, len(batch.indices))
        started = time.monotonic()
        study = self._runner.load(simulation)
        with self._runner.booking(study, started) as costs:
            progress = _Progress(self._runner.records, simulation)
            stop = _SharedStop(stop_watch(self._runner.records, simulation, costs))
            self._give_up_if_needed(simulation, batch, stop)
            if stop.requested or self._runner.records.stop_requested(simulation):
                raise StudyCancelled(simulation)
            limits = RunLimits(
                seconds_left,
                None if memory_limit_mb is None else memory_limit_mb / engines,
                stop,
                # A single variant already has the whole function: another invocation would time out again.
                goes_back=repeatable or len(batch.indices) > 1,
                shared=engines > 1,
            )
            work = _Work(self, study, batch, limits, stop, progress)
            with ThreadPoolExecutor(engines, thread_name_prefix="engine") as pool:
                for done in [pool.submit(work.until_done) for _ in range(engines)]:
                    done.result()
            progress.write()
            costs.finish(USD_PER_VARIANT_BESIDES_TIME * progress.ended)
        if stop.requested:
            raise StudyCancelled(simulation)
        return work.outcome()

    def ended(self, study: LoadedStudy, batch: Batch, variant: BatchedVariant, stop: "_SharedStop") -> None:
        """React to the end of a variant in this process."""
        self._on_end(variant)
        if variant.status == VariantStatus.FAILED:
            self._give_up_if_needed(study.simulation, batch, stop)

    def _give_up_if_needed(self, simulation: str, batch: Batch, stop: "_SharedStop") -> None:
        if not stop.requested and self._runner.records.failures(simulation) > batch.max_failures:
            stop.requested = True
            self._too_many_failures(simulation)

    def run_one(self, study: LoadedStudy, batch: Batch, index: int, limits: RunLimits) -> tuple[BatchedVariant, bool]:
        """Run a variant; returns it, and whether it ended in this process rather than before."""
        variant = next(expand(study.manifest.study, index, index + 1))
        record = self._runner.run_recorded(
            study,
            variant,
            limits,
            repeats=batch.repeats.get(index),
            attempt=batch.attempt,
            started=time.monotonic(),
        )
        if record is not None:
            return BatchedVariant.of(record), True
        before = self._runner.records.variant(study.simulation, index)
        assert before is not None, "a variant that has ended has a record"
        return BatchedVariant.of(before), False


class _Work:
    """The variants of a batch in progress, shared by the threads that run engines."""

    def __init__(
        self,
        runner: BatchRunner,
        study: LoadedStudy,
        batch: Batch,
        limits: RunLimits,
        stop: "_SharedStop",
        progress: "_Progress",
    ) -> None:
        self._runner = runner
        self._study = study
        self._batch = batch
        self._limits = limits
        self._stop = stop
        self._progress = progress
        self._open = deque(batch.indices)
        self._ended: dict[int, BatchedVariant] = {}
        self._lock = threading.Lock()
        self._longest_s = 0.0
        self._alone = False
        self._fault: Exception | None = None

    def until_done(self) -> None:
        """Run variants until none is open, time runs short, or the study is stopped."""
        first = True
        while (index := self._next(first)) is not None:
            first = False
            started = time.monotonic()
            try:
                variant, here = self._runner.run_one(self._study, self._batch, index, self._limits)
            except StudyCancelled:
                self._stop.requested = True
            except NeedsMoreRoom as error:
                logger.info(
                    "variant needs more than its part of the function",
                    extra={"variant_index": index, "why": str(error)},
                )
                self._alone = True
            except RanTooLong as error:
                if len(self._batch.indices) == 1:
                    self._fault = error
            except Exception as error:
                logger.exception("variant could not be run", extra={"variant_index": index})
                self._fault = error
            else:
                with self._lock:
                    self._ended[index] = variant
                    self._longest_s = max(self._longest_s, time.monotonic() - started)
                    if here:
                        self._progress.add(variant)
                        self._runner.ended(self._study, self._batch, variant, self._stop)

    def _next(self, first: bool) -> int | None:
        with self._lock:
            needed_s = SECONDS_TO_STORE + _TIME_FOR_THE_NEXT * self._longest_s
            if not self._open or self._stop.requested or (not first and self._limits.seconds_left() < needed_s):
                return None
            return self._open.popleft()

    def outcome(self) -> BatchOutcome:
        """How the batch ended.

        Raises:
            Exception: The infrastructure error of a variant.
        """
        if self._fault is not None:
            raise self._fault
        ended = tuple(self._ended[index] for index in self._batch.indices if index in self._ended)
        failed = sum(variant.status == VariantStatus.FAILED for variant in ended)
        left = len(self._batch.indices) - len(ended)
        # If none ended here, a further invocation of the batch would make no progress either: an endless loop.
        return BatchOutcome(ended, failed, left, left > 0 and (self._alone or not self._progress.ended))


class _SharedStop:
    """Whether the variants of a batch must stop: one engine's watch at a time asks, on behalf of all.

    Args:
        ask: The check from `stop_watch`.

    Attributes:
        requested: Whether they must stop.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self.requested = False

    def __call__(self) -> bool:
        if not self.requested and self._asking.acquire(blocking=False):
            try:
                if self._ask():  # never back to False: a thread may have set it because too many variants failed
                    self.requested = True
            finally:
                self._asking.release()
        return self.requested


class _Progress:
    """Counts the variants that end in this process, and adds those that succeeded to the study's record.

    Attributes:
        ended: Number of variants that have ended.
    """

    def __init__(self, records: Records, simulation: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._simulation = simulation
        self._clock = clock
        self._written_at = clock()
        self._successes = 0
        self.ended = 0

    def add(self, variant: BatchedVariant) -> None:
        self.ended += 1
        self._successes += variant.status == VariantStatus.SUCCEEDED
        if self._clock() - self._written_at >= _SECONDS_BETWEEN_COUNTS:
            self.write()

    def write(self) -> None:
        """Add the successes not yet written. A study without a record is being removed, and needs no progress."""
        self._written_at = self._clock()
        if self._successes:
            self._records.count_successes(self._simulation, self._successes)
            self._successes = 0
