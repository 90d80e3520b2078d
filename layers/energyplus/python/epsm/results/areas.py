"""Areas of a building's envelope, from the geometry that the engine simulated.

Opaque surfaces come from the tables `Surfaces` and `Zones` of eplusout.sql. Windows come from the Envelope Summary,
where their frames are counted: `Surfaces` has the glass alone. All values are for the whole building, i.e. multiplied
by the multipliers of zones and zone lists.
"""

import contextlib
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from epsm.energyplus.sql import bytes_of
from epsm.energyplus.surfaces import UPRIGHT_FROM_DEG, orientation
from epsm.results.metrics import ENVELOPE, ENVELOPE_AREAS, ENVELOPE_COEFFICIENTS, ENVELOPE_COLUMNS, FACTORS
from epsm.results.reports import Reports, decoded
from epsm.text import fold_name

Kind = Literal["wall", "roof", "floor", "window", "skylight", "door"]
Boundary = Literal["exterior", "ground", "interior", "adiabatic", "other"]

_KINDS: dict[str, Kind] = {
    "wall": "wall",
    "roof": "roof",
    "floor": "floor",
    "window": "window",
    "glass door": "window",
    "tubulardaylightingdome": "skylight",
    "door": "door",
}
"""By `Surfaces.ClassName`. Shading, internal mass and the inner ends of light pipes are not part of the envelope."""
_BOUNDARIES: dict[int, Boundary] = {0: "exterior", -1: "ground", -5: "ground", -6: "ground"}
"""By `Surfaces.ExtBoundCond` (DataSurfaces.hh): -1 ground, -5 C-factor or F-factor method, -6 Kiva. From -2 to -4 are
other side coefficients and conditions; above 0 is the number of the surface on the other side."""
_COEFFICIENTS = ("u_w_m2k", "u_without_films_w_m2k", "shgc", "visible_transmittance")
_QUERY = """
SELECT s.SurfaceIndex, s.SurfaceName, s.ClassName, s.Area, s.GrossArea, s.Azimuth, s.Tilt, s.ExtBoundCond,
       z.ZoneName, z.Multiplier * z.ListMultiplier, c.Name, c.TotalLayers
FROM Surfaces s JOIN Zones z USING (ZoneIndex) LEFT JOIN Constructions c USING (ConstructionIndex)
WHERE s.HeatTransferSurf = 1 ORDER BY s.SurfaceIndex
"""


_CELLS = """
SELECT RowName, ColumnName, Units, Value FROM TabularDataWithStrings
WHERE ReportName = ? AND ReportForString = 'Entire Facility'
"""


@dataclass(frozen=True, slots=True)
class EnvelopeSurface:
    """One surface of the model.

    Attributes:
        name: Its name, in capitals as the engine prints it.
        kind: Wall, roof, window, etc. A roof that is not exterior is a ceiling.
        boundary: The other side: exterior, ground, etc.
        orientation: N, E, S or W, by quadrants of azimuth; empty where its tilt is below 60 degrees, or 180.
        zone, construction: Their names, in capitals.
        gross_area_m2: Area with openings, for the whole building. Each surface of an interzone pair counts half, so the
            pair counts once, even if the zones have different multipliers.
        net_area_m2: The same without openings. For a window, the area of the opening, including frame and dividers.
        u_w_m2k, u_without_films_w_m2k: Heat transfer coefficients as the engine reports them, with air films as in
            ASHRAE 90.1 and without; for windows, that of the glass with films. None if the engine does not report them.
        shgc, visible_transmittance: Properties of the glass; only for windows that are not interior.
    """

    name: str
    kind: Kind
    boundary: Boundary
    orientation: str
    zone: str
    construction: str
    gross_area_m2: float
    net_area_m2: float
    u_w_m2k: float | None = None
    u_without_films_w_m2k: float | None = None
    shgc: float | None = None
    visible_transmittance: float | None = None


@dataclass(frozen=True, slots=True)
class EnvelopeArea:
    """All surfaces of one kind, boundary and orientation together; see `EnvelopeSurface`.

    Coefficients are means weighted by net area; None if one of the surfaces has no value.
    """

    kind: Kind
    boundary: Boundary
    orientation: str
    gross_area_m2: float
    net_area_m2: float
    u_w_m2k: float | None = None
    u_without_films_w_m2k: float | None = None
    shgc: float | None = None
    visible_transmittance: float | None = None


def read_surfaces(database: Path) -> tuple[EnvelopeSurface, ...]:
    """The surfaces of a run's envelope, in the engine's order. Air boundaries are left out.

    Args:
        database: The run's eplusout.sql.

    Raises:
        sqlite3.Error: If the database cannot be read, or has no surfaces.
    """
    with closing(bytes_of(database)) as connection:
        rows = connection.execute(_QUERY).fetchall()
        cells = connection.execute(_CELLS, (ENVELOPE,)).fetchall()
    return _surfaces(rows, cells)


