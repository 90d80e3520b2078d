"""Latin hypercube: of N equal slices of each parameter's distribution, each has exactly one of the N samples.

McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input variables, Technometrics 21.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import MAX_SAMPLES, InUnitCube, permutation, source, table


class LatinHypercube(InUnitCube):
    """One sample in each of N equal slices of each parameter, combined at random."""

    method: Literal["latin_hypercube"]
    size: int = Field(strict=True, ge=1, le=MAX_SAMPLES, alias="samples")

    def count(self, parameters: Sequence[Dimension]) -> int:
        return self.size

    def rows(self, dimensions: int, seed: int) -> Callable[[int], tuple[float, ...]]:
        chance, count = source(seed), self.size
        values = array("d", bytes(8 * count * dimensions))
        for dimension in range(dimensions):
            for index, slice_ in enumerate(permutation(count, chance)):
                values[index * dimensions + dimension] = (slice_ + chance.random()) / count
        return table(values, dimensions)
