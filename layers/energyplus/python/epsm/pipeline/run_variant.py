"""Running one variant: fetch its inputs, edit the model, run the engine, read the results, store them.

Idempotent: everything written belongs to this variant alone and is overwritten by a repetition; a variant that has
succeeded is not run again.
"""

import dataclasses
import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from epsm.energyplus import dictionary
from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.engine import Engine, Progress, installed_engine_of
from epsm.energyplus.model_editor import PreparedModel, prepare
from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.energyplus.versions import DEFAULT
from epsm.errors import EngineMissing
from epsm.estimate import USD_PER_VARIANT_BESIDES_TIME
from epsm.model_memory import KeptModels
from epsm.pipeline.booking import Booking
from epsm.pipeline.preflight import try_in_turn
from epsm.pipeline.reuse import Reuse
from epsm.pipeline.run_content import content_key
from epsm.pipeline.simulation import RunLimits, simulate
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed, StudyCancelled
from epsm.pipeline.variant_documents import Finished, measures_of, record_of, stopped
from epsm.pipeline.variant_files import store_files, without_room
from epsm.pipeline.workspace import NoDiskSpace, Workspace
from epsm.results.cells import read_cells
from epsm.results.measure_targets import measure_remarks
from epsm.results.monthly import read_monthly
from epsm.results.reader import ImpossibleResult, read_results
from epsm.results.reduced import read_reduced
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.kept_results import KeptResult, KeptResults
from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.preflight import Trial, variants_to_try
from epsm.study.records import VariantStatus, expiry, now
from epsm.study.schema import MAX_FUNCTION_RUN_S, Outputs
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

