"""The objects of a model that a target of a parameter matches."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from epsm.energyplus.dictionary import ClassRule, FieldPlace, FieldRule
from epsm.energyplus.model_reader import ModelObject
from epsm.study.loads import LoadTarget
from epsm.study.targets import Target

Each = TypeVar("Each")


def places_of_conditions(target: Target, rule: ClassRule) -> Mapping[str, FieldPlace]:
    """The places of the fields that `where` names, if the class has them."""
    found = {name: rule.find_field(name) for name in target.where}
    return {name: place for name, place in found.items() if place is not None}


def selected(
    target: Target,
    rule: ClassRule,
    objects: Iterable[Each],
    name_of: Callable[[Each], str],
    value_of: Callable[[Each, FieldPlace], object],
) -> list[Each]:
    """The objects of a class that a target matches.

    Args:
        target: The target.
        rule: Its class.
        objects: All objects of the class.
        name_of, value_of: Give an object's name and the value of a field.
    """
    places = places_of_conditions(target, rule)
    return [
        model_object
        for model_object in objects
        if target.matches(name_of(model_object))
        and target.meets({name: value_of(model_object, place) for name, place in places.items()})
    ]


def selected_objects(target: Target, rule: ClassRule, objects: Iterable[ModelObject]) -> list[ModelObject]:
    """The same of a model that has been read."""
    return selected(
        target,
        rule,
        objects,
        lambda model_object: model_object.name,
        lambda model_object, place: model_object.value(place),
    )


def own_number(value: object, rule: FieldRule) -> float | None:
    """The number that a model has in a field: its value, or the IDD's default if it is blank.

    Args:
        value: The field's value as the model has it.
        rule: The field's rule.
    """
    return number_in(rule.default if is_blank(value) else value)


def is_blank(value: object) -> bool:
    """Whether a field has no value."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_left(target: Target, value: object, rule: FieldRule) -> bool:
    """Whether a target skips an object, because the field has no number; for systems, because it has no default
    either."""
    if not target.relative or target.blank != "skip":
        return False
    by_default = isinstance(target, LoadTarget) and target.defaults_count
    return (own_number(value, rule) if by_default else number_in(value)) is None


def number_in(value: object) -> float | None:
    """A field's number; None for a blank, `autosize` or another text."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None
