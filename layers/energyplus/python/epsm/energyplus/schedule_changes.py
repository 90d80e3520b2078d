"""The effect of an edit of schedules on a model, as the check plans it and the worker applies it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from epsm.energyplus.faults import Fault
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.new_objects import NewObject
from epsm.energyplus.schedule_values import NewValues, edited, written
from epsm.energyplus.schedules import ModelSchedule
from epsm.energyplus.setpoints import FieldKey
from epsm.study.schedule_targets import Period
from epsm.study.setpoints import Side
from epsm.study.targets import Applied
from epsm.text import fold_name


@dataclass(frozen=True, slots=True)
class Change:
    """New values for one schedule.

    Attributes:
        schedule: As the model has it.
        period: The days and hours.
        how: What is done with a level.
        level: Of an edit of a measure; others get the parameter's.
        copy: Name of the copy that gets the values; empty if the schedule itself does.
        side: Of a setpoint; empty for others.
        uses: The fields that follow the new values; None for all that name the schedule.
    """

    schedule: ModelSchedule
    period: Period
    how: Applied
    level: float | None = None
    copy: str = ""
    side: Side | None = None
    uses: frozenset[FieldKey] | None = None

    def new_values(self, level: float) -> NewValues:
        """The edit of the schedule for a level of the parameter."""
        new_level = level if self.level is None else self.level
        return NewValues(self.period, lambda own: float(self.how.new_value(new_level, own)))


@dataclass(slots=True)
class SchedulePlan:
    """One edit on one model.

    Attributes:
        changes: Schedules that get new values.
        objects: Copies of thermostats, to be added.
        settings: Class and name of an object -> new values of its fields.
        thermostats: The fields whose setpoints are shifted.
        actuators: Names of the EMS actuators that can override the new values during a run.
        faults: Why it cannot be made.
    """

    changes: list[Change] = field(default_factory=list)
    objects: list[NewObject] = field(default_factory=list)
    settings: dict[tuple[str, str], dict[str, str | float]] = field(default_factory=dict)
    thermostats: set[FieldKey] = field(default_factory=set)
    actuators: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def actuators_of(outline: ModelOutline, schedule: ModelSchedule) -> Iterator[str]:
    """Names of the EMS actuators that set a schedule's values during a run."""
    for actuator in outline.of_class("EnergyManagementSystem:Actuator"):
        unique, kind = (_text(actuator.values, *place) for place in _ACTUATED)
        if fold_name(unique) == fold_name(schedule.name) and fold_name(kind) == fold_name(schedule.class_name):
            yield actuator.name


def note_actuators(outline: ModelOutline, change: Change, plan: SchedulePlan) -> None:
    """Note the EMS actuators of a changed schedule: in a plan's faults if they would no longer find it, because the new
    object has another class or name, else among its actuators.

    Args:
        outline: The model.
        change: The change of the schedule.
        plan: The plan that it belongs to.
    """
    actuators = list(actuators_of(outline, change.schedule))
    if not actuators:
        return
    schedule = change.schedule
    remark = f"EnergyManagementSystem:Actuator '{actuators[0]}' sets {schedule.class_name} '{schedule.name}'"
    new_class, _ = written(edited(schedule, [NewValues(change.period, lambda own: own + 1)]))
    if change.copy:
        plan.faults.append(Fault("", f"{remark}, which other objects use too", "a target for the schedule"))
    elif new_class != schedule.class_name:
        plan.faults.append(Fault("", f"{remark}, which would become a {new_class}", "AllDays, or another schedule"))
    else:
        plan.actuators += actuators


_ACTUATED = ((1, "actuated_component_unique_name"), (2, "actuated_component_type"))


def _text(values: tuple[str, ...] | dict[str, object], position: int, key: str) -> str:
    if isinstance(values, dict):
        return str(values.get(key, ""))
    return values[position] if position < len(values) else ""
