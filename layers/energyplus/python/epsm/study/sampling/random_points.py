"""Random: independent points of the unit cube (plain Monte Carlo)."""

from array import array
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import MAX_SAMPLES, InUnitCube, source, table


class RandomPoints(InUnitCube):
    """Independent points."""

    method: Literal["random"]
    size: int = Field(strict=True, ge=1, le=MAX_SAMPLES, alias="samples")

    def count(self, parameters: Sequence[Dimension]) -> int:
        return self.size

    def rows(self, dimensions: int, seed: int) -> Callable[[int], tuple[float, ...]]:
        chance = source(seed)
        values = array("d", (chance.random() for _ in range(self.size * dimensions)))
        return table(values, dimensions)
