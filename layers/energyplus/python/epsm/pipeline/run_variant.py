"""Running one variant: fetch its inputs, edit the model, run the engine, read the results, store them.

Idempotent: everything written belongs to this variant alone and is overwritten by a repetition; a variant that has
succeeded is not run again.
"""

import dataclasses
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from epsm.energyplus.engine import Engine, Progress
from epsm.energyplus.verdict import Verdict
from epsm.errors import EngineMissing
from epsm.estimate import USD_PER_VARIANT_BESIDES_TIME
from epsm.pipeline.booking import Booking
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.preflight import try_variants
from epsm.pipeline.reuse import Reuse
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.stop_watch import stop_watch
from epsm.pipeline.task_errors import NeedsMoreRoom, SimulationFailed, StudyCancelled
from epsm.pipeline.variant_documents import Finished, measures_of, record_of, stopped
from epsm.pipeline.variant_files import collect_files, store_copies, store_files
from epsm.pipeline.variant_steps import PreparedVariant, prepare, run_engine, run_prepared
from epsm.pipeline.workspace import NoDiskSpace, Workspace
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.kept_results import KeptResult, KeptResults
from epsm.store.records import Records
from epsm.study.preflight import Trial, variants_to_try
from epsm.study.records import StudyRecord, VariantRecord, VariantStatus, now
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a successful variant for the state machine."""

    index: int
    verdict: str
    engine_seconds: float
    site_eui_kwh_m2: float | None

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


class VariantRunner:
    """Runs variants, keeping what they share between them: manifests, input files, parsed models.

    Args:
        files, records: The store.
        folder: A folder of this process's own, for inputs and runs.
        installed: The engine of this release; other versions are located when a study needs them.
        usd_per_second: Cost of this process while it runs a variant.
        budget_spent: Called with the name of a simulation when its budget is spent.
        count_costs: Whether to book the cost of variants also for studies without a budget, because owners have limits.
        kept_results: Results of earlier runs; None to run every variant.
        sleep: Waits between checks of a variant with the same sample.
        unbooked_s: Time that is paid for before this process starts.

    Attributes:
        files, records: The store.
        reuse: Finds results of earlier runs; None to run every variant.
    """

    def __init__(
        self,
        files: Files,
        records: Records,
        folder: Path,
        installed: Engine,
        usd_per_second: float = 0.0,
        budget_spent: Callable[[str], None] = lambda simulation: None,
        count_costs: bool = False,
        kept_results: KeptResults | None = None,
        sleep: Callable[[float], None] = time.sleep,
        unbooked_s: float = 0.0,
    ) -> None:
        self._unbooked_s = unbooked_s
        self._count_costs = count_costs
        self.files = files
        self.records = records
        self.reuse = Reuse(files, records, kept_results, sleep) if kept_results else None
        self._workspace = Workspace(folder, files)
        self._installed = installed
        self._usd_per_second = usd_per_second
        self._budget_spent = budget_spent
        self._loaded: LoadedStudy | None = None

    def run(
        self,
        simulation: str,
        variant: Variant,
        *,
        seconds_left: Callable[[], float],
        memory_limit_mb: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        repeats: int | None = None,
        attempt: int | None = None,
    ) -> Outcome:
        """Run a variant and store its outcome.

        Args:
            simulation: The simulation it belongs to.
            variant: Which one.
            seconds_left: Time that the function has left, seconds; infinite in a container until it is being stopped.
            memory_limit_mb: Memory that the engine may use, MiB, if this process uses at most
                `model_memory.HANDLER_MB`; anything beyond that is deducted from the engine's memory.
            on_progress: Called with the dates that the engine reaches.
            repeats: Index of an earlier variant with the same sample; its results are waited for, until it has ended.
            attempt: The study's attempt: the run is stopped if a later one has begun. None in items of an earlier
                release.

        Raises:
            SimulationFailed: If the variant itself failed; the reason is in its record.
            RanTooLong: If the run exceeded the function's time, and the study allows more than that.
            StudyCancelled: If the study was cancelled or given up; the engine has been stopped.
            Exception: Anything else is an infrastructure error and can be retried.
        """
        started, started_at = time.monotonic(), now()
        study = self.load(simulation)
        if self.records.stop_requested(simulation, attempt):
            raise StudyCancelled(simulation)
        with self.booking(study, started) as costs:
            stop = stop_watch(self.records, simulation, costs, attempt)
            limits = RunLimits(seconds_left, memory_limit_mb, stop, on_progress)
            if not self.records.start_variant(simulation, variant.index, study.expires_at, attempt, again=True):
                return self._outcome_before(simulation, variant)
            prepared = self.prepare(study, variant, memory_limit_mb)
            finished = self._run_and_store(study, prepared, limits, repeats, started)
            if finished.run is not None and finished.run.stopped:
                self.record_stopped(study, variant, started_at, attempt)
            record = record_of(variant, finished, started_at)
            self.records.finish_variant(simulation, record, study.expires_at, attempt, counted=False)
            if self.reuse and record.status is VariantStatus.SUCCEEDED:
                result = KeptResult(simulation, variant.index, finished.etags, study.expires_at)
                self.reuse.note(study.owner, finished, result)
            costs.finish(USD_PER_VARIANT_BESIDES_TIME)
        if record.status is not VariantStatus.SUCCEEDED:
            raise SimulationFailed(f"variant {variant.index}: {record.verdict}: {record.error}")
        return outcome_of(record)

    def prepare(self, study: LoadedStudy, variant: Variant, memory_limit_mb: float | None) -> PreparedVariant:
        """Edit the model of a variant; see `variant_steps.prepare`."""
        return prepare(study, variant, memory_limit_mb, with_key=self.reuse is not None)

    def _run_and_store(
        self, study: LoadedStudy, prepared: PreparedVariant, limits: RunLimits, repeats: int | None, started: float
    ) -> Finished:
        variant = prepared.variant
        if reused := self.take_earlier(study, prepared, limits, repeats):
            measures = measures_of(None, time.monotonic() - started)
            return store_copies(self.files, study.manifest, variant, dataclasses.replace(reused, measures=measures))
        store = functools.partial(store_files, self.files, study.manifest, variant)
        return run_prepared(self._workspace, study, prepared, limits, started, store)

    def take_earlier(
        self, study: LoadedStudy, prepared: PreparedVariant, limits: RunLimits, repeats: int | None
    ) -> Finished | None:
        """The results of an earlier run with the same content, if the study accepts them; see `Reuse.take`."""
        if not (self.reuse and prepared.content_key and study.manifest.study.options.cache):
            return None
        return self.reuse.take(study, prepared, limits, repeats)

    def run_collected(
        self,
        study: LoadedStudy,
        prepared: PreparedVariant,
        limits: RunLimits,
        started_at: str,
        started: float,
        attempt: int,
    ) -> Finished | Callable[[], Finished]:
        """Run the engine on a variant whose small files are collected for a pack instead of being stored.

        Args:
            study: From `load`.
            prepared: The variant.
            limits: Limits of its run.
            started_at, started: When work on it began, as a time stamp and by the monotonic clock, seconds.
            attempt: The study's attempt.

        Returns:
            For a run with results the rest, which must be called: it reads the results and collects the files.

        Raises:
            RanTooLong, NeedsMoreRoom: If it can run again with more time, or with more memory or disk; also when the
                rest is called.
            StudyCancelled: If the study was cancelled or given up; the engine has been stopped.
        """
        variant = prepared.variant

        def collect(finished: Finished) -> Finished:
            finished = collect_files(self.files, study.manifest, variant, finished)
            if limits.shared and finished.diagnosis.verdict is Verdict.DISK_FULL:  # also files of other variants
                raise NeedsMoreRoom(f"variant {variant.index}: {finished.diagnosis.message}")
            return finished

        ran = run_engine(self._workspace, study, prepared, limits, started, collect)
        if isinstance(ran, Finished) and ran.run is not None and ran.run.stopped:
            self.record_stopped(study, variant, started_at, attempt)
        return ran

    def record_stopped(
        self, study: LoadedStudy, variant: Variant, started_at: str, attempt: int | None = None
    ) -> NoReturn:
        """Record that a variant was stopped with its study, unless it runs in a later attempt of the study.

        Raises:
            StudyCancelled: Always.
        """
        record = self.records.study_including_removed(study.simulation)
        if attempt is None or record is None or record.attempt <= attempt:
            self.records.stop_variant(study.simulation, stopped(variant, started_at), study.expires_at, attempt)
        raise StudyCancelled(study.simulation)

    def try_pair(
        self,
        simulation: str,
        baseline: int,
        *,
        seconds_left: Callable[[], float],
        memory_limit_mb: float | None = None,
    ) -> Trial:
        """Try a model with a weather file on one day before any variant is started; records of variants are not
        changed.

        Args:
            simulation: The simulation they belong to.
            baseline: Index of their baseline.
            seconds_left: Time that the function has left, seconds.
            memory_limit_mb: Memory that the engine may use, MiB.

        Raises:
            StudyCancelled: If the study was cancelled or given up; the engine has been stopped.
        """
        started = time.monotonic()
        study = self.load(simulation)
        if self.records.stop_requested(simulation):
            raise StudyCancelled(simulation)
        variants = variants_to_try(study.manifest.study, baseline)
        with self.booking(study, started) as costs:
            try:
                trial = try_variants(
                    study.ready(variants[0].model, memory_limit_mb),
                    variants,
                    RunLimits(seconds_left, memory_limit_mb, stop_watch(self.records, simulation, costs)),
                    keep=lambda path: self.files.put_file(keys.preflight_key(simulation, baseline, path.name), path),
                )
            except EngineMissing as error:
                trial = Trial(baseline, "failed", f"{Verdict.FAILED.value}: {error}")
            except NoDiskSpace as error:
                trial = Trial(baseline, "not tried", f"{Verdict.DISK_FULL.value}: {error}")
            costs.finish(USD_PER_VARIANT_BESIDES_TIME)
        if trial is None:
            raise StudyCancelled(simulation)
        return trial

    def load(self, simulation: str, record: StudyRecord | None = None) -> LoadedStudy:
        """The study of a simulation; it is kept for the next variant.

        Args:
            simulation: The simulation.
            record: Its study's record, if it has been read.
        """
        if self._loaded is None or self._loaded.simulation != simulation:
            self._loaded = None  # frees its models before others are loaded
            manifest = self.files.read_manifest(simulation)
            record = record or self.records.study_including_removed(simulation)
            self._loaded = LoadedStudy(manifest, record.owner if record else "", self._workspace, self._installed)
        return self._loaded

    def _outcome_before(self, simulation: str, variant: Variant) -> Outcome:
        record = self.records.variant(simulation, variant.index)
        assert record is not None
        if record.status is not VariantStatus.SUCCEEDED:  # it has started in a later attempt
            raise StudyCancelled(simulation)
        logger.info("variant had succeeded already", extra={"variant_index": variant.index})
        return outcome_of(record)

    def booking(self, study: LoadedStudy, started: float) -> Booking:
        """The costs of this process while it runs variants of a study.

        Args:
            study: From `load`.
            started: When it began, by the monotonic clock, seconds.
        """
        counted = self._count_costs or study.manifest.study.options.max_cost_usd is not None
        usd_per_second = self._usd_per_second if counted else None
        started -= self._unbooked_s
        self._unbooked_s = 0.0
        return Booking(self.records, study.simulation, usd_per_second, self._budget_spent, started)


def outcome_of(record: VariantRecord) -> Outcome:
    """The outcome of a variant that has succeeded."""
    eui = record.summary["metrics"].get("site_eui_kwh_m2")
    return Outcome(record.index, record.verdict, record.summary["engine_seconds"], eui)
