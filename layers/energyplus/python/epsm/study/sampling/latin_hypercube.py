"""Latin hypercube: of N equal slices of each parameter's distribution, each has exactly one of the N samples.

McKay, Beckman, Conover (1979), A comparison of three methods for selecting values of input variables, Technometrics 21.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import MAX_SAMPLES, permutation, source, table
from epsm.study.sampling.correlations import Correlated, correlated_slices, factor


class LatinHypercube(Correlated):
    """One sample in each of N equal slices of each parameter, combined at random."""

    method: Literal["latin_hypercube"]
    size: int = Field(strict=True, ge=1, le=MAX_SAMPLES, alias="samples")

    def count(self, parameters: Sequence[Dimension]) -> int:
        return self.size

    def rows(self, names: Sequence[str], seed: int) -> Callable[[int], tuple[float, ...]]:
        chance, count, dimensions = source(seed), self.size, len(names)
        slices, places = [], []
        for _ in range(dimensions):
            slices.append(permutation(count, chance))
            places.append(array("d", (chance.random() for _ in range(count))))
        if self.correlations and (lower := factor(names, self.correlations)):
            slices = correlated_slices(slices, lower)
        values = array("d", bytes(8 * count * dimensions))
        for dimension in range(dimensions):
            for index in range(count):
                values[index * dimensions + dimension] = (slices[dimension][index] + places[dimension][index]) / count
        return table(values, dimensions)
