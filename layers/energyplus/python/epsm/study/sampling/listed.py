"""List: samples given in study.json or in a CSV next to it."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from epsm.study.parameters import Dimension
from epsm.study.sampling.base import MAX_SAMPLES, Design
from epsm.study.values import Strict, StudyPath, Value


def _csv_path(path: str) -> str:
    if not path.lower().endswith(".csv"):
        raise ValueError(f"'{path}' is not a table; it must end in .csv")
    return path


class Listed(Strict):
    """The samples one by one. What is stored of a study with a file has its rows as well."""

    method: Literal["list"]
    rows: tuple[dict[str, Value], ...] | None = Field(
        default=None, min_length=1, max_length=MAX_SAMPLES, description="Samples: for each parameter its value."
    )
    file: Annotated[StudyPath, AfterValidator(_csv_path)] | None = Field(
        default=None, description="Instead of `rows`: a CSV beside study.json, with the parameters as columns."
    )

    def count(self, parameters: Sequence[Dimension]) -> int:
        """Number of samples of one model and weather, without the baseline; 0 while the file has not been read."""
        return len(self.rows or ())

    def design(self, parameters: Sequence[Dimension]) -> Design:
        names, rows = tuple(parameter.name for parameter in parameters), self.rows or ()
        return Design(names, len(rows), lambda index: {name: rows[index][name] for name in names})

    def samples(self, parameters: Sequence[Dimension], seed: int = 0) -> Iterator[dict[str, Value]]:
        """All samples; nothing here is random."""
        return self.design(parameters).samples()
