"""Checks of a study's parameters against the data dictionary and against each of its models."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from epsm.checks.places import Places, place_of_level
from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace, FieldRule
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.object_levels import objects_of
from epsm.energyplus.targets import is_blank, is_left, number_in, own_number, selected_objects
from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.results.comparison import own_columns
from epsm.study.assignments import Assignment, assignments
from epsm.study.consistency import unknown_variant, unknown_weather
from epsm.study.parameters import Dimension, MeasureParameter
from epsm.study.sampling import Listed
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.targets import Target
from epsm.study.whole_files import WeatherParameter
from epsm.study.whole_objects import ReplacedKind
from epsm.text import fold_name, listed, nearest

_COMPACT = "Schedule:Compact"
_SHADING = "Schedule:File:Shading"
"""Defines a schedule for each column of its file."""
_MAX_NAMED = 10
_MANAGED_CLASSES = ("version", "output:", "outputcontrol:files")
"""Prefixes of classes that EPSM sets for every run: varying them would have no effect, or a wrong one.

Outputs do not change a building, but Output:Table:SummaryReports removed the reports that results are read from
(verdict ok, no numbers), and Output:Diagnostics adds the warm-up to the series.
"""


def check_parameters(study: Study) -> list[Problem]:
    """Faults of the parameters that do not depend on a model: class, field, unit and values."""
    problems: list[Problem] = []
    own = own_columns(study)
    for index, parameter in enumerate(study.with_levels):
        where = f"{MANIFEST_NAME}: parameters[{index}]"
        if fold_name(parameter.name) in RESERVED | own:
            owner = "every results table has" if fold_name(parameter.name) in RESERVED else "this study has"
            fault = f"'{parameter.name}' is a column that {owner}"
            problems.append(Problem(f"{where}.name", fault, "another name"))
        problems += _check_names_of_variants(study, parameter)
    for assignment in assignments(study):
        if assignment.ready and _is_unknown(assignment.target):
            continue  # of another version
        problems += _check_target(assignment.levels, assignment.target, Places(study, assignment))
    return list(one_a_place(problems))


def _check_names_of_variants(study: Study, parameter: Dimension) -> Iterator[Problem]:
    """Of a list, where the levels of a measure and of the weather are the names in its rows."""
    if isinstance(study.sampling, Listed) and isinstance(parameter, MeasureParameter) and parameter.bound is not None:
        for level in parameter.values or ():
            if not parameter.bound.has(level):
                yield unknown_variant(parameter, level, place_of_level(study, parameter, level))
    if isinstance(study.sampling, Listed) and isinstance(parameter, WeatherParameter):
        for level in parameter.values or ():
            if level not in parameter.weather:
                yield unknown_weather(parameter, level, place_of_level(study, parameter, level))


def _check_target(parameter: Dimension, target: Target, places: Places) -> Iterator[Problem]:
    where = places.target
    known = dictionary.load()
    rule = known.find_class(target.class_name)
    if rule is None:
        fault = f"'{target.class_name}' is not a class of EnergyPlus {known.model_version}"
        yield Problem(f"{where}.class", fault, nearest(target.class_name, known.class_names))
        return
    for name in target.where:
        if rule.find_field(name) is None:
            near = nearest(name, rule.field_names) or listed(rule.field_names)
            yield Problem(f"{where}.where.{name}", f"'{name}' is not a field of {rule.name}", near)
    place = rule.find_field(target.field)
    if place is None:
        near = nearest(target.field, rule.field_names) or listed(rule.field_names)
        yield Problem(f"{where}.field", f"'{target.field}' is not a field of {rule.name}", near)
        return
    field = place.rule
    if fold_name(rule.name).startswith(_MANAGED_CLASSES):
        yield Problem(f"{where}.class", f"{rule.name} is set for every run and cannot be varied", "another class")
        return
    if field.key == "name":
        yield Problem(f"{where}.field", "the name identifies the object and cannot be varied", "another field")
        return
    if EXTERNAL_FILE_FIELDS.get(fold_name(rule.name)) == field.name:
        fault = (
            f"{rule.name}, {field.name} cannot be varied: only the file named in the model is uploaded with the study"
        )
        yield Problem(f"{where}.field", fault, "two models")
        return
    if target.unit is not None and field.unit not in ("*", target.unit):
        fault = f"'{target.unit}' is not the unit of {rule.name}, {field.name}"
        yield Problem(f"{where}.unit", fault, f"'{field.unit}'" if field.unit else "no unit")
    if target.way != "set" and field.type not in ("number", "integer", "any"):
        yield Problem(places.of(None), f"{rule.name}, {field.name} is not a number", "values")
        return
    if field.type == "integer" and not parameter.levels and parameter.continuous:
        fault = f"has fractions, and {rule.name}, {field.name} takes whole numbers"
        yield Problem(places.of(None), fault, "'values', or a distribution of kind 'integer'")
    elif not target.relative:
        yield from _misfits(parameter, target, places, rule, place)


def _misfits(
    parameter: Dimension, target: Target, places: Places, rule: ClassRule, place: FieldPlace
) -> Iterator[Problem]:
    for level in parameter.extremes:
        value = target.new_value(level, None)
        if not place.rule.accepts(value):
            shown = f"'{value}'" if isinstance(value, str) else f"{value:g}"
            fault = f"{shown} does not fit {rule.name}, {place.rule.name}"
            yield Problem(places.of(level), fault, place.rule.allowed)


def one_a_place(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first problem at each location: a range, say, is reported once."""
    seen: set[str] = set()
    for problem in problems:
        if problem.where not in seen:
            seen.add(problem.where)
            yield problem


