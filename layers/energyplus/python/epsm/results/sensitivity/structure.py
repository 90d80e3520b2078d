"""The structure of a design for the estimators, besides its values: from a study, or from `design.parquet`."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epsm.results.design import SAMPLING
from epsm.results.sensitivity.analysis import Analysis
from epsm.results.sensitivity.design import Design, Floats
from epsm.study.sampling import Morris, OneAtATime, Sobol
from epsm.study.sampling.correlations import Correlated
from epsm.study.schema import Study

_CORRELATED = (
    "Parameters are correlated: SRC is the effect of a parameter while the others are constant; PAWN includes "
    "effects through correlated parameters."
)
_UNIT = ":unit"


@dataclass(frozen=True)
class Structure:
    """The structure of the samples of a model and weather file; the attributes of `Design` without the values.

    Attributes:
        correlated: Whether the parameters depend on each other.
    """

    method: str
    names: tuple[str, ...]
    unit: Floats | None = None
    second_order: bool = False
    varied: NDArray[np.intp] | None = None
    correlated: bool = False

    def with_values(self, rows: pd.DataFrame) -> Design:
        """The design with the values of the parameters from rows of the results table."""
        values = tuple(_values(rows[name]) for name in self.names)
        return Design(self.method, self.names, values, self.unit, self.second_order, self.varied)

    def remarked(self, analysis: Analysis) -> Analysis:
        """An analysis with remarks that follow from the structure."""
        if not self.correlated:
            return analysis
        return dataclasses.replace(analysis, remarks=(*analysis.remarks, _CORRELATED))


def structure_of(study: Study) -> Structure:
    """The structure of a study's design."""
    sampling, made = study.sampling, study.design
    unit, varied = None, None
    if isinstance(sampling, Morris) and made.unit_row is not None:
        coordinates = (number for index in range(made.count) for number in made.unit_row(index))
        unit = np.fromiter(coordinates, dtype=float).reshape(made.count, len(made.names))
    if isinstance(sampling, OneAtATime):
        varied = np.array(
            [made.names.index(next(iter(made.sample(index)))) for index in range(made.count)], dtype=np.intp
        )
    second_order = isinstance(sampling, Sobol) and sampling.second_order
    correlated = isinstance(sampling, Correlated) and bool(sampling.correlations)
    return Structure(sampling.method, made.names, unit, second_order, varied, correlated)


def structure_of_frame(design: pd.DataFrame) -> Structure:
    """The same from `design.parquet`.

    Raises:
        ValueError: If the frame lacks the sampling method, or is not complete.
    """
    says = design.attrs.get(SAMPLING)
    if says is None:
        raise ValueError("the design lacks its sampling method; use the frame that epsm.read_design returns")
    if list(design["sample"]) != list(range(1, len(design) + 1)):
        raise ValueError("the design lacks samples; use the frame that epsm.read_design returns")
    names = tuple(name for name in design.columns if name not in ("sample", "block") and not name.endswith(_UNIT))
    unit, varied, second_order = None, None, False
    if says["method"] == "morris":
        unit = design[[f"{name}{_UNIT}" for name in names]].to_numpy(dtype=float)
    if says["method"] == "one_at_a_time":
        varied = design[list(names)].notna().to_numpy().argmax(axis=1).astype(np.intp)
    if says["method"] == "sobol":
        second_order = int((design["block"] == 0).sum()) == 2 * len(names) + 2
    return Structure(says["method"], names, unit, second_order, varied, says["correlated"])


def _values(column: "pd.Series[Any]") -> Any:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    # Each text is in memory once, as most parameters have few.
    texts: dict[str, str] = {}
    return np.array([texts.setdefault(text, text) for text in map(str, column)], dtype=object)
