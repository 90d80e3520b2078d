"""Where the runs without a value lie, and whether a parameter has to do with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epsm.results.sensitivity.design import Design, Floats

_MAX_LEVELS = 10
_SIGNIFICANCE = 0.05
"""Of the chi-squared test, shared by all parameters of a study (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class FailureRate:
    """How many runs of a part of a parameter's range have no value.

    Attributes:
        parameter: Which.
        part: A quarter of its samples as ``0.1 to 0.2``, or a level.
        runs, missing: How many samples it has, and how many of these have no value.
    """

    parameter: str
    part: str
    runs: int
    missing: int

    @property
    def percent(self) -> float:
        return 100 * self.missing / self.runs if self.runs else 0.0


def failure_rates(design: Design, results: Floats) -> list[FailureRate]:
    """Runs without a value by quartile of each parameter, or by level where it has few; nothing if none is missing."""
    missing = ~np.isfinite(results)
    if not missing.any():
        return []
    rates = []
    for number, (name, values) in enumerate(zip(design.names, design.values, strict=True)):
        own = np.ones(len(values), dtype=bool) if design.varied is None else design.varied == number
        for part, level in _parts(values, own):
            members = own & level
            rates.append(FailureRate(name, part, int(members.sum()), int((missing & members).sum())))
    return rates


def biased_parameters(rates: list[FailureRate]) -> list[str]:
    """Sentences about the parameters that decide which runs have a value, by a chi-squared test at 5 % for all."""
    if not rates:
        return []
    from scipy.stats import chi2_contingency  # takes a second to import, so only where it is used

    names = list(dict.fromkeys(rate.parameter for rate in rates))
    sentences = []
    for name in names:
        own = [rate for rate in rates if rate.parameter == name]
        counts = np.array([[rate.missing, rate.runs - rate.missing] for rate in own])
        if len(own) < 2 or not counts.sum(axis=0).all():
            continue
        if chi2_contingency(counts).pvalue < _SIGNIFICANCE / len(names):
            most, least = max(own, key=lambda rate: rate.percent), min(own, key=lambda rate: rate.percent)
            sentences.append(
                f"Runs without a value depend on {name}: {most.percent:.0f} % of them at {most.part}, "
                f"{least.percent:.0f} % at {least.part}. What is left no longer covers its range evenly, so the "
                "indices are biased."
            )
    return sentences


def _parts(values: NDArray[Any], own: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    levels = np.unique(values[own])
    if values.dtype == object or len(levels) <= _MAX_LEVELS:
        return [(_shown(level), values == level) for level in levels[:_MAX_LEVELS]]
    numbers = values.astype(float)
    edges = np.quantile(numbers[own], (0, 0.25, 0.5, 0.75, 1))
    quarter = np.searchsorted(edges[1:-1], numbers, side="right")
    return [(f"{edges[part]:.4g} to {edges[part + 1]:.4g}", quarter == part) for part in range(4)]


def _shown(level: Any) -> str:
    return level if isinstance(level, str) else f"{level:g}"
