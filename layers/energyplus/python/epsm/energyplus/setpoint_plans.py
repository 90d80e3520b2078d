"""Plans of setpoint shifts: the schedules of the thermostats of some zones, copied where other objects use them."""

from dataclasses import dataclass, field

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.faults import Fault
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.new_objects import Fields, NewObject
from epsm.energyplus.schedule_changes import Change, SchedulePlan, note_actuators
from epsm.energyplus.schedules import CannotRead, ModelSchedule
from epsm.energyplus.setpoints import (
    ONE_FOR_BOTH,
    Control,
    Thermostat,
    references,
    schedule_of,
    thermostats_of,
    value_of,
)
from epsm.study.setpoints import Side, ThermostatEdit
from epsm.study.targets import Applied, fits
from epsm.text import fold_name, listed

_ADDED = Applied(apply="add")


@dataclass(slots=True)
class _Shifted:
    """A schedule, and the sides of thermostats that are to follow its new values."""

    schedule: ModelSchedule
    side: Side
    uses: list[tuple[Thermostat, Side]] = field(default_factory=list)


def plan_of_setpoints(outline: ModelOutline, edit: ThermostatEdit, label: str) -> SchedulePlan:
    """The plan of a setpoint shift.

    Args:
        outline: The model.
        edit: The edit.
        label: Ends the names of new objects; each edit of a study needs its own.
    """
    plan = SchedulePlan()
    parts: dict[tuple[str, str], list[Control]] = {}
    shifted: dict[tuple[str, Side], _Shifted] = {}
    for thermostat in thermostats_of(outline):
        chosen = _chosen(thermostat, edit, plan)
        sides = _sides(thermostat, edit, plan) if chosen else ()
        for side in sides:
            if (schedule := _schedule(outline, thermostat, side, plan)) is not None:
                key = (fold_name(schedule.name), sides[0] if len(sides) > 1 and _is_both(thermostat) else side)
                shifted.setdefault(key, _Shifted(schedule, key[1])).uses.append((thermostat, side))
        if sides and len(chosen) < len(thermostat.controls):
            parts[fold_name(thermostat.class_name), fold_name(thermostat.object.name)] = chosen
    if not shifted and not plan.faults:
        plan.faults.append(_without_thermostats(outline, edit))
    if plan.faults:
        return plan
    copies = _copied_thermostats(outline, parts, label, plan)
    for shift in shifted.values():
        _shift(outline, shift, edit, label, copies, plan)
    plan.objects += [NewObject(copy.class_name, copy.fields) for copy in copies.values()]
    return plan


def _is_both(thermostat: Thermostat) -> bool:
    return thermostat.class_name == ONE_FOR_BOTH


def _chosen(thermostat: Thermostat, edit: ThermostatEdit, plan: SchedulePlan) -> list[Control]:
    """The objects that apply a thermostat to the zones of an edit."""
    chosen = []
    for control in thermostat.controls:
        means = [zone for zone in control.zones if fits(zone, edit.zones) and not fits(zone, edit.except_)]
        if means and len(means) < len(control.zones):
            message = f"means {listed(means, most=3)}, but '{control.object.name}' controls further zones with the same"
            plan.faults.append(Fault("zones", f"{message} thermostat", "all zones of a thermostat, or none"))
        elif means:
            chosen.append(control)
    return chosen


def _sides(thermostat: Thermostat, edit: ThermostatEdit, plan: SchedulePlan) -> tuple[Side, ...]:
    shifts = edit.shifts
    if _is_both(thermostat) and len(set(shifts.values())) + len(shifts) != 3:
        message = f"{ONE_FOR_BOTH} '{thermostat.object.name}' has one schedule for heating and cooling"
        plan.faults.append(Fault("", message, "the same shift for both, or zones with other thermostats"))
        return ()
    return tuple(side for side in shifts if side in thermostat.fields)


