"""Remarks on a finished study that no single variant shows."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from epsm.results.effects import Effects, Place
from epsm.results.metrics import METRICS
from epsm.results.table_rows import outcomes_of
from epsm.study.parameters import Dimension
from epsm.study.records import VariantStatus
from epsm.study.schema import Study
from epsm.study.whole_files import WeatherParameter

REMARK_TEXTS = ("model", "weather", "baseline", "status", "missing", "measure_remarks")
REMARK_COLUMNS = (*REMARK_TEXTS, *METRICS)
"""The columns of the results table that remarks need, besides the parameters' own."""
_MAX_MISSING = 5
_MAX_PLACES = 5


def remarks(table: pd.DataFrame, study: Study, outcomes: "pd.Series[int] | None" = None) -> list[str]:
    """Sentences about a results table: parameters without effect, and requested outputs that are missing.

    Args:
        table: At least `REMARK_COLUMNS` and the parameters' columns.
        study: The study of the table.
        outcomes: A hash of each row's metrics, which the table need not have then.
    """
    names = [*REMARK_TEXTS, *(parameter.name for parameter in study.parameters)]
    success = table["status"] == VariantStatus.SUCCEEDED.value
    done = table[[name for name in names if name in table]][success]
    results = outcomes_of(table[success]) if outcomes is None else outcomes[success]
    sentences, not_isolated = [], []
    effects = Effects(done, results, [parameter.name for parameter in study.parameters])
    for parameter in study.parameters:
        if done.empty or tuple(parameter.levels) == (1.0,):
            continue
        has_effect = effects.of(
            parameter.name,
            weather=study.weather[0] if isinstance(parameter, WeatherParameter) else None,
            unknown_is_level=len(parameter.levels) == 1,
        )
        if not has_effect and len(parameter.levels) == 1:
            not_isolated.append(parameter.name)
        without = [place for place, effect in has_effect.items() if not effect]
        if without:
            sentences.append(_without_effect(parameter, study, without, everywhere=len(without) == len(has_effect)))
    return [*sentences, *_single_value_remark(not_isolated), *_off_target(done), *_missing(done)]


def engine_messages(table: pd.DataFrame) -> str:
    """A sentence about the severe errors of the variants that succeeded, empty if EnergyPlus reported none.

    Args:
        table: At least the columns status, severe_errors and warnings.
    """
    done = table[["status", "severe_errors", "warnings"]][table["status"] == VariantStatus.SUCCEEDED.value]
    number = with_severe_errors(done)
    if not number:
        return ""
    severe, warnings = int(done["severe_errors"].sum()), int(done["warnings"].sum())
    return (
        f"EnergyPlus reported severe errors in {number} of {len(done)} successful variants: {severe:,} severe errors, "
        f"{warnings:,} warnings. The first of each variant is in column 'note'."
    )


def with_severe_errors(table: pd.DataFrame) -> int:
    """Number of successful variants with severe errors."""
    severe = table["severe_errors"][table["status"] == VariantStatus.SUCCEEDED.value]
    return int((severe.fillna(0) > 0).sum())


def _without_effect(parameter: Dimension, study: Study, places: Sequence[Place], *, everywhere: bool) -> str:
    where = "" if everywhere else f" {_named(places, study)}"
    equal = "all else equal, every variant has the same results" + ("" if everywhere else " there")
    return (
        f"{parameter.name} had no effect{where}: {equal}. EnergyPlus may not use {_fields(parameter) or 'its edits'} "
        f"here: often a method or type field of the object decides which of its fields count."
    )


def _fields(parameter: Dimension) -> str:
    fields = [f"{target.class_name}, {target.field}" for target in parameter.all_targets]
    schedules = [f"the schedules '{target.shown_schedules}'" for target in parameter.all_schedules]
    schedules += [f"the {target.setpoints} setpoints" for target in parameter.all_setpoints]
    return " and ".join(dict.fromkeys([*fields, *schedules]))


def _named(places: Sequence[Place], study: Study) -> str:
    """`in a.idf with x.epw and in b.idf`: the model alone if it applies to all its weather files."""
    by_model: dict[str, list[str]] = {}
    for model, weather in places:
        by_model.setdefault(model, []).append(weather)
    if len(study.models) == 1:
        names = [f"with {weather}" for weathers in by_model.values() for weather in weathers]
    else:
        names = [name for model, weathers in by_model.items() for name in _in_model(model, weathers, study)]
    rest = len(names) - _MAX_PLACES
    return ", ".join(names[:_MAX_PLACES]) + (f" and {rest} more" if rest > 0 else "")


def _in_model(model: str, weathers: list[str], study: Study) -> Iterator[str]:
    if len(weathers) == len(study.weather):
        yield f"in {model}"
    else:
        yield from (f"in {model} with {weather}" for weather in weathers)


def _single_value_remark(names: list[str]) -> list[str]:
    if not names:
        return []
    remark = (
        f"The effect of {' and '.join(names)} cannot be isolated: with a single value, no two variants differ in it "
        "alone. A second value would show it."
    )
    return [remark]


def _off_target(done: pd.DataFrame) -> list[str]:
    """A remark on measures if reported coefficients differ from their targets."""
    found = done["measure_remarks"].dropna() if "measure_remarks" in done else done["missing"].iloc[:0]
    if found.empty:
        return []  # in tables of releases without measures
    others = f" See column 'measure_remarks' for all {len(found)} such variants." if len(found) > 1 else ""
    return [f"{found.iloc[0]}{others}"]


def _missing(done: pd.DataFrame) -> list[str]:
    counted = Counter(reason for text in done["missing"].dropna() for reason in str(text).split("; "))
    shown = [f"{reason} ({number} variants)" for reason, number in counted.most_common(_MAX_MISSING)]
    rest = len(counted) - len(shown)
    more = [f"{rest} more reasons for missing values are listed in column 'missing'."] if rest > 0 else []
    return [*(f"Missing: {line}." for line in shown), *more]
