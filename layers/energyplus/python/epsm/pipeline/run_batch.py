"""Running a batch of variants in one function, one at a time on each of its engines.

Each variant ends as if it had run alone, with its own record, verdict and files. A batch that is repeated because its
function was killed or ran short of time skips the variants that have ended in this attempt. The results of a variant
are read and stored while its engine's next one runs (docs/decisions/0035).
"""

import dataclasses
import functools
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from epsm.estimate import USD_PER_VARIANT_BESIDES_TIME
from epsm.pipeline.batch import Batch, BatchedVariant, BatchOutcome
from epsm.pipeline.batch_queue import BatchQueue
from epsm.pipeline.batch_watch import RunningMark, SharedStop
from epsm.pipeline.booking import Booking
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.packing import EndedVariant, Packing
from epsm.pipeline.run_variant import VariantRunner
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.stop_watch import stop_watch
from epsm.pipeline.task_errors import NeedsMoreRoom, RanTooLong, StudyCancelled
from epsm.pipeline.variant_documents import Finished, measures_of
from epsm.pipeline.variant_steps import SECONDS_TO_STORE, PreparedVariant
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus, now

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TIME_FOR_THE_NEXT = 1.5
"""A further variant is started if the time left is at least this multiple of the longest variant's time so far."""


class BatchRunner:
    """Runs batches.

    Args:
        runner: Runs their variants.
        too_many_failures: Called with the name of a simulation when more of its variants have failed than it allows.
        on_end: Called with each variant that ends in this process, one call at a time, once it has been stored.
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
        records = self._runner.records
        # Counted before the record is read: a worker that is not counted yet finds a stop that was requested before.
        counted = records.start_worker(simulation, batch.attempt)
        try:
            return self._run(simulation, batch, engines, seconds_left, memory_limit_mb, repeatable)
        finally:
            if counted:
                try:
                    records.end_worker(simulation, batch.attempt)
                except (BotoCoreError, ClientError):
                    logger.warning("could not record the end of a worker", exc_info=True)

    def _run(
        self,
        simulation: str,
        batch: Batch,
        engines: int,
        seconds_left: Callable[[], float],
        memory_limit_mb: float | None,
        repeatable: bool,
    ) -> BatchOutcome:
        engines = min(engines, len(batch.indices))
        started, records = time.monotonic(), self._runner.records
        record = records.study_including_removed(simulation)
        study = self._runner.load(simulation, record)
        with self._runner.booking(study, started) as costs:
            stop = SharedStop(stop_watch(records, simulation, costs, batch.attempt))
            if record is not None and record.attempt > batch.attempt:
                stop.requested = True
            elif record is not None:
                if record.failures > batch.max_failures:
                    self._give_up_if_needed(simulation, batch, stop)
                stop.requested = stop.requested or record.status is StudyStatus.CANCELLED or bool(record.stop_reason)
            if stop.requested:
                raise StudyCancelled(simulation)
            limits = RunLimits(
                seconds_left,
                None if memory_limit_mb is None else memory_limit_mb / engines,
                stop,
                # A single variant already has the whole function: another invocation would time out again.
                goes_back=repeatable or len(batch.indices) > 1,
                shared=engines > 1,
            )
            before = records.ended_variants(simulation, batch.indices, batch.attempt)
            work = _Work(self, study, batch, limits, stop, before, costs)
            with (
                work.packing,
                ThreadPoolExecutor(engines, thread_name_prefix="finish") as finishing,
                ThreadPoolExecutor(engines, thread_name_prefix="engine") as pool,
            ):
                for done in [pool.submit(work.until_done, finishing) for _ in range(engines)]:
                    done.result()
            costs.finish(0.0)
        if stop.requested:
            raise StudyCancelled(simulation)
        return work.outcome()

    def packing(self, study: LoadedStudy, batch: Batch, on_stored: Callable[[VariantRecord], None]) -> Packing:
        runner = self._runner
        return Packing(runner.files, runner.records, runner.reuse, study, batch.attempt, on_stored)

    def queue(
        self, study: LoadedStudy, batch: Batch, limits: RunLimits, ended: frozenset[int], packing: Packing
    ) -> BatchQueue:
        open_ones = [index for index in batch.indices if index not in ended]
        return BatchQueue(self._runner, study, batch, open_ones, packing, limits.memory_limit_mb)

    def ended(self, study: LoadedStudy, batch: Batch, variant: BatchedVariant, stop: SharedStop) -> None:
        """React to the end of a variant in this process."""
        self._on_end(variant)
        if variant.status == VariantStatus.FAILED and not stop.requested:
            self._give_up_if_needed(study.simulation, batch, stop)

    def _give_up_if_needed(self, simulation: str, batch: Batch, stop: SharedStop) -> None:
        if stop.requested:
            return
        if self._runner.records.too_many_failed(simulation, batch.attempt, batch.max_failures):
            stop.requested = True
            self._too_many_failures(simulation)

    def run_one(
        self, study: LoadedStudy, batch: Batch, prepared: PreparedVariant, limits: RunLimits
    ) -> EndedVariant | Callable[[], EndedVariant]:
        """Run the engine on a variant; if the run has results, returns the rest, see `VariantRunner.run_collected`."""
        started, started_at = time.monotonic(), now()
        index, runner = prepared.variant.index, self._runner
        running = RunningMark(
            lambda: runner.records.start_variant(study.simulation, index, study.expires_at, batch.attempt)
        )

        def should_stop() -> bool:
            running.write_when_due()
            return limits.should_stop()

        bounds = dataclasses.replace(limits, should_stop=should_stop)
        repeats = batch.repeats.get(index)
        # Without `repeats`, earlier results were looked for when the variant was prepared.
        if repeats is not None and (reused := runner.take_earlier(study, prepared, bounds, repeats)):
            measures = measures_of(None, time.monotonic() - started)
            return EndedVariant.of(prepared.variant, dataclasses.replace(reused, measures=measures), started_at)
        ran = runner.run_collected(study, prepared, bounds, started_at, started, batch.attempt)
        if isinstance(ran, Finished):
            return EndedVariant.of(prepared.variant, ran, started_at)
        return lambda: EndedVariant.of(prepared.variant, ran(), started_at)


class _Work:
    """The variants of a batch in progress, shared by the threads that run engines.

    Args:
        runner: Runs them.
        study: Their study.
        batch: The batch.
        limits: The bounds of their runs.
        stop: Whether they must stop.
        before: Records of the variants that had ended before.
        costs: The costs of this process.

    Attributes:
        packing: Stores variants that have ended.
    """

    def __init__(
        self,
        runner: BatchRunner,
        study: LoadedStudy,
        batch: Batch,
        limits: RunLimits,
        stop: SharedStop,
        before: dict[int, VariantRecord],
        costs: Booking,
    ) -> None:
        self._runner = runner
        self._study = study
        self._batch = batch
        self._limits = limits
        self._stop = stop
        self._costs = costs
        self._ended = {index: BatchedVariant.of(record) for index, record in before.items()}
        self._ended_before = len(before)
        self.packing = runner.packing(study, batch, self._stored)
        self._queue = runner.queue(study, batch, limits, frozenset(before), self.packing)
        self._longest_s = 0.0
        self._alone = False
        self._fault: Exception | None = None

    @property
    def ended_here(self) -> int:
        """Number of variants that have ended in this process."""
        return len(self._ended) - self._ended_before

    def until_done(self, finishing: ThreadPoolExecutor) -> None:
        """Run variants until none is open, time runs short, or the study is stopped.

        Args:
            finishing: Reads and stores the results of a variant while the next one runs.
        """
        first = True
        before: Future[None] | None = None
        while True:
            prepared = self._next(first)
            if prepared is None and before is not None:
                before.result()  # variants with its content are open once it has been stored
                before, prepared = None, self._next(first)
            if prepared is None:
                return
            first = False
            started, index = time.monotonic(), prepared.variant.index
            run = functools.partial(self._runner.run_one, self._study, self._batch, prepared, self._limits)
            ran = self._unless_fault(index, run)
            if before is not None:
                before.result()  # for each engine, the folders of two variants exist at a time
            if isinstance(ran, EndedVariant | None):
                self._finish(index, started, ran)  # one that failed may be the last that the study tolerates
                before = None
            else:
                self._note_time_since(started)
                before = finishing.submit(self._finish, index, started, ran)

    def _finish(self, index: int, started: float, ran: EndedVariant | Callable[[], EndedVariant] | None) -> None:
        try:
            ended = self._unless_fault(index, ran) if callable(ran) else ran
            if ended is not None:
                self.packing.add(ended)
                self._note_time_since(started)
        finally:
            self._queue.done()

    def _note_time_since(self, started: float) -> None:
        self._longest_s = max(self._longest_s, time.monotonic() - started)

    def _unless_fault(self, index: int, act: Callable[[], T]) -> T | None:
        """The result; None if the variant could not be run, which is then noted."""
        try:
            return act()
        except StudyCancelled:
            self._stop.requested = True
        except NeedsMoreRoom as error:
            logger.info(
                "variant needs more than its part of the function", extra={"variant_index": index, "why": str(error)}
            )
            self._alone = True
        except RanTooLong as error:
            if len(self._batch.indices) == 1:
                self._fault = error
        except Exception as error:
            logger.exception("variant could not be run", extra={"variant_index": index})
            self._fault = error
        return None

    def _next(self, first: bool) -> PreparedVariant | None:
        def must_end() -> bool:
            needed_s = SECONDS_TO_STORE + _TIME_FOR_THE_NEXT * self._longest_s
            # Asked also here: the watch of an engine asks nothing in a run of less than 0.25 s.
            return self._stop() or (not first and self._limits.seconds_left() < needed_s)

        try:
            return self._queue.next(must_end)
        except Exception as error:
            logger.exception("variants could not be prepared")
            self._fault = error
            return None

    def _stored(self, record: VariantRecord) -> None:
        variant = BatchedVariant.of(record)
        if record.index not in self._ended:
            self._costs.add(USD_PER_VARIANT_BESIDES_TIME)
        self._ended[record.index] = variant
        self._runner.ended(self._study, self._batch, variant, self._stop)

    def outcome(self) -> BatchOutcome:
        """How the batch ended.

        Raises:
            Exception: The infrastructure error of a variant.
        """
        if fault := self._fault or self.packing.fault:
            raise fault
        ended = tuple(self._ended[index] for index in self._batch.indices if index in self._ended)
        failed = sum(variant.status == VariantStatus.FAILED for variant in ended)
        left = len(self._batch.indices) - len(ended)
        # If none ended here, a further invocation of the batch would make no progress either: an endless loop.
        return BatchOutcome(ended, failed, left, left > 0 and (self._alone or not self.ended_here))
