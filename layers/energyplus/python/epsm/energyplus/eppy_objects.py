"""eppy's objects of an IDF, for 25.2, for which the engine provides the IDD.

eppy parses only the edited objects. Its reader creates a list of the class's field names for every object: 0.7 MB and
16 ms for each Schedule:Compact, with 4,500 fields. So the reader gets one object of each class, the longest (for which
it extends its IDD if needed), and the others are created with the same names.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from epsm.energyplus.dictionary import ClassRule
from epsm.text import fold_name


class EppyObjects:
    """Creates eppy's objects; an `epsm.energyplus.documents.Objects`.

    Args:
        idd: The engine's `Energy+.idd`. eppy supports one per process.
    """

    def __init__(self, idd: Path) -> None:
        from eppy.modeleditor import IDF  # imported here because it takes 0.7 s

        if IDF.getiddname() is None:
            IDF.setiddname(str(idd))
        self._idf_class = IDF
        self._empty: Any = None

    def read(self, objects: Iterable[list[str]]) -> list[Any]:
        """Objects from their values, the class name first."""
        from eppy.bunch_subclass import EpBunch
        from eppy.idfreader import convertfields

        rows = list(objects)
        longest: dict[str, list[str]] = {}
        for row in rows:
            key = fold_name(row[0])
            if len(row) > len(longest.get(key, ())):
                longest[key] = row
        idf = self._idf_class(io.StringIO("".join(",".join(row) + ";\n" for row in longest.values())))
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
        if self._empty is None:
            self._empty = self._idf_class(io.StringIO(""))
        new_object = self._empty.newidfobject(rule.name.upper())
        self._empty.removeidfobject(new_object)
        new_object.theidf = None
        new_object.obj[:] = [rule.name, *values]  # eppy itself would use capitals and fill in defaults
        return new_object

    def values(self, eppy_object: Any) -> list[Any]:
        """An object's values, the class name first; changes to the list are changes of the object."""
        values: list[Any] = eppy_object.obj
        return values
