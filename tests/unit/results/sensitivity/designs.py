"""Test functions whose indices are known, and designs of them with runs missing."""

import numpy as np
from numpy.typing import NDArray
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as sobol_sample
from SALib.test_functions import Ishigami, Sobol_G

from epsm.results.sensitivity.design import Design, Floats

ISHIGAMI = ("x1", "x2", "x3")
ISHIGAMI_S1 = (0.3139, 0.4424, 0.0)
ISHIGAMI_ST = (0.5576, 0.4424, 0.2437)
G = tuple(f"x{number}" for number in range(1, 9))
G_S1 = (0.716, 0.179, 0.024, 0.007, 0.0001, 0.0001, 0.0001, 0.0001)
G_ST = (0.787, 0.242, 0.034, 0.010, 0.0001, 0.0001, 0.0001, 0.0001)


def ishigami(unit: Floats) -> Floats:
    return np.asarray(Ishigami.evaluate((2 * unit - 1) * np.pi))


def g_function(unit: Floats) -> Floats:
    return np.asarray(Sobol_G.evaluate(unit))


def _problem(names: tuple[str, ...]) -> dict[str, object]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def of_unit(method: str, names: tuple[str, ...], unit: Floats, *, second_order: bool = False) -> Design:
    return Design(method, names, tuple(unit.T), unit, second_order)


def saltelli(names: tuple[str, ...], samples: int, *, second_order: bool = False) -> Design:
    unit = sobol_sample.sample(_problem(names), samples, calc_second_order=second_order, scramble=True, seed=3)
    return of_unit("sobol", names, unit, second_order=second_order)


def trajectories(names: tuple[str, ...], count: int) -> Design:
    return of_unit("morris", names, morris_sample.sample(_problem(names), count, num_levels=4, seed=3))


def unit_of(design: Design) -> Floats:
    assert design.unit is not None
    return design.unit


def lost_at_random(results: Floats, share: float, seed: int = 11) -> Floats:
    """The results with a share of them missing, wherever."""
    return _without(results, np.random.default_rng(seed).permutation(len(results)), share)


def lost_where_high(results: Floats, values: NDArray[np.float64], share: float) -> Floats:
    """The results with those missing whose parameter is highest."""
    return _without(results, np.argsort(-values, kind="stable"), share)


def _without(results: Floats, order: NDArray[np.intp], share: float) -> Floats:
    remaining = results.copy()
    remaining[order[: round(share * len(results))]] = np.nan
    return remaining
