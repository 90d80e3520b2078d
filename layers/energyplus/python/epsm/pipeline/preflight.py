"""Trial runs of a model with a weather file on one day, before the variants of its study start:
`epsm.study.preflight`."""

from collections.abc import Callable, Sequence
from pathlib import Path

from epsm.energyplus.editing import CannotEdit
from epsm.energyplus.verdict import Verdict
from epsm.pipeline.simulation import ReadyModel, RunLimits
from epsm.study.preflight import Trial
from epsm.study.variants import Variant

_SECONDS_TO_ANSWER = 5.0
"""Time of the function that is reserved for its answer."""


def try_variants(
    ready: ReadyModel, variants: Sequence[Variant], limits: RunLimits, keep: Callable[[Path], object]
) -> Trial | None:
    """Run variants of a model and a weather file on the first day of their run periods until one passes.

    Args:
        ready: The model.
        variants: From `epsm.study.preflight.variants_to_try`.
        limits: The bounds of each run.
        keep: Stores a file of the first trial, if that fails.

    Returns:
        None if it was stopped.
    """
    only_design_days = ready.manifest.study.options.run_period == "design_days"
    period = "design_days" if only_design_days else "as_in_model"
    index = variants[0].index
    reasons: list[str] = []
    for variant in variants:
        with ready.workspace.folder() as folder:
            try:
                model = ready.prepared.render(variant.values, first_day=not only_design_days)
            except CannotEdit as error:
                reasons.append(f"{Verdict.BAD_INPUT.value}: {error}")
                continue
            files = ready.lay_out(folder, variant, model)
            del model  # for a large one it would take the engine's memory
            ended = ready.simulate(files, limits, period, _SECONDS_TO_ANSWER)
            if ended.run.stopped:
                return None
            diagnosis = ended.diagnosis
            if diagnosis.verdict.has_results:
                return Trial(index, "passed")
            if diagnosis.verdict is Verdict.DISK_FULL or ended.out_of_function_time:
                return Trial(index, "not tried", f"{diagnosis.verdict.value}: {diagnosis.message}")
            if not reasons:
                for path in (files.model, files.output / "eplusout.err"):
                    if path.is_file():
                        keep(path)
            reasons.append(f"{diagnosis.verdict.value}: {diagnosis.message}")
    return Trial(index, "failed", reasons[0])
