"""Sobol indices of a Saltelli design, by SALib's estimators, without SALib's need of memory."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epsm.results.sensitivity.design import Floats

_RESAMPLES = 200
_MAX_CELLS = 2_000_000
"""Of a table with a column for each resample, of which there are about ten at a time: 160 MB."""
_MIN_COLUMNS = 2
_ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class SobolIndices:
    """Indices and half-widths of their intervals, one per parameter; second-order ones, if there are any, one per pair
    of parameters in the order of `itertools.combinations`."""

    first: Floats
    first_widths: Floats
    total: Floats
    total_widths: Floats
    second: Floats
    second_widths: Floats


def sobol_indices(blocks: Floats, confidence: float, seed: int, *, second_order: bool) -> SobolIndices:
    """What `SALib.analyze.sobol.analyze` computes, in every digit.

    SALib draws all resamples of all results at once: with 131,072 base points, 2 GB. Here the same draws are used some
    resamples at a time.

    Args:
        blocks: The results, one row per Saltelli block.
        confidence: Probability of the intervals.
        seed: Seed of the bootstrap.
        second_order: Whether the blocks have the runs for second-order indices.
    """
    from SALib.analyze import sobol as salib  # imported here because it takes 2 s
    from scipy.stats import norm

    count, width = blocks.shape
    parameters = (width - 2) // 2 if second_order else width - 2
    results = blocks.ravel()
    results = (results - results.mean()) / results.std()
    a, b, ab, ba = salib.separate_output_values(results, parameters, count, second_order)
    pairs = list(combinations(range(parameters), 2)) if second_order else []
    first = np.array([salib.first_order(a, ab[:, i], b) for i in range(parameters)])
    total = np.array([salib.total_order(a, ab[:, i], b) for i in range(parameters)])
    second = np.array([salib.second_order(a, ab[:, i], ab[:, j], ba[:, i], b) for i, j in pairs])
    of_draws: dict[str, Floats] = {
        "first": np.empty((parameters, _RESAMPLES)),
        "total": np.empty((parameters, _RESAMPLES)),
        "second": np.empty((len(pairs), _RESAMPLES)),
    }
    draws = _draws(count, seed)
    columns = max(_MIN_COLUMNS, _MAX_CELLS // count)
    for start in range(0, _RESAMPLES, columns):
        some = slice(start, start + columns)
        drawn = draws[:, some]
        drawn_a, drawn_b = a[drawn], b[drawn]
        for i in range(parameters):
            drawn_ab = ab[drawn, i]
            of_draws["first"][i, some] = salib.first_order(drawn_a, drawn_ab, drawn_b)
            of_draws["total"][i, some] = salib.total_order(drawn_a, drawn_ab, drawn_b)
        for number, (i, j) in enumerate(pairs):
            of_draws["second"][number, some] = salib.second_order(
                drawn_a, ab[drawn, i], ab[drawn, j], ba[drawn, i], drawn_b
            )
    z = norm.ppf(0.5 + confidence / 2)
    widths = {name: z * values.std(axis=1, ddof=1) for name, values in of_draws.items()}
    return SobolIndices(first, widths["first"], total, widths["total"], second, widths["second"])


def _draws(count: int, seed: int) -> "NDArray[np.int32]":
    """The blocks of each resample, one column per resample: SALib's draws, in half of the memory."""
    generator = np.random.default_rng(seed)
    draws: NDArray[Any] = np.empty((count, _RESAMPLES), dtype=np.int32)
    for start in range(0, count, _ROWS_AT_A_TIME):
        rows = min(_ROWS_AT_A_TIME, count - start)
        draws[start : start + rows] = generator.integers(count, size=(rows, _RESAMPLES))
    return draws
