"""Checks of parameters whose levels are files: whether each model reads the replaced file, and the effect on it."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from epsm.checks.places import place_of_level
from epsm.checks.target_matches import TargetInModel
from epsm.energyplus.external_files import conflicting_paths, external_path
from epsm.energyplus.file_levels import name_in_model, readers_of
from epsm.energyplus.model_reader import ModelOutline
from epsm.problems import Problem
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.whole_files import FileParameter, WeatherParameter
from epsm.text import listed, nearest


def file_parameters(study: Study) -> Iterator[tuple[int, FileParameter]]:
    """The parameters of a study that vary a file, with their indices; those of a list have the list's values."""
    for index, parameter in enumerate(study.with_levels):
        if isinstance(parameter, FileParameter):
            yield index, parameter


def check_file_levels_on(model: str, own: Mapping[str, None], study: Study) -> Iterator[Problem]:
    """Faults, on a model, of parameters whose levels are files.

    Args:
        model: Path of the model in the study.
        own: The files that the unchanged model reads.
        study: The study.
    """
    for index, parameter in file_parameters(study):
        if parameter.file not in own:
            where, message = f"{MANIFEST_NAME}: parameters[{index}].file", f"{model} does not read '{parameter.file}'"
            yield Problem(where, message, nearest(parameter.file, own) or listed(own) or "a file that each model reads")
            continue
        for level in map(str, parameter.levels):
            _, fault = external_path(name_in_model(level, model), model)
            if fault:
                yield Problem(place_of_level(study, parameter, level), f"{model} cannot read '{level}', {fault}")
            for file, other in conflicting_paths([*own, level, model]):
                message = f"'{other}' cannot be there: '{file}' is a file, not a folder"
                yield Problem(place_of_level(study, parameter, level), message, "another name")


def file_levels_in(outline: ModelOutline, model: str, study: Study) -> Iterator[TargetInModel]:
    """The fields of a model in which parameters replace the name of a file with that of another one."""
    for _, parameter in file_parameters(study):
        by_place: dict[str, list[str]] = {}
        for rule, place, model_object in readers_of(
            parameter.file,
            model,
            lambda rule: outline.of_class(rule.name),
            lambda model_object, place: model_object.value(place),
        ):
            by_place.setdefault(f"{rule.name}, {place.rule.name}", []).append(model_object.name)
        for position, (place_name, names) in enumerate(by_place.items()):
            new = listed(map(str, parameter.levels), most=3)
            yield TargetInModel(
                *(model, parameter.name, "", position, place_name, tuple(names), 0),
                *(f"'{parameter.file}'", new),
            )


def files_of_levels(study: Study) -> dict[str, str]:
    """Every file that is a level, with the first place that names it."""
    places: dict[str, str] = {}
    for _, parameter in file_parameters(study):
        for level in map(str, parameter.levels):
            places.setdefault(level, place_of_level(study, parameter, level))
    return places


def replacements(study: Study) -> Iterator[dict[str, str]]:
    """The replacements of files that have to be checked: none, each level alone, and one file in place of two others,
    since EnergyPlus reads a file once, with the separator of the first object that names it."""
    yield {}
    parameters = [parameter for _, parameter in file_parameters(study)]
    for parameter in parameters:
        yield from ({parameter.file: str(level)} for level in parameter.levels if level != parameter.file)
    for one, other in combinations(parameters, 2):
        for level in map(str, one.levels):
            if level in other.levels:
                yield {one.file: level, other.file: level}


def weather_levels(study: Study) -> Iterator[str]:
    """A line for each parameter that varies the weather: the baselines' file, and those of the other variants."""
    for parameter in study.with_levels:
        if isinstance(parameter, WeatherParameter):
            levels = [level for level in map(str, parameter.levels) if level != parameter.own]
            yield f"{parameter.name}: weather: '{parameter.own}' -> {listed(levels)}"
