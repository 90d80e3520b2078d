"""The steps of a variant's run: edit its model, look for earlier results, run the engine, read the results."""

import dataclasses
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.errors import EngineMissing
from epsm.pipeline.loaded_study import EditedModel, Expectations, LoadedStudy
from epsm.pipeline.run_content import content_key
from epsm.pipeline.simulation import RunLimits, Simulated
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
    ran = run_engine(workspace, study, prepared, limits, started, store)
    return ran if isinstance(ran, Finished) else ran()


def run_engine(
    workspace: Workspace,
    study: LoadedStudy,
    prepared: PreparedVariant,
    limits: RunLimits,
    started: float,
    store: Callable[[Finished], Finished],
) -> Finished | Callable[[], Finished]:
    """The first part of `run_prepared`.

    Returns:
        For a run with results the rest, which must be called: it reads and stores them, and removes the folder of the
        run. A run is stored at once if it has no results, or if the engine's next run would lack the memory for its
        results or the disk space.
    """

    def stored(finished: Finished) -> Finished:
        return store(_measured(finished, study, started))

    try:
        with ExitStack() as until_returned:
            folder = until_returned.enter_context(workspace.folder())
            ended = prepared.failed or _simulate(folder, study, prepared, limits)
            if isinstance(ended, Finished):
                return ended if ended.run is not None and ended.run.stopped else stored(ended)
            until_stored = until_returned.pop_all()
    except NoDiskSpace as error:  # would recur at every attempt
        return stored(without_run(Verdict.DISK_FULL, error))

    def read_and_store() -> Finished:
        with until_stored:
            finished = read_run(*ended, folder, prepared.variant.index)
            key = prepared.content_key if finished.results else ""
            return stored(dataclasses.replace(finished, content_key=key))

    has_room = not study.reads_series and workspace.has_room_for_another(ended[0].files)
    return read_and_store if has_room else read_and_store()


def _simulate(
    folder: Path, study: LoadedStudy, prepared: PreparedVariant, limits: RunLimits
) -> Finished | tuple[Simulated, LoadedStudy, Expectations]:
    """The run, if it has no results; otherwise what they are read from."""
    options, variant = study.manifest.study.options, prepared.variant
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
    if not ended.diagnosis.verdict.has_results or ended.run.stopped:
        return Finished(ended.diagnosis, ended.run, None, files)
    return ended, study, requested


def without_run(verdict: Verdict, error: Exception) -> Finished:
    """A variant that could not run."""
    return Finished(Diagnosis(verdict, str(error), (), 0, 0, ()))


def _measured(finished: Finished, study: LoadedStudy, started: float) -> Finished:
    measures = measures_of(finished.run, time.monotonic() - started)
    return dataclasses.replace(finished, measures=measures, engine_version=study.engine_version())
