"""Surfaces that cannot get another construction, with the reason."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from epsm.energyplus import dictionary
from epsm.energyplus.model_reader import ModelObject, ModelOutline
from epsm.energyplus.surfaces import ModelSurface
from epsm.text import fold_name


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a surface cannot get another construction.

    Attributes:
        text: The reason as a clause, the same for one surface and several.
        of_construction: Whether it is a property of the construction, which cannot be copied either.
    """

    text: str
    of_construction: bool = False


_CLASSES_WITHOUT_LAYERS = {
    "Construction:CfactorUndergroundWall": Obstacle("the construction is a C-factor, which has no layers", True),
    "Construction:FfactorGroundFloor": Obstacle("the construction is an F-factor, which has no layers", True),
    "Construction:ComplexFenestrationState": Obstacle(
        "the construction is measured optical data (complex fenestration)", True
    ),
    "Construction:WindowEquivalentLayer": Obstacle("the construction is an equivalent-layer window", True),
    "Construction:WindowDataFile": Obstacle("the construction comes from a WINDOW data file", True),
    "Construction:InternalSource": Obstacle("the construction has an internal heat source", True),
}
_TIED_TO_CONSTRUCTIONS = {
    "ConstructionProperty:InternalHeatSource": Obstacle("the construction has an internal heat source", True),
    "SurfaceProperty:HeatTransferAlgorithm:Construction": Obstacle(
        "the construction has its own heat transfer algorithm", True
    ),
}
_KIVA = Obstacle("the outside boundary is a Kiva foundation")
_SHADED = Obstacle("a WindowShadingControl applies")
_VENTILATED = Obstacle("a WindowProperty:AirflowControl applies, and the engine stops if the panes and gaps change")
_HAMT = "CombinedHeatAndMoistureFiniteElement"
_MOIST = Obstacle(
    f"the heat transfer algorithm is {_HAMT}, and the engine crashes if a layer has no moisture properties"
)
_GLAZED = ("window", "skylight")


def obstacles(outline: ModelOutline, surfaces: Iterable[ModelSurface]) -> Iterator[tuple[ModelSurface, Obstacle]]:
    """The surfaces that cannot get another construction, each with the first reason.

    Args:
        outline: The model.
        surfaces: Surfaces of it.
    """
    constructions: dict[str, Obstacle] = {}
    for class_name, obstacle in _CLASSES_WITHOUT_LAYERS.items():
        constructions |= {fold_name(model_object.name): obstacle for model_object in outline.of_class(class_name)}
    for class_name, obstacle in _TIED_TO_CONSTRUCTIONS.items():
        constructions |= dict.fromkeys(_named_by(outline, class_name, "Construction Name"), obstacle)
    shaded, ventilated = set(_shaded(outline)), set(_named_by(outline, "WindowProperty:AirflowControl", "Name"))
    all_moist, moist = _with_moisture(outline)
    for surface in surfaces:
        if surface.boundary == "foundation":
            yield surface, _KIVA
        elif fold_name(surface.construction) in constructions:
            yield surface, constructions[fold_name(surface.construction)]
        elif fold_name(surface.name) in shaded:
            yield surface, _SHADED
        elif fold_name(surface.name) in ventilated:
            yield surface, _VENTILATED
        elif surface.element not in _GLAZED and (all_moist or fold_name(surface.name) in moist):
            yield surface, _MOIST


def _named_by(outline: ModelOutline, class_name: str, field: str) -> list[str]:
    rule = dictionary.load().find_class(class_name)
    place = rule.find_field(field) if rule else None
    return (
        [fold_name(str(model_object.value(place) or "")) for model_object in outline.of_class(class_name)]
        if place
        else []
    )


def _with_moisture(outline: ModelOutline) -> tuple[bool, set[str]]:
    """Whether all surfaces may be simulated with heat and moisture transfer, and the names, in lower case, of those
    that are."""
    surface, several = "SurfaceProperty:HeatTransferAlgorithm", "SurfaceProperty:HeatTransferAlgorithm:SurfaceList"
    everywhere = ("HeatBalanceAlgorithm", "SurfaceProperty:HeatTransferAlgorithm:MultipleSurface")
    algorithm_name = fold_name(_HAMT)
    all_moist = any(algorithm_name in _named_by(outline, name, "Algorithm") for name in everywhere)
    algorithms, names = _named_by(outline, surface, "Algorithm"), _named_by(outline, surface, "Surface Name")
    moist = {name for name, algorithm in zip(names, algorithms, strict=True) if algorithm == algorithm_name}
    for model_object, algorithm in zip(
        outline.of_class(several), _named_by(outline, several, "Algorithm"), strict=True
    ):
        moist |= set(_in_groups(model_object, "Surface Name #")) if algorithm == algorithm_name else set()
    return all_moist, moist


def _in_groups(model_object: ModelObject, field: str) -> Iterator[str]:
    """The values, in lower case, that an object has in a repeated field."""
    rule = dictionary.load().find_class(model_object.class_name)
    for number in range(1, model_object.group_count(rule) + 1) if rule else ():
        assert rule is not None
        place = rule.find_field(field.replace("#", str(number)))
        if place is not None and (name := model_object.value(place)):
            yield fold_name(str(name))


def _shaded(outline: ModelOutline) -> Iterator[str]:
    for model_object in outline.of_class("WindowShadingControl"):
        yield from _in_groups(model_object, "Fenestration Surface # Name")
