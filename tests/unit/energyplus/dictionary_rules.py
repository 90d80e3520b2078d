"""Rules of classes and fields."""

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace, FieldRule


def class_rule(name: str) -> ClassRule:
    rule = dictionary.load().find_class(name)
    assert rule is not None
    return rule


def place(class_name: str, field: str) -> FieldPlace:
    found = class_rule(class_name).find_field(field)
    assert found is not None
    return found


def field_rule(class_name: str, field: str) -> FieldRule:
    return place(class_name, field).rule
