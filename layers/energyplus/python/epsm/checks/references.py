"""References to missing objects: schedules, zones, constructions, materials and the like.

Only fields are checked for which the engine was seen to stop on a missing name (`FieldRule.lists`).
"""

from collections.abc import Iterator

from epsm.checks.model_faults import FieldFilter, place_of
from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import FieldRule
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.problems import Problem
from epsm.text import fold_name, nearest

_BUILT_IN = {"ScheduleNames": ("constant-0.0", "constant-1.0")}
_WITHOUT_BUILT_IN = ("23.2",)
"""Versions without built-in schedules."""
_ALSO = {"SpaceNames": ("ZoneNames",), "SpaceAndSpaceListNames": ("ZoneAndZoneListNames", "ZoneNames")}
"""The engine creates a space of the same name for each zone without one."""
_MADE_FROM_A_FILE = "schedule:file:shading"
"""Defines a schedule for each column of its file."""
_IN_WORDS = (
    ("DaySchedule", "day schedule"),
    ("WeekSchedule", "week schedule"),
    ("Schedule", "schedule"),
    ("Zone", "zone"),
    ("Space", "space"),
    ("Construction", "construction"),
    ("Material", "material"),
    ("Surf", "surface"),
    ("Thermostat", "thermostat"),
)


def check_object_names(
    outline: ModelOutline, source: str, varied: FieldFilter = lambda model_object, position: False
) -> list[Problem]:
    """A problem for each missing name, at its first use.

    Args:
        outline: The model.
        source: Its path in the study.
        varied: Fields that the study's parameters set in all variants but the baseline; they are not checked.
    """
    names = _names_by_list(outline)
    missing: dict[tuple[tuple[str, ...], str], list[tuple[ModelObject, FieldRule, str]]] = {}
    for model_object, field, position, value in _fields_that_name(outline):
        key = fold_name(value)
        if any(key in names.get(name, ()) for name in field.lists):
            continue
        if _may_be_created_later(outline, field, key) or varied(model_object, position):
            continue
        missing.setdefault((field.lists, key), []).append((model_object, field, value))
    return [_problem(lists, uses, names, source) for (lists, _), uses in missing.items()]


def _names_by_list(outline: ModelOutline) -> dict[str, dict[str, str]]:
    """Reference list -> its names as the engine compares them -> as written."""
    known = dictionary.load()
    built_in = {} if known.model_version in _WITHOUT_BUILT_IN else _BUILT_IN
    names: dict[str, dict[str, str]] = {name: dict.fromkeys(built, "") for name, built in built_in.items()}
    for class_key, group in outline.objects.items():
        rule = known.find_class(class_key)
        for provided in rule.provides if rule else ():
            names.setdefault(provided, {}).update(
                (fold_name(model_object.name), model_object.name) for model_object in group
            )
    for name, others in _ALSO.items():
        for other in others:
            names.setdefault(name, {}).update(names.get(other, {}))
    return names


def _fields_that_name(outline: ModelOutline) -> Iterator[tuple[ModelObject, FieldRule, int, str]]:
    """Every checked field that is not blank: object, field, position, value."""
    known = dictionary.load()
    for class_key, group in outline.objects.items():
        rule = known.find_class(class_key)
        if rule is None:
            continue
        plain = [(position, field) for position, field in enumerate(rule.fields) if field.lists]
        repeated = [(offset, field) for offset, field in enumerate(rule.repeats) if field.lists]
        if not (plain or repeated):
            continue
        size, start = len(rule.repeats), len(rule.fields)
        for model_object in group:
            values = model_object.values
            if isinstance(values, tuple):
                for position, field in plain:
                    if position < len(values) and values[position]:
                        yield model_object, field, position, values[position]
                for offset, field in repeated:
                    for position in range(start + offset, len(values), size):
                        if values[position]:
                            yield model_object, field, position, values[position]
                continue
            for position, field in plain:
                value = model_object.name if field.key == "name" else values.get(field.key)
                if isinstance(value, str) and value.strip():
                    yield model_object, field, position, value
            groups = values.get(rule.repeats[0].repeat_key or "") if repeated else None
            for number, entry in enumerate(groups if isinstance(groups, list) else ()):
                for offset, field in repeated if isinstance(entry, dict) else ():
                    value = entry.get(field.key)
                    if isinstance(value, str) and value.strip():
                        yield model_object, field, start + number * size + offset, value


def _may_be_created_later(outline: ModelOutline, field: FieldRule, key: str) -> bool:
    """Whether the object may be created later: by ExpandObjects, or from a file of schedules."""
    if any(name.startswith("hvactemplate:") for name in outline.objects):
        # Expanded objects have the name of a template, or their own.
        return True if "ScheduleNames" not in field.lists else key.startswith("hvactemplate")
    return "ScheduleNames" in field.lists and bool(outline.of_class(_MADE_FROM_A_FILE))


def _problem(
    lists: tuple[str, ...],
    uses: list[tuple[ModelObject, FieldRule, str]],
    names: dict[str, dict[str, str]],
    source: str,
) -> Problem:
    model_object, field, value = uses[0]
    noun = next((noun for start, noun in _IN_WORDS if any(start in name for name in lists)), "object")
    fault = f"{model_object.class_name} '{model_object.name}', {field.name}: there is no {noun} called '{value}'"
    if len(uses) > 1:
        fault += f"; {len(uses) - 1} more fields refer to it"
    known = [written for name in lists for written in names.get(name, {}).values() if written]
    return Problem(place_of(model_object, source), fault, nearest(value, known) or f"the name of a {noun} of the model")
