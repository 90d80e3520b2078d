"""Trying a model with a weather file on one day, before the variants of its study start: `epsm.study.preflight`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from epsm.energyplus import engine
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import CannotEdit, PreparedModel
from epsm.energyplus.verdict import Verdict, judge
from epsm.model_memory import left_for_the_engine_mb
from epsm.pipeline.workspace import Workspace
from epsm.study.manifest import RunManifest
from epsm.study.preflight import Trial
from epsm.study.variants import Variant

_SECONDS_TO_ANSWER = 5.0
"""Kept back from the function's time."""


def try_in_turn(
    workspace: Workspace,
    installed: Engine,
    manifest: RunManifest,
    prepared: PreparedModel,
    variants: Sequence[Variant],
    *,
    seconds_left: Callable[[], float],
    memory_limit_mb: float | None,
    should_stop: Callable[[], bool],
    keep: Callable[[Path], None],
) -> Trial | None:
    """Run variants of a model and a weather file on the first day of their run periods until one passes.

    Args:
        workspace: Where to run.
        installed: The engine.
        manifest: The run's manifest.
        prepared: The model.
        variants: From `epsm.study.preflight.variants_to_try`.
        seconds_left: Time that the function has left, seconds.
        memory_limit_mb: Memory that the engine may use, MiB.
        should_stop: Whether the study was cancelled or given up.
        keep: Stores a file of the first trial, if that fails.

    Returns:
        None if it was stopped.
    """
    options = manifest.study.options
    only_design_days = options.run_period == "design_days"
    period = "design_days" if only_design_days else "as_in_model"
    index = variants[0].index
    reasons: list[str] = []
    for variant in variants:
        try:
            text = prepared.render(variant.values, first_day=not only_design_days)
        except CannotEdit as error:
            reasons.append(f"{Verdict.BAD_INPUT.value}: {error}")
            continue
        with workspace.folder() as folder:
            files = workspace.lay_out(folder, manifest, variant, prepared.file_name, text)
            line = engine.command(
                installed,
                files.model,
                files.weather,
                files.output,
                expand_objects=prepared.needs_expansion,
                run_period=period,
            )
            limit_s = max(1.0, min(options.timeout_s, seconds_left() - _SECONDS_TO_ANSWER))
            run = engine.run(
                line,
                files.model.parent,
                timeout_s=limit_s,
                memory_limit_mb=None if memory_limit_mb is None else left_for_the_engine_mb(memory_limit_mb),
                should_stop=should_stop,
            )
            if run.stopped:
                return None
            diagnosis = judge(run, files.output, period)
            if diagnosis.verdict.has_results:
                return Trial(index, "passed")
            if diagnosis.verdict is Verdict.DISK_FULL or (run.timed_out and limit_s < options.timeout_s):
                return Trial(index, "not tried", f"{diagnosis.verdict.value}: {diagnosis.message}")
            if not reasons:
                for path in (files.model, files.output / "eplusout.err"):
                    if path.is_file():
                        keep(path)
            reasons.append(f"{diagnosis.verdict.value}: {diagnosis.message}")
    return Trial(index, "failed", reasons[0])
