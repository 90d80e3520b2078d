"""Checks of parameters whose levels are objects: that a model has them, and that they fit the fields that name them."""

from collections.abc import Iterator

from epsm.checks.parameters import Setter, Setters, set_twice
from epsm.checks.places import place_of_level
from epsm.checks.target_matches import TargetInModel
from epsm.energyplus.faults import Fault
from epsm.energyplus.materials import Materials
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.object_levels import Reference, objects_of, references_to
from epsm.energyplus.surfaces import ModelSurface, surfaces_of
from epsm.energyplus.uneditable import Obstacle, obstacles
from epsm.problems import Problem
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.whole_objects import ReplaceParameter
from epsm.text import fold_name, listed, nearest

_MAX_NAMED = 10


def _parameters(study: Study) -> Iterator[tuple[int, ReplaceParameter]]:
    for index, parameter in enumerate(study.with_levels):
        if isinstance(parameter, ReplaceParameter):
            yield index, parameter


def check_object_levels_on(outline: ModelOutline, source: str, study: Study, setters: Setters) -> Iterator[Problem]:
    """Faults, on a model, of parameters whose levels are objects.

    Args:
        outline, source: The model and its path in the study.
        study: The study.
        setters: The fields that targets set.
    """
    for index, parameter in _parameters(study):
        where, kind, own = f"{MANIFEST_NAME}: parameters[{index}]", parameter.replaces.kind, parameter.replaces.name
        known = {key: model_object.name for key, model_object in objects_of(outline, kind).items()}
        missing = [level for level in (own, *map(str, parameter.levels)) if fold_name(level) not in known]
        for level in dict.fromkeys(missing):
            place = f"{where}.replaces.{kind}" if level == own else place_of_level(study, parameter, level)
            near = nearest(level, known.values()) or listed(known.values())
            yield Problem(place, f"{source} has no {kind} called '{level}'", near)
        references = list(references_to(outline, kind, own))
        if not references and own not in missing:
            yield Problem(f"{where}.replaces.{kind}", f"{source}: nothing uses the {kind} '{own}'", "one that is used")
        yield from _set_twice(parameter, references, setters, source, where)
        if kind == "construction" and not missing:
            yield from _check_constructions(outline, source, study, parameter, where)


def _set_twice(
    parameter: ReplaceParameter, references: list[Reference], setters: Setters, source: str, where: str
) -> Iterator[Problem]:
    setter = Setter(parameter.name, "", where)
    for reference in references:
        problems = list(
            set_twice(setter, [reference.model_object.name], reference.rule, reference.place, setters, source)
        )
        yield from problems
        if problems:
            return


def _check_constructions(
    outline: ModelOutline, source: str, study: Study, parameter: ReplaceParameter, where: str
) -> Iterator[Problem]:
    own, materials = parameter.replaces.name, Materials(outline)
    surfaces = surfaces_of(outline)
    using = [candidate for candidate in surfaces if fold_name(candidate.construction) == fold_name(own)]
    found: dict[Obstacle, list[str]] = {}
    for surface, obstacle in obstacles(outline, using):
        found.setdefault(obstacle, []).append(surface.name)
    for obstacle, names in found.items():
        fault = f"{source}: '{own}' cannot be replaced in {listed(names, most=_MAX_NAMED)}: {obstacle.text}"
        yield Problem(f"{where}.replaces.construction", fault, "another construction")
    layers = materials.layers_of(own)
    for level in map(str, parameter.levels):
        place, new = place_of_level(study, parameter, level), materials.layers_of(level)
        if isinstance(new, Fault) or isinstance(layers, Fault):
            yield Problem(place, f"{source}: '{level}' and '{own}' are not both constructions of layers", "others")
        elif materials.glazed(new) != materials.glazed(layers):
            glazed, opaque = (level, own) if materials.glazed(new) else (own, level)
            yield Problem(place, f"{source}: '{glazed}' is glazed, and '{opaque}' is not", "one of the same kind")
        elif fold_name(level) != fold_name(own):
            yield from _check_pairs(source, surfaces, own, level, materials, place)


def _check_pairs(
    source: str, surfaces: list[ModelSurface], own: str, level: str, materials: Materials, place: str
) -> Iterator[Problem]:
    """EnergyPlus ends the run if the two sides of an interior surface are not the reverse of each other."""
    by_name = {fold_name(candidate.name): candidate for candidate in surfaces}

    def new(surface: ModelSurface) -> str:
        return level if fold_name(surface.construction) == fold_name(own) else surface.construction

    for side in surfaces:
        other = by_name.get(fold_name(side.partner)) if side.partner else None
        if other is None or fold_name(side.construction) != fold_name(own):
            continue
        one, back = materials.layers_of(new(side)), materials.layers_of(new(other))
        if isinstance(one, Fault) or isinstance(back, Fault):
            continue
        if [*map(fold_name, one)] != [*map(fold_name, reversed(back))]:
            fault = (
                f"{source}: '{new(side)}' of '{side.name}' would not be the reverse of '{new(other)}' of '{other.name}'"
            )
            yield Problem(place, f"{fault}, its other side", "a measure with 'construction', which edits both sides")
            return


def object_levels_in(outline: ModelOutline, source: str, study: Study) -> Iterator[TargetInModel]:
    """The fields of a model that parameters whose levels are objects replace."""
    for _, parameter in _parameters(study):
        kind, own = parameter.replaces.kind, parameter.replaces.name
        by_place: dict[str, list[str]] = {}
        for reference in references_to(outline, kind, own):
            by_place.setdefault(f"{reference.rule.name}, {reference.place.rule.name}", []).append(
                reference.model_object.name
            )
        for position, (place, names) in enumerate(by_place.items()):
            new = listed(map(str, parameter.levels), most=3)
            yield TargetInModel(source, parameter.name, "", position, place, tuple(names), 0, f"'{own}'", new)
