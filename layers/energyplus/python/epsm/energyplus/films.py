"""Air films on both sides of a surface, as EnergyPlus includes them in the reported U."""

from epsm.energyplus.surfaces import ModelSurface

INSIDE_FILMS_M2K_W = {"wall": 0.1197548, "floor": 0.1620212, "roof_ceiling": 0.1074271, "door": 0.1197548}
OUTSIDE_FILM_M2K_W = 0.0299387
"""Air films of ASHRAE 90.1, A9.4.1, which EnergyPlus includes in the reported U (DataHeatBalance.cc,
ComputeNominalUwithConvCoeffs). An interior surface has that of the surface on its other side, towards the ground there
is none."""
_OTHER_SIDE = {"wall": "wall", "floor": "roof_ceiling", "roof_ceiling": "floor", "door": "door"}


def films_of(surface: ModelSurface, partner: ModelSurface | None) -> float:
    """The resistance of the air films on both sides that EnergyPlus includes in the reported U of a surface, m2K/W."""
    inside = INSIDE_FILMS_M2K_W[surface.element]
    if surface.boundary == "exterior":
        return inside + OUTSIDE_FILM_M2K_W
    if surface.boundary == "interior":
        other = partner.element if partner else _OTHER_SIDE[surface.element]
        return inside + INSIDE_FILMS_M2K_W[other]
    return 2 * inside if surface.boundary == "adiabatic" else inside
