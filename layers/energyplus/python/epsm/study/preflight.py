"""The preflight: each model and weather of a study of many variants is tried on one day before any variant is started.

A fault that only the engine can find (a zone without surfaces, say) would fail thousands of variants; here it occurs
once and ends the study. The trial is the beginning of the real run, so that nothing fails here that would not fail
there. No eppy here: submit reads it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal

from epsm.study.schema import Study
from epsm.study.variants import Variant, expand

MAX_TRIED_PAIRS = 50
"""Pairs of a model and a weather file that are tried; every model comes before a second weather file does."""
MAX_TRIALS_AT_A_TIME = 5
"""Maximum number of concurrent trials. Trials take seconds; they are few, and on a laptop they share its cores."""
_MAX_CHARACTERS = 300
_MAX_SHOWN = 3

Outcome = Literal["passed", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of trying a model with a weather file.

    Attributes:
        index: Of the pair's baseline.
        outcome: ``not tried`` if the trial says nothing about the model.
        why: The verdict and the engine's message, of the first variant tried; empty if it passed.
    """

    index: int
    outcome: Outcome
    why: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The trial in the state machine's data, which is limited to 256 KB for all trials."""
        return asdict(self) | {"why": self.why[:_MAX_CHARACTERS]}


def pairs_to_try(
    study: Study,
    in_containers: Collection[str] = (),
    has_run: Callable[[str, str], bool] = lambda model, weather: False,
) -> list[int]:
    """The pairs of a model and a weather file that are tried, each by the index of its baseline.

    Args:
        study: The study.
        in_containers: Models whose variants do not run in a function; they are not tried.
        has_run: Whether a model has run with a weather file in an earlier study, given their names. Such a pair is
            tried only if the study asks for a preflight.
    """
    if not study.has_preflight:
        return []
    pairs = (
        number * len(study.weather) + weather_number
        for weather_number, weather in enumerate(study.weather)
        for number, model in enumerate(study.models)
        if model not in in_containers and (study.options.preflight or not has_run(model, weather))
    )
    return [pair * study.sample_count for pair in islice(pairs, MAX_TRIED_PAIRS)]


def variants_to_try(study: Study, baseline: int) -> list[Variant]:
    """A pair's baseline, first and last sample, tried one after the other until one passes.

    A model that is valid only with its parameters (a tag of another tool in a field, say) has a broken baseline; that
    must not stop its study.
    """
    end = baseline + study.sample_count
    chosen = (baseline, baseline + 1, end - 1)
    return [variant for index in dict.fromkeys(chosen) if index < end for variant in expand(study, index, index + 1)]


def reason_of(study: Study, trials: Sequence[Mapping[str, Any]]) -> str:
    """Why a study was not started, given the outcomes of its trials (`Trial.as_dict`); empty if it can be.

    Args:
        study: The study.
        trials: All of them.
    """
    failed = sorted((trial for trial in trials if trial["outcome"] == "failed"), key=lambda trial: int(trial["index"]))
    if not failed:
        return ""
    lines = []
    for failed_trial in failed[:_MAX_SHOWN]:
        model, weather = divmod(failed_trial["index"] // study.sample_count, len(study.weather))
        lines.append(
            f"model {study.models[model]} with weather {study.weather[weather]}: {failed_trial['why'].rstrip('.')}."
        )
    if len(failed) > _MAX_SHOWN:
        lines.append(f"{len(failed) - _MAX_SHOWN} more failed.")
    return (
        f"Tried before the start: {' '.join(lines)} No variant was started; options.preflight false runs them anyway."
    )
