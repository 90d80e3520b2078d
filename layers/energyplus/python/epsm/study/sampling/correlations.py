"""Correlated parameters: a Gaussian copula, for Latin hypercubes and random points.

Each parameter keeps its own distribution; the correlations are between the ranks of their values (Spearman). The normal
scores of a pair with rank correlation s have the correlation 2 sin(pi s / 6) (Pearson, 1907; Iman and Conover, 1982, A
distribution-free approach to inducing rank correlation among input variables, Communications in Statistics 11).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Annotated

from pydantic import Field, field_validator

from epsm.study.sampling.base import InUnitCube
from epsm.study.values import MAX_PARAMETERS, Strict

Matrix = list[list[float]]

_STANDARD = NormalDist()
_MAX_PAIRS = MAX_PARAMETERS * (MAX_PARAMETERS - 1) // 2
"""Every pair of the parameters that a study may have."""
_MAX_CORRELATION = 0.99
_SMALLEST_PIVOT = 1e-9
_SMALLEST = 2.0**-53
"""`Random.random` may be 0, which has no score."""
_DIGITS = 12
"""Ranks must not depend on the last bits, which may differ between machines."""


class Correlation(Strict):
    """Rank correlation of two parameters; pairs that are not listed are independent, given the ones that are."""

    parameters: tuple[str, str] = Field(description="Names of two parameters.")
    rank_correlation: float = Field(
        strict=True,
        ge=-_MAX_CORRELATION,
        le=_MAX_CORRELATION,
        description="Spearman's rank correlation of their values.",
    )

    @field_validator("parameters")
    @classmethod
    def _two_of_them(cls, names: tuple[str, str]) -> tuple[str, str]:
        if names[0] == names[1]:
            raise ValueError(f"'{names[0]}' is named twice")
        return names


class Correlated(InUnitCube):
    """A method with optional correlations between parameters."""

    correlations: Annotated[tuple[Correlation, ...], Field(max_length=_MAX_PAIRS)] = Field(
        default=(), description="Parameters that are not independent of each other."
    )


def factor(names: Sequence[str], correlations: Sequence[Correlation]) -> Matrix | None:
    """Lower triangular factor of the correlation matrix of the parameters' normal scores.

    Args:
        names: The parameters, in the order of the matrix.
        correlations: Of their ranks.

    Returns:
        None if no values can have these correlations: the matrix is not positive definite.
    """
    place = {name: index for index, name in enumerate(names)}
    matrix = [[float(row == column) for column in range(len(names))] for row in range(len(names))]
    for correlation in correlations:
        one, other = (place[name] for name in correlation.parameters)
        matrix[one][other] = matrix[other][one] = 2 * math.sin(math.pi * correlation.rank_correlation / 6)
    return _cholesky(matrix)


def correlated_point(point: Sequence[float], lower: Matrix) -> list[float]:
    """An independent point of the unit cube, moved so that many of them have the correlations of a factor."""
    scores = [_STANDARD.inv_cdf(min(max(u, _SMALLEST), 1 - _SMALLEST)) for u in point]
    return [_STANDARD.cdf(score) for score in _times(lower, scores)]


def correlated_slices(slices: Sequence[Sequence[int]], lower: Matrix) -> list[list[int]]:
    """The slices of a Latin hypercube in an order with the correlations of a factor (Iman and Conover, 1982).

    Args:
        slices: For each parameter the slices of the samples, a permutation of 0 to N - 1.
        lower: Factor of the correlation matrix.

    Returns:
        For each parameter the same slices in another order.
    """
    count = len(slices[0])
    columns = [[_STANDARD.inv_cdf((rank + 0.5) / count) for rank in column] for column in slices]
    # Scores of a small sample are correlated by chance, which is taken out first; too small a sample has no inverse.
    by_chance = _cholesky(_correlations(columns))
    rows = zip(*columns, strict=True)
    correlated = [_times(lower, _solve(by_chance, row) if by_chance else row) for row in rows]
    ordered = []
    for dimension in range(len(slices)):
        order = sorted(range(count), key=lambda index: (round(correlated[index][dimension], _DIGITS), index))
        column = [0] * count
        for rank, index in enumerate(order):
            column[index] = rank
        ordered.append(column)
    return ordered


def _cholesky(matrix: Matrix) -> Matrix | None:
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            rest = matrix[row][column] - math.fsum(a * b for a, b in zip(lower[row], lower[column], strict=True))
            if row == column:
                if rest < _SMALLEST_PIVOT:
                    return None
                lower[row][row] = math.sqrt(rest)
            else:
                lower[row][column] = rest / lower[column][column]
    return lower


def _times(lower: Matrix, vector: Sequence[float]) -> list[float]:
    return [math.fsum(a * b for a, b in zip(row, vector, strict=True)) for row in lower]


def _solve(lower: Matrix, vector: Sequence[float]) -> list[float]:
    """x of lower x = vector."""
    found: list[float] = []
    for row, value in zip(lower, vector, strict=True):
        known = math.fsum(a * b for a, b in zip(row, found, strict=False))
        found.append((value - known) / row[len(found)])
    return found


def _correlations(columns: Sequence[Sequence[float]]) -> Matrix:
    """Of columns with the mean 0 and the same variance."""
    square = math.fsum(value * value for value in columns[0]) or 1.0
    return [[math.fsum(a * b for a, b in zip(x, y, strict=True)) / square for y in columns] for x in columns]
