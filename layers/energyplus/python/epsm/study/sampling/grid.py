"""Grid: every combination of every parameter's levels."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import Design
from epsm.study.values import Strict, Value


class Grid(Strict):
    """Every combination of every parameter's levels, the last parameter changing fastest."""

    method: Literal["grid"] = "grid"

    def count(self, parameters: Sequence[Dimension]) -> int:
        """Number of samples of one model and weather, without the baseline."""
        return math.prod(len(each.levels) for each in parameters) if parameters else 0

    def design(self, parameters: Sequence[Dimension]) -> Design:
        def sample(index: int) -> dict[str, Value]:
            values: dict[str, Value] = {}
            for each in reversed(parameters):
                index, level = divmod(index, len(each.levels))
                values[each.name] = each.levels[level]
            return dict(reversed(values.items()))

        return Design(tuple(each.name for each in parameters), self.count(parameters), sample)

    def samples(self, parameters: Sequence[Dimension], seed: int = 0) -> Iterator[dict[str, Value]]:
        """All samples; nothing here is random."""
        return self.design(parameters).samples()
