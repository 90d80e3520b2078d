"""Targets that are schedules: the values of chosen days and hours, whatever kind of schedule an object is."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from epsm.study.day_types import DESIGN_DAYS, OTHER_DAYS, Days, named_days
from epsm.study.targets import Applied, Patterns, fits
from epsm.study.values import Number, Strict

DAY_MIN = 1440
_CLOCK = r"^(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)$"


def _clock_time(text: str) -> str:
    if not re.match(_CLOCK, text):
        raise ValueError(f"'{text}' is not a time of day such as 07:00")
    return text


ClockTime = Annotated[str, Field(json_schema_extra={"pattern": _CLOCK}), AfterValidator(_clock_time)]


def minutes(time: str) -> int:
    """Minutes since midnight.

    >>> minutes("07:30"), minutes("24:00")
    (450, 1440)
    """
    hours, _, rest = time.partition(":")
    return int(hours) * 60 + int(rest)


class Period(Strict):
    """Which days and hours of a schedule are edited."""

    days: Days | None = Field(
        default=None,
        description="Day types, in EnergyPlus's words; AllOtherDays are those that the schedule itself calls so. "
        "Design days (SummerDesignDay, WinterDesignDay, CustomDay1, CustomDay2) only if they are named. Left out: all "
        "but design days.",
    )
    from_: ClockTime | None = Field(
        default=None, alias="from", description="First hour of the day, e.g. 07:00; midnight without it."
    )
    until: ClockTime | None = Field(
        default=None,
        description="Where the hours end, e.g. 19:00; midnight without it. Before 'from': the hours around midnight.",
    )

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        begin, end = minutes(self.from_ or "00:00"), minutes(self.until or "24:00")
        if begin in (end, DAY_MIN):
            raise ValueError("has no time between 'from' and 'until'")
        return self

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """The hours as minutes since midnight, from and until; two of them around midnight."""
        begin, end = minutes(self.from_ or "00:00"), minutes(self.until or "24:00")
        if begin < end:
            return ((begin, end),)
        return tuple(window for window in ((0, end), (begin, DAY_MIN)) if window[0] < window[1])

    @property
    def whole_days(self) -> bool:
        """Whether all hours are edited."""
        return self.windows == ((0, DAY_MIN),)

    def chosen(self, days: frozenset[str], *, others: bool) -> frozenset[str]:
        """The edited ones among the days of a schedule.

        Args:
            days: Day types to which the schedule gives the same values.
            others: Whether it calls them `AllOtherDays`.
        """
        if self.days is None:
            return days - DESIGN_DAYS
        chosen_days = named_days(self.days)
        if others and OTHER_DAYS in self.days:
            chosen_days |= days - DESIGN_DAYS
        return chosen_days & days

    @property
    def shown_period(self) -> str:
        """Days and hours in words; empty for all but design days."""
        days = ", ".join(self.days or ())
        hours = "" if self.whole_days else f"{self.from_ or '00:00'} to {self.until or '24:00'}"
        return ", ".join(part for part in (days, hours) if part)


class ScheduleTarget(Applied, Period):
    """The values of the schedules whose name fits `schedule` and none of `except`."""

    schedule: Patterns = Field(
        description="Name of the schedule, in any case; * stands for any run of characters. Or a list of such names."
    )
    except_: Patterns = Field(
        default=(), alias="except", description="Names, or patterns, of schedules to leave as they are."
    )

    @property
    def shown_schedules(self) -> str:
        """The patterns as they are shown."""
        return self.schedule if isinstance(self.schedule, str) else "', '".join(self.schedule)

    def matches(self, name: str) -> bool:
        """Whether a schedule's name fits `schedule` and not `except`."""
        return fits(name, self.schedule) and not fits(name, self.except_)


class ScheduleTargetEdit(ScheduleTarget):
    """An edit of a measure: values of schedules, and the number for them."""

    value: Number = Field(description="What is written, multiplied by or added, as `apply` says.")

    @model_validator(mode="after")
    def _check_operation(self) -> Self:
        if self.apply == "linear":
            raise ValueError("has apply 'linear', which is for levels; give the value itself")
        return self
