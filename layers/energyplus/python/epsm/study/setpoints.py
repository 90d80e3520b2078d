"""Ready edits of setpoints: the schedules that thermostats follow, shifted."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epsm.study.schedule_targets import Period
from epsm.study.targets import Patterns
from epsm.study.values import Number

Side = Literal["heating", "cooling"]
Shift = Annotated[Number, Field(ge=-30, le=30)]


class ThermostatEdit(Period):
    """Setpoints of the thermostats of some zones, to be shifted; schedules that are used elsewhere too are copied."""

    zones: Patterns = Field(default="*", description="Names, or patterns, of the zones of the thermostats to edit.")
    except_: Patterns = Field(default=(), alias="except", description="Names, or patterns, of zones to leave.")

    @property
    def shifts(self) -> Mapping[Side, float | None]:
        """What is added, K, for each side that is shifted; None for the level of a parameter."""
        raise NotImplementedError


class SetpointTarget(ThermostatEdit):
    """Setpoints of thermostats, to which the level is added, K."""

    setpoints: Side = Field(description="Which setpoints the level is added to, K: heating or cooling.")

    @property
    def shifts(self) -> Mapping[Side, float | None]:
        return {self.setpoints: None}


class SetpointEdit(ThermostatEdit):
    """An edit of a measure: setpoints of thermostats, and what is added to them."""

    heating_shift_k: Shift | None = Field(default=None, description="Added to the heating setpoints, K.")
    cooling_shift_k: Shift | None = Field(default=None, description="Added to the cooling setpoints, K.")

    @model_validator(mode="after")
    def _require_shift(self) -> Self:
        if not self.shifts:
            raise ValueError("shifts nothing; give 'heating_shift_k', 'cooling_shift_k' or both, other than 0")
        return self

    @property
    def shifts(self) -> Mapping[Side, float | None]:
        both: dict[Side, float | None] = {"heating": self.heating_shift_k, "cooling": self.cooling_shift_k}
        return {side: shift for side, shift in both.items() if shift}
