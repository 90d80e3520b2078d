"""Volume and mass of each layer that an edit of constructions adds to a square metre of a surface."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from epsm.energyplus.faults import Fault
from epsm.energyplus.materials import Materials
from epsm.study.constructions import ConstructionEdit, GasLayer, GlassLayer, MassLayer, NamedLayer
from epsm.study.measure_impact import LayerGwp

PerArea = tuple[float | None, float | None]
"""Volume, m3, and mass, kg, per m2 of net area; None if unknown."""


@dataclass(frozen=True, slots=True)
class SurfaceAmounts:
    """The layers that one surface gets.

    Attributes:
        surface: Its name.
        layers: Amounts of each layer of the edit except gaps, or of the insulation that a target U adds.
        other_side_is_the_engines: Whether the engine adds the other side of this interior surface, as the model does
            not define it.
    """

    surface: str
    layers: tuple[PerArea, ...] = ()
    other_side_is_the_engines: bool = False


Amounts = tuple[SurfaceAmounts, ...]
"""The surfaces of one edit of constructions."""
AmountsByMeasure = Mapping[str, Sequence[Amounts]]
"""Amounts by parameter: one entry for each edit of constructions of its variant, in their order."""


def layer_amounts(edit: ConstructionEdit, materials: Materials) -> tuple[tuple[PerArea, ...], list[Fault]]:
    """Volume and mass of the layers of an edit, and faults of layers that lack data for their emissions.

    Args:
        edit: An edit with `layers`, whose materials the model has.
        materials: The model's materials.
    """
    amounts: list[PerArea] = []
    faults: list[Fault] = []
    for place, layer in enumerate(edit.layers or ()):
        match layer:
            case GasLayer():
                continue
            case MassLayer():
                amounts.append((layer.thickness_m, layer.thickness_m * layer.density_kg_m3))
            case GlassLayer():
                amounts.append((layer.thickness_m, None))
            case NamedLayer():
                volume, mass = per_area(materials, layer.material)
                amounts.append((volume, mass))
                if fault := lacking(layer.gwp, volume, mass, f"'{layer.material}'"):
                    faults.append(Fault(f"layers[{place}].gwp", fault, "'kgco2e_per_m2'"))
            case _:
                amounts.append((None, None))
    return tuple(amounts), faults


def per_area(materials: Materials, name: str) -> PerArea:
    """Volume and mass of a square metre of a material of the model."""
    thickness, density = materials.number(name, "Thickness"), materials.number(name, "Density")
    return thickness, None if thickness is None or density is None else thickness * density


def lacking(gwp: LayerGwp | None, volume: float | None, mass: float | None, subject: str) -> str:
    """Why emissions cannot be computed for a layer; empty if they can."""
    if gwp is None or gwp.amount == "m2":
        return ""
    if volume is None:
        return f"{subject} has no thickness to multiply 'kgco2e_per_{gwp.amount}' by"
    return f"{subject} has no density to multiply 'kgco2e_per_kg' by" if gwp.amount == "kg" and mass is None else ""


def added(
    edit: ConstructionEdit, materials: Materials, name: str, fields: Mapping[str, str | float]
) -> PerArea | Fault:
    """The insulation that a target U adds to a square metre.

    Args:
        edit: An edit with a target U.
        materials: The model's materials.
        name: The material that is copied.
        fields: Fields of the copy.
    """
    before, after = materials.number(name, "Thickness"), fields.get("Thickness")
    volume = after - before if isinstance(after, float) and before is not None else None
    density = materials.number(name, "Density")
    mass = None if volume is None or density is None else volume * density
    if fault := lacking(edit.gwp, volume, mass, f"the insulation '{name}'"):
        return Fault("gwp", fault, "'kgco2e_per_m2'")
    if edit.gwp is not None and edit.gwp.amount != "m2" and volume is not None and volume < 0:
        message = f"is of the insulation that is added, and '{name}' gets thinner: {before:g} m, then {after:.4g} m"
        return Fault("gwp", message, "'kgco2e_per_m2', or a lower U")
    return volume, mass
