"""Objects of an IDF as eppy holds them, for 25.2, whose IDD comes with the engine.

eppy is given only what is edited. Its reader makes a list of the class's field names anew for every object: 0.7 MB and
16 ms for each Schedule:Compact, whose class has 4,500 fields. So the reader gets one object of each class, the longest
(for that it extends its IDD where needed), and the others are made from the names that it found.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from epsm.energyplus.dictionary import ClassRule
from epsm.text import fold_name


class EppyObjects:
    """Makes eppy's objects; an `epsm.energyplus.documents.Objects`.

    Args:
        idd: The engine's `Energy+.idd`. It is the process's: eppy holds one for all models.
    """

    def __init__(self, idd: Path) -> None:
        from eppy.modeleditor import IDF  # 0.7 s to import: only where models are edited

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
        new_object.obj[:] = [rule.name, *values]  # eppy would write the class in capitals and fill in the defaults
        return new_object

    def values(self, eppy_object: Any) -> list[Any]:
        """An object's values, the class name first; changes to the list are changes of the object."""
        values: list[Any] = eppy_object.obj
        return values
