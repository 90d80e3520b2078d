"""One run of the engine on one edited model: the common part of variants and trials of the preflight."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from epsm.energyplus import engine
from epsm.energyplus.engine import Engine, EngineRun, Progress
from epsm.energyplus.model_editor import PreparedModel
from epsm.energyplus.verdict import Diagnosis, judge
from epsm.model_memory import left_for_the_engine_mb
from epsm.pipeline.workspace import RunFolder, Workspace
from epsm.study.manifest import RunManifest
from epsm.study.variants import Variant


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The bounds of a run besides the study's own, and a callback for its progress.

    Attributes:
        seconds_left: Time that the function has left, seconds; infinite in a container until it is being stopped.
        memory_limit_mb: Memory that the engine may use, MiB, if this process takes no more than
            `model_memory.HANDLER_MB`; None for no limit.
        should_stop: Whether the study was cancelled or given up.
        on_progress: Called with the dates that the engine reaches.
        goes_back: Whether a run that is stopped because the time of its function or container ends can run again,
            whatever the study's own limit is.
        shared: Whether other engines take a part of the function's memory and disk.
    """

    seconds_left: Callable[[], float]
    memory_limit_mb: float | None
    should_stop: Callable[[], bool]
    on_progress: Callable[[Progress], None] | None = None
    goes_back: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Simulated:
    """A finished run.

    Attributes:
        files: Where its files are.
        run: How it ended.
        diagnosis: The verdict on it.
        out_of_function_time: Whether it was stopped by the function's time limit, or because its container is being
            stopped, rather than by the study's own limit.
    """

    files: RunFolder
    run: EngineRun
    diagnosis: Diagnosis
    out_of_function_time: bool


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """A model of a study with all that running its variants takes.

    Attributes:
        manifest: Of the run.
        prepared: The model, ready to be edited.
        installed: The engine.
        workspace: Where it runs.
    """

    manifest: RunManifest
    prepared: PreparedModel
    installed: Engine
    workspace: Workspace

    def lay_out(self, folder: Path, variant: Variant, model: str) -> RunFolder:
        """Write a variant's files; see `Workspace.lay_out`."""
        return self.workspace.lay_out(folder, self.manifest, variant, self.prepared.file_name, model)

    def simulate(self, files: RunFolder, limits: RunLimits, run_period: str, kept_back_s: float) -> Simulated:
        """Run the engine on a variant's files, and judge the run.

        The text of the model is in its file only: of a large one, it would take the engine's memory.

        Args:
            files: From `lay_out`.
            limits: The bounds of the run besides the study's own.
            run_period: ``annual``, ``design_days`` or ``as_in_model``.
            kept_back_s: Seconds of the function's time that are reserved for what follows the run.
        """
        line = engine.command(
            self.installed,
            files.model,
            files.weather,
            files.output,
            expand_objects=self.prepared.needs_expansion,
            run_period=run_period,
        )
        timeout_s = self.manifest.study.options.timeout_s
        limit_s = max(1.0, min(timeout_s, limits.seconds_left() - kept_back_s))
        watch = _Watch(limits, kept_back_s)
        run = engine.run(
            line,
            files.model.parent,
            timeout_s=limit_s,
            memory_limit_mb=None if limits.memory_limit_mb is None else left_for_the_engine_mb(limits.memory_limit_mb),
            on_progress=limits.on_progress,
            should_stop=watch,
        )
        out_of_time = (run.timed_out and limit_s < timeout_s) or (run.stopped and watch.time_has_ended)
        return Simulated(files, run, judge(run, files.output, run_period), out_of_time)


class _Watch:
    """Whether a running engine must stop: with its study, or with a container whose time was unlimited at first.

    Attributes:
        time_has_ended: Whether it is the container.
    """

    def __init__(self, limits: RunLimits, kept_back_s: float) -> None:
        self._limits = limits
        self._kept_back_s = kept_back_s
        self._unlimited = math.isinf(limits.seconds_left())
        self.time_has_ended = False

    def __call__(self) -> bool:
        self.time_has_ended = self._unlimited and self._limits.seconds_left() < self._kept_back_s
        return self.time_has_ended or self._limits.should_stop()
