"""The materials and constructions of a model: layers, thermal resistances, copies with another resistance."""

import itertools
from collections.abc import Iterable, Sequence

from epsm.energyplus import dictionary
from epsm.energyplus.faults import Fault
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.targets import number_in
from epsm.text import fold_name, nearest

_CONSTRUCTION = "Construction"
_WITH_THICKNESS = "Material"
_RESISTANCES = ("Material:NoMass", "Material:AirGap")
_CHANGEABLE = (_WITH_THICKNESS, "Material:NoMass")
_GLAZED = "windowmaterial:"
_MAX_THICKNESS_M = 1.0
"""EnergyPlus cannot compute the conduction through a much higher resistance."""


class Materials:
    """Materials and constructions by name.

    Args:
        outline: The model.
    """

    def __init__(self, outline: ModelOutline) -> None:
        self._constructions = {
            fold_name(model_object.name): model_object for model_object in outline.of_class(_CONSTRUCTION)
        }
        self._materials: dict[str, tuple[str, ModelObject]] = {}
        self._names: set[str] = set()
        self._with_properties: dict[str, str] = {}
        known = dictionary.load()
        for key, group in outline.objects.items():
            rule = known.find_class(key)
            if rule is None:
                continue
            if key.startswith(("material:", "windowmaterial:")) or key == "material":
                self._materials |= {fold_name(model_object.name): (rule.name, model_object) for model_object in group}
            if key.startswith(("material", "windowmaterial", "construction")):
                self._names |= {fold_name(model_object.name) for model_object in group}
            if key.startswith("materialproperty:"):
                self._with_properties |= {fold_name(model_object.name): rule.name for model_object in group}
                place = rule.find_field("Material Name") or rule.find_field("Reference Material Name")
                names = (str(model_object.value(place) or "") for model_object in group) if place else ()
                self._with_properties |= {fold_name(name): rule.name for name in names if name}

    def free_name(self, base_name: str) -> str:
        """A name that no material or construction has; it is taken from then on."""
        for number in itertools.count(1):
            name = base_name if number == 1 else f"{base_name} {number}"
            if fold_name(name) not in self._names:
                self._names.add(fold_name(name))
                return name
        raise AssertionError

    def layers_of(self, construction: str) -> tuple[str, ...] | Fault:
        """The names of a construction's layers, from outside to inside."""
        found = self._constructions.get(fold_name(construction))
        if found is None:
            names = [model_object.name for model_object in self._constructions.values()]
            near = nearest(construction, names) or "the name of a Construction"
            return Fault("", f"the model has no Construction called '{construction}'", near)
        rule = dictionary.load().find_class(_CONSTRUCTION)
        assert rule is not None
        layers = []
        for position, own in enumerate(rule.fields):
            if own.key == "name":
                continue
            place = rule.find_field(own.name)
            assert place is not None
            assert place.position == position
            value = str(found.value(place) or "").strip()
            if value:
                layers.append(value)
        return tuple(layers)

    def find(self, name: str) -> str | Fault:
        """A material's name as the model has it."""
        found = self._materials.get(fold_name(name))
        if found is None:
            near = (
                nearest(name, [material.name for _, material in self._materials.values()]) or "the name of a material"
            )
            return Fault("", f"the model has no material called '{name}'", near)
        return found[1].name

    def class_of(self, name: str) -> str:
        """A material's class; empty if the model has none of that name."""
        return self._materials[fold_name(name)][0] if fold_name(name) in self._materials else ""

    def glazed(self, layers: Iterable[str]) -> bool:
        """Whether one of the layers is a material for windows."""
        classes = (self._materials[fold_name(layer)][0] for layer in layers if fold_name(layer) in self._materials)
        return any(fold_name(class_name).startswith(_GLAZED) for class_name in classes)

    def keys_of(self, construction: str, layers: Sequence[str]) -> dict[tuple[str, str], str]:
        """Class and name, in lower case, of a construction and its layers -> name."""
        keys = {(fold_name(_CONSTRUCTION), fold_name(construction)): construction}
        return keys | {(fold_name(self._materials[fold_name(layer)][0]), fold_name(layer)): layer for layer in layers}

    def changeable(self, name: str) -> bool:
        """Whether a copy of a material can have another resistance."""
        key = fold_name(name)
        return self._materials[key][0] in _CHANGEABLE and key not in self._with_properties

    def resistance_m2k_w(self, name: str) -> float | Fault:
        """A material's thermal resistance, m2K/W."""
        found = self._materials.get(fold_name(name))
        if found is None:
            return Fault("", f"the model has no material called '{name}'", "the name of a material")
        class_name, material = found
        if class_name == _WITH_THICKNESS:
            thickness, conductivity = self._number(found, "Thickness"), self._number(found, "Conductivity")
            if thickness and conductivity:
                return thickness / conductivity
        elif class_name in _RESISTANCES:
            if (resistance := self._number(found, "Thermal Resistance")) is not None:
                return resistance
        else:
            return Fault("", f"{class_name} '{material.name}' has no fixed resistance", "'layers'")
        return Fault("", f"{class_name} '{material.name}' has no number for its resistance", "'layers'")

    def number(self, name: str, field: str) -> float | None:
        """A number of a material; None where its class has no such field, or the field no number."""
        found = self._materials.get(fold_name(name))
        return self._number(found, field) if found else None

    def _number(self, found: tuple[str, ModelObject], field: str) -> float | None:
        rule = dictionary.load().find_class(found[0])
        place = rule.find_field(field) if rule else None
        return number_in(found[1].value(place)) if place else None

    def with_resistance(self, name: str, resistance_m2k_w: float) -> tuple[str, dict[str, str | float]] | Fault:
        """Class and fields, without the name, of a copy of a material that has another resistance."""
        class_name, material = self._materials[fold_name(name)]
        if fold_name(name) in self._with_properties:
            message = f"'{name}' has a {self._with_properties[fold_name(name)]}, which a copy would not have"
            return Fault("", message)
        if class_name not in _CHANGEABLE:
            return Fault("", f"'{name}' is a {class_name}, and the resistance of that class is not changed")
        rule = dictionary.load().find_class(class_name)
        assert rule is not None
        if class_name == _WITH_THICKNESS:
            conductivity = self._number((class_name, material), "Conductivity")
            field, value = "Thickness", resistance_m2k_w * (conductivity or 0.0)
            if value <= 0:
                return Fault("", "no thickness above 0 gives it")
            if value > _MAX_THICKNESS_M:
                return Fault("", f"it would take {value:.3g} m of '{name}'")
        else:
            field, value = "Thermal Resistance", resistance_m2k_w
            place = rule.find_field(field)
            if place is None or not place.rule.accepts(value):
                return Fault("", f"no resistance of '{name}' of at least 0.001 m2K/W gives it")
        fields: dict[str, str | float] = {}
        for own in rule.fields:
            place = rule.find_field(own.name)
            current = material.value(place) if place and own.key != "name" else None
            if current not in (None, ""):
                number = number_in(current) if own.numeric else None
                fields[own.name] = str(current) if number is None else number
        return class_name, {**fields, field: value}
