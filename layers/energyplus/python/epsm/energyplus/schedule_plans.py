"""Plans: what the schedule edits of a study do to a model, and why some of them cannot be carried out.

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
    return [(each, _plan(outline, each)) for each in schedule_assignments(study)]


def _plan(outline: ModelOutline, each: ScheduleAssignment) -> SchedulePlan:
    if isinstance(each.edit, ThermostatEdit):
        return plan_of_setpoints(outline, each.edit, each.label)
    return _plan_of_target(outline, each.edit)


def _plan_of_target(outline: ModelOutline, target: ScheduleTarget) -> SchedulePlan:
    plan = SchedulePlan()
    for class_name, why in _WITHOUT_VALUES.items():
        names = [each.name for each in outline.of_class(class_name) if target.matches(each.name)]
        if names:
            plan.faults.append(Fault("schedule", f"{class_name} {listed(names, most=3)} {why}", "other schedules"))
    level = target.value if isinstance(target, ScheduleTargetEdit) else None
    for class_name in SCHEDULES:
        for each in outline.of_class(class_name):
            if not target.matches(each.name):
                continue
            try:
                change = Change(read_schedule(outline, each), target, target, level)
            except CannotRead as error:
                what = f"{class_name} '{each.name}' cannot be edited: it {error}"
                plan.faults.append(Fault("schedule", what, "a schedule that EnergyPlus reads"))
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
        what = f"{schedule.class_name} '{schedule.name}' is interpolated linearly, and a part of a day cannot be edited"
        yield Fault("from" if period.from_ else "until", what, "whole days")


def _days_in(schedule: ModelSchedule) -> Iterator[str]:
    for block in schedule.blocks:
        yield in_words(block.days)
        if block.others:
            yield OTHER_DAYS
