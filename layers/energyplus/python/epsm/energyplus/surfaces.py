"""The surfaces of a model as measures select them: element, boundary, orientation."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.targets import number_in
from epsm.text import fold_name

UPRIGHT_FROM_DEG = 60.0
"""EnergyPlus's own limit between windows and skylights, and below which a surface has no cardinal direction."""
_BASE_CLASSES: Mapping[str, tuple[str, str]] = {
    "Wall:Detailed": ("wall", ""),
    "RoofCeiling:Detailed": ("roof_ceiling", ""),
    "Floor:Detailed": ("floor", ""),
    "BuildingSurface:Detailed": ("", ""),
    "Wall:Exterior": ("wall", "exterior"),
    "Wall:Underground": ("wall", "ground"),
    "Wall:Interzone": ("wall", "interior"),
    "Wall:Adiabatic": ("wall", "adiabatic"),
    "Roof": ("roof_ceiling", "exterior"),
    "Ceiling:Interzone": ("roof_ceiling", "interior"),
    "Ceiling:Adiabatic": ("roof_ceiling", "adiabatic"),
    "Floor:GroundContact": ("floor", "ground"),
    "Floor:Interzone": ("floor", "interior"),
    "Floor:Adiabatic": ("floor", "adiabatic"),
}
"""Class -> element and boundary; empty if a field determines it."""
_OPENING_CLASSES: Mapping[str, str] = {
    "FenestrationSurface:Detailed": "",
    "Window": "window",
    "Door": "door",
    "GlazedDoor": "window",
    "Window:Interzone": "window",
    "Door:Interzone": "door",
    "GlazedDoor:Interzone": "window",
}
_TYPES = {"wall": "wall", "floor": "floor", "roof": "roof_ceiling", "ceiling": "roof_ceiling"}
_OPENING_TYPES = {"window": "window", "glassdoor": "window", "door": "door"}
_BOUNDARIES = {
    "outdoors": "exterior",
    "adiabatic": "adiabatic",
    "surface": "interior",
    "zone": "interior",
    "space": "interior",
    "foundation": "foundation",
}
"""Boundary by the field's value; values that begin with `ground` are ground, other side coefficients and conditions are
other."""
_WITH_PARTNER = "surface"
_TILTS = {"wall": 90.0, "floor": 180.0, "roof_ceiling": 0.0}


@dataclass(frozen=True, slots=True)
class ModelSurface:
    """One surface of a model.

    Attributes:
        class_name, name: Class and name of the object.
        element: wall, floor, roof_ceiling, window (glass doors too), skylight or door; empty for light pipes.
        boundary: exterior, ground, foundation, interior, adiabatic or other.
        orientation: N, E, S or W, as EnergyPlus reports it; empty for surfaces that are not upright.
        zone: Its zone; for a window or door, that of its wall.
        construction: Name of its construction.
        partner: Name of the surface on the other side; empty if there is none or if the engine creates it.
    """

    class_name: str
    name: str
    element: str
    boundary: str
    orientation: str
    zone: str
    construction: str
    partner: str = ""


