"""The thermostats of a model: the objects that name setpoint schedules, and the zones that they control."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldPlace
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.schedules import CannotRead, ModelSchedule, constant, find_schedule, read_schedule
from epsm.energyplus.targets import number_in
from epsm.study.setpoints import Side
from epsm.text import fold_name

FieldKey = tuple[str, str, str]
"""Class, name of the object and name of the field, the first two in lower case."""
ONE_FOR_BOTH = "ThermostatSetpoint:SingleHeatingOrCooling"
_TEMPLATE = "HVACTemplate:Thermostat"
_STAGED = "ZoneControl:Thermostat:StagedDualSetpoint"
_CONTROL = "ZoneControl:Thermostat"
_ACTUATOR = "energymanagementsystem:actuator"
_SINGLE = "Setpoint Temperature Schedule Name"
_FIELDS: Mapping[str, Mapping[Side, str]] = {
    "ThermostatSetpoint:SingleHeating": {"heating": _SINGLE},
    "ThermostatSetpoint:SingleCooling": {"cooling": _SINGLE},
    ONE_FOR_BOTH: {"heating": _SINGLE, "cooling": _SINGLE},
    "ThermostatSetpoint:DualSetpoint": {
        "heating": "Heating Setpoint Temperature Schedule Name",
        "cooling": "Cooling Setpoint Temperature Schedule Name",
    },
    _STAGED: {
        "heating": "Heating Temperature Setpoint Schedule Name",
        "cooling": "Cooling Temperature Setpoint Base Schedule Name",
    },
    _TEMPLATE: {"heating": "Heating Setpoint Schedule Name", "cooling": "Cooling Setpoint Schedule Name"},
}
_CONSTANTS: Mapping[Side, str] = {"heating": "Constant Heating Setpoint", "cooling": "Constant Cooling Setpoint"}
"""Of HVACTemplate:Thermostat, where it names no schedule."""


@dataclass(frozen=True, slots=True)
class Control:
    """The use of a thermostat: an object, its field that names the thermostat, and the zones."""

    object: ModelObject
    field: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thermostat:
    """An object with setpoints, and its uses."""

    object: ModelObject
    class_name: str
    controls: tuple[Control, ...]

    @property
    def fields(self) -> Mapping[Side, str]:
        """For heating and cooling the field that names the schedule."""
        return _FIELDS[self.class_name]

    def key(self, side: Side) -> FieldKey:
        """The field of one side."""
        return fold_name(self.class_name), fold_name(self.object.name), self.fields[side]

    def constant(self, side: Side) -> float | None:
        """The setpoint that it has in place of a schedule."""
        if self.class_name != _TEMPLATE or value_of(self.object, self.fields[side]):
            return None
        return number_in(value_of(self.object, _CONSTANTS[side]))

    def constant_field(self, side: Side) -> str:
        """The field for such a setpoint."""
        return _CONSTANTS[side]


def thermostats_of(outline: ModelOutline) -> Iterator[Thermostat]:
    """The thermostats that control some zone."""
    lists = {
        fold_name(zone_list.name): tuple(str(name) for name in _rest_of(zone_list) if name)
        for zone_list in outline.of_class("ZoneList")
    }

    def zones(model_object: ModelObject, field: str) -> tuple[str, ...]:
        name = value_of(model_object, field)
        return lists.get(fold_name(name), (name,))

    controls: dict[tuple[str, str], list[Control]] = {}
    for model_object in outline.of_class(_CONTROL):
        for number in range(1, 5):
            kind, field = value_of(model_object, f"Control {number} Object Type"), f"Control {number} Name"
            key_of_thermostat = (fold_name(kind), fold_name(value_of(model_object, field)))
            controls.setdefault(key_of_thermostat, []).append(
                Control(model_object, field, zones(model_object, "Zone or ZoneList Name"))
            )
    for key, group in outline.objects.items():
        if key.startswith("hvactemplate:zone:"):
            for model_object in group:
                key_of_thermostat = (
                    fold_name(_TEMPLATE),
                    fold_name(value_of(model_object, "Template Thermostat Name")),
                )
                control = Control(model_object, "Template Thermostat Name", (value_of(model_object, "Zone Name"),))
                controls.setdefault(key_of_thermostat, []).append(control)
    for class_name in _FIELDS:
        for model_object in outline.of_class(class_name):
            if class_name == _STAGED:
                yield Thermostat(
                    model_object, class_name, (Control(model_object, "", zones(model_object, "Zone or ZoneList Name")),)
                )
            elif found := controls.get((fold_name(class_name), fold_name(model_object.name))):
                yield Thermostat(model_object, class_name, tuple(found))


def schedule_of(outline: ModelOutline, thermostat: Thermostat, side: Side) -> ModelSchedule | None:
    """The setpoints of one side; None if it has none.

    Raises:
        CannotRead: If the schedule is of a kind without values to edit, or faulty.
    """
    if (value := thermostat.constant(side)) is not None:
        own = constant(f"{thermostat.object.name} {side}", "", value)
        key = (fold_name(thermostat.class_name), fold_name(thermostat.object.name))
        return ModelSchedule(own.name, own.class_name, own.limits, own.spans, frozenset({key}))
    name = value_of(thermostat.object, thermostat.fields[side])
    if not name:
        return None
    schedule = find_schedule(outline, name)
    if schedule is None:
        raise CannotRead("is none whose values can be edited")
    return read_schedule(outline, schedule)


def value_of(model_object: ModelObject, field: str) -> str:
    """A field's value as text; empty if the class has no such field."""
    rule = dictionary.load().find_class(model_object.class_name)
    place = rule.find_field(field) if rule else None
    value = model_object.value(place) if place else None
    return str(value).strip() if value is not None else ""


def _rest_of(model_object: ModelObject) -> Iterator[object]:
    rule = dictionary.load().find_class(model_object.class_name)
    for group in range(model_object.group_count(rule) if rule else 0):
        assert rule is not None
        yield model_object.value(FieldPlace(rule.repeats[0], len(rule.fields) + group, group))


def references(outline: ModelOutline, name: str) -> set[FieldKey]:
    """The fields of a model that hold the name of a schedule; outputs and EMS actuators do not count."""
    name_key = fold_name(name)
    found: set[FieldKey] = set()
    for key, group in outline.objects.items():
        rule = dictionary.load().find_class(key)
        if rule is None or key.startswith("output:") or key == _ACTUATOR:
            continue
        for model_object in group:
            for field, value in _named_values(model_object, rule):
                if isinstance(value, str) and fold_name(value) == name_key:
                    found.add((key, fold_name(model_object.name), field))
    return found


def _named_values(model_object: ModelObject, rule: dictionary.ClassRule) -> Iterator[tuple[str, object]]:
    """The fields of an object with their values, except its own name."""
    start = 1 if rule.named else 0
    if isinstance(model_object.values, tuple):
        for place, value in enumerate(model_object.values[start:], start=start):
            yield (rule.fields[place].name if place < len(rule.fields) else f"value {place + 1}"), value
        return
    names = {own.key: own.name for own in rule.fields}
    for key, value in model_object.values.items():
        if isinstance(value, list):
            for group in value:
                yield from ((own, entry) for own, entry in group.items()) if isinstance(group, dict) else ()
        else:
            yield names.get(key, key), value
