"""Sobol indices and Morris's elementary effects: methods that need complete groups of runs."""

import math
from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np

from epsm.results.sensitivity.design import Design, Floats, complete_groups
from epsm.results.sensitivity.indices import Basis, Index, TooLittle
from epsm.results.sensitivity.sobol import sobol_indices

_MIN_SHARE = 0.5
"""Minimum share of complete groups: with fewer, the remaining runs hardly represent the design."""
_MIN_BLOCKS = 32
_MIN_TRAJECTORIES = 4
_MAX_HALF_WIDTH = 0.4
"""Maximum half-width of a Sobol index's interval. Indices lie between 0 and 1, so a wider interval is meaningless."""
_MORRIS_RESAMPLES = 1000


def _complete(design: Design, results: Floats, minimum: int, message: str) -> tuple[Floats, int]:
    """The results of the complete groups, one row per group, and the number of all groups.

    Raises:
        TooLittle: If there are not enough complete groups.
    """
    problem = design.problem()
    if problem:
        raise TooLittle(problem)
    complete = complete_groups(design, results)
    total, used = len(complete), int(complete.sum())
    if used < max(minimum, math.ceil(_MIN_SHARE * total)):
        raise TooLittle(
            f"only {used} of {total} {message} are complete; at least half of them and {minimum} are needed, and one "
            f"missing run spoils the {design.group_size} of its {message[:-1] if message == 'blocks' else 'trajectory'}"
        )
    complete_results = results.reshape(-1, design.group_size)[complete]
    if np.ptp(complete_results) <= 1e-12 * np.abs(complete_results).max():
        raise TooLittle("the metric has the same value in all runs: no parameter changes it")
    return complete_results, total


def sobol(design: Design, results: Floats, confidence: float, seed: int) -> list[Index]:
    """First-order and total Sobol indices, second-order ones if the design has them, with bootstrap intervals.

    Computed by SALib (first order: Saltelli et al. 2010; total: Jansen 1999; second order: Saltelli 2002) from the
    complete Saltelli blocks only: if a single run is missing, SALib returns zeros without a warning.

    Args:
        design: A Sobol design.
        results: One value per sample; NaN if the run has none.
        confidence: Probability of the intervals, e.g. 0.95.
        seed: Seed of the bootstrap.

    Raises:
        TooLittle: If too few blocks are complete, or the intervals are too wide.
    """
    blocks, total = _complete(design, results, _MIN_BLOCKS, "blocks")
    names = design.names
    found = sobol_indices(blocks, confidence, seed, second_order=design.second_order)
    widest = float(max(found.first_widths.max(), found.total_widths.max()))
    if not widest <= _MAX_HALF_WIDTH:
        raise TooLittle(
            f"the widest confidence interval is +/- {widest:.2f} with {len(blocks)} of {total} blocks, while indices "
            "are between 0 and 1; use more samples"
        )

    def index(name: str, value: float, width: float, parameter: str, other: str = "") -> Index:
        return Index(
            "sobol",
            name,
            parameter,
            float(value),
            float(value - width),
            float(value + width),
            Basis(len(blocks), total, "blocks"),
            other=other,
        )

    indices = [
        index(name, values[number], widths[number], parameter)
        for name, values, widths in (
            ("S1", found.first, found.first_widths),
            ("ST", found.total, found.total_widths),
        )
        for number, parameter in enumerate(names)
    ]
    if design.second_order:
        indices += [
            index("S2", value, width, *pair)
            for value, width, pair in zip(found.second, found.second_widths, combinations(names, 2), strict=True)
        ]
    return indices


def _mu_star(effects: Floats) -> Floats:
    return np.asarray(np.abs(effects).mean(axis=-1))


def _mu(effects: Floats) -> Floats:
    return np.asarray(effects.mean(axis=-1))


def _sigma(effects: Floats) -> Floats:
    return np.asarray(effects.std(axis=-1, ddof=1))


_MORRIS: Mapping[str, Callable[[Floats], Floats]] = {"mu_star": _mu_star, "mu": _mu, "sigma": _sigma}


def morris(design: Design, results: Floats, confidence: float, seed: int) -> list[Index]:
    """Morris's mu*, mu and sigma of the elementary effects, with bootstrap intervals (percentiles).

    An elementary effect is the change of the metric divided by the change of one parameter in the unit cube (Morris
    1991; mu*: Campolongo et al. 2007), so all have the metric's unit: the effect of a parameter over its whole range.
    Only complete trajectories count.

    Args:
        design: A Morris design with its unit cube.
        results: One value per sample; NaN if the run has none.
        confidence: Probability of the intervals, e.g. 0.95.
        seed: Seed of the bootstrap.

    Raises:
        TooLittle: If too few trajectories are complete.
    """
    trajectories, total = _complete(design, results, _MIN_TRAJECTORIES, "trajectories")
    steps = design.steps()[complete_groups(design, results)]
    # One parameter moves in each step: the sum over parameters is its signed step.
    effects_in_order = np.diff(trajectories, axis=1) / steps.sum(axis=2)
    which = np.abs(steps).argmax(axis=2)
    effects = np.empty_like(effects_in_order)
    np.put_along_axis(effects, which, effects_in_order, axis=1)
    of_draws = _bootstrap(effects, seed)
    tails = (50 * (1 - confidence), 50 * (1 + confidence))
    indices = []
    for name, statistic in _MORRIS.items():
        for number, parameter in enumerate(design.names):
            own = effects[:, number]
            low, high = np.percentile(of_draws[name][number], tails)
            indices.append(
                Index(
                    "morris",
                    name,
                    parameter,
                    float(statistic(own)),
                    float(low),
                    float(high),
                    Basis(len(trajectories), total, "trajectories"),
                )
            )
    return indices


def _bootstrap(effects: Floats, seed: int) -> dict[str, list[Floats]]:
    """Each statistic of each parameter for every resample; one resample at a time, as there may be 100,000 effects."""
    rng = np.random.default_rng(seed)
    columns = np.ascontiguousarray(effects.T)
    found = {name: np.empty((len(columns), _MORRIS_RESAMPLES)) for name in _MORRIS}
    for resample in range(_MORRIS_RESAMPLES):
        draw = rng.integers(len(effects), size=len(effects))
        for number, column in enumerate(columns):
            drawn = column[draw]
            for name, statistic in _MORRIS.items():
                found[name][number, resample] = statistic(drawn)
    return {name: list(of_parameters) for name, of_parameters in found.items()}
