"""Sobol: a scrambled Sobol' sequence in Saltelli's arrangement, for variance-based indices.

The sequence has the direction numbers of Joe and Kuo (2008), Constructing Sobol sequences with better two-dimensional
projections, SIAM J. Sci. Comput. 30, scrambled by random linear matrices and a digital shift (Matousek, 1998), as
scipy.stats.qmc.Sobol does. The arrangement is SALib's: of each base sample its point A, then A with one coordinate of B
for each parameter, for second order B with one coordinate of A for each, then B.
"""

from array import array
from collections.abc import Callable, Sequence
from random import Random
from typing import Literal

from pydantic import Field, field_validator

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import InUnitCube, source
from epsm.study.sampling.sobol_directions import INITIAL_NUMBERS

_BITS = 32
_MAX_BASE_SAMPLES = 2**17


class Sobol(InUnitCube):
    """`samples` base points, a power of two, each with one variant more for every parameter and one beside."""

    method: Literal["sobol"]
    size: int = Field(
        strict=True, ge=2, le=_MAX_BASE_SAMPLES, alias="samples", description="Base points N, a power of two."
    )
    second_order: bool = Field(
        default=False, strict=True, description="N (2k + 2) instead of N (k + 2) samples of k parameters."
    )

    @field_validator("size")
    @classmethod
    def _power_of_two(cls, samples: int) -> int:
        if samples & (samples - 1):
            below = 1 << samples.bit_length() - 1
            raise ValueError(
                f"{samples} is not a power of two, which a Sobol' sequence needs to be balanced: {below} or {2 * below}"
            )
        return samples

    def count(self, parameters: Sequence[Dimension]) -> int:
        return self.size * self.block(len(parameters))

    def block(self, dimensions: int) -> int:
        return (2 if self.second_order else 1) * dimensions + 2

    def rows(self, names: Sequence[str], seed: int) -> Callable[[int], tuple[float, ...]]:
        dimensions = len(names)
        width, block = 2 * dimensions, self.block(dimensions)
        points = sequence(self.size, width, source(seed))

        def row(index: int) -> tuple[float, ...]:
            base, position = divmod(index, block)
            both = points[base * width : (base + 1) * width]
            a, b = both[:dimensions], both[dimensions:]
            if position == block - 1:
                return tuple(b)
            if position > dimensions:
                swapped = position - dimensions - 1
                b[swapped] = a[swapped]
                return tuple(b)
            if position > 0:
                a[position - 1] = b[position - 1]
            return tuple(a)

        return row


def sequence(count: int, dimensions: int, chance: Random | None) -> "array[float]":
    """The first points of a Sobol' sequence, row by row, scrambled where there is a source of chance."""
    columns = []
    for dimension in range(dimensions):
        directions, at = _directions(dimension), 0
        if chance is not None:
            directions, at = _scrambled(directions, chance), _random_bits(chance)
        column = array("d", [at / 2**_BITS])
        for index in range(1, count):
            at ^= directions[(index & -index).bit_length() - 1]
            column.append(at / 2**_BITS)
        columns.append(column)
    return array("d", (column[index] for index in range(count) for column in columns))


def _directions(dimension: int) -> list[int]:
    """The direction numbers of a dimension, as integers of 32 bits."""
    if dimension == 0:
        return [1 << _BITS - 1 - bit for bit in range(_BITS)]
    polynomial, initial = INITIAL_NUMBERS[dimension - 1]
    degree, numbers = len(initial), list(initial)
    for index in range(degree, _BITS):
        number = numbers[index - degree] ^ (numbers[index - degree] << degree)
        for step in range(1, degree):
            if polynomial >> (degree - step) & 1:
                number ^= numbers[index - step] << step
        numbers.append(number)
    return [number << _BITS - 1 - bit for bit, number in enumerate(numbers)]


def _random_bits(chance: Random) -> int:
    """32 random bits by the one method of Random whose numbers never change."""
    return int(chance.random() * 2**_BITS)


def _scrambled(directions: list[int], chance: Random) -> list[int]:
    """Direction numbers times a random lower triangular matrix with ones on its diagonal (highest bit first)."""
    # Row i of the matrix: bit i itself, and any of the more significant ones.
    rows = []
    for bit in range(_BITS):
        diagonal = 1 << _BITS - 1 - bit
        above = (2**_BITS - 1) ^ (2 * diagonal - 1)
        rows.append((diagonal, diagonal | (_random_bits(chance) & above)))
    return [sum(diagonal for diagonal, row in rows if (row & direction).bit_count() & 1) for direction in directions]
