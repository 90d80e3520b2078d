"""The objects that each target of a study's parameters matches in each model, with old and new values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.targets import is_blank, is_left, number_in, own_number, selected_objects
from epsm.problems import Problem
from epsm.study.assignments import assignments
from epsm.study.parameters import Dimension
from epsm.study.schema import Study
from epsm.study.targets import Target
from epsm.study.values import Value
from epsm.text import listed


@dataclass(frozen=True, slots=True)
class TargetInModel:
    """A target in a model.

    Attributes:
        model: Path of the model in the study.
        parameter: Name of the parameter.
        variant: Of a measure; empty for other parameters.
        position: Of the target among those of the parameter, or of the variant.
        place: Class and field.
        objects: Names of the matched objects.
        skipped: How many of these are left unchanged, because they have no number in the field.
        old, new: The field's values as text: in the model, and in all variants but the baseline.
    """

    model: str
    parameter: str
    variant: str
    position: int
    place: str
    objects: tuple[str, ...]
    skipped: int
    old: str
    new: str

    def __str__(self) -> str:
        count = f"{len(self.objects)} object{'' if len(self.objects) == 1 else 's'}"
        left = f", {self.skipped} left unchanged" if self.skipped else ""
        values = f": {self.old} -> {self.new}" if self.objects else ""
        name = f"{self.parameter} {self.variant}" if self.variant else self.parameter
        return f"{name}: {self.place} of {count} in {self.model}{left}{values}"


def targets_in(outline: ModelOutline, source: str, study: Study) -> Iterator[TargetInModel]:
    """The matches of each target in a model; targets whose class or field does not exist are left out."""
    for assignment in assignments(study):
        target = assignment.target
        rule = dictionary.load().find_class(target.class_name)
        place = rule.find_field(target.field) if rule else None
        if rule is None or place is None:
            continue
        objects = selected_objects(target, rule, outline.of_class(rule.name))
        if assignment.ready:  # in other objects the field is blank
            objects = [found for found in objects if not is_left(target, found.value(place), place.rule)]
            if not objects:
                continue
        own = [found.value(place) for found in objects]
        edited = [value for value in own if not is_left(target, value, place.rule)]
        numbers = [own_number(value, place.rule) for value in edited]
        yield TargetInModel(
            source,
            assignment.parameter,
            assignment.variant,
            assignment.position,
            f"{rule.name}, {place.rule.name}",
            tuple(found.name for found in objects),
            len(own) - len(edited),
            in_words([_plain(value, place) for value in own]),
            in_words(_new_values(assignment.levels, target, [number for number in numbers if number is not None])),
        )


def _new_values(parameter: Dimension, target: Target, own: list[float]) -> list[Value]:
    bases: list[float | None] = [*own] if target.relative else [None]
    return [target.new_value(level, base) for base in bases for level in parameter.extremes]


def _plain(value: object, place: FieldPlace) -> Value:
    if is_blank(value) and place.rule.default is not None:
        return f"blank (by default {_shown_default(place)})"
    number = number_in(value)
    return number if number is not None else str(value if value is not None else "").strip() or "blank"


def _shown_default(place: FieldPlace) -> str:
    number = number_in(place.rule.default)
    return str(place.rule.default) if number is None else f"{number:g}"


def in_words(values: Iterable[Value]) -> str:
    """A range of numbers, and texts: `0.1 to 0.3, 'autosize'`.

    >>> in_words([0.3, 0.1, "autosize"]), in_words([2.0])
    ("0.1 to 0.3, 'autosize'", '2')
    """
    every = list(dict.fromkeys(values))
    numbers = sorted(value for value in every if isinstance(value, float))
    texts = [value for value in every if isinstance(value, str)]
    spread = f"{numbers[0]:g} to {numbers[-1]:g}" if len(numbers) > 1 else "".join(f"{number:g}" for number in numbers)
    return ", ".join(part for part in (spread, listed(texts, most=3)) if part)


def unmatched_targets(study: Study, edits: Iterable[TargetInModel]) -> Iterator[Problem]:
    """Targets, of parameters with several, that match no object in any model."""
    every = list(edits)
    met = {(match.parameter, match.variant, match.position) for match in every if match.objects}
    known = {(match.parameter, match.variant, match.position) for match in every}
    for assignment in assignments(study):
        if assignment.count == 1 or assignment.ready:
            continue  # a single target must match in every model
        if (assignment.parameter, assignment.variant, assignment.position) in known - met:
            target = assignment.target
            fault = f"no model has a matching {target.class_name} ('{target.shown_objects}'"
            fault += " with these conditions)" if target.where or target.except_ else ")"
            yield Problem(assignment.where, fault, "objects of at least one model")
