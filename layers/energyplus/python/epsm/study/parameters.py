"""Parameters: the dimensions of a study's design."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from epsm.study.distributions import Discrete, Distribution, WholeNumbers, pick, rounded
from epsm.study.measures import NONE, Measure
from epsm.study.schedule_targets import ScheduleTarget
from epsm.study.setpoints import SetpointTarget
from epsm.study.target_kinds import AnyTarget
from epsm.study.targets import Applied, Apply, Target
from epsm.study.values import Number, Strict, Value
from epsm.text import fold_name

_MAX_STEPS = 100_000
_MAX_WHOLE_NUMBERS = 100
"""A distribution over at most so many whole numbers is checked number by number, a wider one at its ends."""


@lru_cache
def _spaced(first: float, last: float, steps: int) -> tuple[float, ...]:
    """Kept, because each sample of a study asks for them."""
    return tuple(rounded(first + (last - first) * step / (steps - 1)) for step in range(steps))


class Range(Strict):
    """Evenly spaced values between two ends, which are among them."""

    from_: Number = Field(alias="from")
    to: Number
    steps: int | None = Field(
        default=None,
        strict=True,
        ge=2,
        le=_MAX_STEPS,
        description="How many values. Left out, any value between the ends, for methods that sample.",
    )

    @model_validator(mode="after")
    def _has_a_width(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("'from' and 'to' are the same")
        return self

    @property
    def levels(self) -> tuple[float, ...]:
        """
        >>> Range.model_validate({"from": 0.1, "to": 0.3, "steps": 3}).levels
        (0.1, 0.2, 0.3)
        """
        if self.steps is None:
            return ()
        return _spaced(self.from_, self.to, self.steps)

    def at(self, u: float) -> Value:
        return pick(self.levels, u) if self.steps else rounded(self.from_ + u * (self.to - self.from_))


class Dimension(Strict):
    """One dimension of the design: a name and levels.

    Its levels are `values`, `multiply`, `range` or `distribution`; with a list of samples there are none, the list has
    the values.
    """

    name: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60, description="Column name in the results table."
    )
    values: tuple[Value, ...] | None = Field(default=None, min_length=1, description="Values to write.")
    multiply: tuple[Number, ...] | None = Field(
        default=None,
        min_length=1,
        description="Factors for the value that the model has; `values` with apply multiply.",
    )
    range: Range | None = None
    distribution: Distribution | None = None

    @model_validator(mode="after")
    def _one_kind_of_levels(self) -> Self:
        kinds = {
            "values": self.values,
            "multiply": self.multiply,
            "range": self.range,
            "distribution": self.distribution,
        }
        present = [name for name, levels in kinds.items() if levels is not None]
        if len(present) > 1:
            raise ValueError(
                f"has {' and '.join(present)}; give one of 'values', 'multiply', 'range' or 'distribution'"
            )
        texts = [
            fold_name(level) if isinstance(level, str) else f"{level + 0.0!r}".removesuffix(".0")
            for level in self.levels
        ]
        if len(set(texts)) < len(texts):
            raise ValueError("the same value is listed twice")
        texts_in = not all(isinstance(level, float) for level in self.levels)
        if texts_in and any(target.way != "set" for target in self.all_targets):
            raise ValueError("has a text among its levels, and texts can only be set")
        if texts_in and (self.all_schedules or self.all_setpoints):
            raise ValueError("has a text among its levels, and the values of schedules are numbers")
        return self

    @property
    def all_targets(self) -> Sequence[Target]:
        """The fields that its levels go to."""
        raise NotImplementedError

    @property
    def all_schedules(self) -> Sequence[ScheduleTarget]:
        """The schedules that its levels go to."""
        return ()

    @property
    def all_setpoints(self) -> Sequence[SetpointTarget]:
        """The setpoints that its levels are added to."""
        return ()

    @property
    def has_levels(self) -> bool:
        """Whether the parameter itself has values, rather than a list of samples."""
        return any(levels is not None for levels in (self.values, self.multiply, self.range, self.distribution))

    @property
    def multiplies(self) -> bool:
        """Whether a level is a factor for the model's own value."""
        targets: tuple[Applied, ...] = (*self.all_targets, *self.all_schedules)
        return not self.all_setpoints and all(target.way == "multiply" for target in targets)

    @property
    def unchanged(self) -> Value | None:
        """The level that leaves every model unchanged, if one of the levels does."""
        return None

    @property
    def levels(self) -> Sequence[float | str]:
        """The values or factors of a discrete parameter, in order; empty for a continuous one."""
        if self.range is not None:
            return self.range.levels
        match self.distribution:
            case Discrete(values=values):
                return values
            case WholeNumbers(low=low, high=high) if high - low < _MAX_WHOLE_NUMBERS:
                return tuple(float(number) for number in range(low, high + 1))
        return self.values or self.multiply or ()

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Smallest and largest level; None if there are none, or if some are texts."""
        if self.range is not None:
            return min(self.range.from_, self.range.to), max(self.range.from_, self.range.to)
        if self.distribution is not None and not isinstance(self.distribution, Discrete):
            return self.distribution.bounds
        numbers = [level for level in self.levels if isinstance(level, float)]
        return (min(numbers), max(numbers)) if numbers and len(numbers) == len(self.levels) else None

    @property
    def extremes(self) -> Sequence[float | str]:
        """The levels to check: all, or the ends of a continuous parameter."""
        return self.levels or self.bounds or ()

    @property
    def numeric(self) -> bool:
        """Whether every level is a number; a list's samples are not looked at."""
        return all(isinstance(level, float) for level in self.levels)

    @property
    def continuous(self) -> bool:
        """Whether any value between two ends can occur."""
        if self.range is not None:
            return self.range.steps is None
        return self.distribution is not None and not isinstance(self.distribution, Discrete | WholeNumbers)

    def spelled(self, level: Value) -> Value:
        """A level as the results table has it: the name of a thing in one spelling, whichever case a study writes."""
        return level

    def at(self, u: float) -> Value:
        """The level at a place of the unit interval: the quantile function.

        Levels that are listed have an equal part of the interval each.
        """
        if self.distribution is not None:
            return self.distribution.at(u)
        return self.range.at(u) if self.range is not None else pick(self.levels, u)


