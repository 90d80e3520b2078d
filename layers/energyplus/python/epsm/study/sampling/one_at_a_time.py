"""One at a time: each level of each parameter, everything else as the model has it."""

from collections.abc import Iterator, Sequence
from typing import Literal

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import Design
from epsm.study.values import Strict, Value


class OneAtATime(Strict):
    """Each level of each parameter, everything else as the model has it.

    `none` of a measure is the baseline and not run again.
    """

    method: Literal["one_at_a_time", "one_by_one"]

    def count(self, parameters: Sequence[Dimension]) -> int:
        """Number of samples of one model and weather, without the baseline."""
        return sum(len(parameter.levels) - (parameter.unchanged is not None) for parameter in parameters)

    def design(self, parameters: Sequence[Dimension]) -> Design:
        every = _changes(parameters)
        return Design(tuple(parameter.name for parameter in parameters), len(every), lambda index: dict([every[index]]))

    def samples(self, parameters: Sequence[Dimension], seed: int = 0) -> Iterator[dict[str, Value]]:
        """All samples; nothing here is random."""
        return self.design(parameters).samples()


def _changes(parameters: Sequence[Dimension]) -> list[tuple[str, Value]]:
    own = [(parameter, parameter.unchanged) for parameter in parameters]
    return [(parameter.name, level) for parameter, unchanged in own for level in parameter.levels if level != unchanged]
