"""The sensitivity analysis of a loaded results table, with the estimators of the aggregate function."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from epsm.results.design import SAMPLING
from epsm.results.sensitivity.analysis import analyse
from epsm.results.sensitivity.structure import Structure, structure_of_frame
from epsm.results.sensitivity.tables import DEFAULT_SEED, MetricAnalysis


def analyse_frame(
    results: pd.DataFrame,
    design: pd.DataFrame | None,
    metrics: Sequence[str],
    parameters: Sequence[str],
    confidence: float,
    seed: int | None,
) -> list[MetricAnalysis]:
    """The sensitivity of metrics, separately for each model and weather file.

    Args:
        results: The results table; missing variants count as runs without a value.
        design: The samples, for methods with groups of runs; None for others.
        metrics: Columns of the table.
        parameters: Columns of the table; only without a design.
        confidence: Probability of the intervals.
        seed: Seed of bootstraps and permutations; None for that of the design.

    Raises:
        ValueError: If the design is not complete, or the results do not match this design.
    """
    table = results.set_index("variant_index").sort_index()
    if design is None:
        structure, own_seed = Structure("list", tuple(parameters)), None
        places = _places(table)
    else:
        structure, own_seed = structure_of_frame(design), design.attrs[SAMPLING]["seed"]
        places = _places_of(table, design, structure)
    found = []
    for model, weather, baseline, rows in places:
        values = structure.with_values(rows)
        for metric in metrics:
            numbers = rows[metric].to_numpy(dtype=float, na_value=np.nan)
            own = float(baseline[metric]) if baseline is not None and pd.notna(baseline[metric]) else np.nan
            analysis = analyse(values, numbers, confidence, seed or own_seed or DEFAULT_SEED, own)
            found.append(MetricAnalysis(model, weather, metric, structure.remarked(analysis)))
    return found


_Place = tuple[str, str, "pd.Series[Any] | None", pd.DataFrame]


def _places(table: pd.DataFrame) -> Iterator[_Place]:
    for _, rows in table.groupby(["model", "weather"], sort=False):
        baselines, samples = rows[rows["baseline"]], rows[~rows["baseline"]]
        first = rows.iloc[0]
        yield str(first["model"]), str(first["weather"]), None if baselines.empty else baselines.iloc[0], samples


def _places_of(table: pd.DataFrame, design: pd.DataFrame, structure: Structure) -> Iterator[_Place]:
    samples = len(design) + 1
    for number in sorted(set(table.index // samples)):
        complete = table.reindex(range(number * samples, (number + 1) * samples))
        present = complete[complete["model"].notna()]
        if len(set(zip(present["model"], present["weather"], strict=True))) > 1:
            raise ValueError(f"the results do not match this design, which has {len(design)} samples")
        rows = complete.iloc[1:].copy()
        for name in structure.names:
            _check_values(rows[name].reset_index(drop=True), design[name])
            rows[name] = rows[name].fillna(pd.Series(design[name].to_numpy(), index=rows.index))
        yield str(present["model"].iloc[0]), str(present["weather"].iloc[0]), complete.iloc[0], rows


def _check_values(actual: "pd.Series[Any]", expected: "pd.Series[Any]") -> None:
    """Raise ValueError if a parameter differs between a run and its sample."""
    both = actual.notna() & expected.notna()
    if not (actual[both] == expected[both]).all():
        raise ValueError(f"the results do not match this design: {expected.name} has other values")
