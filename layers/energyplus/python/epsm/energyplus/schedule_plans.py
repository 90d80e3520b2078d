"""Plans: the effect of a study's schedule edits on a model, and the faults of those that cannot be applied.

The same plans are made from the model as uploaded on submission, and in the worker, which carries them out.
"""

from collections.abc import Iterator

from epsm.energyplus.faults import Fault
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.schedule_changes import Change, SchedulePlan, note_actuators
from epsm.energyplus.schedules import SCHEDULES, CannotRead, ModelSchedule, read_schedule
from epsm.energyplus.setpoint_plans import plan_of_setpoints
from epsm.study.assignments import ScheduleAssignment, schedule_assignments
from epsm.study.day_types import OTHER_DAYS, in_words
from epsm.study.schedule_targets import ScheduleTarget, ScheduleTargetEdit
from epsm.study.schema import Study
from epsm.study.setpoints import ThermostatEdit
from epsm.text import listed

_WITHOUT_VALUES = {
    "Schedule:File": "takes its values from a file; vary the file (a parameter with the key file)",
    "Schedule:File:Shading": "takes its values from a file; vary the file (a parameter with the key file)",
}
Plans = list[tuple[ScheduleAssignment, SchedulePlan]]


def schedule_plans(outline: ModelOutline, study: Study) -> Plans:
    """The plans of a model for every edit of schedules of a study.

    Args:
        outline: The model.
        study: The study.
    """
    return [(assignment, _plan(outline, assignment)) for assignment in schedule_assignments(study)]


def _plan(outline: ModelOutline, assignment: ScheduleAssignment) -> SchedulePlan:
    if isinstance(assignment.edit, ThermostatEdit):
        return plan_of_setpoints(outline, assignment.edit, assignment.label)
    return _plan_of_target(outline, assignment.edit)


def _plan_of_target(outline: ModelOutline, target: ScheduleTarget) -> SchedulePlan:
    plan = SchedulePlan()
    for class_name, reason in _WITHOUT_VALUES.items():
        names = [schedule.name for schedule in outline.of_class(class_name) if target.matches(schedule.name)]
        if names:
            plan.faults.append(Fault("schedule", f"{class_name} {listed(names, most=3)} {reason}", "other schedules"))
    level = target.value if isinstance(target, ScheduleTargetEdit) else None
    for class_name in SCHEDULES:
        for schedule in outline.of_class(class_name):
            if not target.matches(schedule.name):
                continue
            try:
                change = Change(read_schedule(outline, schedule), target, target, level)
            except CannotRead as error:
                message = f"{class_name} '{schedule.name}' cannot be edited: it {error}"
                plan.faults.append(Fault("schedule", message, "a schedule that EnergyPlus reads"))
                continue
            faults = list(_faults_of(change))
            plan.faults += faults
            if not faults:
                note_actuators(outline, change, plan)
                plan.changes.append(change)
    return plan


def _faults_of(change: Change) -> Iterator[Fault]:
    schedule, period = change.schedule, change.period
    chosen = [block for block in schedule.blocks if period.chosen(block.days, others=block.others)]
    if not chosen:
        days = ", ".join(dict.fromkeys(_days_in(schedule)))
        yield Fault("days", f"{schedule.class_name} '{schedule.name}' has no {', '.join(period.days or ())}", days)
        return
    if not period.whole_days and any(block.profile.ramps for block in chosen):
        message = (
            f"{schedule.class_name} '{schedule.name}' is interpolated linearly, and a part of a day cannot be edited"
        )
        yield Fault("from" if period.from_ else "until", message, "whole days")


def _days_in(schedule: ModelSchedule) -> Iterator[str]:
    for block in schedule.blocks:
        yield in_words(block.days)
        if block.others:
            yield OTHER_DAYS
