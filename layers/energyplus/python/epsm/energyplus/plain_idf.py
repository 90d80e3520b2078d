"""Editing an IDF without an IDD: the objects as they stand in the file, their values by position.

eppy needs the `Energy+.idd` of a model's version, and holds one IDD for the whole process. The packages of older
engines have no IDD, and a warm worker runs studies of several versions. Where a field stands is the data dictionary's
knowledge, so nothing else is needed. Like eppy, it writes the objects by class.
"""

from collections.abc import Sequence
from typing import Any

from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.model_reader import read_outline
from epsm.text import fold_name


def number_text(value: float) -> str:
    """A number as EnergyPlus reads it back to the last digit: 3 for 3.0, else Python's shortest exact form.

    >>> number_text(3.0), number_text(0.1)
    ('3', '0.1')
    """
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


class PlainIdfDocument:
    """An IDF as lists of values, the class name first; an `epsm.energyplus.model_editor.Document`.

    Args:
        text: The model; its syntax has been checked.
    """

    file_name = "in.idf"

    def __init__(self, text: str) -> None:
        self._classes: dict[str, list[list[str]]] = {
            key: [[each.class_name, *each.values] for each in group]
            for key, group in read_outline(text.encode(), self.file_name).objects.items()
        }

    def objects(self, rule: ClassRule) -> list[Any]:
        return list(self._classes.get(fold_name(rule.name), ()))

    def name_of(self, each: Any) -> str:
        return str(each[1]) if len(each) > 1 else ""

    def get(self, each: Any, place: FieldPlace) -> Any:
        index = place.position + 1
        return each[index] if index < len(each) else ""

    def set(self, each: Any, place: FieldPlace, value: Any) -> None:
        index = place.position + 1
        each.extend([""] * (index + 1 - len(each)))
        each[index] = number_text(value) if isinstance(value, float | int) else value

    def values_of(self, each: Any) -> Any:
        return list(each)

    def restore(self, each: Any, values: Any) -> None:
        each[:] = values

    def add(self, rule: ClassRule, values: Sequence[str]) -> None:
        self._classes.setdefault(fold_name(rule.name), []).append([rule.name, *values])

    def remove(self, rule: ClassRule, each: Any) -> None:
        group = self._classes[fold_name(rule.name)]
        group[:] = [other for other in group if other is not each]

    def text(self) -> str:
        lines = (",\n  ".join(each) + ";\n" for group in self._classes.values() for each in group)
        return "\n".join(lines)
