"""Rows, cells and numbers of table files as EnergyPlus reads them, and the objects that read a file."""

import math
import re
from collections.abc import Callable

from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelObject

Read = Callable[[str], tuple[str, bytes] | None]
"""Maps a file name as written in the model to its path in the study and its content; None if it does not exist."""

_NUMBER_AT_START = re.compile(r"[+-]?\.?\d")


def lines_of(content: bytes) -> list[str]:
    """The lines of a file without trailing blank ones; decoded as Latin-1, which accepts any bytes."""
    text = content.decode("latin-1").removeprefix("\xef\xbb\xbf")
    lines = text.replace("\r", "").split("\n")
    while lines and not lines[-1].strip(" \t"):
        lines.pop()
    return lines


def field_text(model_object: ModelObject, field: str) -> str:
    """The value of a field as text; empty if there is none."""
    rule = dictionary.load().find_class(model_object.class_name)
    place = rule.find_field(field) if rule else None
    assert place is not None, field
    value = model_object.value(place)
    return "" if value is None else str(value).strip()


def place_in(model_object: ModelObject, source: str) -> str:
    """The location of an object, for a problem."""
    return (
        f"{source}: line {model_object.line}"
        if model_object.line
        else f"{source}: {model_object.class_name} '{model_object.key}'"
    )


def is_number(text: str) -> bool:
    """A number as the engine reads it: Python's float would also accept `1_0`, `nan` and `inf`."""
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def begins_with_number(text: str) -> bool:
    """Whether the engine's stod would read a number from text with a suffix, such as 20 from `20kW`."""
    return _NUMBER_AT_START.match(text.strip()) is not None


def shown(cell: str) -> str:
    return f"is '{cell[:20]}'" if cell else "is empty"
