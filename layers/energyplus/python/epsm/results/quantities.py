"""Quantities of measures in a building: net areas from the engine's geometry, volumes and masses of layers."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from epsm.energyplus.amounts import Amounts, AmountsByMeasure
from epsm.results.areas import EnvelopeSurface, read_surfaces
from epsm.text import fold_name

_ENGINES_OWN = "iz-"
"""Prefix of the names of surfaces that the engine adds as the other side of another one (SurfaceGeometry.cc)."""


class Quantities(TypedDict):
    """Quantities of one edit of constructions.

    Attributes:
        area_m2: Net area of its surfaces, times multipliers; an interior surface and its other side count once. None if
            the run has no such surface.
        layers: Volume, m3, and mass, kg, of each of its layers; None where they are not known.
    """

    area_m2: float | None
    layers: list[tuple[float | None, float | None]]


def measured_quantities(amounts: AmountsByMeasure, database: Path) -> dict[str, list[Quantities]]:
    """Quantities of a variant's measures, by parameter: one entry for each edit of constructions, in their order.

    Args:
        amounts: Volume and mass of each layer per square metre of each surface.
        database: The run's eplusout.sql.

    Raises:
        sqlite3.Error: If the database cannot be read, or has no surfaces.
    """
    if not any(amounts.values()):
        return {}
    surfaces = {fold_name(surface.name): surface for surface in read_surfaces(database)}
    return {name: [_of_edit(edit, surfaces) for edit in edits] for name, edits in amounts.items() if edits}


def _of_edit(edit: Amounts, surfaces: Mapping[str, EnvelopeSurface]) -> Quantities:
    areas = [_area(amount.surface, surfaces, own_side_only=not amount.other_side_is_the_engines) for amount in edit]
    layers = []
    for place in range(max((len(amount.layers) for amount in edit), default=0)):
        parts = [
            (amount.layers[place], area) for amount, area in zip(edit, areas, strict=True) if len(amount.layers) > place
        ]
        layers.append(
            (
                _sum([None if area is None or m3 is None else area * m3 for (m3, _), area in parts]),
                _sum([None if area is None or kg is None else area * kg for (_, kg), area in parts]),
            )
        )
    return {"area_m2": _sum(areas), "layers": layers}


def _area(name: str, surfaces: Mapping[str, EnvelopeSurface], *, own_side_only: bool) -> float | None:
    names = [fold_name(name)] if own_side_only else [fold_name(name), _ENGINES_OWN + fold_name(name)]
    found = [surfaces[key].net_area_m2 for key in names if key in surfaces]
    return math.fsum(found) if len(found) == len(names) else None


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None
