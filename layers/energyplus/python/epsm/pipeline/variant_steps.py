"""The steps of a variant's run: edit its model, look for earlier results, run the engine, read the results."""

import dataclasses
import logging
import time
from collections.abc import Callable
from pathlib import Path

from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.errors import EngineMissing
from epsm.pipeline.loaded_study import EditedModel, LoadedStudy
from epsm.pipeline.run_content import content_key
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.task_errors import NeedsMoreRoom, RanTooLong
from epsm.pipeline.variant_documents import Finished, measures_of
from epsm.pipeline.variant_results import read_run
from epsm.pipeline.workspace import NoDiskSpace, Workspace
from epsm.store import keys
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

SECONDS_TO_STORE = 30.0
"""Time of the function that is reserved for storing files, including those of a run that timed out."""


@dataclasses.dataclass(slots=True)
class PreparedVariant:
    """A variant that is ready to run.

    Attributes:
        variant: The variant.
        model: Its model, edited; None if that failed, and once the engine has it.
        content_key: Content of the run; empty if results of earlier runs are neither used nor noted.
        failed: Why it cannot run, if it cannot.
    """

    variant: Variant
    model: EditedModel | None
    content_key: str = ""
    failed: Finished | None = None

    def take_model(self) -> EditedModel:
        """The model, which is not kept: the text of a large one takes memory that the engine needs."""
        model, self.model = self.model, None
        assert model is not None, "a variant runs once"
        return model


def prepare(study: LoadedStudy, variant: Variant, memory_limit_mb: float | None, *, with_key: bool) -> PreparedVariant:
    """Edit the model of a variant.

    Args:
        study: The study.
        variant: The variant.
        memory_limit_mb: The engine's memory limit, MiB, if any.
        with_key: Whether results of earlier runs are kept on this stack.
    """
    try:
        model = study.edited(variant, memory_limit_mb)
    except CannotEdit as error:
        return PreparedVariant(variant, None, failed=without_run(Verdict.BAD_INPUT, error))
    except EngineMissing as error:
        return PreparedVariant(variant, None, failed=without_run(Verdict.FAILED, error))
    except NoDiskSpace as error:  # would recur at every attempt
        return PreparedVariant(variant, None, failed=without_run(Verdict.DISK_FULL, error))
    ready, key = model.ready, ""
    if with_key and not keys.is_canary(study.manifest.source.key):
        build = ready.installed.version()
        # Other edits of measures may give the same model, but with other remarks and other quantities.
        expected_files = {
            **model.requested.expected,
            **{f"{name}: amounts": edits for name, edits in model.requested.amounts.items()},
        }
        key = content_key(study.manifest, variant, model.text, ready.prepared.file_name, build, expected_files)
    return PreparedVariant(variant, model, key)


def run_prepared(
    workspace: Workspace,
    study: LoadedStudy,
    prepared: PreparedVariant,
    limits: RunLimits,
    started: float,
    store: Callable[[Finished], Finished],
) -> Finished:
    """Run a variant and store its files, unless the run was stopped.

    Args:
        workspace: Where it runs.
        study: The study.
        prepared: The variant.
        limits: Limits of its run.
        started: When work on it began, by the monotonic clock, seconds.
        store: Stores its files while they exist.

    Raises:
        RanTooLong, NeedsMoreRoom: If it can run again with more time, or with more memory.
    """
    try:
        with workspace.folder() as folder:
            finished = prepared.failed or _simulate(folder, study, prepared, limits)
            if finished.run is not None and finished.run.stopped:
                return finished
            return store(_measured(finished, study, started))
    except NoDiskSpace as error:  # would recur at every attempt
        return store(_measured(without_run(Verdict.DISK_FULL, error), study, started))


def _simulate(folder: Path, study: LoadedStudy, prepared: PreparedVariant, limits: RunLimits) -> Finished:
    options, variant, key = study.manifest.study.options, prepared.variant, prepared.content_key
    model = prepared.take_model()
    ready, requested = model.ready, model.requested
    files = ready.lay_out(folder, variant, model.text)
    del model
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


def without_run(verdict: Verdict, error: Exception) -> Finished:
    """A variant that could not run."""
    return Finished(Diagnosis(verdict, str(error), (), 0, 0, ()))


def _measured(finished: Finished, study: LoadedStudy, started: float) -> Finished:
    measures = measures_of(finished.run, time.monotonic() - started)
    return dataclasses.replace(finished, measures=measures, engine_version=study.engine_version())
