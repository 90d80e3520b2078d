"""What the sampling methods have in common."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Annotated, Any

from pydantic import Field, model_validator

from epsm.study.parameters import Dimension
from epsm.study.values import Strict, Value

MAX_SAMPLES = 1_000_000
Seed = Annotated[
    int | None,
    Field(
        strict=True,
        ge=0,
        lt=2**32,
        description="The same seed gives the same samples on any machine. Left out, one is made from the simulation's "
        "name; the manifest has it.",
    ),
]


@dataclass(frozen=True, slots=True)
class Design:
    """The samples of one model and weather file, without the baseline. A sample is made when it is asked for.

    Sample i of the design is sample i + 1 of each model and weather of the study: sample 0 is the baseline.

    Attributes:
        names: The parameters, in the order of the study.
        count: Number of samples.
        sample: Gives sample i: a value for each parameter, for one_at_a_time of a single one.
        unit_row: Gives the row of sample i in the unit cube, where the method has one.
        block: Samples that belong together: a base sample of a Sobol design with its k + 1 or 2k + 1 others, a
            trajectory of a Morris design; 1 for other methods. Sample i is in block i // block.
    """

    names: tuple[str, ...]
    count: int
    sample: Callable[[int], dict[str, Value]]
    unit_row: Callable[[int], tuple[float, ...]] | None = None
    block: int = 1

    def samples(self) -> Iterator[dict[str, Value]]:
        """All samples in their order."""
        return map(self.sample, range(self.count))


class InUnitCube(Strict):
    """A method that takes points of the unit cube, one dimension a parameter."""

    seed: Seed = None

    @model_validator(mode="before")
    @classmethod
    def _independent(cls, document: Any) -> Any:
        if isinstance(document, dict) and "correlations" in document and "correlations" not in cls.model_fields:
            raise ValueError(
                "has correlations, and its indices hold for independent parameters only; correlated parameters can be "
                "sampled with 'latin_hypercube' or 'random'"
            )
        return document

    def count(self, parameters: Sequence[Dimension]) -> int:
        """Number of samples of one model and weather, without the baseline."""
        raise NotImplementedError

    def block(self, dimensions: int) -> int:
        """Samples that belong together; see `Design`."""
        return 1

    def rows(self, names: Sequence[str], seed: int) -> Callable[[int], tuple[float, ...]]:
        """Gives the point of sample i: a coordinate for each of the named parameters."""
        raise NotImplementedError

    def design(self, parameters: Sequence[Dimension]) -> Design:
        """The design. A study as the manifest has it has a seed; without one it is 0, which serves for checks."""
        seed = self.seed or 0
        names = tuple(parameter.name for parameter in parameters)
        row = _rows(self, names, seed)

        def sample(index: int) -> dict[str, Value]:
            return {parameter.name: parameter.at(u) for parameter, u in zip(parameters, row(index), strict=True)}

        return Design(names, self.count(parameters), sample, row, self.block(len(parameters)))

    def samples(self, parameters: Sequence[Dimension], seed: int) -> Iterator[dict[str, Value]]:
        """All samples with that seed."""
        return self.model_copy(update={"seed": seed}).design(parameters).samples()


@lru_cache(maxsize=4)
def _rows(method: InUnitCube, names: tuple[str, ...], seed: int) -> Callable[[int], tuple[float, ...]]:
    """Points are kept: pages of results and trials ask for the same design again."""
    return method.rows(names, seed)


def source(seed: int) -> Random:
    """A source of random numbers, the same on any machine."""
    return Random(seed)  # noqa: S311


def table(values: "array[float]", dimensions: int) -> Callable[[int], tuple[float, ...]]:
    """Rows of a matrix that is stored row by row."""

    def row(index: int) -> tuple[float, ...]:
        return tuple(values[index * dimensions : (index + 1) * dimensions])

    return row


def permutation(count: int, chance: Random) -> list[int]:
    """The numbers 0 to count - 1 in random order.

    Only `Random.random` is promised to give the same numbers in every version of Python; `shuffle` is not.
    """
    order = list(range(count))
    for last in range(count - 1, 0, -1):
        other = int(chance.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order
