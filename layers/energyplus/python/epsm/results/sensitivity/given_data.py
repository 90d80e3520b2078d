"""Methods for any design, also an incomplete one: standardised regression, and PAWN."""

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epsm.results.sensitivity.design import Design, Floats
from epsm.results.sensitivity.indices import Basis, Index, TooLittle

MIN_R2 = 0.7
"""Below this R2, a linear model does not describe the building well enough for its coefficients to rank parameters."""
_MIN_RESIDUAL_DEGREES = 3
_MIN_PAWN_RUNS = 30
_MIN_RUNS_IN_A_SLIDE = 5
_SLIDES = 10
_RESAMPLES = 100
_MAX_PAWN_RUNS = 10_000
"""Maximum number of runs; more do not improve the distributions, and each is sorted 200 times per parameter."""
NOT_VARIED = "it has the same value in all runs that have a result"


def _with_results(design: Design, results: Floats) -> tuple[list[NDArray[Any]], Floats]:
    finite = np.isfinite(results)
    y = results[finite]
    if len(y) and np.ptp(y) <= 1e-12 * np.abs(y).max():
        raise TooLittle("the metric has the same value in all runs: no parameter changes it")
    return [values[finite] for values in design.values], y


def regression(design: Design, results: Floats, confidence: float) -> tuple[list[Index], float]:
    """Standardised regression coefficients (SRC) by least squares, with Student's intervals, and R2.

    A coefficient is the change of the metric, in its standard deviations, when the parameter changes by one standard
    deviation. Texts with two levels count as 0 and 1 in alphabetical order; those with more levels are part of the
    model, but have no coefficient.

    Args:
        design: Any design.
        results: One value per sample; NaN if the run has none.
        confidence: Probability of the intervals, e.g. 0.95.

    Raises:
        TooLittle: If there are too few runs, parameters cannot be distinguished, or R2 is below `MIN_R2`.
    """
    columns, y = _with_results(design, results)
    terms: list[tuple[NDArray[Any], str | None]] = []
    place: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for name, values in zip(design.names, columns, strict=True):
        levels = np.unique(values)
        if len(levels) < 2:
            reasons[name] = NOT_VARIED
        elif values.dtype != object:
            place[name] = len(terms)
            terms.append((values, None))
        else:
            if len(levels) == 2:
                place[name] = len(terms)
            else:
                reasons[name] = f"it has {len(levels)} texts as levels, which have no order; see PAWN"
            terms += [(values, level) for level in levels[1:]]
    degrees = len(y) - len(terms) - 1
    if not terms or degrees < _MIN_RESIDUAL_DEGREES:
        raise TooLittle(
            f"{len(y)} runs with a result are too few for {len(terms)} terms; at least "
            f"{len(terms) + 1 + _MIN_RESIDUAL_DEGREES} are needed"
        )
    x = np.empty((len(y), len(terms)))
    for number, (values, level) in enumerate(terms):  # one at a time: a study may have a million runs
        term = (values if level is None else values == level).astype(float)
        x[:, number] = (term - term.mean()) / term.std(ddof=1)
    z = (y - y.mean()) / y.std(ddof=1)
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise TooLittle("some parameters change only together in the runs with a result, and cannot be distinguished")
    coefficients, *_ = np.linalg.lstsq(x, z, rcond=None)
    residual = float(np.sum((z - x @ coefficients) ** 2))
    r2 = 1 - residual / float(np.sum(z**2))
    if r2 < MIN_R2:
        raise TooLittle(f"R2 is {r2:.2f}, below {MIN_R2:g}: the metric is not linear in the parameters; see PAWN")
    from scipy.special import stdtrit  # as scipy.stats.t.ppf does, which takes 0.5 s longer to import

    errors = np.sqrt(residual / degrees * np.diag(np.linalg.inv(x.T @ x)))
    widths = float(stdtrit(degrees, 0.5 + confidence / 2)) * errors
    basis = Basis(len(y), design.samples)
    indices = []
    for name in design.names:
        if name in reasons:
            indices.append(Index("regression", "SRC", name, None, None, None, basis, reason=reasons[name]))
            continue
        value, width = float(coefficients[place[name]]), float(widths[place[name]])
        indices.append(Index("regression", "SRC", name, value, value - width, value + width, basis))
    return indices, r2


