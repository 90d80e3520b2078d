"""The EnergyPlus data dictionary: the engine's classes, fields, units and values.

The content comes from the engine's own `Energy+.schema.epJSON` and `Energy+.idd`, reduced by
`layers/energyplus/generate_dictionary.py` to the parts needed for checking and editing.
"""

import functools
import importlib.resources
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from epsm.text import fold_name, listed

_NUMBER_IN_NAME = re.compile(r"(?<!\d)\d{1,6}(?!\d)")


_AUTOMATIC = {"autosize", "autocalculate"}


def folded(name: str) -> str:
    """A class or field name normalised: case, underscores, hyphens and a `{unit}` are ignored.

    >>> folded("Watts_per_Floor_Area {W/m2}") == folded("watts per floor area")
    True
    """
    without_unit = name.split("{", 1)[0]
    return re.sub(r"[^a-z0-9:]+", " ", fold_name(without_unit)).strip()


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The rule of one field: the values that the engine accepts.

    Attributes:
        name: Name as the IDD gives it, e.g. ``Watts per Floor Area``.
        key: Name in epJSON, e.g. ``watts_per_floor_area``.
        type: ``number``, ``integer``, ``choice``, ``object`` (names another object), ``text`` or ``any``.
        unit: Unit as the IDD writes it (``W/m2``); ``*`` if it depends on another field; None without a unit.
        words: Accepted words (choices; for numbers ``Autosize`` and the like).
        minimum, maximum, exclusive_minimum, exclusive_maximum: Bounds of a number, None if unlimited.
        repeat_key: For a field of a repeated group, its epJSON array; None for a plain field.
        required: Whether the engine refuses an object if the field is blank; in a group, only if the group has other
            values.
        lists: For a field that names an object, if the engine is known to end the run when no such object exists: the
            reference lists that it searches.
        names: ``schedule`` or ``construction`` for a field that names one; otherwise empty.
        default: Value that the engine uses for a blank field; None if the IDD has no default.
    """

    name: str
    key: str
    type: str
    unit: str | None = None
    words: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    repeat_key: str | None = None
    required: bool = False
    lists: tuple[str, ...] = ()
    default: float | str | None = None
    names: str = ""

    @property
    def numeric(self) -> bool:
        return self.type in ("number", "integer")

    @property
    def allowed(self) -> str:
        """The accepted values in words, e.g. ``a number >= 0 and <= 1`` or ``'Yes', 'No'``."""
        if not self.numeric:
            return listed(self.words, most=20) if self.words else "text"
        bounds = [
            f"{sign} {limit:g}"
            for sign, limit in (
                (">=", self.minimum),
                (">", self.exclusive_minimum),
                ("<=", self.maximum),
                ("<", self.exclusive_maximum),
            )
            if limit is not None
        ]
        text = "a whole number" if self.type == "integer" else "a number"
        text += f" {' and '.join(bounds)}" if bounds else ""
        text += f" [{self.unit}]" if self.unit and self.unit != "*" else ""
        return f"{text}, or {listed(self.words)}" if self.words else text

    def accepts(self, value: float | str) -> bool:
        """Whether `value` has the right type and is within the bounds. Names of other objects are not looked up."""
        if isinstance(value, str):
            words = {fold_name(word) for word in self.words}
            # The engine accepts either.
            words |= _AUTOMATIC if words & _AUTOMATIC else set()
            return fold_name(value) in words or self.type in ("text", "object", "any")
        if not math.isfinite(value):
            return False
        if not self.numeric:
            return self.type == "any"
        if self.type == "integer" and value != int(value):
            return False
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.maximum is None or value <= self.maximum)
            and (self.exclusive_minimum is None or value > self.exclusive_minimum)
            and (self.exclusive_maximum is None or value < self.exclusive_maximum)
        )


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """A field of a class: its rule and the position of its value.

    Attributes:
        rule: The field's rule, with the group number filled into its name (``Vertex 3 X-coordinate``).
        position: Index among the object's IDF values, 0 being the first value after the class name.
        group: For a field of a repeated group, the group's index from 0, otherwise None.
    """

    rule: FieldRule
    position: int
    group: int | None = None


@dataclass(frozen=True, slots=True)
class ClassRule:
    """One EnergyPlus class: its fields in order, then a group of fields that may repeat.

    Attributes:
        name: Name as in the IDD.
        fields: The fields in order.
        repeats: The fields of the group; ``#`` in their names is the group's number.
        first_number: Number of the first group.
        unique: Whether a model has at most one such object.
        provides: The reference lists that contain the names of its objects; only lists that occur in some field's
            `lists`.
    """

    name: str
    fields: tuple[FieldRule, ...]
    repeats: tuple[FieldRule, ...] = ()
    first_number: int = 1
    unique: bool = False
    provides: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        return bool(self.fields) and self.fields[0].key == "name"

    @property
    def field_names(self) -> list[str]:
        return [field.name for field in (*self.fields, *self.repeats)]

    def find_field(self, name: str) -> FieldPlace | None:
        """The field called `name`, in any case, with spaces or underscores, or None."""
        folded_name = folded(name)
        for position, rule in enumerate(self.fields):
            if folded_name in (folded(rule.name), folded(rule.key)):
                return FieldPlace(rule, position)
        for number in _NUMBER_IN_NAME.findall(folded_name):
            group = int(number) - self.first_number
            for offset, rule in enumerate(self.repeats):
                full_name = rule.name.replace("#", number)
                if group >= 0 and "#" in rule.name and folded(full_name) == folded_name:
                    position = len(self.fields) + group * len(self.repeats) + offset
                    return FieldPlace(replace(rule, name=full_name), position, group)
        return None


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All classes of one engine version.

    Attributes:
        version: Engine version the dictionary belongs to, e.g. ``25.2.0``.
        build: Build of that engine, e.g. ``cf7368216c``.
    """

    version: str
    build: str
    _raw: dict[str, tuple[str, str]]
    _rules: dict[str, ClassRule | None] = field(default_factory=dict)

    @property
    def model_version(self) -> str:
        """The version as models name it in their Version object: major and minor, e.g. ``25.2``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def class_names(self) -> list[str]:
        return [name for name, _ in self._raw.values()]

    def find_class(self, name: str) -> ClassRule | None:
        """The class called `name`, in any case, or None."""
        key = fold_name(name)
        if key not in self._rules:
            found = self._raw.get(key)
            self._rules[key] = None if found is None else _class_rule(found[0], json.loads(found[1]))
        return self._rules[key]


def _field_rule(entry: dict[str, Any], repeat_key: str | None = None) -> FieldRule:
    return FieldRule(
        name=entry["name"],
        key=entry["key"],
        type=entry["type"],
        unit=entry.get("unit"),
        words=tuple(entry.get("words", ())),
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        exclusive_minimum=entry.get("exclusiveMinimum"),
        exclusive_maximum=entry.get("exclusiveMaximum"),
        repeat_key=repeat_key,
        required=entry.get("required", False),
        lists=tuple(entry.get("lists", ())),
        default=entry.get("default"),
        names=entry.get("names", ""),
    )


def _class_rule(name: str, entry: dict[str, Any]) -> ClassRule:
    repeats = entry.get("repeats", {"key": None, "fields": []})
    return ClassRule(
        name=name,
        fields=tuple(_field_rule(field) for field in entry["fields"]),
        repeats=tuple(_field_rule(field, repeats["key"]) for field in repeats["fields"]),
        first_number=repeats.get("first", 1),
        unique=entry.get("unique", False),
        provides=tuple(entry.get("provides", ())),
    )


_current: ContextVar[str] = ContextVar("energyplus_version", default="25.2")


@contextmanager
def of_version(model_version: str) -> Iterator[None]:
    """Make `load` return the dictionary of a version, e.g.

    ``23.2``, within the block. A study has one version, which is set once for all checks and edits instead of being
    passed to every call.
    """
    token = _current.set(model_version)
    try:
        yield
    finally:
        _current.reset(token)


def load() -> Dictionary:
    """The dictionary of the version set by `of_version`, by default 25.2; read once per process."""
    return _load(_current.get())


@functools.cache
def _load(model_version: str) -> Dictionary:
    """The file is JSON with a class in each line, which is parsed when the class is first used: 7 ms instead of
    16."""
    file = importlib.resources.files("epsm.energyplus") / "data" / f"energyplus-{model_version}.json"
    head, *lines, _ = file.read_text(encoding="utf-8").splitlines()
    raw = json.loads(head + "}}")
    classes: dict[str, tuple[str, str]] = {}
    for line in lines:
        name, entry = line.removeprefix(' "').removesuffix(",").split('": ', 1)
        classes[fold_name(name)] = (name, entry)
    return Dictionary(version=raw["version"], build=raw["build"], _raw=classes)
