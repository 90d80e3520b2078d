"""Surfaces whose construction measures do not replace, with the reason."""

from collections.abc import Iterable, Iterator

from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.surfaces import ModelSurface
from epsm.text import fold_name

_OTHER_CONSTRUCTIONS = {
    "Construction:CfactorUndergroundWall": "whose construction is a C-factor, which has no layers",
    "Construction:FfactorGroundFloor": "whose construction is an F-factor, which has no layers",
    "Construction:ComplexFenestrationState": "whose construction is measured optical data (complex fenestration)",
    "Construction:WindowEquivalentLayer": "whose construction is an equivalent-layer window",
    "Construction:WindowDataFile": "whose construction comes from a file of WINDOW",
    "Construction:InternalSource": "whose construction has an internal heat source",
}
_TIED_TO_CONSTRUCTIONS = {
    "ConstructionProperty:InternalHeatSource": "whose construction has an internal heat source",
    "SurfaceProperty:HeatTransferAlgorithm:Construction": "whose construction has a heat transfer algorithm of its own",
}
_KIVA = "which lie on a Kiva foundation"
_SHADED = "which have a WindowShadingControl"
_VENTILATED = "which have a WindowProperty:AirflowControl, and the engine stops if its panes and gaps are others"
_HAMT = "CombinedHeatAndMoistureFiniteElement"
_MOIST = f"which are simulated with {_HAMT}, and the engine crashes if a layer has no moisture properties"
_GLAZED = ("window", "skylight")


def reasons_against(outline: ModelOutline, surfaces: Iterable[ModelSurface]) -> Iterator[tuple[ModelSurface, str]]:
    """Those of the surfaces that cannot be given another construction, each with the first reason.

    Args:
        outline: The model.
        surfaces: Surfaces of it.
    """
    constructions: dict[str, str] = {}
    for class_name, reason in _OTHER_CONSTRUCTIONS.items():
        constructions |= {fold_name(each.name): reason for each in outline.of_class(class_name)}
    for class_name, reason in _TIED_TO_CONSTRUCTIONS.items():
        constructions |= dict.fromkeys(_named_by(outline, class_name, "Construction Name"), reason)
    shaded, ventilated = set(_shaded(outline)), set(_named_by(outline, "WindowProperty:AirflowControl", "Name"))
    all_moist, moist = _with_moisture(outline)
    for each in surfaces:
        if each.boundary == "foundation":
            yield each, _KIVA
        elif fold_name(each.construction) in constructions:
            yield each, constructions[fold_name(each.construction)]
        elif fold_name(each.name) in shaded:
            yield each, _SHADED
        elif fold_name(each.name) in ventilated:
            yield each, _VENTILATED
        elif each.element not in _GLAZED and (all_moist or fold_name(each.name) in moist):
            yield each, _MOIST


def _named_by(outline: ModelOutline, class_name: str, field: str) -> list[str]:
    rule = dictionary.load().find_class(class_name)
    place = rule.find_field(field) if rule else None
    return [fold_name(str(each.value(place) or "")) for each in outline.of_class(class_name)] if place else []


def _with_moisture(outline: ModelOutline) -> tuple[bool, set[str]]:
    """Whether all surfaces may be simulated with heat and moisture transfer, and the names, in lower case, of those
    that are."""
    surface, several = "SurfaceProperty:HeatTransferAlgorithm", "SurfaceProperty:HeatTransferAlgorithm:SurfaceList"
    everywhere = ("HeatBalanceAlgorithm", "SurfaceProperty:HeatTransferAlgorithm:MultipleSurface")
    wanted = fold_name(_HAMT)
    all_moist = any(wanted in _named_by(outline, name, "Algorithm") for name in everywhere)
    algorithms, names = _named_by(outline, surface, "Algorithm"), _named_by(outline, surface, "Surface Name")
    moist = {name for name, algorithm in zip(names, algorithms, strict=True) if algorithm == wanted}
    for each, algorithm in zip(outline.of_class(several), _named_by(outline, several, "Algorithm"), strict=True):
        moist |= set(_in_groups(each, "Surface Name #")) if algorithm == wanted else set()
    return all_moist, moist


def _in_groups(each: ModelObject, field: str) -> Iterator[str]:
    """The values, in lower case, that an object has in a repeated field."""
    rule = dictionary.load().find_class(each.class_name)
    for number in range(1, each.group_count(rule) + 1) if rule else ():
        assert rule is not None
        place = rule.find_field(field.replace("#", str(number)))
        if place is not None and (name := each.value(place)):
            yield fold_name(str(name))


def _shaded(outline: ModelOutline) -> Iterator[str]:
    for each in outline.of_class("WindowShadingControl"):
        yield from _in_groups(each, "Fenestration Surface # Name")
