"""Surfaces whose construction measures do not replace, with the reason."""

from collections.abc import Iterable, Iterator

from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelOutline
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
    shaded = set(_shaded(outline))
    for each in surfaces:
        if each.boundary == "foundation":
            yield each, _KIVA
        elif fold_name(each.construction) in constructions:
            yield each, constructions[fold_name(each.construction)]
        elif fold_name(each.name) in shaded:
            yield each, _SHADED


def _named_by(outline: ModelOutline, class_name: str, field: str) -> list[str]:
    rule = dictionary.load().find_class(class_name)
    place = rule.find_field(field) if rule else None
    return [fold_name(str(each.value(place) or "")) for each in outline.of_class(class_name)] if place else []


def _shaded(outline: ModelOutline) -> Iterator[str]:
    rule = dictionary.load().find_class("WindowShadingControl")
    for each in outline.of_class("WindowShadingControl") if rule else ():
        assert rule is not None
        for number in range(1, each.group_count(rule) + 1):
            place = rule.find_field(f"Fenestration Surface {number} Name")
            if place is not None and (name := each.value(place)):
                yield fold_name(str(name))
