"""Whether a study would cost more than its budget, by earlier runs of its models."""

from collections.abc import Callable, Mapping

from epsm.estimate import RunTime, estimate, in_usd
from epsm.problems import Problem
from epsm.study.manifest import RunManifest
from epsm.study.schema import MANIFEST_NAME, Study

UNKNOWN_RUN_S = 60.0
"""Assumed for a model that has never run, if its manifest is from an earlier release and has no estimate."""


def check_budget(study: Study, measured: Mapping[str, RunTime], memory_mb: int) -> list[Problem]:
    """A study whose expected cost exceeds its budget.

    Checked only if every model has run before: an assumed run time does not justify a rejection.

    Args:
        study: The study.
        measured: From `measured_run_times`.
        memory_mb: Memory of the function that runs a variant.
    """
    budget_usd = study.options.max_cost_usd
    if budget_usd is None:
        return []
    if len(measured) < len(study.models):
        return []
    cost_usd = estimate(study, measured, memory_mb=memory_mb, capacity=1).cost_usd
    if cost_usd <= budget_usd:
        return []
    where = f"{MANIFEST_NAME}: options.max_cost_usd"
    fault = f"{budget_usd:g} is too little: by earlier runs of its models the study costs about {in_usd(cost_usd)}"
    return [Problem(where, fault)]


def measured_run_times(
    study: Study, sha256_of: Callable[[str], str], run_time: Callable[[str], float | None]
) -> dict[str, RunTime]:
    """The run times of the models that have run before."""
    found = {model: run_time(sha256_of(model)) for model in study.models}
    return {model: RunTime(seconds, "measured") for model, seconds in found.items() if seconds is not None}


def run_times_of(manifest: RunManifest, run_time: Callable[[str], float | None]) -> dict[str, RunTime]:
    """The run times of an accepted study's models: measured, else as assumed when it was accepted.

    Args:
        manifest: The study's.
        run_time: The seconds of earlier runs of a model, by the hash of its file; None if there was none.
    """
    known = manifest.assumed_run_times_s
    assumed = {model: RunTime(known.get(model, UNKNOWN_RUN_S), "assumed") for model in manifest.study.models}
    return assumed | measured_run_times(manifest.study, lambda model: manifest.inputs[model].sha256, run_time)
