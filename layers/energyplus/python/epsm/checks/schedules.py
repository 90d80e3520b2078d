"""Checks of schedule edits against a model: the schedules that each matches, their values, and their faults."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, MutableMapping
from itertools import pairwise

from epsm.checks.parameters import Setter, Setters, one_a_place, set_twice
from epsm.checks.places import place_of_level
from epsm.checks.setpoints import crossings_alone, levels_of
from epsm.checks.target_matches import TargetInModel, in_words
from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.schedule_changes import Change, SchedulePlan
from epsm.energyplus.schedule_plans import Plans
from epsm.energyplus.schedule_values import values_in
from epsm.energyplus.schedules import COMPACT, CONSTANT, YEAR, ModelSchedule
from epsm.energyplus.setpoints import value_of
from epsm.energyplus.targets import number_in
from epsm.problems import Problem
from epsm.study.assignments import ScheduleAssignment, schedule_assignments
from epsm.study.schedule_targets import ScheduleTarget
from epsm.study.schema import Study
from epsm.study.setpoints import ThermostatEdit
from epsm.text import fold_name, listed, nearest

_WHOLE = ("discrete", "integer")


class _Place:
    """Places in study.json of an assignment's levels."""

    def __init__(self, study: Study, assignment: ScheduleAssignment) -> None:
        self._study, self._assignment = study, assignment

    def of(self, change: Change, level: float | str | None) -> str:
        if change.side is not None and change.level is not None:
            return f"{self._assignment.where}.{change.side}_shift_k"
        if self._assignment.variant:
            return f"{self._assignment.where}.value"
        return place_of_level(self._study, self._study.parameters[self._assignment.index], level)


def schedules_in(source: str, plans: Plans) -> Iterator[TargetInModel]:
    """The schedules that each edit matches in a model, with the values of the chosen days and hours."""
    for assignment, plan in plans:
        if isinstance(assignment.edit, ThermostatEdit):
            for number, side in enumerate(assignment.edit.shifts):
                changes = [change for change in plan.changes if change.side == side]
                yield _in_model(source, assignment, changes, f"{side} setpoints", assignment.position + number)
        else:
            yield _in_model(source, assignment, plan.changes, "schedule values", assignment.position)


def _in_model(
    source: str, assignment: ScheduleAssignment, changes: list[Change], quantity: str, position: int
) -> TargetInModel:
    period = assignment.edit.shown_period
    own = {change.schedule.name: values_in(change.schedule, change.period) for change in changes}
    new = [
        change.new_values(level).function(value)
        for change in changes
        for level in levels_of(assignment, change)
        for value in own[change.schedule.name]
    ]
    return TargetInModel(
        source,
        assignment.parameter,
        assignment.variant,
        position,
        f"{quantity} ({period})" if period else quantity,
        tuple(dict.fromkeys(change.schedule.name for change in changes)),
        0,
        in_words(value for values in own.values() for value in values),
        in_words(new),
    )


def count_schedules(plans: Plans, met: MutableMapping[str, int | None]) -> None:
    """Note, for each list of targets, how many schedules its schedule targets match."""
    for assignment, plan in plans:
        met[assignment.group] = (met.get(assignment.group) or 0) + len(plan.changes) + len(plan.faults)


def check_schedules_on(
    outline: ModelOutline,
    source: str,
    study: Study,
    plans: Plans,
    setters: Setters,
    met: MutableMapping[str, int | None],
) -> Iterator[Problem]:
    """Faults of a study's schedule edits on a model.

    Args:
        outline, source: The model and its path in the study.
        study: The study.
        plans: Of the model.
        setters: What the targets set.
        met: For each list of targets how many objects and schedules they match.
    """
    last = {assignment.group: assignment for assignment, _ in plans}
    alone = Counter(assignment.group for assignment, _ in plans)
    for assignment, plan in plans:
        for fault in plan.faults:
            yield Problem(
                f"{assignment.where}.{fault.key}" if fault.key else assignment.where,
                f"{source}: {fault.what}",
                fault.allowed,
            )
        if isinstance(assignment.edit, ScheduleTarget):
            if assignment.count == 1 and not (plan.changes or plan.faults):
                yield _no_schedule(outline, source, assignment, assignment.edit)
            elif (
                1 < assignment.count == alone[assignment.group]
                and last[assignment.group] is assignment
                and not met[assignment.group]
            ):
                message = f"none of its {assignment.count} targets matches a schedule of {source}"
                yield Problem(assignment.group, message, "a target for each model")
        yield from one_a_place(_check_values(outline, source, assignment, plan, _Place(study, assignment)))
        yield from _thermostats_set_twice(outline, source, assignment, plan, setters)
    yield from _edited_twice(source, plans)
    yield from _fields_of_edited(outline, source, plans, setters)
    for assignment, change, level, crossing in crossings_alone(outline, plans):
        yield Problem(
            _Place(study, assignment).of(change, level), f"{source}: {crossing}", "heating below cooling setpoints"
        )


