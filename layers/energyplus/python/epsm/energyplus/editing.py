"""Finding classes and fields while a model is edited."""

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace


class CannotEdit(Exception):
    """A parameter does not match the model. Submit refuses such studies, so this is only raised for models that it has
    not checked."""


def rule_of(class_name: str) -> ClassRule:
    rule = dictionary.load().find_class(class_name)
    if rule is None:
        raise CannotEdit(f"'{class_name}' is not a class of EnergyPlus")
    return rule


def place_of_field(rule: ClassRule, field: str) -> FieldPlace:
    place = rule.find_field(field)
    assert place is not None, f"{rule.name} has no field {field}"
    return place