class Parameter(Dimension, Target):
    """One thing to vary: a field of one object, or of several objects of a class."""

    @property
    def all_targets(self) -> Sequence[Target]:
        return (self,)

    @property
    def way(self) -> Apply:
        return "multiply" if self.multiply is not None else self.apply


class ScheduleParameter(Dimension, ScheduleTarget):
    """One thing to vary: values of a schedule, or of several."""

    @property
    def all_targets(self) -> Sequence[Target]:
        return ()

    @property
    def all_schedules(self) -> Sequence[ScheduleTarget]:
        return (self,)

    @property
    def way(self) -> Apply:
        return "multiply" if self.multiply is not None else self.apply


class SetpointParameter(Dimension, SetpointTarget):
    """One thing to vary: a shift of the setpoints of thermostats."""

    @model_validator(mode="after")
    def _only_added(self) -> Self:
        if self.multiply is not None:
            raise ValueError("has 'multiply' beside 'setpoints', to which levels are added; give 'values'")
        return self

    @property
    def all_targets(self) -> Sequence[Target]:
        return ()

    @property
    def all_setpoints(self) -> Sequence[SetpointTarget]:
        return (self,)


class CoupledParameter(Dimension):
    """One thing to vary that goes to several places, each with its own way of applying the level."""

    targets: tuple[AnyTarget, ...] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _no_factors(self) -> Self:
        if self.multiply is not None:
            raise ValueError("has 'multiply' beside 'targets'; give 'values', and apply 'multiply' in each target")
        return self

    @property
    def all_targets(self) -> Sequence[Target]:
        return tuple(target for target in self.targets if isinstance(target, Target))

    @property
    def all_schedules(self) -> Sequence[ScheduleTarget]:
        return tuple(target for target in self.targets if isinstance(target, ScheduleTarget))

    @property
    def all_setpoints(self) -> Sequence[SetpointTarget]:
        return tuple(target for target in self.targets if isinstance(target, SetpointTarget))


class NamedLevels(Dimension):
    """A parameter whose levels are names, so that they are neither numbers nor factors."""

    @property
    def numeric(self) -> bool:
        return False

    @property
    def multiplies(self) -> bool:
        return False

    @property
    def bounds(self) -> tuple[float, float] | None:
        return None


class MeasureParameter(NamedLevels):
    """A measure as a parameter: its levels are the names of the measure's variants.

    They are all of them, `none` first, unless `values` or a discrete distribution names some. A study gives it the
    measure (`bind`); without, it has no levels.
    """

    measure: str = Field(min_length=1, max_length=60, description="Name of one of the study's measures.")
    _measure: Measure | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names_only(self) -> Self:
        if self.multiply is not None or self.range is not None:
            raise ValueError("has a measure, whose levels are names; give 'values', a discrete distribution or neither")
        if self.distribution is not None and not isinstance(self.distribution, Discrete):
            raise ValueError(f"has a measure, whose levels are names, and a distribution '{self.distribution.kind}'")
        return self

    def bind(self, measure: Measure | None) -> None:
        """Note the measure that the study has under this name."""
        self._measure = measure

    @property
    def bound(self) -> Measure | None:
        """The measure; None if the study has none of that name."""
        return self._measure

    @property
    def all_targets(self) -> Sequence[Target]:
        """The targets of all variants."""
        return tuple(
            edit for variant in (self._measure.variants if self._measure else ()) for edit in variant.all_targets
        )

    @property
    def all_schedules(self) -> Sequence[ScheduleTarget]:
        """The schedules of all variants, without those of thermostats."""
        return tuple(
            edit for variant in (self._measure.variants if self._measure else ()) for edit in variant.all_schedules
        )

    @property
    def levels(self) -> Sequence[float | str]:
        levels: Sequence[float | str] = super().levels
        return levels or (self._measure.levels if self._measure else ())

    def spelled(self, level: Value) -> Value:
        names = {fold_name(name): name for name in self._measure.levels} if self._measure else {}
        return names.get(fold_name(str(level)), level)

    @property
    def unchanged(self) -> Value | None:
        return next((level for level in self.levels if fold_name(str(level)) == NONE), None)
