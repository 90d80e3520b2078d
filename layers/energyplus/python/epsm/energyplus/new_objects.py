"""New objects of a model: EnergyPlus materials for layers that a study defines."""

from collections.abc import Mapping
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.study.constructions import GasLayer, GlassLayer, MassLayer, ResistanceLayer

Fields = Mapping[str, str | float]


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object to add: its class, and its values by field."""

    class_name: str
    fields: Fields


def fields_of(layer: MassLayer | ResistanceLayer | GlassLayer | GasLayer) -> tuple[str, Fields]:
    """Class and fields of a layer that the study defines."""
    match layer:
        case GasLayer():
            return "WindowMaterial:Gas", {"Gas Type": layer.gas, "Thickness": layer.thickness_m}
        case GlassLayer():
            at_normal = "at Normal Incidence"
            return "WindowMaterial:Glazing", {
                "Optical Data Type": "SpectralAverage",
                "Thickness": layer.thickness_m,
                f"Solar Transmittance {at_normal}": layer.solar_transmittance,
                f"Front Side Solar Reflectance {at_normal}": layer.solar_reflectance_front,
                f"Back Side Solar Reflectance {at_normal}": layer.solar_reflectance_back,
                f"Visible Transmittance {at_normal}": layer.visible_transmittance,
                f"Front Side Visible Reflectance {at_normal}": layer.visible_reflectance_front,
                f"Back Side Visible Reflectance {at_normal}": layer.visible_reflectance_back,
                f"Infrared Transmittance {at_normal}": layer.infrared_transmittance,
                "Front Side Infrared Hemispherical Emissivity": layer.emissivity_front,
                "Back Side Infrared Hemispherical Emissivity": layer.emissivity_back,
                "Conductivity": layer.conductivity_w_mk,
            }
        case MassLayer():
            own: dict[str, str | float] = {
                "Roughness": layer.roughness,
                "Thickness": layer.thickness_m,
                "Conductivity": layer.conductivity_w_mk,
                "Density": layer.density_kg_m3,
                "Specific Heat": layer.specific_heat_j_kgk,
            }
            return "Material", own | _absorptances(layer)
        case ResistanceLayer():
            resistance: dict[str, str | float] = {"Roughness": layer.roughness, "Thermal Resistance": layer.r_m2kw}
            return "Material:NoMass", resistance | _absorptances(layer)


def _absorptances(layer: MassLayer | ResistanceLayer) -> dict[str, str | float]:
    names = ("Thermal Absorptance", "Solar Absorptance", "Visible Absorptance")
    return {name: value for name, value in zip(names, layer.absorptances, strict=True) if value is not None}


def values_in_order(new_object: NewObject) -> list[str | float]:
    """The values of a new object in the order of its class's fields, blank if there is no value."""
    rule = dictionary.load().find_class(new_object.class_name)
    assert rule is not None
    last = max(number for number, own in enumerate(rule.fields) if own.name in new_object.fields)
    return [new_object.fields.get(own.name, "") for own in rule.fields[: last + 1]]
