"""Parameters of a study against the data dictionary and against each of its models."""

from collections.abc import Iterable, Iterator

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.problems import Problem
from epsm.results.columns import RESERVED
from epsm.study.distributions import Discrete
from epsm.study.parameters import Parameter
from epsm.study.sampling import Listed
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import fold_name, listed, nearest

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
    """

    def __init__(self, study: Study, index: int) -> None:
        self._study = study
        self._parameter = study.parameters[index]
        self.parameter = f"{MANIFEST_NAME}: parameters[{index}]"

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
        problems += _check_target(parameter, Places(study, index))
    return problems


def _check_target(parameter: Parameter, places: Places) -> Iterator[Problem]:
    where = places.parameter
    known = dictionary.load()
    rule = known.find_class(parameter.class_name)
    if rule is None:
        what = f"'{parameter.class_name}' is not a class of EnergyPlus {known.model_version}"
        yield Problem(f"{where}.class", what, nearest(parameter.class_name, known.class_names))
        return
    place = rule.find_field(parameter.field)
    if place is None:
        near = nearest(parameter.field, rule.field_names) or listed(rule.field_names)
        yield Problem(f"{where}.field", f"'{parameter.field}' is not a field of {rule.name}", near)
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
    if parameter.unit is not None and field.unit not in ("*", parameter.unit):
        what = f"'{parameter.unit}' is not the unit of {rule.name}, {field.name}"
        yield Problem(f"{where}.unit", what, f"'{field.unit}'" if field.unit else "no unit")
    if parameter.multiplies and field.type not in ("number", "integer", "any"):
        yield Problem(places.of(None), f"{rule.name}, {field.name} is not a number", "values")
        return
    if field.type == "integer" and not parameter.levels and parameter.continuous:
        what = f"gives fractions, and {rule.name}, {field.name} takes whole numbers"
        yield Problem(places.of(None), what, "'values', or a distribution of kind 'integer'")
    elif not parameter.multiplies:
        yield from _one_a_place(_misfits(parameter, places, rule, place))


def _misfits(parameter: Parameter, places: Places, rule: ClassRule, place: FieldPlace) -> Iterator[Problem]:
    for value in parameter.extremes:
        if not place.rule.accepts(value):
            shown = f"'{value}'" if isinstance(value, str) else f"{value:g}"
            what = f"{shown} does not fit {rule.name}, {place.rule.name}"
            yield Problem(places.of(value), what, place.rule.allowed)


def _one_a_place(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first of each place: a range whose first value does not fit, say, is told once."""
    seen: set[str] = set()
    for problem in problems:
        if problem.where not in seen:
            seen.add(problem.where)
            yield problem


def check_parameters_on(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    setters: dict[tuple[str, str, int], str] = {}
    for index, parameter in enumerate(study.with_levels):
        places = Places(study, index)
        where = places.parameter
        rule = dictionary.load().find_class(parameter.class_name)
        place = rule.find_field(parameter.field) if rule else None
        if rule is None or place is None:
            continue  # check_parameters has said so
        objects = outline.of_class(rule.name)
        targets = [each for each in objects if parameter.matches(each.name)]
        if not targets:
            yield _no_target(parameter, objects, rule, source, where)
        for target in targets:
            key = (rule.name, fold_name(target.name), place.position)
            other = setters.setdefault(key, parameter.name)
            if other != parameter.name:
                what = f"'{other}' and '{parameter.name}' both set {rule.name} '{target.name}', {place.rule.name}"
                yield Problem(where, f"{what} in {source}", "one parameter for a field")
                break
        if place.group is not None:
            yield from _check_group_exists(targets, rule, place, source, where)
        if parameter.multiplies:
            yield from _one_a_place(_check_multiply(parameter, targets, rule, place, source, places))
        elif place.rule.type == "object":
            yield from _check_references(parameter, outline, source, places)


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


def _no_target(parameter: Parameter, objects: list[ModelObject], rule: ClassRule, source: str, where: str) -> Problem:
    if not objects:
        return Problem(f"{where}.class", f"{source} has no {rule.name} object")
    names = [each.name for each in objects]
    near = nearest(parameter.object_name, names) or listed(names)
    what = f"{source} has no {rule.name} object called '{parameter.object_name}'"
    return Problem(f"{where}.object", what, near)


def _check_multiply(
    parameter: Parameter,
    targets: Iterable[ModelObject],
    rule: ClassRule,
    place: FieldPlace,
    source: str,
    places: Places,
) -> Iterator[Problem]:
    if place.rule.type not in ("number", "integer", "any"):
        return  # check_parameters has said so
    for target in targets:
        current = target.value(place)
        try:
            number = float(current)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            shown = f"'{current}'" if current not in (None, "") else "nothing"
            what = f"{source}: {rule.name} '{target.name}' has {shown} in {place.rule.name}, which cannot be multiplied"
            yield Problem(places.of(None), what, "values, or objects that have a number there")
            continue
        for factor in parameter.extremes:
            if isinstance(factor, float) and not place.rule.accepts(number * factor):
                what = f"{source}: {rule.name} '{target.name}' would get {number * factor:g} in {place.rule.name}"
                yield Problem(places.of(factor), what, place.rule.allowed)


def _check_references(parameter: Parameter, outline: ModelOutline, source: str, places: Places) -> Iterator[Problem]:
    names = {fold_name(each.name): each.name for each in outline.all() if each.name}
    for value in parameter.levels:
        if not isinstance(value, str) or fold_name(value) in names:
            continue
        if dictionary.load().find_class(value) is not None:
            continue  # fields such as Component 1 Object Type name a class
        what = f"{source} has no object called '{value}'"
        yield Problem(places.of(value), what, nearest(value, names.values()))