def _surfaces(rows: Iterable[tuple[Any, ...]], cells: Iterable[tuple[Any, ...]]) -> tuple[EnvelopeSurface, ...]:
    """The surfaces, from the rows of `_QUERY` and the cells of the Envelope Summary."""
    reported = _reported(cells)
    surfaces = []
    for (
        number,
        raw_name,
        class_name,
        area,
        gross,
        azimuth,
        tilt,
        other_side,
        zone,
        multiplier,
        construction,
        layers,
    ) in rows:
        kind = _KINDS.get(fold_name(decoded(class_name)))
        if kind is None or not layers:
            continue
        name = decoded(raw_name)
        folded = fold_name(name)
        boundary = _boundary(number, other_side)
        times = multiplier / 2 if boundary == "interior" else multiplier
        if kind == "window":
            kind = "window" if tilt >= UPRIGHT_FROM_DEG else "skylight"
            # The report's areas already include the zone's multipliers.
            counted = reported["net_area_m2"].get(folded)
            # Before 25.2 the report has two decimals; the area of the glass is exact, and complete if there is no
            # frame.
            glass_alone = counted is None or counted == round(area * multiplier, 2)
            gross = area = area if counted is None or glass_alone else counted / multiplier
        facing, coefficients = (
            orientation(azimuth, tilt),
            (reported[coefficient].get(folded) for coefficient in _COEFFICIENTS),
        )
        surfaces.append(
            EnvelopeSurface(
                name,
                kind,
                boundary,
                facing,
                decoded(zone),
                decoded(construction),
                gross * times,
                area * times,
                *coefficients,
            )
        )
    return tuple(surfaces)


def _reported(cells: Iterable[tuple[Any, ...]]) -> Mapping[str, Mapping[str, float]]:
    """The values of the Envelope Summary for each surface, by attribute of `EnvelopeSurface` and name.

    The report's window areas include the window's own multiplier and those of its zone.
    """
    values: dict[str, dict[str, float]] = {name: {} for name in (*_COEFFICIENTS, "net_area_m2")}
    for name, column, unit, value in cells:
        attribute, attribute_unit = ENVELOPE_COLUMNS.get(decoded(column), ("", ""))
        if not attribute:
            continue
        factor = FACTORS[attribute_unit].get(decoded(unit).strip())
        if factor is None:
            continue
        with contextlib.suppress(InvalidOperation):  # an empty cell
            number = float(Decimal(decoded(value).strip()) * factor)
            values[attribute].setdefault(fold_name(decoded(name)), number)
    return values


def _boundary(number: int, other_side: int) -> Boundary:
    if other_side > 0:
        return "adiabatic" if other_side == number else "interior"
    return _BOUNDARIES.get(other_side, "other")


def totals(surfaces: Iterable[EnvelopeSurface]) -> tuple[EnvelopeArea, ...]:
    """The surfaces added up by kind, boundary and orientation, in the order in which these first occur."""
    groups: dict[tuple[Kind, Boundary, str], list[EnvelopeSurface]] = {}
    for surface in surfaces:
        groups.setdefault((surface.kind, surface.boundary, surface.orientation), []).append(surface)
    return tuple(_combined(key, group) for key, group in groups.items())


def _combined(key: tuple[Kind, Boundary, str], group: Sequence[EnvelopeSurface]) -> EnvelopeArea:
    areas = [surface.net_area_m2 for surface in group]
    net = math.fsum(areas)

    def mean(attribute: str) -> float | None:
        values = [getattr(surface, attribute) for surface in group]
        known = net > 0 and all(value is not None for value in values)
        return math.fsum(value * area for value, area in zip(values, areas, strict=True)) / net if known else None

    return EnvelopeArea(*key, math.fsum(surface.gross_area_m2 for surface in group), net, *map(mean, _COEFFICIENTS))


def area_metrics(areas: Iterable[EnvelopeArea]) -> dict[str, float]:
    """Net areas by metric name; 0 if the building has no such surface."""
    metrics = dict.fromkeys(ENVELOPE_AREAS, 0.0)
    for area in areas:
        for name, (kind, boundary) in ENVELOPE_AREAS.items():
            if (area.kind, area.boundary) == (kind, boundary):
                metrics[name] += area.net_area_m2
    return metrics


def envelope_coefficients(areas: Sequence[EnvelopeArea]) -> tuple[dict[str, float | None], dict[str, str]]:
    """`ENVELOPE_COEFFICIENTS`, weighted by net area, and the reason for every None.

    Args:
        areas: The areas of a run's envelope.
    """
    numbers: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, (kind, boundary, attribute) in ENVELOPE_COEFFICIENTS.items():
        group = [area for area in areas if (area.kind, area.boundary) == (kind, boundary) and area.net_area_m2 > 0]
        values = [getattr(area, attribute) for area in group]
        numbers[name] = None
        if not group:
            reasons[name] = f"the building has no {kind} with boundary '{boundary}'"
        elif None in values:
            reasons[name] = "EnergyPlus does not report it for all of these surfaces"
        else:
            net = math.fsum(area.net_area_m2 for area in group)
            numbers[name] = math.fsum(value * area.net_area_m2 for value, area in zip(values, group, strict=True)) / net
    return numbers, reasons


def envelope_of(connection: sqlite3.Connection, reports: Reports) -> tuple[tuple[EnvelopeArea, ...], str]:
    """The envelope's areas, or an empty list and the reason.

    Args:
        connection: To the run's eplusout.sql, with texts as bytes.
        reports: The run's reports.
    """
    try:
        rows = connection.execute(_QUERY).fetchall()
    except sqlite3.OperationalError as error:
        return (), f"the run's surfaces cannot be read: {error}"
    areas = totals(_surfaces(rows, reports.stored(ENVELOPE)))
    return areas, "" if areas else "the run has no surfaces"
