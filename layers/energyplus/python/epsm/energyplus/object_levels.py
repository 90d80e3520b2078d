"""Constructions and schedules as levels of a parameter: every field of a model that names one."""

from collections.abc import Iterator
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.study.schema import Study
from epsm.study.whole_objects import ReplacedKind, ReplaceParameter
from epsm.text import fold_name

_WITHOUT_EFFECT = "output:"
_PARTS_OF_SCHEDULES = ("schedule:day:", "schedule:week:")


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that names the object: class, field and object."""

    rule: ClassRule
    place: FieldPlace
    model_object: ModelObject


def objects_of(outline: ModelOutline, kind: ReplacedKind) -> dict[str, ModelObject]:
    """The constructions or schedules of a model, by name in lower case."""
    start = "construction" if kind == "construction" else "schedule:"
    return {
        fold_name(model_object.name): model_object
        for key, group in outline.objects.items()
        if (key == start or key.startswith(f"{start.removesuffix(':')}:")) and not key.startswith(_PARTS_OF_SCHEDULES)
        for model_object in group
    }


def references_to(outline: ModelOutline, kind: ReplacedKind, name: str) -> Iterator[Reference]:
    """The fields of a model that name a construction or schedule; fields of output objects do not count.

    Args:
        outline: The model.
        kind: Kind of the object that they name.
        name: Its name, in any case.
    """
    name_key = fold_name(name)
    for key, group in outline.objects.items():
        rule = dictionary.load().find_class(key)
        if rule is None or key.startswith(_WITHOUT_EFFECT):
            continue
        plain = [FieldPlace(own, place) for place, own in enumerate(rule.fields) if own.names == kind]
        repeated = [(offset, own) for offset, own in enumerate(rule.repeats) if own.names == kind]
        for model_object in group if plain or repeated else ():
            places = [*plain]
            for number in range(model_object.group_count(rule)) if repeated else ():
                start = len(rule.fields) + number * len(rule.repeats)
                places += [FieldPlace(own, start + offset, number) for offset, own in repeated]
            for place in places:
                value = model_object.value(place)
                if isinstance(value, str) and fold_name(value) == name_key:
                    yield Reference(rule, place, model_object)


def references_by_parameter(outline: ModelOutline, study: Study) -> dict[str, list[Reference]]:
    """The references in a model that each parameter with objects as levels replaces."""
    return {
        parameter.name: list(references_to(outline, parameter.replaces.kind, parameter.replaces.name))
        for parameter in study.parameters
        if isinstance(parameter, ReplaceParameter)
    }
