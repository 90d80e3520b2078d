"""eppy's objects of an IDF, for 25.2, for which the engine provides the IDD.

eppy parses only the edited objects, and of the IDD only the classes of these: the whole takes 0.7 s in every process.
Its reader creates a list of the class's field names for every object: 0.7 MB and 16 ms for each Schedule:Compact, with
4,500 fields. So the reader gets one object of each class, the longest (for which it extends its IDD if needed), and the
others are created with the same names.
"""

import functools
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule
from epsm.text import fold_name

_NEXT_SECTION = re.compile(rb"^[ \t]*(?:(?![AN]\d+\s*[,;])[A-Za-z]|\\group)", re.MULTILINE)
"""The next class or group; A1, N1 and so on are fields."""


class EppyObjects:
    """Creates eppy's objects; an `epsm.energyplus.documents.Objects`.

    Args:
        idd: The engine's `Energy+.idd`.
    """

    def __init__(self, idd: Path) -> None:
        self._idd = idd
        self._empty: dict[str, Any] = {}

    def read(self, objects: Iterable[list[str]]) -> list[Any]:
        """Objects from their values, the class name first."""
        rows = list(objects)
        if not rows:
            return []
        longest: dict[str, list[str]] = {}
        for row in rows:
            key = fold_name(row[0])
            if len(row) > len(longest.get(key, ())):
                longest[key] = row
        idf = _idf(self._idd, tuple(longest), "".join(",".join(row) + ";\n" for row in longest.values()))
        from eppy.bunch_subclass import EpBunch
        from eppy.idfreader import convertfields

        places = {fold_name(name): place for place, name in enumerate(idf.model.dtls)}
        made = []
        for row in rows:
            place = places[fold_name(row[0])]
            (model,) = idf.idfobjects[row[0].upper()]
            values = convertfields(idf.idd_info[place], row, idf.block[place])
            made.append(EpBunch(values, model.objls, model.objidd))
        return made

    def new(self, rule: ClassRule, values: Iterable[str]) -> Any:
        """A new object with these values."""
        key = fold_name(rule.name)
        if key not in self._empty:
            self._empty[key] = _idf(self._idd, (key,), "")
        new_object = self._empty[key].newidfobject(rule.name.upper())
        self._empty[key].removeidfobject(new_object)
        new_object.theidf = None
        new_object.obj[:] = [rule.name, *values]  # eppy itself would use capitals and fill in defaults
        return new_object

    def values(self, eppy_object: Any) -> list[Any]:
        """An object's values, the class name first; changes to the list are changes of the object."""
        values: list[Any] = eppy_object.obj
        return values


def _idf(idd: Path, keys: tuple[str, ...], text: str) -> Any:
    """An eppy IDF of a text that has objects of some classes only, by their names in lower case."""
    idf_class = _idf_class(idd, keys)
    idf_class.iddname.seek(0)  # eppy reads the version in its first line each time
    return idf_class(io.StringIO(text))


@functools.lru_cache(maxsize=100)
def _idf_class(idd: Path, keys: tuple[str, ...]) -> Any:
    """eppy's IDF with the rules of some classes only. eppy keeps its IDD in the class, one for each."""
    from eppy.modeleditor import IDF  # imported here because it takes 0.3 s

    names = [rule.name for rule in map(dictionary.load().find_class, keys) if rule is not None]
    sections = io.StringIO(idd_of(idd, names))
    return type("IDF", (IDF,), {"iddname": sections, "idd_info": None, "block": None, "idd_index": None})


def idd_of(idd: Path, names: Sequence[str]) -> str:
    """The sections of an IDD that describe some classes, each with its group.

    Args:
        idd: The IDD.
        names: Names of the classes, as the IDD spells them.

    Raises:
        ValueError: If one is not in it.
    """
    content = idd.read_bytes()
    parts = [content[: content.index(b"\n") + 1]]
    for name in names:
        head = re.search(rb"^[ \t]*" + re.escape(name.encode()) + b",", content, re.MULTILINE)
        if head is None:
            raise ValueError(f"{idd} has no class {name}")
        start = head.start()
        group = content.rindex(b"\n\\group", 0, start) + 1
        following = _NEXT_SECTION.search(content, head.end())
        parts += [
            content[group : content.index(b"\n", group) + 1],
            content[start : following.start() if following else len(content)],
        ]
    return b"".join(parts).decode("latin-1")