def _no_schedule(outline: ModelOutline, source: str, assignment: ScheduleAssignment, target: ScheduleTarget) -> Problem:
    names = [own.name for kind in (CONSTANT, COMPACT, YEAR) for own in outline.of_class(kind)]
    fault = f"{source} has no schedule called '{target.shown_schedules}'"
    return Problem(f"{assignment.where}.schedule", fault, nearest(target.shown_schedules, names) or listed(names))


def _check_values(
    outline: ModelOutline, source: str, assignment: ScheduleAssignment, plan: SchedulePlan, place: _Place
) -> Iterator[Problem]:
    for change in plan.changes:
        if change.level is None and (
            text := next((own for own in assignment.levels.levels if isinstance(own, str)), None)
        ):
            yield Problem(place.of(change, text), f"'{text}' is a text, and schedules have numbers", "a number")
            continue
        limits = _Limits(outline, change.schedule)
        for level in levels_of(assignment, change):
            for own in values_in(change.schedule, change.period):
                value = change.new_values(level).function(own)
                if value != own and (fault := limits.against(value, own)):
                    message = (
                        f"{source}: {change.schedule.class_name} '{change.schedule.name}' would get {value:g}, {fault}"
                    )
                    yield Problem(place.of(change, level), message, limits.allowed)
                    break


class _Limits:
    """The ScheduleTypeLimits of a schedule. EnergyPlus reads them in pairs, and ends the run where one is exceeded."""

    def __init__(self, outline: ModelOutline, schedule: ModelSchedule) -> None:
        limits_key = fold_name(schedule.limits)
        limits = next(
            (own for own in outline.of_class("ScheduleTypeLimits") if fold_name(own.name) == limits_key), None
        )
        self._name = limits.name if limits else ""
        ends = [number_in(value_of(limits, f"{side} Limit Value")) if limits else None for side in ("Lower", "Upper")]
        self._least, self._most = (-math.inf, math.inf) if None in ends else (ends[0] or 0.0, ends[1] or 0.0)
        self._limited = None not in ends
        self._whole = self._limited and limits is not None and fold_name(value_of(limits, "Numeric Type")) in _WHOLE

    def against(self, value: float, own: float) -> str:
        """Why a value in place of the model's own does not fit; empty if it does."""
        if not math.isfinite(value):
            return "which is too large"
        if not self._least <= value <= self._most or (self._whole and own.is_integer() and not value.is_integer()):
            return f"which its ScheduleTypeLimits '{self._name}' do not allow"
        return ""

    @property
    def allowed(self) -> str:
        number = "a whole number" if self._whole else "a number"
        return f"{number} >= {self._least:g} and <= {self._most:g}" if self._limited else number


def _thermostats_set_twice(
    outline: ModelOutline, source: str, assignment: ScheduleAssignment, plan: SchedulePlan, setters: Setters
) -> Iterator[Problem]:
    """Fields of thermostats that name the shifted schedules: whatever sets them would undo the shift."""
    setter = Setter(assignment.parameter, assignment.variant, assignment.where)
    for class_key, name, field in sorted(plan.thermostats):
        rule = dictionary.load().find_class(class_key)
        place = rule.find_field(field) if rule else None
        assert rule is not None
        assert place is not None
        yield from set_twice(setter, [_as_written(outline, class_key, name)], rule, place, setters, source)


