"""Faults in a model that EnergyPlus rejects before simulating: values, required fields, duplicate names.

Only faults that the engine's own input processor always rejects are reported; each kind was tried on the engine. Inputs
that it only warns about (a schedule without type limits) pass. There is one exception: fields of epJSON that the class
does not have are rejected here, although the engine silently ignores them, because a model with the field names of
another version would run without its lights. No example model of EnergyPlus has such a field after conversion, nor has
the output of idfkit and OpenStudio.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldRule
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.problems import Problem
from epsm.text import fold_name, nearest

FieldFilter = Callable[[ModelObject, int], bool]
"""Whether to skip the field at a position because a parameter sets it."""

_MAX_ALIKE = 3
"""Faults of one kind in one field of a class that are listed one by one; the others are counted."""
_JEPLUS_TAG = re.compile(r"@@.*?@@")
_NOT_READ_BY_THE_ENGINE = (
    *("hvactemplate:", "pythonplugin:", "externalinterface", "groundheattransfer:", "parametric:"),
    *("output:sqlite", "outputcontrol:files", "output:table:summaryreports"),
)
"""ExpandObjects removes the first, the next are rejected as a class, the last are replaced before a run."""
_UNIQUE_TOGETHER = {
    "schedules": re.compile(r"schedule:(constant|compact|year|file)"),
    "day schedules": re.compile(r"schedule:day:\w+"),
    "week schedules": re.compile(r"schedule:week:\w+"),
    "schedule type limits": re.compile(r"scheduletypelimits"),
    "materials": re.compile(r"material(:nomass|:airgap|:infraredtransparent|:roofvegetation)?"),
    "constructions": re.compile(r"construction(:cfactorundergroundwall|:ffactorgroundfloor)?"),
    "curves": re.compile(r"curve:(linear|quadratic|cubic|quartic|exponent|biquadratic|bicubic|quadraticlinear)"),
}
"""Groups of classes, in lower case, within which the engine requires unique names, compared without case."""
_BESIDE_THE_FIELDS = ("name", "idf_order", "idf_max_fields", "idf_max_extensible_fields")
"""Keys in objects of epJSON that the engine ignores: it writes the last ones itself when it converts a model."""
_NOT_TOGETHER_YET = {"23.2": ("schedule type limits", "curves"), "25.1": ("curves",)}
"""The groups within which older versions accept a duplicate name in another class or case."""


def place_of(model_object: ModelObject, source: str) -> str:
    """The location of an object: its line in IDF, its class and name in epJSON."""
    return (
        f"{source}: line {model_object.line}"
        if model_object.line
        else f"{source}: {model_object.class_name} '{model_object.key}'"
    )


def check_model_faults(
    outline: ModelOutline, source: str, varied: FieldFilter = lambda model_object, position: False
) -> list[Problem]:
    """Faults of a model's values and names.

    Args:
        outline: The model.
        source: Its path in the study.
        varied: Fields that the study's parameters set in all variants but the baseline; they are not checked.
    """
    return [*_limited(_value_faults(outline, source, varied)), *_limited(_double_names(outline, source))]


def _limited(faults: Iterable[tuple[tuple[str, ...], Problem]]) -> Iterator[Problem]:
    """The first faults of each kind, and how many more there are."""
    counts: dict[tuple[str, ...], int] = {}
    last: dict[tuple[str, ...], Problem] = {}
    for kind, problem in faults:
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] < _MAX_ALIKE:
            yield problem
        elif counts[kind] == _MAX_ALIKE:
            last[kind] = problem
    for kind, problem in last.items():
        more = counts[kind] - _MAX_ALIKE
        yield problem if not more else replace(problem, what=f"{problem.what}; and {more} more of this kind")


def _value_faults(outline: ModelOutline, source: str, varied: FieldFilter) -> Iterator[tuple[tuple[str, ...], Problem]]:
    known = dictionary.load()
    for class_key, group in outline.objects.items():
        rule = known.find_class(class_key)
        if rule is None or class_key.startswith(_NOT_READ_BY_THE_ENGINE):
            continue
        judge = _ClassJudge(rule)
        for model_object in group:
            for key, place, allowed in _unknown_keys(model_object, rule):
                fault = f"'{key}'{place} is not a field of it; EnergyPlus would ignore it"
                yield (rule.name, key, "unknown"), Problem(place_of(model_object, source), fault, allowed)
            faults = (
                judge.of_idf(model_object.values)
                if isinstance(model_object.values, tuple)
                else judge.of_epjson(model_object)
            )
            for position, field, fault in faults:
                if not varied(model_object, position):
                    where = place_of(model_object, source)
                    called = f"{rule.name} '{model_object.name}'" if rule.named and model_object.name else rule.name
                    yield (rule.name, field.key, fault[:7]), Problem(where, f"{called}: {fault}", field.allowed)


def _unknown_keys(model_object: ModelObject, rule: ClassRule) -> Iterator[tuple[str, str, str]]:
    """Keys of an epJSON object that are not fields of its class: each with its list and the closest field name."""
    if not isinstance(model_object.values, dict):
        return
    repeat_key = rule.repeats[0].repeat_key if rule.repeats else None
    groups = model_object.values.get(repeat_key) if repeat_key else None
    own = (*(field.key for field in rule.fields), *([repeat_key] if repeat_key else []))
    in_groups = tuple(field.key for field in rule.repeats)
    places = [("", model_object.values, own)]
    for number, group in enumerate(groups if isinstance(groups, list) else ()):
        if isinstance(group, dict):
            places.append((f" in {repeat_key}[{number}]", group, in_groups))
    for place, keys, known in places:
        for key in keys:
            if key not in known and key not in _BESIDE_THE_FIELDS:
                yield key, place, _most_like(key, known)


@lru_cache(maxsize=1_000)
def _most_like(key: str, known: tuple[str, ...]) -> str:
    """Cached: a fault in one object of a class usually repeats in thousands of them."""
    return nearest(key, known, 1) or "a field of the class"


class _ClassJudge:
    """Finds the faulty values of the objects of a class; most values pass after one comparison."""

    def __init__(self, rule: ClassRule) -> None:
        self._rule = rule
        self._fields = (*rule.fields, *rule.repeats)
        self._plain = len(rule.fields)
        self._strict = tuple(field.numeric or (field.type == "choice" and bool(field.words)) for field in self._fields)
        self._required = tuple(position for position, field in enumerate(rule.fields) if field.required)
        self._group_required = any(field.required for field in rule.repeats)

    def of_idf(self, values: tuple[str, ...]) -> Iterator[tuple[int, FieldRule, str]]:
        size = len(self._fields) - self._plain
        if not size:
            if any(values[self._plain :]):
                return  # too many fields, as after a missing ';': reported as that
            values = values[: self._plain]
        for position in self._required:
            if position >= len(values) or not values[position]:
                field = self._fields[position]
                yield position, field, f"blank is not allowed in {field.name}"
        for position, value in enumerate(values):
            index = position
            if position >= self._plain:
                index = self._plain + (position - self._plain) % size
            if not value:
                continue
            field = self._fields[index]
            tag = "@@" in value and field.type in ("object", "any") and _JEPLUS_TAG.search(value) is not None
            if tag or (self._strict[index] and not _fits(value, field)):
                yield position, field, self._misfit(value, field, position)
        if self._group_required:
            yield from self._gaps(values, size)

    def _gaps(self, values: tuple[str, ...], size: int) -> Iterator[tuple[int, FieldRule, str]]:
        """Required fields that are blank in a group with other fields filled in."""
        for start in range(self._plain, len(values), size):
            if not any(values[start : start + size]):
                continue
            for offset, field in enumerate(self._rule.repeats):
                position = start + offset
                if field.required and (position >= len(values) or not values[position]):
                    yield position, field, f"blank is not allowed in {self._name(field, position)}"

    def of_epjson(self, model_object: ModelObject) -> Iterator[tuple[int, FieldRule, str]]:
        assert isinstance(model_object.values, dict)
        for position, field in enumerate(self._rule.fields):
            if field.key == "name":
                continue
            if field.key not in model_object.values:
                if field.required:
                    yield position, field, f"{field.key} has no value"
            elif (fault := _json_misfit(model_object.values[field.key], field)) is not None:
                yield position, field, f"{fault} does not fit {field.key}"
        groups = model_object.values.get(self._rule.repeats[0].repeat_key or "") if self._rule.repeats else None
        for number, group in enumerate(groups if isinstance(groups, list) else ()):
            for offset, field in enumerate(self._rule.repeats if isinstance(group, dict) else ()):
                position = self._plain + number * len(self._rule.repeats) + offset
                name = f"{field.repeat_key}[{number}].{field.key}"
                if field.key not in group:
                    if field.required:
                        yield position, field, f"{name} has no value"
                elif (fault := _json_misfit(group[field.key], field)) is not None:
                    yield position, field, f"{fault} does not fit {name}"

    def _misfit(self, value: str, field: FieldRule, position: int) -> str:
        name = self._name(field, position)
        if _JEPLUS_TAG.search(value):
            return f"'{value}' in {name} is a jEPlus tag, which is not replaced: define a parameter for this field"
        return f"'{value}' does not fit {name}"

    def _name(self, field: FieldRule, position: int) -> str:
        if position < self._plain:
            return field.name
        group = (position - self._plain) // len(self._rule.repeats) + self._rule.first_number
        return field.name.replace("#", str(group))


def _fits(value: str, field: FieldRule) -> bool:
    if not field.numeric:
        return field.accepts(value)
    try:
        number = float(value[1:] if value[0] == "+" else value)  # the engine strips one leading '+'
    except ValueError:
        return bool(field.words) and field.accepts(value)
    # Python and eppy accept `1_800` and non-ASCII digits as numbers; the engine does not.
    return value.isascii() and "_" not in value and _within(number, field)


def _within(number: float, field: FieldRule) -> bool:
    """Whether a number is finite and within the bounds. In IDF the engine accepts fractions for whole numbers.

    The engine also accepts nan and inf, and its range checks do not catch them: lights or infiltration of nan ran
    without a message and gave a wrong energy use.
    """
    return abs(number) <= sys.float_info.max and not (
        (field.minimum is not None and number < field.minimum)
        or (field.maximum is not None and number > field.maximum)
        or (field.exclusive_minimum is not None and number <= field.exclusive_minimum)
        or (field.exclusive_maximum is not None and number >= field.exclusive_maximum)
    )


def _json_misfit(value: object, field: FieldRule) -> str | None:
    """The fault of a value in epJSON, where types and choices must match exactly; None if there is none."""
    match value:
        case bool() | None:
            return "true or false" if isinstance(value, bool) else "null"
        case int() | float():
            integral = field.type != "integer" or isinstance(value, int)  # 2.0 is not an integer to the engine
            return None if not field.numeric or (integral and _within(value, field)) else str(value)
        case str():
            if value == "" and (not field.numeric or field.words or not field.required):
                return None  # the engine accepts blanks here
            if field.numeric and value not in field.words:
                return f"the text '{value}'"
            if field.type == "choice" and field.words and value not in field.words:
                return f"'{value}'"
    return None


def _double_names(outline: ModelOutline, source: str) -> Iterator[tuple[tuple[str, ...], Problem]]:
    known = dictionary.load()
    seen: dict[tuple[str, str], ModelObject] = {}
    apart = _NOT_TOGETHER_YET.get(known.model_version, ())
    kinds = {kind: classes for kind, classes in _UNIQUE_TOGETHER.items() if kind not in apart}
    for class_key, group in outline.objects.items():
        rule = known.find_class(class_key)
        if rule is None or not rule.named or class_key.startswith(_NOT_READ_BY_THE_ENGINE):
            continue
        together = next((kind for kind, classes in kinds.items() if classes.fullmatch(class_key)), None)
        for model_object in group:
            if not model_object.name.strip():
                continue
            # For other classes the input processor compares names case-sensitively.
            key = (together, fold_name(model_object.name)) if together else (class_key, model_object.name)
            first = seen.setdefault(key, model_object)
            if first is not model_object:
                # Classes are in the order of their first objects; lines are not.
                first, later = (first, model_object) if first.line <= model_object.line else (model_object, first)
                of = f"{later.class_name} '{later.name}'"
                other = f"the {first.class_name} on line {first.line}" if first.line else f"a {first.class_name}"
                problem = Problem(place_of(later, source), f"{of} has the same name as {other}", "a unique name")
                yield (rule.name, "name"), problem
