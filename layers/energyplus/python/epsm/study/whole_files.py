"""Parameters whose levels are whole files of the study: files that models read, and weather."""

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr, model_validator

from epsm.study.distributions import Discrete
from epsm.study.parameters import NamedLevels
from epsm.study.targets import Target
from epsm.study.values import StudyPath, Value, WeatherPath, study_path


class Whole(NamedLevels):
    """A parameter whose levels are names of whole files or objects; every baseline has the same one (`own`)."""

    _things: ClassVar[str] = "names"

    @model_validator(mode="after")
    def _names_only(self) -> Self:
        if self.multiply is not None or self.range is not None:
            raise ValueError(f"has {self._things} as its levels; give 'values' or a discrete distribution")
        if self.distribution is not None and not isinstance(self.distribution, Discrete):
            raise ValueError(f"has {self._things} as its levels, and a distribution '{self.distribution.kind}'")
        for level in self.levels:
            if not isinstance(level, str):
                raise ValueError(f"has {self._things} as its levels, and {level:g} is a number")
        return self

    @property
    def all_targets(self) -> Sequence[Target]:
        """None: the objects that refer to the file or object are found in each model."""
        return ()

    @property
    def own(self) -> str | None:
        """The file or object that every baseline has."""
        raise NotImplementedError

    @property
    def unchanged(self) -> Value | None:
        return self.own if self.own in self.levels else None


class WholeFiles(Whole):
    """A parameter whose levels are paths of files in the study."""

    _things: ClassVar[str] = "files"

    @model_validator(mode="after")
    def _paths_only(self) -> Self:
        for level in map(str, self.levels):
            if study_path(level) != level:
                raise ValueError(f"has the level '{level}'; write it '{study_path(level)}'")
        return self


class FileParameter(WholeFiles):
    """A file that models read (for a Schedule:File, say) as a parameter: in every object that names it, its name is
    replaced by that of another file of the study."""

    file: StudyPath = Field(description="Path in the study of the file that the models read.")

    @property
    def own(self) -> str | None:
        return self.file


class WeatherParameter(WholeFiles):
    """The weather as a parameter: a dimension of the design, instead of every design with every weather file.

    A study gives it the one weather file that its baselines have (`bind`).
    """

    weather: tuple[WeatherPath, ...] = Field(min_length=1, max_length=1000, description="Levels: EPW files.")
    _own: str | None = PrivateAttr(default=None)

    def bind(self, weather: str) -> None:
        """Note the weather file of the study's baselines."""
        self._own = weather

    @property
    def own(self) -> str | None:
        return self._own

    @property
    def levels(self) -> Sequence[float | str]:
        levels: Sequence[float | str] = super().levels
        return levels or self.weather
