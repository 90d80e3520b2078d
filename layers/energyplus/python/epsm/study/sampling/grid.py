"""Grid: every combination of every parameter's levels."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import Design
from epsm.study.values import Strict, Value


class Grid(Strict):
    """Every combination of every parameter's levels, the last parameter changing fastest.

    The combination that leaves the model as it is, `none` of every measure, is the baseline and not run again.
    """

    method: Literal["grid", "product"] = "grid"

    def count(self, parameters: Sequence[Dimension]) -> int:
        """Number of samples of one model and weather, without the baseline."""
        if not parameters:
            return 0
        return math.prod(len(parameter.levels) for parameter in parameters) - (_baseline(parameters) is not None)

    def design(self, parameters: Sequence[Dimension]) -> Design:
        baseline = _baseline(parameters)

        def sample(index: int) -> dict[str, Value]:
            index += baseline is not None and index >= baseline
            values: dict[str, Value] = {}
            for parameter in reversed(parameters):
                index, level = divmod(index, len(parameter.levels))
                values[parameter.name] = parameter.levels[level]
            return dict(reversed(values.items()))

        return Design(tuple(parameter.name for parameter in parameters), self.count(parameters), sample)

    def samples(self, parameters: Sequence[Dimension], seed: int = 0) -> Iterator[dict[str, Value]]:
        """All samples; nothing here is random."""
        return self.design(parameters).samples()


def _baseline(parameters: Sequence[Dimension]) -> int | None:
    """The place of the combination that leaves the model as it is; None if there is none."""
    place = 0
    for parameter in parameters:
        if parameter.unchanged is None:
            return None
        place = place * len(parameter.levels) + list(parameter.levels).index(parameter.unchanged)
    return place
