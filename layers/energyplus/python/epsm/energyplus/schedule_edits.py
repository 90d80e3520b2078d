"""Applying the plans for the schedules of a model."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from epsm.energyplus.documents import Document
from epsm.energyplus.editing import CannotEdit, place_of_field, rule_of
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.new_objects import values_in_order
from epsm.energyplus.schedule_changes import SchedulePlan
from epsm.energyplus.schedule_plans import Plans, schedule_plans
from epsm.energyplus.schedule_values import NewValues, edited, written
from epsm.energyplus.schedules import ModelSchedule
from epsm.study.assignments import ScheduleAssignment, schedule_assignments
from epsm.study.schema import Study
from epsm.text import fold_name


class ScheduleEdits:
    """The schedule edits of a study on one model.

    Args:
        plans: As the check made them.
    """

    def __init__(self, plans: Plans) -> None:
        self._plans = plans

    @classmethod
    def of(cls, content: bytes, source: str, study: Study) -> "ScheduleEdits":
        """Those of a model.

        Args:
            content, source: The model's file and its path in the study.
            study: The study.
        """
        if next(schedule_assignments(study), None) is None:
            return cls([])
        return cls(schedule_plans(read_outline(content, source), study))

    @property
    def objects(self) -> frozenset[tuple[str, str]]:
        """Class and name, in lower case, of the objects that may be edited."""
        changed = {
            (fold_name(change.schedule.class_name), fold_name(change.schedule.name))
            for _, plan in self._plans
            for change in plan.changes
        }
        return frozenset(changed).union(key for _, plan in self._plans for key in plan.settings)

    @contextlib.contextmanager
    def made(self, document: Document, values: Mapping[str, float | str]) -> Iterator[None]:
        """A model with the edits of a variant, within the block.

        Args:
            document: The model.
            values: For each parameter its level.

        Raises:
            CannotEdit: If an edit has a fault.
        """
        with contextlib.ExitStack() as undo:
            new: dict[tuple[str, str], tuple[ModelSchedule, list[NewValues]]] = {}
            for assignment, plan in self._active(values):
                if plan.faults:
                    raise CannotEdit(f"{assignment.parameter}: {plan.faults[0].what}")
                for change in plan.changes:
                    level = values[assignment.parameter] if change.level is None else change.level
                    if isinstance(level, str):
                        raise CannotEdit(f"{assignment.parameter}: '{level}' is not a number")
                    key = (fold_name(change.schedule.name), change.copy)
                    new.setdefault(key, (change.schedule, []))[1].append(change.new_values(level))
                _change_objects(document, plan, undo)
            for (_, copy), (schedule, edits) in new.items():
                _write(document, edited(schedule, edits), copy, undo)
            yield

    def _active(self, values: Mapping[str, float | str]) -> Iterator[tuple[ScheduleAssignment, SchedulePlan]]:
        for assignment, plan in self._plans:
            level = values.get(assignment.parameter)
            if level is not None and (not assignment.variant or fold_name(str(level)) == fold_name(assignment.variant)):
                yield assignment, plan


def _change_objects(document: Document, plan: SchedulePlan, undo: contextlib.ExitStack) -> None:
    for new in plan.objects:
        _add(document, new.class_name, values_in_order(new), undo)
    for (class_name, name), fields in plan.settings.items():
        rule = rule_of(class_name)
        for model_object in document.objects(rule):
            if fold_name(document.name_of(model_object)) == name:
                undo.callback(document.restore, model_object, document.values_of(model_object))
                for field, value in fields.items():
                    document.set(model_object, place_of_field(rule, field), value)


def _write(document: Document, schedule: ModelSchedule, copy: str, undo: contextlib.ExitStack) -> None:
    if copy:
        _add(document, *written(replace(schedule, name=copy)), undo)
        return
    rule = rule_of(schedule.class_name)
    class_name, values = written(schedule)
    for model_object in document.objects(rule):
        if fold_name(document.name_of(model_object)) == fold_name(schedule.name):
            undo.callback(document.replace(rule, model_object, rule_of(class_name), values))
            return
    raise CannotEdit(f"the model has no {schedule.class_name} '{schedule.name}'")


def _add(document: Document, class_name: str, values: Sequence[str | float], undo: contextlib.ExitStack) -> None:
    rule = rule_of(class_name)
    document.add(rule, values)
    undo.callback(document.remove, rule, document.objects(rule)[-1])
