"""Checks of construction edits against a model: the surfaces that each matches, and its faults."""

from collections.abc import Iterable, Iterator, Sequence

from epsm.checks.parameters import Setter, Setters, set_twice
from epsm.checks.target_matches import TargetInModel
from epsm.energyplus import dictionary
from epsm.energyplus.construction_plan import ConstructionPlan
from epsm.problems import Problem
from epsm.study.assignments import ConstructionAssignment, construction_assignments
from epsm.study.constructions import ConstructionEdit
from epsm.study.schema import Study
from epsm.study.targets import Patterns
from epsm.text import fold_name, listed

Plans = Sequence[tuple[ConstructionAssignment, ConstructionPlan]]
_FIELD = "Construction Name"
_MAX_SHOWN = 3


def check_constructions_on(
    source: str, plans: Plans, edits: Iterable[TargetInModel], setters: Setters
) -> Iterator[Problem]:
    """Faults of a study's edits of constructions on a model.

    Args:
        source: The model's path in the study.
        plans: Of the model.
        edits: What the targets and edits of the study mean in it.
        setters: What the targets set.
    """
    met = {(edit.parameter, edit.variant) for edit in edits if edit.objects}
    for assignment, plan in plans:
        for fault in plan.faults:
            where = f"{assignment.where}.{fault.key}" if fault.key else assignment.where
            yield Problem(where, f"{source}: {fault.what}", fault.allowed)
        last = assignment.position == assignment.count - 1
        if not plan.surfaces and (
            assignment.count == 1 or (last and (assignment.parameter, assignment.variant) not in met)
        ):
            message = f"{source} has no surface of {_filters(assignment.edit)}"
            message += " but open partitions, which only 'constructions' or 'surfaces' select" if plan.left else ""
            message += "" if assignment.count == 1 else ", and the variant's other edits match nothing there either"
            yield Problem(assignment.where, message, "surfaces of each model")
        yield from _set_twice(source, assignment, plan, setters)
    for assignment, plan in plans:
        yield from _computed_with(assignment, plan, setters)


def _set_twice(
    source: str, assignment: ConstructionAssignment, plan: ConstructionPlan, setters: Setters
) -> Iterator[Problem]:
    by_class: dict[str, list[str]] = {}
    for class_name, name in plan.settings:
        by_class.setdefault(class_name, []).append(name)
    setter = Setter(assignment.parameter, assignment.variant, assignment.where)
    for class_name, names in by_class.items():
        rule = dictionary.load().find_class(class_name)
        place = rule.find_field(_FIELD) if rule else None
        assert rule is not None
        assert place is not None
        yield from set_twice(setter, names, rule, place, setters, source)


def _computed_with(assignment: ConstructionAssignment, plan: ConstructionPlan, setters: Setters) -> Iterator[Problem]:
    """Targets that change an input of the insulation for a target U."""
    own = Setter(assignment.parameter, assignment.variant, assignment.where)
    for (class_name, folded, _), others in setters.items():
        other = next((other for other in others if other.meets(own)), None)
        name = plan.used.get((fold_name(class_name), folded))
        if other is not None and name is not None:
            fault = f"'{other.parameter}' sets a field of {class_name} '{name}', from which the target U is computed"
            yield Problem(assignment.where, fault, "another measure for one of the two")
            return


def constructions_in(source: str, plans: Plans) -> Iterator[TargetInModel]:
    """The surfaces that each edit of constructions matches in a model."""
    for assignment, plan in plans:
        old = list(dict.fromkeys(surface.construction for surface in plan.surfaces))
        yield TargetInModel(
            source,
            assignment.parameter,
            assignment.variant,
            assignment.position,
            f"construction of {assignment.edit.slot}",
            tuple(surface.name for surface in plan.surfaces),
            plan.left,
            listed(old, most=_MAX_SHOWN),
            _content(assignment.edit),
        )


def unmatched_constructions(study: Study, edits: Iterable[TargetInModel]) -> Iterator[Problem]:
    """Edits that match no surface in any model, of variants with several edits."""
    met = {(edit.parameter, edit.variant, edit.position) for edit in edits if edit.objects}
    for assignment in construction_assignments(study):
        if assignment.count > 1 and (assignment.parameter, assignment.variant, assignment.position) not in met:
            yield Problem(
                assignment.where, f"no model has a surface of {_filters(assignment.edit)}", "surfaces of some model"
            )


def _content(edit: ConstructionEdit) -> str:
    if edit.glazing is not None:
        return f"U {edit.glazing.u_w_m2k:g} W/m2K, SHGC {edit.glazing.shgc:g}"
    if edit.u_w_m2k is not None:
        return f"U {edit.u_w_m2k:g} W/m2K, films {edit.films}"
    return f"'{edit.construction}'" if edit.construction else f"{len(edit.layers or ())} layers"


def _filters(edit: ConstructionEdit) -> str:
    filters = [
        *([f"facing {', '.join(edit.orientation)}"] if edit.orientation else []),
        *(
            f"with {name} {_shown(patterns)}"
            for name, patterns in (
                ("zones", edit.zones),
                ("constructions", edit.constructions),
                ("surfaces", edit.surfaces),
                ("except", edit.except_),
            )
            if patterns not in ("*", ())
        ),
    ]
    return " ".join([f"slot '{edit.slot}'", *filters])


def _shown(patterns: Patterns) -> str:
    return listed((patterns,) if isinstance(patterns, str) else patterns, most=_MAX_SHOWN)
