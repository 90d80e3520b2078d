"""Parameters of a study against the data dictionary and against each of its models."""

from collections.abc import Iterable, Iterator

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.targets import number_in, selected_objects
from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.study.distributions import Discrete
from epsm.study.parameters import CoupledParameter, Dimension
from epsm.study.sampling import Listed
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.targets import Target
from epsm.text import fold_name, listed, nearest

_COMPACT = "Schedule:Compact"
_MANAGED_CLASSES = ("version", "output:", "outputcontrol:files")
"""How the classes begin that are this project's to set: varying them would be without effect, or wrong.

What a model reports changes no building, but Output:Table:SummaryReports took the reports away that results are read
from (verdict ok, without a number), and Output:Diagnostics puts the warm-up into the series.
"""


class Places:
    """Where a parameter and its levels stand.

    Args:
        study: The study.
        index: Of the parameter.
        position: Of the target among those of the parameter.
    """

    def __init__(self, study: Study, index: int, position: int = 0) -> None:
        self._study = study
        self._parameter = study.parameters[index]
        self.parameter = f"{MANIFEST_NAME}: parameters[{index}]"
        coupled = isinstance(self._parameter, CoupledParameter)
        self.target = f"{self.parameter}.targets[{position}]" if coupled else self.parameter

    def of(self, level: float | str | None) -> str:
        """The place of a level; without one, of all of them."""
        sampling, parameter = self._study.sampling, self._parameter
        if isinstance(sampling, Listed):
            row = next(
                (number for number, row in enumerate(sampling.rows or ()) if row.get(parameter.name) == level), 0
            )
            if sampling.file is not None:
                return f"{sampling.file}: row {row + 1}, column {parameter.name}"
            return f"{MANIFEST_NAME}: sampling.rows[{row}].{parameter.name}"
        if parameter.range is not None:
            return f"{self.parameter}.range"
        kind = "distribution" if parameter.distribution is not None else "multiply" if parameter.multiply else "values"
        kind = "distribution.values" if isinstance(parameter.distribution, Discrete) else kind
        position = f"[{parameter.levels.index(level)}]" if level in parameter.levels and kind != "distribution" else ""
        return f"{self.parameter}.{kind}{position}"


def check_parameters(study: Study) -> list[Problem]:
    """Faults of the parameters that show without looking at a model: class, field, unit and values."""
    problems: list[Problem] = []
    for index, parameter in enumerate(study.with_levels):
        where = f"{MANIFEST_NAME}: parameters[{index}]"
        if fold_name(parameter.name) in RESERVED:
            what = f"'{parameter.name}' is a column that every results table has"
            problems.append(Problem(f"{where}.name", what, "another name"))
        for position, target in enumerate(parameter.all_targets):
            problems += _check_target(parameter, target, Places(study, index, position))
    return list(_one_a_place(problems))


def _check_target(parameter: Dimension, target: Target, places: Places) -> Iterator[Problem]:
    where = places.target
    known = dictionary.load()
    rule = known.find_class(target.class_name)
    if rule is None:
        what = f"'{target.class_name}' is not a class of EnergyPlus {known.model_version}"
        yield Problem(f"{where}.class", what, nearest(target.class_name, known.class_names))
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
        what = f"{rule.name}, {field.name} cannot be varied: only the file that the model names is taken along"
        yield Problem(f"{where}.field", what, "two models")
        return
    if target.unit is not None and field.unit not in ("*", target.unit):
        what = f"'{target.unit}' is not the unit of {rule.name}, {field.name}"
        yield Problem(f"{where}.unit", what, f"'{field.unit}'" if field.unit else "no unit")
    if target.way != "set" and field.type not in ("number", "integer", "any"):
        yield Problem(places.of(None), f"{rule.name}, {field.name} is not a number", "values")
        return
    if field.type == "integer" and not parameter.levels and parameter.continuous:
        what = f"gives fractions, and {rule.name}, {field.name} takes whole numbers"
        yield Problem(places.of(None), what, "'values', or a distribution of kind 'integer'")
    elif not target.relative:
        yield from _misfits(parameter, target, places, rule, place)


def _misfits(
    parameter: Dimension, target: Target, places: Places, rule: ClassRule, place: FieldPlace
) -> Iterator[Problem]:
    for level in parameter.extremes:
        value = target.new_value(level, None)
        if not place.rule.accepts(value):
            shown = f"'{value}'" if isinstance(value, str) else f"{value:g}"
            what = f"{shown} does not fit {rule.name}, {place.rule.name}"
            yield Problem(places.of(level), what, place.rule.allowed)


