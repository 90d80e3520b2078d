"""Morris: trajectories, each of which changes every parameter once, for elementary effects.

Morris (1991), Factorial sampling plans for preliminary computational experiments, Technometrics 33. Starting levels are
drawn in balance, so that over all trajectories every level of every parameter occurs equally often, as Khare et al.
(2015), A multi-criteria trajectory-based parameter sampling strategy, Environmental Modelling & Software 64, found to
matter more than the distance between trajectories.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import InUnitCube, permutation, source, table

_MAX_TRAJECTORIES = 100_000


class Morris(InUnitCube):
    """Trajectories of k + 1 samples through a grid of `levels` a parameter; a step goes half way through the grid."""

    method: Literal["morris"]
    trajectories: int = Field(strict=True, ge=2, le=_MAX_TRAJECTORIES)
    levels: Literal[4, 6, 8, 10] = 4

    def count(self, parameters: Sequence[Dimension]) -> int:
        return self.trajectories * (len(parameters) + 1)

    def block(self, dimensions: int) -> int:
        return dimensions + 1

    def rows(self, names: Sequence[str], seed: int) -> Callable[[int], tuple[float, ...]]:
        dimensions = len(names)
        chance, half, last = source(seed), self.levels // 2, self.levels - 1
        starts = [
            [start % self.levels for start in permutation(-(-self.trajectories // self.levels) * self.levels, chance)]
            for _ in range(dimensions)
        ]
        values = array("d")
        for trajectory in range(self.trajectories):
            at = [start[trajectory] for start in starts]
            values.extend(level / last for level in at)
            for dimension in permutation(dimensions, chance):
                at[dimension] += half if at[dimension] < half else -half
                values.extend(level / last for level in at)
        return table(values, dimensions)