SECONDS_TO_STORE = 30.0
"""Time of the function that is reserved for storing files, also those of a run that timed out."""
_MAX_WAIT_S = 300.0
_REPEAT_POLL_S = 1.0
"""Longest time, and interval, of waiting for an earlier variant with the same sample."""
_POLL_INTERVAL_S = 3.0
"""Interval at which a running variant checks whether its study was cancelled: one small read of the table."""


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
    ) -> None:
        self._sleep = sleep
        self._count_costs = count_costs
        self._files = files
        self._records = records
        self._reuse = Reuse(files, records, kept_results) if kept_results else None
        self._workspace = Workspace(folder, files)
        self._installed = installed
        self._usd_per_second = usd_per_second
        self._budget_spent = budget_spent
        self._manifest: RunManifest | None = None
        self._owner = ""
        self._models: KeptModels[PreparedModel] = KeptModels()

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
            seconds_left: Time that the function has left, seconds; infinite in a container.
            memory_limit_mb: Memory that the engine may use, MiB, if this process takes no more than
                `model_memory.HANDLER_MB`; what it uses beyond that is deducted from the engine's.
            on_progress: Called with the dates that the engine reaches.
            repeats: Index of an earlier variant with the same sample; its results are waited for, as long as it runs.

        Raises:
            SimulationFailed: If the variant itself failed; the reason is in its record.
            RanTooLong: If the run exceeded the function's time, and the study allows more than that.
            StudyCancelled: If the study was cancelled or given up; the engine has been stopped.
            Exception: Anything else is an infrastructure error and can be retried.
        """
        started, started_at = time.monotonic(), now()
        manifest = self._manifest_of(simulation)
        expires_at = expiry(manifest.created_at, manifest.study.options.retention_days)
        if self._records.stop_requested(simulation):
            raise StudyCancelled(simulation)
        if not self._records.start_variant(simulation, variant.index, expires_at):
            return self._outcome_before(simulation, variant)
        with self._booking(manifest, started) as costs:
            try:
                with self._workspace.folder() as folder:
                    limits = RunLimits(seconds_left, memory_limit_mb, self._stop_watch(simulation, costs), on_progress)
                    finished = self._simulate(folder, manifest, variant, limits, repeats)
                    if finished.run is not None and finished.run.stopped:
                        self._records.finish_variant(simulation, stopped(variant, started_at), expires_at)
                        raise StudyCancelled(simulation)
                    measures = measures_of(finished.run, time.monotonic() - started)
                    if finished.reused is None:
                        finished = self._store(manifest, variant, finished, measures)
            except NoDiskSpace as error:  # the same at every attempt
                finished = Finished(Diagnosis(Verdict.DISK_FULL, str(error), (), 0, 0, ()))
                measures = measures_of(None, time.monotonic() - started)
                finished = self._store(manifest, variant, finished, measures)
            record = record_of(variant, finished, measures, started_at)
            self._records.finish_variant(simulation, record, expires_at)
            costs.finish(USD_PER_VARIANT_BESIDES_TIME)
        if record.status is not VariantStatus.SUCCEEDED:
            raise SimulationFailed(f"variant {variant.index}: {record.verdict}: {record.error}")
        if self._reuse:
            self._reuse.note(
                self._owner, finished, KeptResult(simulation, variant.index, finished.etags, int(expires_at))
            )
        eui = record.summary["metrics"].get("site_eui_kwh_m2")
        return Outcome(variant.index, record.verdict, measures["engine_seconds"], eui)

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
        manifest = self._manifest_of(simulation)
        if self._records.stop_requested(simulation):
            raise StudyCancelled(simulation)
        variants = variants_to_try(manifest.study, baseline)
        try:
            chosen = self._engine(manifest)
        except EngineMissing as error:
            return Trial(baseline, "failed", f"{Verdict.FAILED.value}: {error}")
        with self._booking(manifest, started) as costs:
            try:
                trial = try_in_turn(
                    self._workspace,
                    chosen,
                    manifest,
                    self._prepared(manifest, variants[0].model, memory_limit_mb),
                    variants,
                    limits=RunLimits(seconds_left, memory_limit_mb, self._stop_watch(simulation, costs)),
                    keep=lambda path: self._files.put_file(keys.preflight_key(simulation, baseline, path.name), path),
                )
            except NoDiskSpace as error:
                trial = Trial(baseline, "not tried", f"{Verdict.DISK_FULL.value}: {error}")
            costs.finish(USD_PER_VARIANT_BESIDES_TIME)
        if trial is None:
            raise StudyCancelled(simulation)
        return trial

    def _manifest_of(self, simulation: str) -> RunManifest:
        if self._manifest is None or self._manifest.simulation_id != simulation:
            self._models.clear()
            self._manifest = self._files.read_manifest(simulation)
            record = self._records.study_including_removed(simulation)
            self._owner = record.owner if record else ""
        return self._manifest

    def _outcome_before(self, simulation: str, variant: Variant) -> Outcome:
        record = self._records.variant(simulation, variant.index)
        assert record is not None
        logger.info("variant had succeeded already", extra={"variant_index": variant.index})
        eui = record.summary["metrics"].get("site_eui_kwh_m2")
        return Outcome(variant.index, record.verdict, record.summary["engine_seconds"], eui)

    def _simulate(
        self, folder: Path, manifest: RunManifest, variant: Variant, limits: RunLimits, repeats: int | None
    ) -> Finished:
        options = manifest.study.options
        prepared = self._prepared(manifest, variant.model, limits.memory_limit_mb)
        try:
            installed = self._engine(manifest)
            model = prepared.render(variant.values)
        except CannotEdit as error:
            return Finished(Diagnosis(Verdict.BAD_INPUT, str(error), (), 0, 0, ()))
        except EngineMissing as error:
            return Finished(Diagnosis(Verdict.FAILED, str(error), (), 0, 0, ()))
        key = ""
        if self._reuse and not keys.is_canary(manifest.source.key):
            expected = prepared.expected(variant.values)
            key = content_key(manifest, variant, model, prepared.file_name, installed.version(), expected)
            if options.cache and (reused := self._take(key, manifest, variant, limits, repeats)):
                return reused
        files = self._workspace.lay_out(folder, manifest, variant, prepared.file_name, model)
        del model  # for a large one it would take the engine's memory
        ended = simulate(
            files,
            installed,
            limits,
            expand_objects=prepared.needs_expansion,
            run_period=options.run_period,
            timeout_s=options.timeout_s,
            kept_back_s=SECONDS_TO_STORE,
        )
        run, diagnosis = ended.run, ended.diagnosis
        if ended.out_of_function_time and options.timeout_s > MAX_FUNCTION_RUN_S:
            raise RanTooLong(f"variant {variant.index}: not finished after {run.wall_seconds:.0f} s in a function")
        if not diagnosis.verdict.has_results:
            return Finished(diagnosis, run, None, files)
        try:
            database = files.output / "eplusout.sql"
            results = read_results(database, diagnosis.environments)
            remarks = measure_remarks(prepared.expected(variant.values), database)
            cells = read_cells(database, manifest.study.outputs.cells)
            reduced = read_reduced(database, manifest.study.outputs.reduced)
            monthly = read_monthly(database) if "monthly" in manifest.study.outputs.tables else ()
            series, missing = _series(database, manifest.study.outputs, folder)
        except (sqlite3.Error, ImpossibleResult) as error:
            impossible = isinstance(error, ImpossibleResult)
            message = f"The results are impossible: {error}" if impossible else f"The results cannot be read: {error}"
            return Finished(dataclasses.replace(diagnosis, verdict=Verdict.FAILED, message=message), run, None, files)
        except OSError as error:
            return without_room(Finished(diagnosis, run, None, files), error)
        results = dataclasses.replace(
            results,
            monthly=monthly,
            metrics=results.metrics | cells.numbers | reduced.numbers,
            texts=results.texts | cells.texts,
            measure_remarks=remarks,
            missing=results.missing | cells.missing | reduced.missing | missing,
        )
        return Finished(diagnosis, run, results, files, series, content_key=key)

    def _take(
        self, key: str, manifest: RunManifest, variant: Variant, limits: RunLimits, repeats: int | None
    ) -> Finished | None:
        assert self._reuse is not None, "without results of earlier runs there is nothing to take"
        reused = self._reuse.take(self._owner, key, manifest, variant)
        if reused is not None or repeats is None:
            return reused
        # Half of the time: enough is left for a run if the other variant's worker was lost.
        deadline = time.monotonic() + min(_MAX_WAIT_S, limits.seconds_left() / 2)
        while self._records.is_running(manifest.simulation_id, repeats):
            if time.monotonic() > deadline or limits.should_stop():
                return None
            self._sleep(_REPEAT_POLL_S)
        return self._reuse.take(self._owner, key, manifest, variant)

    def _stop_watch(self, simulation: str, costs: Booking) -> Callable[[], bool]:
        """A function that says whether the study is to stop; it reads the table at most every few seconds."""
        next_poll = time.monotonic() + _POLL_INTERVAL_S

        def stop_requested() -> bool:
            nonlocal next_poll
            if time.monotonic() < next_poll:
                return False
            next_poll = time.monotonic() + _POLL_INTERVAL_S
            try:
                costs.book()
                return self._records.stop_requested(simulation)
            except (BotoCoreError, ClientError):
                logger.warning("could not check whether the study is to stop", exc_info=True)
                return False  # an unavailable table must not end a run

        return stop_requested

    def _booking(self, manifest: RunManifest, started: float) -> Booking:
        counted = self._count_costs or manifest.study.options.max_cost_usd is not None
        usd_per_second = self._usd_per_second if counted else None
        return Booking(self._records, manifest.simulation_id, usd_per_second, self._budget_spent, started)

    def _prepared(self, manifest: RunManifest, name: str, memory_limit_mb: float | None) -> PreparedModel:
        return self._models.get(
            name,
            lambda: self._workspace.read(manifest.inputs[name]),
            lambda content: _prepare(content, name, manifest, self._installed),
            memory_limit_mb,
        )

    def _engine(self, manifest: RunManifest) -> Engine:
        version = manifest.model_version
        return self._installed if version == DEFAULT else installed_engine_of(version)

    def _store(
        self, manifest: RunManifest, variant: Variant, finished: Finished, measures: dict[str, float]
    ) -> Finished:
        return store_files(self._files, manifest, variant, finished, measures, self._engine_version(manifest))

    def _engine_version(self, manifest: RunManifest) -> str:
        try:
            return self._engine(manifest).version()
        except EngineMissing:
            return manifest.engine_version


def _prepare(content: bytes, name: str, manifest: RunManifest, installed: Engine) -> PreparedModel:
    with dictionary.of_version(manifest.model_version):
        return prepare(content, name, manifest.study, installed.idd)


def _series(database: Path, outputs: Outputs, folder: Path) -> tuple[Path | None, dict[str, str]]:
    """The requested series as a file, and a reason for each that the run does not have."""
    asked = (*outputs.meters, *outputs.variables)
    if not asked:
        return None, {}
    from epsm.results.series import missing_series, read_series  # pandas and pyarrow: only if series are requested

    series = read_series(database, outputs)
    assert series is not None
    path = folder / "series.parquet"
    series.to_parquet(path, index=False)
    return path, {f"series {name}": why for name, why in missing_series(series, asked).items()}