def _as_written(outline: ModelOutline, class_key: str, name: str) -> str:
    return next(
        model_object.name for model_object in outline.of_class(class_key) if fold_name(model_object.name) == name
    )


def _edited_twice(source: str, plans: Plans) -> Iterator[Problem]:
    """Two edits of the same values of a schedule that can come into one model."""
    edits = [(assignment, change) for assignment, plan in plans for change in plan.changes]
    by_name: dict[str, list[tuple[ScheduleAssignment, Change]]] = {}
    for assignment, change in edits:
        by_name.setdefault(fold_name(change.schedule.name), []).append((assignment, change))
    for group in by_name.values():
        clash = next(
            (
                (first, second)
                for number, second in enumerate(group)
                for first in group[:number]
                if _meet(first[0], second[0]) and _overlap(first[1], second[1])
            ),
            None,
        )
        if clash is not None:
            (one, change), (other, _) = clash
            apart = one.parameter != other.parameter
            editors = f"'{one.parameter}' and '{other.parameter}' both edit" if apart else "two targets edit"
            fault = f"{editors} the same values of {change.schedule.class_name} '{change.schedule.name}' in {source}"
            yield Problem(other.where, fault, "other days or hours, or one of the two")


def _meet(one: ScheduleAssignment, other: ScheduleAssignment) -> bool:
    return Setter(one.parameter, one.variant, "").meets(Setter(other.parameter, other.variant, ""))


def _overlap(one: Change, other: Change) -> bool:
    if one.side is not None and other.side is not None:
        return not (one.copy and other.copy)  # of other thermostats, or a field would be set twice
    if one.side is not None or other.side is not None:
        return True
    days = any(
        one.period.chosen(block.days, others=block.others) & other.period.chosen(block.days, others=block.others)
        for block in one.schedule.blocks
    )
    cuts = sorted({*(cut for change in (one, other) for window in change.period.windows for cut in window)})
    both = any(
        all(any(first <= begin < last for first, last in change.period.windows) for change in (one, other))
        for begin, _ in pairwise(cuts)
    )
    return days and both


def _fields_of_edited(outline: ModelOutline, source: str, plans: Plans, setters: Setters) -> Iterator[Problem]:
    """Targets that set a field of an object that defines an edited schedule."""
    for assignment, plan in plans:
        own = Setter(assignment.parameter, assignment.variant, assignment.where)
        for change in plan.changes:
            for (class_name, name, _), others in setters.items():
                if (
                    fold_name(class_name),
                    name,
                ) not in change.schedule.reads or class_name == "HVACTemplate:Thermostat":
                    continue
                other = next((other for other in others if other.meets(own)), None)
                if other is not None:
                    written = _as_written(outline, class_name, name)
                    fault = f"'{other.parameter}' sets a field of {class_name} '{written}' in {source}"
                    yield Problem(
                        assignment.where, f"{fault}, which defines '{change.schedule.name}'", "one of the two"
                    )
                    break


def overridden(source: str, plans: Plans) -> Iterator[str]:
    """A sentence about EMS actuators that can override edited schedules; none if there are none."""
    names = dict.fromkeys(name for _, plan in plans for name in plan.actuators)
    if names:
        remark = f"EnergyManagementSystem:Actuator {listed(names, most=3)} can override edited schedules during the run"
        yield f"{source}: {remark}; the values of EMS programs are not edited."


def unmatched_schedules(study: Study, edits: Iterable[TargetInModel]) -> Iterator[Problem]:
    """Schedule targets, of parameters and variants with several targets, that match no schedule in any model."""
    met = {(edit.parameter, edit.variant, edit.position) for edit in edits if edit.objects}
    for assignment in schedule_assignments(study):
        if not isinstance(assignment.edit, ScheduleTarget):
            continue  # every model must have thermostats
        if assignment.count > 1 and (assignment.parameter, assignment.variant, assignment.position) not in met:
            fault = f"no model has a schedule called '{assignment.edit.shown_schedules}'"
            yield Problem(assignment.where, fault, "schedules of at least one model")
