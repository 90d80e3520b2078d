"""Constructions that represent openings between zones, from before EnergyPlus had Construction:AirBoundary.

A partition of one layer that lets heat pass: `Material:InfraredTransparent`, which exists for this purpose, or a
resistance named after air, such as the `AIR-WALL` of the DOE reference buildings and the `Air_Wall` of ASHRAE 90.1's
prototypes (a Material:NoMass of the films of air on both sides, 0.2079491 m2K/W).
"""

import re

from epsm.energyplus.materials import Materials
from epsm.energyplus.model_reader import ModelOutline
from epsm.text import fold_name

_INFRARED_TRANSPARENT, _RESISTANCE = "Material:InfraredTransparent", "Material:NoMass"
_AIR = re.compile(r"(?<![a-z])air(?![a-z])|(?<![a-z])airwall")


def open_constructions(outline: ModelOutline, materials: Materials) -> set[str]:
    """Names, in lower case, of the constructions that represent openings.

    Args:
        outline: The model.
        materials: Its materials.
    """
    found: set[str] = set()
    for model_object in outline.of_class("Construction"):
        layers = materials.layers_of(model_object.name)
        if not isinstance(layers, tuple) or len(layers) != 1:
            continue
        kind = materials.class_of(layers[0])
        called_air = _AIR.search(fold_name(model_object.name)) and _AIR.search(fold_name(layers[0]))
        if kind == _INFRARED_TRANSPARENT or (kind == _RESISTANCE and called_air):
            found.add(fold_name(model_object.name))
    return found
