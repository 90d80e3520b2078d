"""Ready edits of setpoints: the schedules that thermostats follow, shifted."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epsm.study.schedule_targets import Period
from epsm.study.targets import Patterns
from epsm.study.values import Number

Side = Literal["heating", "cooling"]
Shift = Annotated[Number, Field(ge=-30, le=30)]


class SetpointEdit(Period):
    """Setpoints of thermostats, shifted; schedules that are used elsewhere too are copied."""

    heating_shift_k: Shift | None = Field(default=None, description="Added to the heating setpoints, K.")
    cooling_shift_k: Shift | None = Field(default=None, description="Added to the cooling setpoints, K.")
    zones: Patterns = Field(default="*", description="Names, or patterns, of the zones whose thermostats are meant.")
    except_: Patterns = Field(default=(), alias="except", description="Names, or patterns, of zones to leave.")

    @model_validator(mode="after")
    def _shifts_something(self) -> Self:
        if not self.shifts:
            raise ValueError("shifts nothing; give 'heating_shift_k', 'cooling_shift_k' or both, other than 0")
        return self

    @property
    def shifts(self) -> dict[Side, float]:
        """What is added, K, for each side that is shifted."""
        both: dict[Side, float | None] = {"heating": self.heating_shift_k, "cooling": self.cooling_shift_k}
        return {side: shift for side, shift in both.items() if shift}