def pawn(design: Design, results: Floats, confidence: float, seed: int) -> list[Index]:
    """PAWN: the effect on the distribution of the metric when a parameter is restricted to a slide of its range.

    The median over the slides of the Kolmogorov-Smirnov distance to the distribution of all runs (Pianosi and Wagener
    2018), between 0 and 1. Slides have equal numbers of runs; a parameter with at most ten levels has one slide per
    level (SALib's estimator leaves out the highest). The interval is computed by bootstrap, the threshold by
    permutation: with the given probability, a parameter without effect stays below it with the same slides. If there
    are more than 10,000 runs, a random selection is used.

    Args:
        design: Any design.
        results: One value per sample; NaN if the run has none.
        confidence: Probability of interval and threshold, e.g. 0.95.
        seed: Seed of bootstrap and permutation.

    Raises:
        TooLittle: If there are too few runs.
    """
    columns, y = _with_results(design, results)
    if len(y) < _MIN_PAWN_RUNS:
        raise TooLittle(f"{len(y)} runs with a result are too few; at least {_MIN_PAWN_RUNS} are needed")
    rng = np.random.default_rng(seed)
    if len(y) > _MAX_PAWN_RUNS:
        chosen = np.sort(rng.choice(len(y), _MAX_PAWN_RUNS, replace=False))
        columns, y = [values[chosen] for values in columns], y[chosen]
    draws = rng.integers(len(y), size=(_RESAMPLES, len(y)))
    factor = NormalDist().inv_cdf(0.5 + confidence / 2)
    basis = Basis(len(y), design.samples)
    indices = []
    for name, values in zip(design.names, columns, strict=True):
        slides = _slides(values)
        if slides is None:
            indices.append(Index("pawn", "PAWN", name, None, None, None, basis, reason=NOT_VARIED))
            continue
        counts = np.bincount(slides)
        if np.count_nonzero(counts >= _MIN_RUNS_IN_A_SLIDE) < 2:
            reason = f"fewer than two of its {len(counts)} slides have {_MIN_RUNS_IN_A_SLIDE} runs with a result"
            indices.append(Index("pawn", "PAWN", name, None, None, None, basis, reason=reason))
            continue
        value = _median_distance(slides, y)
        width = factor * float(np.std([_median_distance(slides[draw], y[draw]) for draw in draws], ddof=1))
        without_effect = [_median_distance(rng.permutation(slides), y) for _ in range(_RESAMPLES)]
        indices.append(
            Index(
                "pawn",
                "PAWN",
                name,
                value,
                max(0.0, value - width),
                min(1.0, value + width),
                basis,
                threshold=float(np.quantile(without_effect, confidence)),
            )
        )
    return indices


def _slides(values: NDArray[Any]) -> NDArray[np.intp] | None:
    """The slide of each run; None if there is only one slide."""
    levels, number = np.unique(values, return_inverse=True)
    if len(levels) < 2:
        return None
    if len(levels) <= _SLIDES or values.dtype == object:
        return number.astype(np.intp)
    count = max(2, min(_SLIDES, len(values) // (2 * _MIN_RUNS_IN_A_SLIDE)))
    edges = np.quantile(values.astype(float), np.linspace(0, 1, count + 1)[1:-1])
    return np.searchsorted(edges, values.astype(float), side="right").astype(np.intp)


def _median_distance(slides: NDArray[np.intp], y: Floats) -> float:
    """The median of the Kolmogorov-Smirnov distances between each slide with enough runs and all runs."""
    order = np.argsort(y, kind="stable")
    ordered = y[order]
    last_of_equals = np.append(ordered[1:] != ordered[:-1], True)
    of_all = (np.arange(1, len(y) + 1) / len(y))[last_of_equals]
    distances = []
    for slide, count in enumerate(np.bincount(slides)):
        if count >= _MIN_RUNS_IN_A_SLIDE:
            of_slide = (np.cumsum(slides[order] == slide) / count)[last_of_equals]
            distances.append(float(np.max(np.abs(of_slide - of_all))))
    return float(np.median(distances)) if distances else 0.0
