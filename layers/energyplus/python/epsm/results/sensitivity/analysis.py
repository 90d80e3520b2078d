"""The analysis of one metric for one model and weather: the method of its design, or a substitute."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from epsm.results.sensitivity.design import Design, Floats, complete_groups
from epsm.results.sensitivity.given_data import pawn, regression
from epsm.results.sensitivity.grouped import morris, sobol
from epsm.results.sensitivity.indices import Basis, Index, Refusal, TooLittle
from epsm.results.sensitivity.missing import FailureRate, biased_parameters, failure_rates
from epsm.results.sensitivity.one_at_a_time import one_at_a_time

_GROUPED: dict[str, tuple[Callable[[Design, Floats, float, int], list[Index]], str]] = {
    "sobol": (sobol, "blocks"),
    "morris": (morris, "trajectories"),
}


@dataclass(frozen=True, slots=True)
class Analysis:
    """The sensitivity of a metric.

    Attributes:
        runs: Number of samples of the design.
        used: Number of samples with a value.
        indices: One per method, index and parameter.
        refusals: The methods that could not be used, with reasons.
        r2: R2 of the regression, if there is one.
        failure_rates: Distribution of runs without a value; empty if there are none.
        remarks: Sentences about the validity of the indices.
    """

    runs: int
    used: int
    indices: tuple[Index, ...]
    refusals: tuple[Refusal, ...]
    r2: float | None
    failure_rates: tuple[FailureRate, ...]
    remarks: tuple[str, ...]


def analyse(
    design: Design, results: Floats, confidence: float = 0.95, seed: int = 1, baseline: float = math.nan
) -> Analysis:
    """Sensitivity of a metric to the parameters.

    Sobol, Morris and one-at-a-time designs get their own indices; if those of Sobol and Morris are unavailable, and for
    all other designs, standardised regression coefficients and PAWN are used instead.

    Args:
        design: The samples, without the baseline.
        results: The metric's value for each sample, in order; NaN if the run has none.
        confidence: Probability of the intervals.
        seed: Seed of bootstraps and permutations; the same seed gives the same numbers.
        baseline: The metric of the unchanged model, or NaN. Only one-at-a-time designs compare with it.
    """
    if len(results) != design.samples:
        raise ValueError(f"{len(results)} results were given for {design.samples} samples")
    used = int(np.isfinite(results).sum())
    indices: list[Index] = []
    refusals: list[Refusal] = []
    r2: float | None = None
    if design.method in _GROUPED:
        estimator, counted = _GROUPED[design.method]
        try:
            indices = estimator(design, results, confidence, seed)
        except TooLittle as error:
            complete = 0 if design.problem() else int(complete_groups(design, results).sum())
            total = design.samples // design.group_size
            refusals.append(Refusal(design.method, Basis(complete, total, counted), str(error)))
    if design.varied is not None:
        indices = one_at_a_time(design, results, baseline)
    elif not indices:
        try:
            found, r2 = regression(design, results, confidence)
            indices += found
        except TooLittle as error:
            refusals.append(Refusal("regression", Basis(used, design.samples), str(error)))
        try:
            indices += pawn(design, results, confidence, seed)
        except TooLittle as error:
            refusals.append(Refusal("pawn", Basis(used, design.samples), str(error)))
    rates = failure_rates(design, results)
    return Analysis(
        runs=design.samples,
        used=used,
        indices=tuple(indices),
        refusals=tuple(refusals),
        r2=r2,
        failure_rates=tuple(rates),
        remarks=tuple(biased_parameters(rates)),
    )