def orientation(azimuth_deg: float, tilt_deg: float) -> str:
    """The cardinal direction that EnergyPlus gives a surface in its Envelope Summary.

    >>> orientation(315, 90), orientation(44.99, 90), orientation(45, 90), orientation(180, 20)
    ('N', 'N', 'E', '')
    """
    if not UPRIGHT_FROM_DEG <= tilt_deg < 180:
        return ""
    return "NESW"[int((round(azimuth_deg, 2) + 45) % 360 // 90)]


def surfaces_of(outline: ModelOutline) -> list[ModelSurface]:
    """The walls, floors, roofs, windows and doors of a model, in the order of their classes.

    Args:
        outline: The model.
    """
    turns = _Turns(outline)
    bases: dict[str, tuple[ModelSurface, float]] = {}
    for class_name, (element, boundary) in _BASE_CLASSES.items():
        rule = dictionary.load().find_class(class_name)
        for model_object in outline.of_class(class_name) if rule else ():
            assert rule is not None
            bases[fold_name(model_object.name)] = _base(model_object, rule, element, boundary, turns)
    return [surface for surface, _ in bases.values()] + list(_openings(outline, bases))


def _base(
    model_object: ModelObject, rule: ClassRule, element: str, boundary: str, turns: "_Turns"
) -> tuple[ModelSurface, float]:
    element = element or _TYPES.get(fold_name(_text(model_object, rule, "Surface Type")), "")
    condition = fold_name(_text(model_object, rule, "Outside Boundary Condition"))
    partner = _text(model_object, rule, "Outside Boundary Condition Object")
    if not boundary:
        boundary = "ground" if condition.startswith("ground") else _BOUNDARIES.get(condition, "other")
        partner = partner if condition == _WITH_PARTNER else ""
    if partner and fold_name(partner) == fold_name(model_object.name):
        boundary, partner = "adiabatic", ""
    if boundary != "interior":
        partner = ""
    zone = _text(model_object, rule, "Zone Name")
    azimuth, tilt = turns.direction(model_object, rule, element, zone)
    construction = _text(model_object, rule, "Construction Name")
    facing = orientation(azimuth, tilt)
    return ModelSurface(rule.name, model_object.name, element, boundary, facing, zone, construction, partner), tilt


def _openings(outline: ModelOutline, bases: Mapping[str, tuple[ModelSurface, float]]) -> Iterator[ModelSurface]:
    for class_name, element in _OPENING_CLASSES.items():
        rule = dictionary.load().find_class(class_name)
        for model_object in outline.of_class(class_name) if rule else ():
            assert rule is not None
            base, tilt = bases.get(fold_name(_text(model_object, rule, "Building Surface Name")), (None, 0.0))
            if base is None:
                continue  # the engine reports this fault
            kind = element or _OPENING_TYPES.get(fold_name(_text(model_object, rule, "Surface Type")), "")
            if kind == "window" and tilt < UPRIGHT_FROM_DEG:
                kind = "skylight"
            partner = _text(model_object, rule, "Outside Boundary Condition Object")
            construction = _text(model_object, rule, "Construction Name")
            yield ModelSurface(
                rule.name, model_object.name, kind, base.boundary, base.orientation, base.zone, construction, partner
            )


def _text(model_object: ModelObject, rule: ClassRule, field: str) -> str:
    place = rule.find_field(field)
    value = model_object.value(place) if place else None
    return str(value if value is not None else "").strip()


class _Turns:
    """Rotation of a model's coordinates from north."""

    def __init__(self, outline: ModelOutline) -> None:
        known = dictionary.load()
        rules, building, zone = (known.find_class(name) for name in ("GlobalGeometryRules", "Building", "Zone"))
        assert rules is not None
        assert building is not None
        assert zone is not None
        first = next(iter(outline.of_class("GlobalGeometryRules")), None)
        entry, vertices, rectangles = (
            fold_name(_text(first, rules, name)) if first else ""
            for name in ("Vertex Entry Direction", "Coordinate System", "Rectangular Surface Coordinate System")
        )
        self._clockwise = entry == "clockwise"
        self._turned = {True: vertices == "relative", False: not rectangles.startswith("world")}
        self._north = next(
            (_number(model_object, building, "North Axis") for model_object in outline.of_class("Building")), 0.0
        )
        self._zones = {
            fold_name(model_object.name): _number(model_object, zone, "Direction of Relative North")
            for model_object in outline.of_class("Zone")
        }

    def direction(self, model_object: ModelObject, rule: ClassRule, element: str, zone: str) -> tuple[float, float]:
        """Azimuth from north and tilt of a surface, degrees, from its vertices or its fields."""
        detailed = bool(rule.repeats)
        if detailed:
            azimuth, tilt = _direction_of(_vertices(model_object, rule), clockwise=self._clockwise)
        else:
            azimuth = _number(model_object, rule, "Azimuth Angle")
            tilt = _number(model_object, rule, "Tilt Angle", _TILTS.get(element, 90.0))
        if self._turned[detailed]:
            azimuth += self._north + self._zones.get(fold_name(zone), 0.0)
        return azimuth % 360, tilt


def _number(model_object: ModelObject, rule: ClassRule, field: str, default: float = 0.0) -> float:
    place = rule.find_field(field)
    number = number_in(model_object.value(place)) if place else None
    return default if number is None else number


def _vertices(model_object: ModelObject, rule: ClassRule) -> list[tuple[float, float, float]]:
    vertices = []
    for group in range(1, model_object.group_count(rule) + 1):
        places = (rule.find_field(f"Vertex {group} {axis}-coordinate") for axis in "XYZ")
        numbers = [number_in(model_object.value(place)) if place else None for place in places]
        if any(number is None for number in numbers):
            break
        vertices.append((numbers[0] or 0.0, numbers[1] or 0.0, numbers[2] or 0.0))
    return vertices


def _direction_of(vertices: Sequence[tuple[float, float, float]], *, clockwise: bool) -> tuple[float, float]:
    """Azimuth and tilt, degrees, of the outward normal (Newell's method).

    >>> _direction_of([(0, 0, 3), (0, 0, 0), (8, 0, 0), (8, 0, 3)], clockwise=False)
    (180.0, 90.0)
    """
    x = y = z = 0.0
    for (x1, y1, z1), (x2, y2, z2) in zip(vertices, [*vertices[1:], *vertices[:1]], strict=True):
        x += (y1 - y2) * (z1 + z2)
        y += (z1 - z2) * (x1 + x2)
        z += (x1 - x2) * (y1 + y2)
    if clockwise:
        x, y, z = -x, -y, -z
    length = math.sqrt(x * x + y * y + z * z)
    if length == 0:
        return 0.0, 0.0
    azimuth = math.degrees(math.atan2(x, y)) % 360 if math.hypot(x, y) > 1e-9 * length else 0.0
    return azimuth, math.degrees(math.acos(max(-1.0, min(1.0, z / length))))
