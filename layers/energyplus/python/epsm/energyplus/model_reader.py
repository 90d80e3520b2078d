"""Reading model files: classes, objects and values, without the engine and without eppy.

Submit checks studies with it. It implements the syntax of IDF and epJSON, but not the meaning of objects.
`epsm.energyplus.model_editor` edits models; `epsm.energyplus.engine` simulates them.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.idf_text import decode, text_blocks
from epsm.problems import Problem
from epsm.strict_json import RepeatedKey, without_repeated_keys
from epsm.text import fold_name, middle_cut

_MAX_LISTED = 20
"""Maximum number of syntax faults that are listed; further ones are counted."""
_MAX_SHOWN = 60
_PIECE = re.compile(r"([^,;]*)([,;]?)")
_MAX_VALUES_SHARED = 20_000


@dataclass(frozen=True, slots=True)
class ModelObject:
    """One object of a model.

    Attributes:
        class_name: Class as written in the file.
        name: What the object is called: its first value in IDF; in epJSON its key, and where its class has no names the
            first field's value, as in IDF. Empty if it has none.
        values: IDF values in order after the class name, or epJSON's fields by key.
        line: Line of an IDF file on which the object starts, from 1; 0 in epJSON.
        key: Its key in epJSON, which may differ from the name.
    """

    class_name: str
    name: str
    values: tuple[str, ...] | dict[str, Any]
    line: int = 0
    key: str = ""

    def value(self, place: FieldPlace) -> float | str | None:
        """The value at `place`: text in IDF, typed in epJSON; None or an empty text if there is no value."""
        if isinstance(self.values, tuple):
            return self.values[place.position] if place.position < len(self.values) else None
        if place.rule.key == "name":
            return self.name
        if place.group is None:
            return self.values.get(place.rule.key)
        groups = self.values.get(place.rule.repeat_key or "")
        if not isinstance(groups, list) or place.group >= len(groups) or not isinstance(groups[place.group], dict):
            return None
        return groups[place.group].get(place.rule.key)  # type: ignore[no-any-return]

    def group_count(self, rule: ClassRule) -> int:
        """Number of groups of repeated fields in the object, including an incomplete one."""
        if not rule.repeats:
            return 0
        if isinstance(self.values, tuple):
            return -(-max(0, len(self.values) - len(rule.fields)) // len(rule.repeats))
        groups = self.values.get(rule.repeats[0].repeat_key or "")
        return len(groups) if isinstance(groups, list) else 0


@dataclass(slots=True)
class ModelOutline:
    """All objects of a model file, by class name in lower case, and its syntax errors."""

    objects: dict[str, list[ModelObject]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of_class(self, name: str) -> list[ModelObject]:
        return self.objects.get(fold_name(name), [])

    def only(self, names: Iterable[str]) -> "ModelOutline":
        """The objects of the given classes only."""
        return ModelOutline({key: group for name in names if (group := self.objects.get(key := fold_name(name)))})

    def all(self) -> Iterator[ModelObject]:
        for group in self.objects.values():
            yield from group

    @property
    def version(self) -> str | None:
        """The version in the Version object, e.g. ``25.2``, or None without such an object."""
        for model_object in self.of_class("Version"):
            if isinstance(model_object.values, tuple):
                return model_object.values[0].strip() or None if model_object.values else None
            version = model_object.values.get("version_identifier")
            return version.strip() or None if isinstance(version, str) else None
        return None


def read_outline(content: bytes, source: str) -> ModelOutline:
    """Read a model file.

    Args:
        content: The file's bytes.
        source: Its path in the study, used in problems; its suffix distinguishes IDF from epJSON.

    Returns:
        The outline; its `problems` are empty if the syntax is correct.
    """
    start = content[:200].lstrip()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ModelOutline(problems=[Problem(source, "is text in UTF-16, which EnergyPlus does not read", "UTF-8")])
    if start.startswith((b"<", b"PK")) or b"\0" in content[:1000]:
        shown = start[:20].decode("latin-1")
        return ModelOutline(
            problems=[Problem(source, f"is not a model: it starts with '{shown}'", "IDF or epJSON text")]
        )
    is_epjson = source.lower().endswith(".epjson")
    if not is_epjson and start.startswith(b"{"):
        return ModelOutline(
            problems=[Problem(source, "is not IDF but looks like epJSON", "a name that ends in .epJSON")]
        )
    outline = _read_epjson(decode(content), source) if is_epjson else _read_idf(content, source)
    if outline.of_class("OS:Version"):
        return ModelOutline(
            problems=[Problem(source, "is an OpenStudio model (OSM)", "the IDF that OpenStudio exports")]
        )
    if not outline.objects and not outline.problems:
        outline.problems.append(Problem(source, "contains no EnergyPlus object"))
    return outline


def _lines(content: bytes) -> Iterator[str]:
    for block in text_blocks(content):
        yield from block.splitlines()


def _read_idf(content: bytes, source: str) -> ModelOutline:
    outline = ModelOutline()
    faulty_lines = 0
    shared: dict[str, str] = {}  # names, words and small numbers recur: storing each once halves the memory
    values: list[str] = []
    start = 0  # line on which the object began
    loose = ""  # a value before its ',' or ';'
    loose_line = 0
    for number, line in enumerate(_lines(content), start=1):
        code = line.split("!", 1)[0].strip()
        if not code:
            continue
        if code.startswith("##"):
            faulty_lines += 1
            if faulty_lines <= _MAX_LISTED:
                fault = f"has the macro command '{code.split()[0]}'"
                outline.problems.append(Problem(f"{source}: line {number}", fault, "expanded models"))
            continue
        if loose and code[0] in ",;":
            code = loose + code
        elif loose:
            faulty_lines += 1
            if faulty_lines <= _MAX_LISTED:
                fault = f"'{middle_cut(loose, _MAX_SHOWN)}' is not followed by ',' or ';'"
                outline.problems.append(Problem(f"{source}: line {loose_line}", fault))
            values.append(loose)
        loose = ""
        for piece, end in _PIECE.findall(code):
            value = piece.strip()
            if not end and not value:
                break  # the rest of a line after its last separator
            start = start or number
            if not end:
                loose, loose_line = value, number
                break
            values.append(
                shared.setdefault(value, value) if len(shared) < _MAX_VALUES_SHARED else shared.get(value, value)
            )
            if end == ";":
                if any(values):  # a ';' too many is nothing
                    _add(outline, values, start)
                values, start = [], 0
    if faulty_lines > _MAX_LISTED:
        outline.problems.append(Problem(source, f"{faulty_lines - _MAX_LISTED:,} further lines have such faults"))
    if values or loose:
        name = middle_cut(next((value for value in (*values, loose) if value), ""), _MAX_SHOWN)
        outline.problems.append(Problem(f"{source}: line {start}", f"the last object, '{name}', has no ';'"))
    return outline


def _add(outline: ModelOutline, values: list[str], line: int) -> None:
    class_name, *rest = values
    name = rest[0] if rest else ""
    model_object = ModelObject(class_name, name, tuple(rest), line)
    outline.objects.setdefault(fold_name(class_name), []).append(model_object)


def _read_epjson(text: str, source: str) -> ModelOutline:
    outline = ModelOutline()
    try:
        document = json.loads(text, object_pairs_hook=without_repeated_keys, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        where = f"{source}: line {error.lineno}, column {error.colno}"
        outline.problems.append(Problem(where, f"is not JSON: {error.msg}", "an epJSON object"))
        return outline
    except RepeatedKey as error:
        outline.problems.append(Problem(source, f"the name '{error}' occurs twice in the same object"))
        return outline
    except (ValueError, RecursionError) as error:
        outline.problems.append(Problem(source, f"cannot be read: {error}"))
        return outline
    if not isinstance(document, dict):
        outline.problems.append(Problem(source, "is not an epJSON object", "classes of named objects"))
        return outline
    for class_name, objects in document.items():
        if not isinstance(objects, dict) or not all(isinstance(fields, dict) for fields in objects.values()):
            outline.problems.append(Problem(f"{source}: {class_name}", "is not a set of named objects"))
        elif objects:
            group = outline.objects.setdefault(fold_name(class_name), [])
            rule = dictionary.load().find_class(class_name)
            group.extend(
                ModelObject(class_name, epjson_name(rule, key, fields), fields, key=key)
                for key, fields in objects.items()
            )
    return outline


def epjson_name(rule: ClassRule | None, key: str, fields: dict[str, Any]) -> str:
    """What an object of epJSON is called, as in an IDF: its key, or the first field's value if its class has no names.

    Args:
        rule: Its class; None if the dictionary does not have it.
        key: Its key.
        fields: Its fields.
    """
    if rule is None or rule.named:
        return key
    if not rule.fields:
        groups = fields.get(rule.repeats[0].repeat_key or "") if rule.repeats else None
        fields = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], dict) else {}
    first = (*rule.fields, *rule.repeats)[:1]
    value = fields.get(first[0].key) if first else None
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number that EnergyPlus reads")