def _one_a_place(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first of each place: a range whose first value does not fit, say, is reported once."""
    seen: set[str] = set()
    for problem in problems:
        if problem.where not in seen:
            seen.add(problem.where)
            yield problem


def check_parameters_on(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    setters: dict[tuple[str, str, int], tuple[str, int]] = {}
    for index, parameter in enumerate(study.with_levels):
        found, known = False, True
        for position, target in enumerate(parameter.all_targets):
            places = Places(study, index, position)
            rule = dictionary.load().find_class(target.class_name)
            place = rule.find_field(target.field) if rule else None
            if rule is None or place is None:
                known = False  # check_parameters has said so
                continue
            objects = outline.of_class(rule.name)
            targets = selected_objects(target, rule, objects)
            found = found or bool(targets)
            if not targets and len(parameter.all_targets) == 1:
                yield _no_target(target, objects, rule, source, places.target)
            yield from _set_twice(parameter, position, targets, rule, place, setters, source, places)
            if place.group is not None:
                yield from _check_group_exists(targets, rule, place, source, places.target)
            if target.relative:
                yield from _one_a_place(_check_relative(parameter, target, targets, rule, place, source, places))
            elif place.rule.type == "object":
                yield from _check_references(parameter, outline, source, places)
            if rule.name == _COMPACT and place.group is not None and not target.relative:
                yield from _check_compact(parameter, targets, place, source, places)
        if known and not found and len(parameter.all_targets) > 1:
            what = f"none of its {len(parameter.all_targets)} targets means an object of {source}"
            yield Problem(f"{MANIFEST_NAME}: parameters[{index}].targets", what, "a target for each model")


def _check_compact(
    parameter: Dimension, objects: Iterable[ModelObject], place: FieldPlace, source: str, places: Places
) -> Iterator[Problem]:
    """A number over `Until: 07:00`, or a text over a temperature: the engine would read another schedule, or none."""
    numeric = all(_is_number(level) for level in parameter.extremes)
    textual = not any(_is_number(level) for level in parameter.extremes)
    for each in objects:
        own = each.value(place)
        if own in (None, "") or (numeric if _is_number(own) else textual):
            continue
        wanted = "a number" if _is_number(own) else "a text"
        what = f"{source}: {_COMPACT} '{each.name}' has '{own}' in {place.rule.name}, where only {wanted} fits"
        yield Problem(places.of(None), what, "another field, or values of the same kind")
        return


def _is_number(value: object) -> bool:
    return number_in(value) is not None


def _set_twice(
    parameter: Dimension,
    position: int,
    targets: Iterable[ModelObject],
    rule: ClassRule,
    place: FieldPlace,
    setters: dict[tuple[str, str, int], tuple[str, int]],
    source: str,
    places: Places,
) -> Iterator[Problem]:
    for each in targets:
        key = (rule.name, fold_name(each.name), place.position)
        other, other_position = setters.setdefault(key, (parameter.name, position))
        if (other, other_position) != (parameter.name, position):
            who = f"'{other}' and '{parameter.name}' both set" if other != parameter.name else "two targets set"
            what = f"{who} {rule.name} '{each.name}', {place.rule.name}"
            yield Problem(places.target, f"{what} in {source}", "one parameter for a field")
            return


def _check_group_exists(
    targets: Iterable[ModelObject], rule: ClassRule, place: FieldPlace, source: str, where: str
) -> Iterator[Problem]:
    """A field of a group that the object does not have would lengthen it: a floor would get another corner."""
    assert place.group is not None
    for target in targets:
        there = target.group_count(rule)
        if place.group >= there:
            what = f"{source}: {rule.name} '{target.name}' has no {place.rule.name}"
            yield Problem(f"{where}.field", what, f"groups {rule.first_number} to {rule.first_number + there - 1}")
            return


def _no_target(target: Target, objects: list[ModelObject], rule: ClassRule, source: str, where: str) -> Problem:
    if not objects:
        return Problem(f"{where}.class", f"{source} has no {rule.name} object")
    named = [each for each in objects if target.matches(each.name)]
    if named:
        conditions = ", ".join(f"{name} {wanted}" for name, wanted in target.where.items())
        what = f"{source} has no {rule.name} object '{target.shown_objects}' with {conditions}"
        return Problem(f"{where}.where", what, "values that objects have")
    names = [each.name for each in objects]
    near = nearest(target.shown_objects, names) or listed(names)
    what = f"{source} has no {rule.name} object called '{target.shown_objects}'"
    return Problem(f"{where}.object", what, near)


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
    for each in objects:
        current = each.value(place)
        number = number_in(current)
        if number is None and target.blank == "skip":
            continue
        if number is None:
            shown = f"'{current}'" if current not in (None, "") else "nothing"
            how = "multiplied" if target.way == "multiply" else "added to"
            what = f"{source}: {rule.name} '{each.name}' has {shown} in {place.rule.name}, which cannot be {how}"
            yield Problem(places.of(None), what, 'values, objects with a number there, or "blank": "skip"')
            continue
        for level in parameter.extremes:
            value = target.new_value(level, number)
            if not place.rule.accepts(value):
                what = f"{source}: {rule.name} '{each.name}' would get {value:g} in {place.rule.name}"
                yield Problem(places.of(level), what, place.rule.allowed)


def _check_references(parameter: Dimension, outline: ModelOutline, source: str, places: Places) -> Iterator[Problem]:
    names = {fold_name(each.name): each.name for each in outline.all() if each.name}
    for value in parameter.levels:
        if not isinstance(value, str) or fold_name(value) in names:
            continue
        if dictionary.load().find_class(value) is not None:
            continue  # fields such as Component 1 Object Type name a class
        what = f"{source} has no object called '{value}'"
        yield Problem(places.of(value), what, nearest(value, names.values()))
