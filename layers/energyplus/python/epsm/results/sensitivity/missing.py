"""Distribution of the runs without a value, and its dependence on parameters."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epsm.results.sensitivity.design import Design, Floats

_MAX_LEVELS = 10
_SIGNIFICANCE = 0.05
"""Significance level of the chi-squared test, shared by all parameters of a study (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class FailureRate:
    """Runs without a value in a part of a parameter's range.

    Attributes:
        parameter: The parameter.
        part: A quarter of its samples as ``0.1 to 0.2``, or a level.
        runs, missing: Number of samples in this part, and of those without a value.
    """

    parameter: str
    part: str
    runs: int
    missing: int

    @property
    def percent(self) -> float:
        return 100 * self.missing / self.runs if self.runs else 0.0


def failure_rates(design: Design, results: Floats) -> list[FailureRate]:
    """Runs without a value by quartile of each parameter, or by level if it has few; empty if no run is missing."""
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
    """Sentences about parameters on which missing runs depend, by a chi-squared test at 5 % for all together."""
    if not rates:
        return []
    from scipy.stats import chi2_contingency  # imported here because it takes a second

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
                f"{least.percent:.0f} % at {least.part}. The remaining runs do not cover its range evenly, so the "
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