def _schedule(outline: ModelOutline, thermostat: Thermostat, side: Side, plan: SchedulePlan) -> ModelSchedule | None:
    try:
        schedule = schedule_of(outline, thermostat, side)
    except CannotRead as error:
        name = value_of(thermostat.object, thermostat.fields[side])
        message = f"{thermostat.class_name} '{thermostat.object.name}' follows '{name}', which {error}"
        plan.faults.append(Fault("", message, "schedules of the model with values, or other zones"))
        return None
    return schedule


def _without_thermostats(outline: ModelOutline, edit: ThermostatEdit) -> Fault:
    sides = " or ".join(edit.shifts)
    if not list(thermostats_of(outline)):
        return Fault("", f"the model has no thermostat with setpoints for {sides}", "models with thermostats")
    return Fault(
        "zones", f"none of the selected zones has a thermostat with setpoints for {sides}", "zones that have one"
    )


@dataclass(slots=True)
class _Copy:
    class_name: str
    fields: dict[str, str | float]


def _copied_thermostats(
    outline: ModelOutline, parts: dict[tuple[str, str], list[Control]], label: str, plan: SchedulePlan
) -> dict[tuple[str, str], _Copy]:
    """Copies of the thermostats that other zones use too, and the settings that apply them."""
    copies: dict[tuple[str, str], _Copy] = {}
    for (class_key, name_key), controls in parts.items():
        thermostat = next(own for own in outline.of_class(class_key) if fold_name(own.name) == name_key)
        name = _free_name(outline, class_key, f"{thermostat.name} {label}")
        copies[class_key, name_key] = _Copy(thermostat.class_name, {**_fields(thermostat), "Name": name})
        for control in controls:
            plan.settings.setdefault(_key(control.object), {})[control.field] = name
    return copies


def _shift(
    outline: ModelOutline,
    shifted: _Shifted,
    edit: ThermostatEdit,
    label: str,
    copies: dict[tuple[str, str], _Copy],
    plan: SchedulePlan,
) -> None:
    keys = {thermostat.key(side) for thermostat, side in shifted.uses}
    plan.thermostats |= keys
    is_constant = shifted.uses[0][0].constant(shifted.uses[0][1]) is not None
    own = {key for key in keys if key[:2] not in copies}
    copy = ""
    if is_constant or references(outline, shifted.schedule.name) - own:
        copy = _free_name(outline, "", f"{shifted.schedule.name} {label}")
        for thermostat, side in shifted.uses:
            fields: dict[str, str | float] = {thermostat.fields[side]: copy}
            if is_constant:
                fields[thermostat.constant_field(side)] = ""
            owner = copies.get(thermostat.key(side)[:2])
            if owner is not None:
                owner.fields.update(fields)
            else:
                plan.settings.setdefault(_key(thermostat.object), {}).update(fields)
    shift = edit.shifts[shifted.side]
    change = Change(shifted.schedule, edit, _ADDED, shift, copy, shifted.side, frozenset(keys))
    note_actuators(outline, change, plan)
    plan.changes.append(change)


def _key(model_object: ModelObject) -> tuple[str, str]:
    return fold_name(model_object.class_name), fold_name(model_object.name)


def _fields(model_object: ModelObject) -> Fields:
    """The values of an object of a class without repeated fields."""
    rule = dictionary.load().find_class(model_object.class_name)
    assert rule is not None
    values = {own.name: model_object.value(FieldPlace(own, place)) for place, own in enumerate(rule.fields)}
    return {name: value for name, value in values.items() if value not in (None, "")}


def _free_name(outline: ModelOutline, class_key: str, name: str) -> str:
    """A name that no object of a class has, or of any class."""
    group = outline.of_class(class_key) if class_key else outline.all()
    taken = {fold_name(model_object.name) for model_object in group}
    number, free = 1, name
    while fold_name(free) in taken:
        number += 1
        free = f"{name} {number}"
    return free
