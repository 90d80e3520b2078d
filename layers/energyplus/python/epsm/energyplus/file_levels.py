"""Files that a model reads, as levels of a parameter: the fields that name the file, and their new values."""

import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS, external_path

Each = TypeVar("Each")


def naming_fields() -> Iterator[tuple[ClassRule, FieldPlace]]:
    """Every class that reads a file, with the field that names it."""
    for class_name, field_name in EXTERNAL_FILE_FIELDS.items():
        rule = dictionary.load().find_class(class_name)
        if rule is None:
            continue  # EnergyPlus of this version has no such class
        place = rule.find_field(field_name)
        assert place is not None
        yield rule, place


def readers_of(
    file: str,
    model: str,
    objects_of: Callable[[ClassRule], Iterable[Each]],
    value_of: Callable[[Each, FieldPlace], object],
) -> Iterator[tuple[ClassRule, FieldPlace, Each]]:
    """The objects of a model that read a file.

    Args:
        file: Path of the file in the study.
        model: Path of the model in the study.
        objects_of: Returns the model's objects of a class.
        value_of: Returns the value of a field.
    """
    for rule, place in naming_fields():
        for model_object in objects_of(rule):
            name = str(value_of(model_object, place) or "").strip()
            if name and external_path(name, model) == (file, ""):
                yield rule, place, model_object


def name_in_model(file: str, model: str) -> str:
    """The name of a file of the study in a model: its path relative to the model's folder.

    >>> name_in_model("schedules/low.csv", "models/room.idf"), name_in_model("low.csv", "room.idf")
    ('../schedules/low.csv', 'low.csv')
    """
    return posixpath.relpath(file, posixpath.dirname(model) or ".")