@dataclass(frozen=True, slots=True)
class Setter:
    """A parameter, or a variant of a measure, that sets a field of an object."""

    parameter: str
    variant: str
    where: str

    def meets(self, other: "Setter") -> bool:
        """Whether two can come into one model: two variants of a measure cannot."""
        return self.parameter != other.parameter or self.variant == other.variant


Setters = dict[tuple[str, str, int], list[Setter]]
"""Class, name in lower case and position of a field -> what sets it."""


def check_parameters_on(
    outline: ModelOutline, source: str, study: Study, setters: Setters, met: dict[str, int | None]
) -> Iterator[Problem]:
    """Faults of the study's targets on a model.

    Args:
        outline, source: The model and its path in the study.
        study: The study.
        setters: Filled with what the targets set.
        met: For each list of targets how many objects match, schedules included; fields are added.
    """
    for assignment in assignments(study):
        places, parameter, target = Places(study, assignment), assignment.levels, assignment.target
        rule = dictionary.load().find_class(target.class_name)
        place = rule.find_field(target.field) if rule else None
        if assignment.ready and (rule is None or place is None):
            met.setdefault(assignment.group, 0)
            yield from _of_no_object(assignment, met, source)
            continue
        if rule is None or place is None:
            met[assignment.group] = None  # check_parameters has said so
            continue
        objects = outline.of_class(rule.name)
        targets = selected_objects(target, rule, objects)
        if (before := met.setdefault(assignment.group, 0)) is not None:
            met[assignment.group] = before + len(targets)
        if not targets and assignment.count == 1:
            yield _no_target(target, objects, rule, source, places.target)
        setter = Setter(assignment.parameter, assignment.variant, assignment.where)
        yield from set_twice(setter, [found.name for found in targets], rule, place, setters, source)
        if place.group is not None:
            yield from _check_group_exists(targets, rule, place, source, places.target)
        if target.relative:
            yield from one_a_place(_check_relative(parameter, target, targets, rule, place, source, places))
        elif place.rule.type == "object":
            yield from _check_references(parameter, place.rule, outline, source, places)
        if rule.name == _COMPACT and place.group is not None and not target.relative:
            yield from _check_compact(parameter, targets, place, source, places)
        yield from _of_no_object(assignment, met, source)


def _is_unknown(target: Target) -> bool:
    rule = dictionary.load().find_class(target.class_name)
    return rule is None or rule.find_field(target.field) is None


def _of_no_object(assignment: Assignment, met: Mapping[str, int | None], source: str) -> Iterator[Problem]:
    """A problem, at the last of several targets, if none of them matches an object."""
    if not assignment.last or assignment.count == 1 or met[assignment.group] != 0:
        return
    if assignment.ready:
        objects = "" if assignment.target.object_name == "*" else f" called '{assignment.target.shown_objects}'"
        yield Problem(assignment.group, f"{source} has no object of this kind{objects}", "objects of each model")
    else:
        fault = f"none of its {assignment.count} targets matches an object of {source}"
        yield Problem(assignment.group, fault, "a target for each model")


def _check_compact(
    parameter: Dimension, objects: Iterable[ModelObject], place: FieldPlace, source: str, places: Places
) -> Iterator[Problem]:
    """A number in place of `Until: 07:00`, or text for a temperature: another schedule, or none, would be read."""
    numeric = all(_is_number(level) for level in parameter.extremes)
    textual = not any(_is_number(level) for level in parameter.extremes)
    for model_object in objects:
        own = model_object.value(place)
        if own in (None, "") or (numeric if _is_number(own) else textual):
            continue
        allowed = "a number" if _is_number(own) else "a text"
        fault = (
            f"{source}: {_COMPACT} '{model_object.name}' has '{own}' in {place.rule.name}, where only {allowed} fits"
        )
        yield Problem(places.of(None), fault, "another field, or values of the same kind")
        return


def _is_number(value: object) -> bool:
    return number_in(value) is not None


