"""From the results table of a study to its analyses, and these as JSON and CSV."""

import dataclasses
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from epsm.results.sensitivity.analysis import Analysis, analyse
from epsm.results.sensitivity.design import Design, Floats
from epsm.results.sensitivity.indices import Basis, Index, Refusal
from epsm.results.sensitivity.structure import structure_of
from epsm.results.table import for_spreadsheets
from epsm.study.schema import Study

SCHEMA = 1
DEFAULT_SEED = 1
_MAX_SECONDS = 240.0
"""Maximum time of the analyses: the aggregate function has 15 minutes, in which it also writes the table."""
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
    """The columns of the results table that the analysis needs; the table may lack an end use."""
    return [*study.analysis.metrics, *(parameter.name for parameter in study.parameters)]


def analyses(
    study: Study, table: pd.DataFrame, seed: int | None = None, max_seconds: float = _MAX_SECONDS
) -> list[MetricAnalysis]:
    """The sensitivity of each metric in the study's `analysis`, separately for each model and weather file.

    Args:
        study: The study.
        table: `analysis_columns` of its results table, in the order of the variants.
        seed: Seed of bootstraps; the sampling's own, if it has one.
        max_seconds: After this time, the remaining metrics get a reason instead of indices.

    Returns:
        An empty list if the study has no parameters or requests no analysis.
    """
    if not study.parameters or not study.analysis.metrics:
        return []
    found = []
    structure = structure_of(study)
    deadline = time.monotonic() + max_seconds
    places = [(model, weather) for model in study.models for weather in study.weather]
    for number, (model, weather) in enumerate(places):
        # Sample 0 is the baseline, which is not part of the design.
        first = number * study.sample_count
        rows = table.iloc[first + 1 : first + study.sample_count]
        design = structure.with_values(rows)
        for metric in study.analysis.metrics:
            column = (
                table[metric].to_numpy(dtype=float, na_value=np.nan) if metric in table else _empty_column(len(table))
            )
            results = column[first + 1 : first + study.sample_count]
            if time.monotonic() > deadline:
                analysis = _time_limit_reached(design, results, max_seconds)
            else:
                seeded = seed or DEFAULT_SEED
                analysis = analyse(design, results, study.analysis.confidence, seeded, float(column[first]))
            found.append(MetricAnalysis(model, weather, metric, structure.remarked(analysis)))
    return found


def _time_limit_reached(design: Design, results: Floats, max_seconds: float) -> Analysis:
    used = int(np.isfinite(results).sum())
    reason = f"the previous analyses used up the {max_seconds:.0f} s available for a study; name fewer metrics"
    refusal = Refusal("all", Basis(used, design.samples), reason)
    return Analysis(design.samples, used, (), (refusal,), None, (), ())


def _empty_column(count: int) -> Floats:
    """A column that no variant has: an end use by fuel that does not occur in the building."""
    return np.full(count, np.nan)


def write_json(path: Path, simulation: str, study: Study, found: Sequence[MetricAnalysis]) -> None:
    """Write sensitivity.json."""
    document = {
        "schema": SCHEMA,
        "simulation_id": simulation,
        "sampling": study.sampling.method,
        "confidence": study.analysis.confidence,
        "analyses": as_json(found),
    }
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")


def as_json(found: Sequence[MetricAnalysis]) -> list[dict[str, Any]]:
    """The key `analyses` of sensitivity.json."""
    return [_as_json(analysed) for analysed in found]


def _as_json(analysed: MetricAnalysis) -> dict[str, Any]:
    analysis = analysed.analysis
    return {
        "model": analysed.model,
        "weather": analysed.weather,
        "metric": analysed.metric,
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
    """Write sensitivity.csv."""
    for_spreadsheets(as_frame(as_json(found))).to_csv(path, index=False, encoding="utf-8-sig")


def as_frame(analyses: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per index, and one per method that could not be used.

    Args:
        analyses: The key `analyses` of sensitivity.json.
    """
    rows: list[dict[str, Any]] = []
    for analysis in analyses:
        place = {name: analysis[name] for name in ("model", "weather", "metric")}
        rows += [
            {**place, **index, "r2": analysis["r2"] if index["method"] == "regression" else None}
            for index in analysis["indices"]
        ]
        rows += [{**place, **refusal} for refusal in analysis["refusals"]]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    texts = ("model", "weather", "metric", "method", "index", "parameter", "other", "counted", "reason")
    numbers = ("value", "low", "high", "threshold", "r2")
    return frame.astype(dict.fromkeys(texts, "string") | dict.fromkeys(numbers, "float64"))
