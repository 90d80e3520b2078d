"""What a terminal shows of a study's results: some rows of the table, remarks, reasons for failures.

Aggregate writes it beside the table, so that a command shows results without loading pandas.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from epsm.results.comparison import PAYBACK, RANK
from epsm.results.measure_impact import COST, currency_of
from epsm.results.remarks import engine_messages
from epsm.results.table_rows import Complete, as_they_are
from epsm.study.records import VariantStatus
from epsm.study.schema import Study

_MAX_ROWS = 40
_VARIANT = ("variant_index", "model", "weather", "baseline", "status", "verdict", "period")
_NUMBERS = (
    "site_eui_kwh_m2",
    "site_eui_saved_percent",
    "heating_kwh_m2",
    "cooling_kwh_m2",
    "unmet_heating_hours",
    "unmet_cooling_hours",
)


def overview(
    table: pd.DataFrame, study: Study, remarks: Sequence[str], complete: Complete = as_they_are
) -> dict[str, Any]:
    """The overview of a results table, as JSON.

    Args:
        table: At least `epsm.results.report.columns_of_all`.
        study: The study.
        remarks: `epsm.results.remarks.remarks` of the table.
        complete: Reads the other columns of some rows.

    Returns:
        `variants`: number of rows of the table; `rows`: all, or the baselines and the variants with the lowest EUI,
        with null for a missing value; `models`, `weather`: the files of the whole table; `remarks`;
        `engine_messages`: a sentence or an empty text; `failures`: by verdict and error the number of variants, the
        first variant and its status.
    """
    names = [*_VARIANT, *(parameter.name for parameter in study.parameters), *_NUMBERS, *_of_measures(study)]
    shown = complete(table.loc[_selected(table)], names)
    present = [name for name in dict.fromkeys(names) if name in shown]
    return {
        "variants": len(table),
        "rows": [{name: _plain(row[name]) for name in present} for _, row in shown[present].iterrows()],
        "models": [str(name) for name in table["model"].unique()],
        "weather": [str(name) for name in table["weather"].unique()],
        "remarks": list(remarks),
        "engine_messages": engine_messages(table),
        "failures": _failures(table),
    }


def write_overview(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _of_measures(study: Study) -> tuple[str, ...]:
    """Columns with the cost of measures and what follows from it."""
    return f"{COST}_{currency_of(study)}", PAYBACK, RANK


def _selected(table: pd.DataFrame) -> "pd.Index[Any]":
    if len(table) <= _MAX_ROWS:
        return table.index
    ranked = table[["variant_index", "baseline", "site_eui_kwh_m2"]]
    baselines = ranked[ranked["baseline"]].head(_MAX_ROWS // 2)
    best = ranked[~ranked["baseline"]].nsmallest(_MAX_ROWS - len(baselines), "site_eui_kwh_m2")
    return pd.concat([baselines, best]).sort_values("variant_index").index


def _failures(table: pd.DataFrame) -> list[dict[str, Any]]:
    read = ["variant_index", "status", "verdict", "error"]
    failed = table[read][table["status"] != VariantStatus.SUCCEEDED.value].fillna({"verdict": "", "error": ""})
    return [
        {
            "verdict": str(group["verdict"].iloc[0]),
            "error": str(group["error"].iloc[0]),
            "status": str(group["status"].iloc[0]),
            "variants": len(group),
            "first_variant": int(group["variant_index"].min()),
        }
        for _, group in failed.groupby(["verdict", "error"])
    ]


def _plain(value: Any) -> Any:
    """A value of the table as JSON has it.

    >>> import numpy
    >>> _plain(numpy.int64(3)), _plain(float("nan")), _plain(numpy.bool_(True))
    (3, None, True)
    """
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