def set_twice(
    setter: Setter, names: Iterable[str], rule: ClassRule, place: FieldPlace, setters: Setters, source: str
) -> Iterator[Problem]:
    """A problem if something else sets the field in one of these objects; notes the setter."""
    clash: tuple[Setter, str] | None = None
    for name in names:
        others = setters.setdefault((rule.name, fold_name(name), place.position), [])
        other = next((other for other in others if other.meets(setter)), None)
        others.append(setter)
        if other is not None and clash is None:
            clash = other, name
    if clash is not None:
        other, name = clash
        apart = other.parameter != setter.parameter
        setters_text = f"'{other.parameter}' and '{setter.parameter}' both set" if apart else "two targets set"
        fault = f"{setters_text} {rule.name} '{name}', {place.rule.name}"
        yield Problem(setter.where, f"{fault} in {source}", "one parameter for a field")


def _check_group_exists(
    targets: Iterable[ModelObject], rule: ClassRule, place: FieldPlace, source: str, where: str
) -> Iterator[Problem]:
    """Setting a field of a group that the object does not have would add the group: another vertex of a floor, say."""
    assert place.group is not None
    for target in targets:
        group_count = target.group_count(rule)
        if place.group >= group_count:
            fault = f"{source}: {rule.name} '{target.name}' has no {place.rule.name}"
            yield Problem(
                f"{where}.field", fault, f"groups {rule.first_number} to {rule.first_number + group_count - 1}"
            )
            return


def _no_target(target: Target, objects: list[ModelObject], rule: ClassRule, source: str, where: str) -> Problem:
    if not objects:
        return Problem(f"{where}.class", f"{source} has no {rule.name} object")
    matching = [model_object for model_object in objects if target.matches(model_object.name)]
    if matching:
        conditions = ", ".join(f"{name} {value}" for name, value in target.where.items())
        fault = f"{source} has no {rule.name} object '{target.shown_objects}' with {conditions}"
        return Problem(f"{where}.where", fault, "values that objects have")
    names = [model_object.name for model_object in objects]
    near = nearest(target.shown_objects, names) or listed(names)
    fault = f"{source} has no {rule.name} object called '{target.shown_objects}'"
    return Problem(f"{where}.object", fault, near)


def _check_relative(
    parameter: Dimension,
    target: Target,
    objects: Iterable[ModelObject],
    rule: ClassRule,
    place: FieldPlace,
    source: str,
    places: Places,
) -> Iterator[Problem]:
    if place.rule.type not in ("number", "integer", "any"):
        return  # check_parameters has said so
    without: dict[str, list[str]] = {}
    for model_object in objects:
        current = model_object.value(place)
        if is_left(target, current, place.rule):
            continue
        number = own_number(current, place.rule)
        if number is None:
            shown = f"nothing{_by_default(place)}" if is_blank(current) else f"'{current}'"
            without.setdefault(shown, []).append(model_object.name)
            continue
        for level in parameter.extremes:
            value = target.new_value(level, number)
            if not place.rule.accepts(value):
                fault = f"{source}: {rule.name} '{model_object.name}' would get {value:g} in {place.rule.name}"
                yield Problem(places.of(level), fault, place.rule.allowed)
    if without:
        operation = "multiplied" if target.way == "multiply" else "added to"
        parts = [
            f"{listed(names, most=_MAX_NAMED)} {'has' if len(names) == 1 else 'have'} {shown} in {place.rule.name}"
            for shown, names in without.items()
        ]
        fault = f"{source}: {rule.name} {', and '.join(parts)}, which cannot be {operation}"
        yield Problem(places.of(None), fault, 'values, objects with a number there, or "blank": "skip"')


def _by_default(place: FieldPlace) -> str:
    return "" if place.rule.default is None else f" (by default '{place.rule.default}')"


def _check_references(
    parameter: Dimension, field: FieldRule, outline: ModelOutline, source: str, places: Places
) -> Iterator[Problem]:
    """Names of objects that the model does not have, or that are of another kind than the field takes."""
    names = {fold_name(model_object.name): model_object.name for model_object in outline.all() if model_object.name}
    kind: ReplacedKind | None = next(
        (replaced_kind for replaced_kind in get_args(ReplacedKind) if replaced_kind == field.names), None
    )
    for value in parameter.levels if kind is not None and not outline.of_class(_SHADING) else ():
        assert kind is not None
        known = {key: model_object.name for key, model_object in objects_of(outline, kind).items()}
        if isinstance(value, str) and fold_name(value) in names and fold_name(value) not in known:
            near = nearest(value, known.values()) or listed(known.values())
            yield Problem(places.of(value), f"{source}: '{value}' is not a {field.names}", near)
    for value in parameter.levels:
        if not isinstance(value, str) or fold_name(value) in names:
            continue
        if dictionary.load().find_class(value) is not None:
            continue  # fields such as Component 1 Object Type hold a class name
        yield Problem(places.of(value), f"{source} has no object called '{value}'", nearest(value, names.values()))
