"""From the results table of a study to its analyses, and these as JSON and CSV."""

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from epsm.results.sensitivity.analysis import Analysis, analyse
from epsm.results.sensitivity.design import Design, Floats
from epsm.results.sensitivity.indices import Basis, Index, Refusal
from epsm.results.table import for_spreadsheets
from epsm.study.sampling import Morris, OneAtATime, Sobol
from epsm.study.sampling.correlations import Correlated
from epsm.study.schema import Study

SCHEMA = 1
_DEFAULT_SEED = 1
_MAX_SECONDS = 240.0
"""Of the aggregate function's fifteen minutes, which also write the table: the analysis must not cost it."""
_CORRELATED = (
    "Parameters are correlated: SRC is the effect of a parameter while the others are held; PAWN includes "
    "effects through correlated parameters."
)
_COLUMNS = (
    "model",
    "weather",
    "metric",
    "method",
    "index",
    "parameter",
    "other",
    "value",
    "low",
    "high",
    "threshold",
    "used",
    "of",
    "counted",
    "r2",
    "reason",
)


@dataclass(frozen=True, slots=True)
class MetricAnalysis:
    """The analysis of one metric for one model and weather file."""

    model: str
    weather: str
    metric: str
    analysis: Analysis


def analysis_columns(study: Study) -> list[str]:
    """The columns of the results table that the analysis is made from; an end use need not be in the table."""
    return [*study.analysis.metrics, *(parameter.name for parameter in study.parameters)]


def analyses(
    study: Study, table: pd.DataFrame, seed: int | None = None, max_seconds: float = _MAX_SECONDS
) -> list[MetricAnalysis]:
    """The sensitivity of each metric that the study wants analysed, for each model and weather file on its own.

    Args:
        study: The study.
        table: `analysis_columns` of its results table, in the order of the variants.
        seed: Of bootstraps; the sampling's own, where it has one.
        max_seconds: When this has passed, the remaining metrics get a reason instead of indices.

    Returns:
        Nothing if the study has no parameters or wants no analysis.
    """
    if not study.parameters or not study.analysis.metrics:
        return []
    found = []
    deadline = time.monotonic() + max_seconds
    places = [(model, weather) for model in study.models for weather in study.weather]
    for number, (model, weather) in enumerate(places):
        # Sample 0 is the baseline, which is not part of the design.
        first = number * study.sample_count
        rows = table.iloc[first + 1 : first + study.sample_count]
        design = _design(study, rows)
        for metric in study.analysis.metrics:
            column = table[metric].to_numpy(dtype=float, na_value=np.nan) if metric in table else _nothing(len(table))
            results = column[first + 1 : first + study.sample_count]
            if time.monotonic() > deadline:
                analysis = _out_of_time(design, results, max_seconds)
            else:
                seeded = seed or _DEFAULT_SEED
                analysis = analyse(design, results, study.analysis.confidence, seeded, float(column[first]))
            if isinstance(study.sampling, Correlated) and study.sampling.correlations:
                analysis = dataclasses.replace(analysis, remarks=(*analysis.remarks, _CORRELATED))
            found.append(MetricAnalysis(model, weather, metric, analysis))
    return found


def _out_of_time(design: Design, results: Floats, max_seconds: float) -> Analysis:
    used = int(np.isfinite(results).sum())
    why = (
        f"the analyses before this one had taken the {max_seconds:.0f} s that a study has for them; name fewer metrics"
    )
    refusal = Refusal("all", Basis(used, design.samples), why)
    return Analysis(design.samples, used, (), (refusal,), None, (), ())


def _nothing(count: int) -> Floats:
    """A column that no variant has: an end use by fuel that the building does not have."""
    return np.full(count, np.nan)


def _design(study: Study, rows: pd.DataFrame) -> Design:
    sampling, made = study.sampling, study.design
    unit, varied = None, None
    if isinstance(sampling, Morris) and made.unit_row is not None:
        unit = np.array([made.unit_row(index) for index in range(made.count)], dtype=float)
    if isinstance(sampling, OneAtATime):
        varied = np.array(
            [made.names.index(next(iter(made.sample(index)))) for index in range(made.count)], dtype=np.intp
        )
    second_order = isinstance(sampling, Sobol) and sampling.second_order
    values = tuple(_values(rows[name]) for name in made.names)
    return Design(sampling.method, made.names, values, unit, second_order, varied)


def _values(column: "pd.Series[Any]") -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    return np.array([str(value) for value in column], dtype=object)


def write_json(path: Path, simulation: str, study: Study, found: Sequence[MetricAnalysis]) -> None:
    """Write sensitivity.json."""
    document = {
        "schema": SCHEMA,
        "simulation_id": simulation,
        "sampling": study.sampling.method,
        "confidence": study.analysis.confidence,
        "analyses": [_as_json(each) for each in found],
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def _as_json(each: MetricAnalysis) -> dict[str, Any]:
    analysis = each.analysis
    return {
        "model": each.model,
        "weather": each.weather,
        "metric": each.metric,
        "runs": analysis.runs,
        "used": analysis.used,
        "r2": analysis.r2,
        "indices": [_index_as_json(index) for index in analysis.indices],
        "refusals": [
            {"method": refusal.method, **dataclasses.asdict(refusal.basis), "reason": refusal.reason}
            for refusal in analysis.refusals
        ],
        "failure_rates": [
            {**dataclasses.asdict(rate), "percent": round(rate.percent, 3)} for rate in analysis.failure_rates
        ],
        "remarks": list(analysis.remarks),
    }


def _index_as_json(index: Index) -> dict[str, Any]:
    return {
        "method": index.method,
        "index": index.name,
        "parameter": index.parameter,
        "other": index.other or None,
        "value": index.value,
        "low": index.low,
        "high": index.high,
        "threshold": index.threshold,
        **dataclasses.asdict(index.basis),
        "reason": index.reason or None,
    }


def write_csv(path: Path, found: Sequence[MetricAnalysis]) -> None:
    """Write sensitivity.csv: a row for each index, and for each method that could not be used."""
    rows: list[dict[str, Any]] = []
    for each in found:
        place = {"model": each.model, "weather": each.weather, "metric": each.metric}
        for index in each.analysis.indices:
            r2 = each.analysis.r2 if index.method == "regression" else None
            rows.append({**place, **_index_as_json(index), "r2": r2})
        rows += [{**place, **_refusal_as_row(refusal)} for refusal in each.analysis.refusals]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    texts = ("model", "weather", "metric", "method", "index", "parameter", "other", "counted", "reason")
    frame = frame.astype(dict.fromkeys(texts, "string"))
    for_spreadsheets(frame).to_csv(path, index=False, encoding="utf-8-sig")


def _refusal_as_row(refusal: Refusal) -> dict[str, Any]:
    return {"method": refusal.method, **dataclasses.asdict(refusal.basis), "reason": refusal.reason}
