"""Parameters whose levels are objects of the model, each of which replaces a construction or a schedule."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from epsm.study.values import Strict, Text, Value
from epsm.study.whole_files import Whole
from epsm.text import fold_name

ReplacedKind = Literal["construction", "schedule"]


class Replaced(Strict):
    """The object that others replace: one key of the two."""

    construction: Text | None = Field(default=None, description="Name of a construction.")
    schedule: Text | None = Field(default=None, description="Name of a schedule.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.construction is None) == (self.schedule is None):
            raise ValueError("names one thing: give 'construction' or 'schedule'")
        return self

    @property
    def kind(self) -> ReplacedKind:
        """The kind of the replaced object."""
        return "schedule" if self.construction is None else "construction"

    @property
    def name(self) -> str:
        """The name of the replaced object."""
        return str(self.schedule if self.construction is None else self.construction)


class ReplaceParameter(Whole):
    """A construction or schedule as a parameter: every reference to it is replaced by a reference to another one of
    the model."""

    _things: ClassVar[str] = "names of objects"

    replaces: Replaced

    @property
    def own(self) -> str | None:
        return self.replaces.name

    @property
    def unchanged(self) -> Value | None:
        name_key = fold_name(self.replaces.name)
        return next((level for level in self.levels if fold_name(str(level)) == name_key), None)

    def spelled(self, level: Value) -> Value:
        return self.replaces.name if fold_name(str(level)) == fold_name(self.replaces.name) else level
