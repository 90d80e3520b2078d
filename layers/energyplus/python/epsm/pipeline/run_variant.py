"""Running one variant: fetch its inputs, edit the model, run the engine, read the results, store them.

Idempotent: everything written belongs to this variant alone and is overwritten by a repetition; a variant that has
succeeded is not run again.
"""

import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.engine import Engine, Progress
from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.errors import EngineMissing
from epsm.estimate import USD_PER_VARIANT_BESIDES_TIME
from epsm.pipeline.booking import Booking
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.preflight import try_variants
from epsm.pipeline.reuse import Reuse
from epsm.pipeline.run_content import content_key
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.stop_watch import stop_watch
from epsm.pipeline.task_errors import NeedsMoreRoom, RanTooLong, SimulationFailed, StudyCancelled
from epsm.pipeline.variant_documents import Finished, measures_of, record_of, stopped
from epsm.pipeline.variant_files import store_files
from epsm.pipeline.variant_results import read_run
from epsm.pipeline.workspace import NoDiskSpace, Workspace
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.kept_results import KeptResult, KeptResults
from epsm.store.records import Records
from epsm.study.preflight import Trial, variants_to_try
from epsm.study.records import VariantRecord, VariantStatus, expiry, now
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

SECONDS_TO_STORE = 30.0
"""Time of the function that is reserved for storing files, including those of a run that timed out."""


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
        records: The store of records.
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
        self._files = files
        self.records = records
        self._reuse = Reuse(files, records, kept_results, sleep) if kept_results else None
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

        Raises:
            SimulationFailed: If the variant itself failed; the reason is in its record.
            RanTooLong: If the run exceeded the function's time, and the study allows more than that.
            StudyCancelled: If the study was cancelled or given up; the engine has been stopped.
            Exception: Anything else is an infrastructure error and can be retried.
        """
        started = time.monotonic()
        study = self.load(simulation)
        if self.records.stop_requested(simulation):
            raise StudyCancelled(simulation)
        with self.booking(study, started) as costs:
            limits = RunLimits(seconds_left, memory_limit_mb, stop_watch(self.records, simulation, costs), on_progress)
            record = self.run_recorded(study, variant, limits, repeats=repeats, started=started)
            if record is None:
                return self._outcome_before(simulation, variant)
            costs.finish(USD_PER_VARIANT_BESIDES_TIME)
        if record.status is not VariantStatus.SUCCEEDED:
            raise SimulationFailed(f"variant {variant.index}: {record.verdict}: {record.error}")
        return outcome_of(record)

    def run_recorded(
        self,
        study: LoadedStudy,
        variant: Variant,
        limits: RunLimits,
        *,
        started: float,
        repeats: int | None = None,
        attempt: int | None = None,
    ) -> VariantRecord | None:
        """Run a variant, store its files and its record.

        Args:
            study: From `load`.
            variant: Which one.
            limits: Limits of its run.
            started: When work on it began, by the monotonic clock, seconds.
            repeats: Index of an earlier variant with the same sample.
            attempt: The study's attempt, if failed variants are counted for it.

        Returns:
            Its record; None, and nothing done, if the variant has succeeded already, or has failed in this attempt.

        Raises:
            RanTooLong, NeedsMoreRoom: If it can run again with more time, or with more memory or disk.
            StudyCancelled: If the study was cancelled or given up; the engine has been stopped.
        """
        simulation, started_at = study.simulation, now()
        expires_at = expiry(study.manifest.created_at, study.manifest.study.options.retention_days)
        if not self.records.start_variant(simulation, variant.index, expires_at, attempt):
            return None
        finished = self._run_and_store(study, variant, limits, repeats, started)
        if finished.run is not None and finished.run.stopped:
            self.records.finish_variant(simulation, stopped(variant, started_at), expires_at)
            raise StudyCancelled(simulation)
        if (
            limits.shared and finished.diagnosis.verdict is Verdict.DISK_FULL
        ):  # filled also by the files of other variants
            raise NeedsMoreRoom(f"variant {variant.index}: {finished.diagnosis.message}")
        record = record_of(variant, finished, started_at)
        self.records.finish_variant(simulation, record, expires_at, attempt)
        if self._reuse and record.status is VariantStatus.SUCCEEDED:
            result = KeptResult(simulation, variant.index, finished.etags, int(expires_at))
            self._reuse.note(study.owner, finished, result)
        return record

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
                    keep=lambda path: self._files.put_file(keys.preflight_key(simulation, baseline, path.name), path),
                )
            except EngineMissing as error:
                trial = Trial(baseline, "failed", f"{Verdict.FAILED.value}: {error}")
            except NoDiskSpace as error:
                trial = Trial(baseline, "not tried", f"{Verdict.DISK_FULL.value}: {error}")
            costs.finish(USD_PER_VARIANT_BESIDES_TIME)
        if trial is None:
            raise StudyCancelled(simulation)
        return trial

    def load(self, simulation: str) -> LoadedStudy:
        """The study of a simulation; it is kept for the next variant."""
        if self._loaded is None or self._loaded.simulation != simulation:
            self._loaded = None  # frees its models before others are loaded
            manifest = self._files.read_manifest(simulation)
            record = self.records.study_including_removed(simulation)
            self._loaded = LoadedStudy(manifest, record.owner if record else "", self._workspace, self._installed)
        return self._loaded

    def _outcome_before(self, simulation: str, variant: Variant) -> Outcome:
        record = self.records.variant(simulation, variant.index)
        assert record is not None
        logger.info("variant had succeeded already", extra={"variant_index": variant.index})
        return outcome_of(record)

    def _run_and_store(
        self, study: LoadedStudy, variant: Variant, limits: RunLimits, repeats: int | None, started: float
    ) -> Finished:
        """Run a variant and store its files, unless the run was stopped or its results were copied from an earlier
        one."""
        try:
            with self._workspace.folder() as folder:
                finished = self._simulate(folder, study, variant, limits, repeats)
                if finished.run is not None and finished.run.stopped:
                    return finished
                finished = _measured(finished, study, started)
                if finished.reused is None:
                    finished = store_files(self._files, study.manifest, variant, finished)
                return finished
        except NoDiskSpace as error:  # would recur at every attempt
            finished = _measured(_without_run(Verdict.DISK_FULL, error), study, started)
            return store_files(self._files, study.manifest, variant, finished)

    def _simulate(
        self, folder: Path, study: LoadedStudy, variant: Variant, limits: RunLimits, repeats: int | None
    ) -> Finished:
        manifest, options = study.manifest, study.manifest.study.options
        try:
            model = study.edited(variant, limits.memory_limit_mb)
        except CannotEdit as error:
            return _without_run(Verdict.BAD_INPUT, error)
        except EngineMissing as error:
            return _without_run(Verdict.FAILED, error)
        ready, key = model.ready, ""
        if self._reuse and not keys.is_canary(manifest.source.key):
            build = ready.installed.version()
            # Other edits of measures may give the same model, but with other remarks and other quantities.
            expected_files = {
                **model.requested.expected,
                **{f"{name}: amounts": edits for name, edits in model.requested.amounts.items()},
            }
            key = content_key(manifest, variant, model.text, ready.prepared.file_name, build, expected_files)
            if options.cache and (reused := self._reuse.take(study, key, variant, limits, repeats)):
                return reused
        files, requested = ready.lay_out(folder, variant, model.text), model.requested
        del model  # the text of a large model takes memory that the engine needs
        ended = ready.simulate(files, limits, options.run_period, SECONDS_TO_STORE)
        if ended.out_of_function_time and (limits.goes_back or not options.fits_function):
            seconds = ended.run.wall_seconds
            raise RanTooLong(f"variant {variant.index}: not finished after {seconds:.0f} s, when its time ended")
        if limits.shared and ended.diagnosis.verdict is Verdict.OUT_OF_MEMORY:
            raise NeedsMoreRoom(f"variant {variant.index}: {ended.diagnosis.message}")
        if not ended.diagnosis.verdict.has_results:
            return Finished(ended.diagnosis, ended.run, None, files)
        finished = read_run(ended, study, requested, folder, variant.index)
        return dataclasses.replace(finished, content_key=key) if finished.results else finished

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


def _without_run(verdict: Verdict, error: Exception) -> Finished:
    return Finished(Diagnosis(verdict, str(error), (), 0, 0, ()))


def _measured(finished: Finished, study: LoadedStudy, started: float) -> Finished:
    measures = measures_of(finished.run, time.monotonic() - started)
    return dataclasses.replace(finished, measures=measures, engine_version=study.engine_version())
