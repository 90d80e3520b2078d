"""Random: points of the unit cube, each independent of the others (plain Monte Carlo)."""

from array import array
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import MAX_SAMPLES, source, table
from epsm.study.sampling.correlations import Correlated, correlated_point, factor


class RandomPoints(Correlated):
    """Points at random, each independent of the others."""

    method: Literal["random"]
    size: int = Field(strict=True, ge=1, le=MAX_SAMPLES, alias="samples")

    def count(self, parameters: Sequence[Dimension]) -> int:
        return self.size

    def rows(self, names: Sequence[str], seed: int) -> Callable[[int], tuple[float, ...]]:
        chance, dimensions = source(seed), len(names)
        lower = factor(names, self.correlations) if self.correlations else None
        values = array("d")
        for _ in range(self.size):
            point = [chance.random() for _ in range(dimensions)]
            values.extend(correlated_point(point, lower) if lower else point)
        return table(values, dimensions)
