"""Applying the plans for the constructions of a model."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from epsm.energyplus.construction_plan import ConstructionPlan, merged
from epsm.energyplus.construction_plans import plans_of
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.documents import Document
from epsm.energyplus.editing import place_of_field, rule_of
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.new_objects import values_in_order
from epsm.study.assignments import construction_assignments
from epsm.study.schema import Study
from epsm.text import fold_name

Plans = Mapping[tuple[str, str], ConstructionPlan]
"""Parameter and variant, in lower case -> the variant's plans for constructions."""


def plans_by_variant(content: bytes, source: str, study: Study) -> Plans:
    """The plans of each variant of a measure, as made by the check.

    Args:
        content, source: The model's file and its path in the study.
        study: The study.
    """
    if next(construction_assignments(study), None) is None:
        return {}
    by_variant: dict[tuple[str, str], list[ConstructionPlan]] = {}
    for assignment, plan in plans_of(read_outline(content, source), study):
        by_variant.setdefault((assignment.parameter, fold_name(assignment.variant)), []).append(plan)
    return {key: merged(plans) for key, plans in by_variant.items()}


@contextlib.contextmanager
def rebuilt(document: Document, plan: ConstructionPlan) -> Iterator[None]:
    """Apply a plan to a model for the duration of the block.

    Args:
        document: The model.
        plan: A plan for this model, without faults.
    """
    surfaces = list(_surfaces(document, plan))
    before = [document.values_of(surface) for surface, _, _ in surfaces]
    added: list[tuple[ClassRule, Any]] = []
    try:
        for new in plan.objects:
            rule = rule_of(new.class_name)
            document.add(rule, values_in_order(new))
            added.append((rule, document.objects(rule)[-1]))
        for surface, place, construction in surfaces:
            document.set(surface, place, construction)
        yield
    finally:
        for (surface, _, _), values in zip(surfaces, before, strict=True):
            document.restore(surface, values)
        for rule, new_object in reversed(added):
            document.remove(rule, new_object)


def _surfaces(document: Document, plan: ConstructionPlan) -> Iterator[tuple[Any, FieldPlace, str]]:
    """The objects of a plan's surfaces, with the field and its new value."""
    for class_name in dict.fromkeys(class_name for class_name, _ in plan.settings):
        rule = rule_of(class_name)
        place = place_of_field(rule, "Construction Name")
        for object_ in document.objects(rule):
            if construction := plan.settings.get((class_name, document.name_of(object_))):
                yield object_, place, construction
