"""What a modeller should be told of a study that has ended well, because no single variant shows it."""

from collections import Counter

import pandas as pd

from epsm.results import METRICS
from epsm.store.records import VariantStatus
from epsm.study import Parameter, Study

COLUMNS = ("model", "weather", "baseline", "status", "missing", *METRICS)
"""The columns of the results table that remarks are made from, beside the parameters' own."""
_MOST_MISSING = 5


def remarks(table: pd.DataFrame, study: Study) -> list[str]:
    """Sentences about a results table: parameters that changed nothing, and what was asked for and is not there.

    Args:
        table: At least `COLUMNS` and the parameters' columns.
        study: The study it belongs to.
    """
    done = table[table["status"] == VariantStatus.SUCCEEDED.value]
    same = pd.util.hash_pandas_object(done[list(METRICS)], index=False)
    same.index = done.index
    idle = [parameter for parameter in study.parameters if _changed_nothing(parameter, study, done, same)]
    unknown = [] if done.empty else [each.name for each in study.parameters if _cannot_be_told(each, study)]
    return [*(_idle(parameter) for parameter in idle), *_untold(unknown), *_missing(done)]


def _cannot_be_told(parameter: Parameter, study: Study) -> bool:
    """Whether no two variants differ in this parameter alone, although it was to change something."""
    return len(parameter.levels) == 1 and len(study.parameters) > 1 and list(parameter.levels) != [1.0]


def _untold(names: list[str]) -> list[str]:
    if not names:
        return []
    what = (
        f"Whether {' and '.join(names)} changed anything cannot be told: with one value there are no two variants that "
        "differ in it alone. A second value would show it."
    )
    return [what]


def _idle(parameter: Parameter) -> str:
    return (
        f"{parameter.name} changed nothing: all else equal, every variant has the same results. EnergyPlus may not use "
        f"{parameter.class_name}, {parameter.field} here: often a method or type field of the object says which of its "
        "fields count."
    )


def _changed_nothing(parameter: Parameter, study: Study, done: pd.DataFrame, same: "pd.Series[int]") -> bool:
    """Whether variants that differ in this parameter alone have the same results, digit for digit, wherever there are
    any; with a single value the baseline is the other one."""
    others = [other.name for other in study.parameters if other.name != parameter.name]
    if _cannot_be_told(parameter, study) or list(parameter.levels) == [1.0]:
        return False
    compared = done if len(parameter.levels) == 1 else done[~done["baseline"]]
    keys = [compared[name] for name in ("model", "weather", *others)]
    groups = same[compared.index].groupby(keys, dropna=False).agg(["nunique", "size"])
    groups = groups[groups["size"] > 1]
    return not groups.empty and bool((groups["nunique"] == 1).all())


def _missing(done: pd.DataFrame) -> list[str]:
    counted = Counter(reason for text in done["missing"].dropna() for reason in str(text).split("; "))
    shown = [f"{reason} ({number} variants)" for reason, number in counted.most_common(_MOST_MISSING)]
    rest = len(counted) - len(shown)
    return [f"Not there: {each}." for each in shown] + ([f"And {rest} more; see 'missing'."] if rest > 0 else [])
