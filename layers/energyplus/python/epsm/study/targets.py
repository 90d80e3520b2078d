"""Targets: the fields that a parameter's level is applied to, and how."""

import math
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epsm.study.values import Number, Strict, Value
from epsm.text import fold_name

Apply = Literal["set", "multiply", "add", "linear"]
Pattern = Annotated[str, Field(min_length=1, max_length=200)]
Patterns = Pattern | Annotated[tuple[Pattern, ...], Field(max_length=1000)]


class Applied(Strict):
    """How a level becomes the new value of a field, or of a schedule."""

    apply: Apply = Field(
        default="set",
        description="set: the level is written into the field. multiply, add: the model's value is multiplied by it, "
        "or it is added. linear: scale x level + offset is written.",
    )
    scale: Number = Field(default=1.0, description="For apply linear.")
    offset: Number = Field(default=0.0, description="For apply linear.")

    @model_validator(mode="after")
    def _linear_only(self) -> Self:
        if self.apply != "linear" and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError("has 'scale' or 'offset', which only apply 'linear' uses")
        if self.apply == "linear" and self.scale == 0:
            raise ValueError("has a 'scale' of 0, so every level gives the same value")
        return self

    @property
    def way(self) -> Apply:
        """What is done with a level."""
        return self.apply

    @property
    def relative(self) -> bool:
        """Whether the new value depends on the model's own."""
        return self.way in ("multiply", "add")

    def new_value(self, level: Value, own: float | None) -> Value:
        """The new value for a level.

        Args:
            level: The level; a number, unless it is set.
            own: The model's value, where the new one depends on it.
        """
        if self.way == "set" or isinstance(level, str):
            return level
        if self.way == "linear":
            return self.scale * level + self.offset
        assert own is not None
        return own * level if self.way == "multiply" else own + level

    def level_of(self, own: Value) -> Value | None:
        """The level that leaves the model's value as it is; None if there is none."""
        if self.way == "set":
            return own
        if self.way == "linear":
            return None if isinstance(own, str) else (own - self.offset) / self.scale
        return 1.0 if self.way == "multiply" else 0.0


class Target(Applied):
    """A field of the objects of a class: those whose name fits `object` and none of `except`, and whose other fields
    are as `where` says."""

    class_name: str = Field(alias="class", min_length=1, max_length=200, description="EnergyPlus class, e.g. Material.")
    object_name: Patterns = Field(
        default="*",
        alias="object",
        description="Name of the object, in any case; * stands for any run of characters, so * alone means all. Or a "
        "list of such names.",
    )
    except_: Patterns = Field(
        default=(), alias="except", description="Names, or patterns, of objects to leave as they are."
    )
    where: dict[str, Value | tuple[Value, ...]] = Field(
        default={},
        description="For other fields of the object the value, or a list of values, that they must have in the model.",
    )
    field: str = Field(min_length=1, max_length=200, description="Field name as in the IDD, e.g. Thickness.")
    unit: str | None = Field(
        default=None, max_length=60, description="If given, must be the unit that EnergyPlus uses."
    )
    blank: Literal["refuse", "skip"] = Field(
        default="refuse",
        description="What multiply and add do with an object that has no number in the field (blank, autosize). "
        "refuse: a blank has EnergyPlus's default if that is a number, anything else refuses the study. skip: the "
        "object is left as it is.",
    )

    @property
    def shown_objects(self) -> str:
        """The patterns as they are shown."""
        return self.object_name if isinstance(self.object_name, str) else "', '".join(self.object_name)

    def matches(self, name: str) -> bool:
        """Whether an object's name fits `object` and not `except`."""
        return fits(name, self.object_name) and not fits(name, self.except_)

    def meets(self, values: Mapping[str, object]) -> bool:
        """Whether an object has the values that `where` asks for.

        Args:
            values: What the object has in the fields that `where` names.
        """
        return all(
            any(_same(values.get(name), one) for one in (expected if isinstance(expected, tuple) else (expected,)))
            for name, expected in self.where.items()
        )


class TargetEdit(Target):
    """An edit of a measure: a field of the objects of a class, and the value for it."""

    value: Value = Field(description="What is written, multiplied by or added, as `apply` says.")

    @model_validator(mode="after")
    def _check_operation(self) -> Self:
        if self.apply == "linear":
            raise ValueError("has apply 'linear', which is for levels; give the value itself")
        if self.apply != "set" and isinstance(self.value, str):
            raise ValueError("has a text as its value, and texts can only be set")
        return self


def _same(found: object, expected: Value) -> bool:
    if isinstance(expected, str):
        return fold_name(str(found if found is not None else "")) == fold_name(expected)
    try:
        return math.isclose(float(found), expected, rel_tol=1e-9)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False


def fits(name: str, patterns: Patterns) -> bool:
    """Whether a name fits a pattern, or one of several."""
    return any(fits_pattern(name, pattern) for pattern in ((patterns,) if isinstance(patterns, str) else patterns))


def fits_pattern(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern: case does not count, * is any run of characters."""
    first, *others = fold_name(pattern).split("*")
    text = fold_name(name)
    if not others:
        return text == first
    *middle, last = others
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    text = text[len(first) : len(text) - len(last)]
    # The first place where a part is found leaves the most for the rest, so nothing has to be tried twice.
    for part in middle:
        found = text.find(part)
        if found < 0:
            return False
        text = text[found + len(part) :]
    return True
