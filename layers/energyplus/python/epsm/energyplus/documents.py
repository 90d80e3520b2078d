"""Models in the form for editing: `IdfDocument` and `EpjsonDocument`.

Most of a large IDF is never edited. Its objects stay text, without comments; only those that may be edited become
objects: eppy's (`epsm.energyplus.eppy_objects`), or plain lists where the engine's package has no IDD.
"""

import copy
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.idf_text import idf_objects
from epsm.energyplus.model_reader import epjson_name
from epsm.text import fold_name

_OBJECTS_A_PART = 1000


class Document(Protocol):
    """The interface of a parsed model for editing, in either syntax. Objects are opaque handles."""

    file_name: str

    def class_keys(self) -> Iterable[str]: ...
    def objects(self, rule: ClassRule) -> list[Any]: ...
    def name_of(self, model_object: Any) -> str: ...
    def get(self, model_object: Any, place: FieldPlace) -> Any: ...
    def set(self, model_object: Any, place: FieldPlace, value: Any) -> None: ...
    def values_of(self, model_object: Any) -> Any: ...
    def restore(self, model_object: Any, values: Any) -> None: ...
    def add(self, rule: ClassRule, values: Sequence[str | float]) -> None: ...
    def remove(self, rule: ClassRule, model_object: Any) -> None: ...
    def replace(
        self, rule: ClassRule, model_object: Any, new_rule: ClassRule, values: Sequence[str | float]
    ) -> Callable[[], None]: ...
    def text(self) -> str: ...


class Objects(Protocol):
    """Makes the objects of an IDF that may be edited."""

    def read(self, objects: Iterable[list[str]]) -> list[Any]: ...
    def new(self, rule: ClassRule, values: Iterable[str]) -> Any: ...
    def values(self, model_object: Any) -> list[Any]: ...


class PlainObjects:
    """Objects as the lists of their values: the packages of older engines have no IDD, and eppy holds one IDD only."""

    def read(self, objects: Iterable[list[str]]) -> list[Any]:
        return list(objects)

    def new(self, rule: ClassRule, values: Iterable[str]) -> Any:
        return [rule.name, *values]

    def values(self, model_object: Any) -> list[Any]:
        values: list[Any] = model_object
        return values


def number_text(value: float) -> str:
    """A number as EnergyPlus reads it back to the last digit: 3 for 3.0, else Python's shortest exact form.

    >>> number_text(3.0), number_text(0.1)
    ('3', '0.1')
    """
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


class IdfDocument:
    """An IDF: text, and between it the objects that may be edited, each at its place.

    Args:
        content: The file; its syntax has been checked.
        may_edit: Whether the object with that name of the class with that key (its name in lower case) may be edited.
            Those that may not are not among `objects`.
        make: Makes the objects.
    """

    file_name = "in.idf"

    def __init__(self, content: bytes, may_edit: Callable[[str, str], bool], make: Objects) -> None:
        self._make = make
        self._classes: dict[str, list[Any]] = {}
        self._parts: list[Any] = []  # text as bytes, which take no more in any language, and objects
        places: list[int] = []
        rows: list[list[str]] = []
        text: list[bytes] = []
        for values in map(_strip_trailing_empty_fields, idf_objects(content)):
            key = fold_name(values[0])
            group = self._classes.setdefault(key, [])
            if not may_edit(key, values[1] if len(values) > 1 else ""):
                text.append(_text(values).encode())
                if len(text) >= _OBJECTS_A_PART:
                    self._end_part(text)
                continue
            self._end_part(text)
            group.append(len(rows))
            places.append(len(self._parts))
            self._parts.append(b"")
            rows.append(values)
        self._end_part(text)
        made = make.read(rows)
        for place, model_object in zip(places, made, strict=True):
            self._parts[place] = model_object
        for group in self._classes.values():
            group[:] = [made[number] for number in group]

    def _end_part(self, text: list[bytes]) -> None:
        if text:
            self._parts.append(b"".join(text))
            text.clear()

    def class_keys(self) -> Iterable[str]:
        return self._classes

    def objects(self, rule: ClassRule) -> list[Any]:
        return list(self._classes.get(fold_name(rule.name), ()))

    def name_of(self, model_object: Any) -> str:
        values = self._make.values(model_object)
        return str(values[1]) if len(values) > 1 else ""

    def get(self, model_object: Any, place: FieldPlace) -> Any:
        values, index = self._make.values(model_object), place.position + 1
        return values[index] if index < len(values) else ""

    def set(self, model_object: Any, place: FieldPlace, value: Any) -> None:
        values, index = self._make.values(model_object), place.position + 1
        values.extend([""] * (index + 1 - len(values)))
        values[index] = number_text(value) if isinstance(value, float | int) else value

    def values_of(self, model_object: Any) -> Any:
        return list(self._make.values(model_object))

    def restore(self, model_object: Any, values: Any) -> None:
        self._make.values(model_object)[:] = values

    def add(self, rule: ClassRule, values: Sequence[str | float]) -> None:
        model_object = self._make.new(
            rule,
            [model_object if isinstance(model_object, str) else number_text(model_object) for model_object in values],
        )
        self._classes.setdefault(fold_name(rule.name), []).append(model_object)
        self._parts.append(model_object)

    def remove(self, rule: ClassRule, model_object: Any) -> None:
        for parts in (self._classes[fold_name(rule.name)], self._parts):
            del parts[next(place for place, other in enumerate(parts) if other is model_object)]

    def replace(
        self, rule: ClassRule, model_object: Any, new_rule: ClassRule, values: Sequence[str | float]
    ) -> Callable[[], None]:
        """Replace an object; returns a function that undoes it. Text and order of the others are unchanged."""
        own = self._make.values(model_object)
        before = list(own)
        own[:] = [new_rule.name, *(value if isinstance(value, str) else number_text(value) for value in values)]
        old, new = fold_name(rule.name), fold_name(new_rule.name)
        groups = {key: list(self._classes.get(key, ())) for key in (old, new)}
        self._classes[old] = [other for other in groups[old] if other is not model_object]
        self._classes.setdefault(new, []).append(model_object)

        def undo() -> None:
            own[:] = before
            self._classes.update(groups)

        return undo

    def text(self) -> str:
        return b"".join(
            part if isinstance(part, bytes) else _text(self._make.values(part)).encode() for part in self._parts
        ).decode()


