"""The places of targets and levels in a study.json, for messages."""

from epsm.study.assignments import Assignment
from epsm.study.distributions import Discrete
from epsm.study.parameters import Dimension
from epsm.study.sampling import Listed
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.whole_files import WeatherParameter


class Places:
    """The location of a target of a study and of its levels, for messages.

    Args:
        study: The study.
        assignment: The target and its levels.
    """

    def __init__(self, study: Study, assignment: Assignment) -> None:
        self._study = study
        self._variant, self._ready = assignment.variant, assignment.ready
        self._parameter = study.parameters[assignment.index]
        self.parameter = f"{MANIFEST_NAME}: parameters[{assignment.index}]"
        self.target = assignment.where

    def of(self, level: float | str | None) -> str:
        """The location of a level; without an index, of all levels."""
        if self._ready:
            return f"{self.target}.{self._ready}"
        return f"{self.target}.value" if self._variant else place_of_level(self._study, self._parameter, level)


def place_of_level(study: Study, parameter: Dimension, level: float | str | None) -> str:
    """The location of a level of a parameter; without a level, of all levels."""
    sampling = study.sampling
    if isinstance(sampling, Listed):
        row = next((number for number, row in enumerate(sampling.rows or ()) if row.get(parameter.name) == level), 0)
        if sampling.file is not None:
            return f"{sampling.file}: row {row + 1}, column {parameter.name}"
        return f"{MANIFEST_NAME}: sampling.rows[{row}].{parameter.name}"
    place = f"{MANIFEST_NAME}: parameters[{study.parameters.index(parameter)}]"
    if parameter.range is not None:
        return f"{place}.range"
    kind = "distribution" if parameter.distribution is not None else "multiply" if parameter.multiply else "values"
    kind = "distribution.values" if isinstance(parameter.distribution, Discrete) else kind
    kind = "weather" if isinstance(parameter, WeatherParameter) and not parameter.has_levels else kind
    position = f"[{parameter.levels.index(level)}]" if level in parameter.levels and kind != "distribution" else ""
    return f"{place}.{kind}{position}"