def _text(values: Iterable[Any]) -> str:
    return ",\n  ".join(map(str, values)) + ";\n"


def _strip_trailing_empty_fields(values: list[str]) -> list[str]:
    """Values without empty ones for which their class has no room (`Timestep,4,,;`): the engine ignores them."""
    rule = None if values[-1] else dictionary.load().find_class(values[0])
    if rule is None or rule.repeats or any(values[len(rule.fields) + 1 :]):
        return values
    return values[: len(rule.fields) + 1]


class EpjsonDocument:
    """An epJSON model: classes of named objects. A handle is the key, the fields and the name as an IDF has it."""

    file_name = "in.epJSON"

    def __init__(self, text: str) -> None:
        self._classes: dict[str, dict[str, dict[str, Any]]] = json.loads(text)

    def class_keys(self) -> Iterable[str]:
        return (fold_name(name) for name, group in self._classes.items() if group)

    def _group(self, rule: ClassRule) -> dict[str, dict[str, Any]]:
        key = next(
            (class_name for class_name in self._classes if fold_name(class_name) == fold_name(rule.name)), rule.name
        )
        return self._classes.setdefault(key, {})

    def objects(self, rule: ClassRule) -> list[Any]:
        return [(key, fields, epjson_name(rule, key, fields)) for key, fields in self._group(rule).items()]

    def name_of(self, model_object: Any) -> str:
        return str(model_object[2])

    def _fields(self, model_object: Any, place: FieldPlace) -> dict[str, Any]:
        fields: dict[str, Any] = model_object[1]
        if place.group is None:
            return fields
        groups = fields.setdefault(place.rule.repeat_key or "", [])
        groups.extend({} for _ in range(place.group + 1 - len(groups)))
        return groups[place.group]  # type: ignore[no-any-return]

    def get(self, model_object: Any, place: FieldPlace) -> Any:
        if place.group is not None and place.group >= len(model_object[1].get(place.rule.repeat_key or "", ())):
            return ""
        return self._fields(model_object, place).get(place.rule.key, "")

    def set(self, model_object: Any, place: FieldPlace, value: Any) -> None:
        fields = self._fields(model_object, place)
        if value == "":
            fields.pop(place.rule.key, None)
        else:
            integral = place.rule.type == "integer" and isinstance(value, float) and value == int(value)
            fields[place.rule.key] = int(value) if integral else value

    def values_of(self, model_object: Any) -> Any:
        return copy.deepcopy(model_object[1])

    def restore(self, model_object: Any, values: Any) -> None:
        model_object[1].clear()
        model_object[1].update(values)

    def add(self, rule: ClassRule, values: Sequence[str | float]) -> None:
        group = self._group(rule)
        free = (name for number in itertools.count(1) if (name := f"{rule.name} {number}") not in group)
        name = str(values[0]) if rule.named else next(free)
        fields: dict[str, Any] = {}
        group[name] = fields
        plain = len(rule.fields)
        for position, value in enumerate(values[:plain]):
            if value != "" and rule.fields[position].key != "name":
                fields[rule.fields[position].key] = value
        if rule.repeats:
            key = rule.repeats[0].repeat_key or ""
            fields[key] = [{rule.repeats[0].key: value} for value in values[plain:]]

    def remove(self, rule: ClassRule, model_object: Any) -> None:
        del self._group(rule)[model_object[0]]

    def replace(
        self, rule: ClassRule, model_object: Any, new_rule: ClassRule, values: Sequence[str | float]
    ) -> Callable[[], None]:
        """Replace an object; returns a function that undoes it, order included."""
        order = {name: list(group.items()) for name, group in self._classes.items()}
        self.remove(rule, model_object)
        self.add(new_rule, values)

        def undo() -> None:
            groups = {name: self._classes[name] for name in order}
            self._classes.clear()
            self._classes.update(groups)
            for name, items in order.items():
                groups[name].clear()
                groups[name].update(items)

        return undo

    def text(self) -> str:
        return json.dumps({name: group for name, group in self._classes.items() if group}, indent=1)
