"""Whether a study's parameters and its sampling fit together."""

from collections.abc import Iterator
from itertools import islice

from epsm.problems import Problem
from epsm.study.distributions import Discrete, LogNormal, Normal
from epsm.study.impact_consistency import impact_problems
from epsm.study.parameters import Dimension, MeasureParameter
from epsm.study.sampling import Grid, InUnitCube, Listed, Morris, OneAtATime
from epsm.study.sampling.correlations import Correlated, Correlation, factor
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.study.whole_files import FileParameter, WeatherParameter, Whole
from epsm.study.whole_objects import ReplaceParameter
from epsm.text import fold_name, listed, nearest

_SAMPLED = "'latin_hypercube', 'random', 'sobol' or 'morris'"
_MAX_ROWS_SHOWN = 20


def sampling_problems(study: Study, *, with_impact: bool = True) -> list[Problem]:
    """Faults in the combination of parameters, measures, sampling and impact.

    Args:
        study: The study.
        with_impact: Whether measures and impact are complete; of a part of a document they may not be.
    """
    problems = [problem for index, parameter in enumerate(study.parameters) for problem in _of(parameter, index, study)]
    problems += _of_measures(study)
    problems += _of_files(study)
    problems += impact_problems(study) if with_impact else ()
    where = f"{MANIFEST_NAME}: sampling"
    match study.sampling:
        case Listed(rows=None, file=None):
            problems.append(Problem(where, "has no samples", "'rows', or 'file' with a CSV beside study.json"))
        case Listed(rows=rows, file=file) if rows is not None and file is not None:
            problems.append(Problem(where, "has both 'rows' and 'file'", "one of them"))
        case Listed(rows=rows) if rows is not None:
            problems += islice(_of_rows(study, rows), _MAX_ROWS_SHOWN)
        case InUnitCube() if not study.parameters:
            problems.append(Problem(where, "has nothing to sample: the study has no parameters", "parameters"))
        case Correlated(correlations=correlations) if correlations:
            problems += _of_correlations(study, correlations)
        case _:
            pass
    return problems


def _of(parameter: Dimension, index: int, study: Study) -> Iterator[Problem]:
    where, sampling = f"{MANIFEST_NAME}: parameters[{index}]", study.sampling
    if isinstance(sampling, Listed):
        if parameter.has_levels:
            fault = "has levels of its own, and sampling 'list' takes the values from its list"
            yield Problem(where, fault, "a parameter without values, multiply, range and distribution")
        return
    if isinstance(parameter, MeasureParameter):
        yield from _of_measure_levels(parameter, where)
        return
    if not parameter.levels and not parameter.has_levels:
        yield Problem(where, "has no levels", "'values', 'multiply', 'range' or 'distribution'")
        return
    if isinstance(sampling, Grid | OneAtATime):
        if not parameter.levels:
            fault = f"has no levels that sampling '{sampling.method}' could go through"
            yield Problem(where, fault, f"'values', 'multiply', 'range' with 'steps', or sampling {_SAMPLED}")
        elif isinstance(parameter.distribution, Discrete) and parameter.distribution.weights is not None:
            fault = f"is not used by sampling '{sampling.method}', which runs every value equally often"
            yield Problem(f"{where}.distribution.weights", fault, f"no weights, or sampling {_SAMPLED}")
    endless = isinstance(parameter.distribution, Normal | LogNormal) and parameter.distribution.truncate is None
    if isinstance(sampling, Morris) and endless:
        fault = "is unbounded, and sampling 'morris' uses both bounds"
        yield Problem(f"{where}.distribution", fault, "'truncate': [smallest, largest]")


def _of_files(study: Study) -> Iterator[Problem]:
    """Parameters with whole things as levels: two for the same, several weather files beside one that varies them."""
    users: dict[str, str] = {}
    for index, parameter in enumerate(study.parameters):
        if not isinstance(parameter, Whole):
            continue
        where = f"{MANIFEST_NAME}: parameters[{index}]"
        if isinstance(parameter, WeatherParameter):
            if len(study.weather) > 1:
                fault = f"varies the weather, and the study has {len(study.weather)} weather files for the baselines"
                yield Problem(f"{where}.weather", fault, "one file in 'weather', or no parameter with the key weather")
            yield from _of_weather_levels(parameter, where)
        key, shown = _varied_by(parameter)
        user = users.setdefault(key, parameter.name)
        if user != parameter.name:
            yield Problem(where, f"{shown} is varied by '{user}' already", "one parameter for each")


def _varied_by(parameter: Whole) -> tuple[str, str]:
    if isinstance(parameter, ReplaceParameter):
        return f"{parameter.replaces.kind} {fold_name(parameter.replaces.name)}", f"'{parameter.replaces.name}'"
    if isinstance(parameter, FileParameter):
        return f"file {parameter.file}", f"'{parameter.file}'"
    return "weather", "the weather"


def _of_weather_levels(parameter: WeatherParameter, where: str) -> Iterator[Problem]:
    kind = "distribution.values" if parameter.distribution is not None else "values"
    for number, level in enumerate(parameter.levels):
        if level not in parameter.weather:
            yield unknown_weather(parameter, level, f"{where}.{kind}[{number}]")


def unknown_weather(parameter: WeatherParameter, level: float | str, where: str) -> Problem:
    """The problem of a level that is none of the parameter's weather files."""
    near = nearest(str(level), parameter.weather) or listed(parameter.weather)
    return Problem(where, f"'{level}' is not in the parameter's 'weather'", near)


def _of_measures(study: Study) -> Iterator[Problem]:
    """Parameters with an undefined measure, and measures that are used by no parameter or by several."""
    names = [entry.name for entry in study.measures]
    users: dict[str, str] = {}
    for index, parameter in enumerate(study.parameters):
        if not isinstance(parameter, MeasureParameter):
            continue
        where = f"{MANIFEST_NAME}: parameters[{index}].measure"
        user = users.setdefault(fold_name(parameter.measure), parameter.name)
        if user != parameter.name:
            yield Problem(where, f"'{parameter.measure}' is the measure of '{user}' already", "one parameter for each")
        elif parameter.bound is None:
            near = nearest(parameter.measure, names) or listed(names) or "a study with 'measures'"
            yield Problem(where, f"'{parameter.measure}' is not a measure of the study", near)
    for index, measure in enumerate(study.measures):
        if fold_name(measure.name) not in users:
            fault = f"'{measure.name}' is not used: no parameter has this measure"
            yield Problem(f"{MANIFEST_NAME}: measures[{index}]", fault, f'a parameter with "measure": "{measure.name}"')


def _of_measure_levels(parameter: MeasureParameter, where: str) -> Iterator[Problem]:
    if parameter.bound is None:
        return
    kind = "distribution.values" if parameter.distribution is not None else "values"
    for number, level in enumerate(parameter.levels):
        if not parameter.bound.has(level):
            yield unknown_variant(parameter, level, f"{where}.{kind}[{number}]")


def unknown_variant(parameter: MeasureParameter, level: float | str, where: str) -> Problem:
    """The problem of a level that no variant of the measure has as its name."""
    assert parameter.bound is not None
    names = parameter.bound.levels
    shown = f"'{level}'" if isinstance(level, str) else f"{level:g}"
    near = nearest(str(level), names) or listed(names)
    return Problem(where, f"{shown} is not a variant of the measure '{parameter.measure}'", near)


def _of_rows(study: Study, rows: tuple[dict[str, float | str], ...]) -> Iterator[Problem]:
    names = [parameter.name for parameter in study.parameters]
    for number, row in enumerate(rows):
        where = f"{MANIFEST_NAME}: sampling.rows[{number}]"
        for name in row.keys() - set(names):
            yield Problem(f"{where}.{name}", "is not a parameter of the study", nearest(name, names))
        for name in names:
            if name not in row:
                yield Problem(f"{where}.{name}", "is missing", "a value for every parameter")


def _of_correlations(study: Study, correlations: tuple[Correlation, ...]) -> list[Problem]:
    names = [parameter.name for parameter in study.parameters]
    problems: list[Problem] = []
    first_of: dict[frozenset[str], int] = {}
    for number, correlation in enumerate(correlations):
        where = f"{MANIFEST_NAME}: sampling.correlations[{number}]"
        for name in correlation.parameters:
            if name not in names:
                problems.append(Problem(f"{where}.parameters", f"'{name}' is not a parameter", nearest(name, names)))
        before = first_of.setdefault(frozenset(correlation.parameters), number)
        if before != number:
            problems.append(Problem(where, f"correlates the pair of correlations[{before}] again", "each pair once"))
    if not problems and factor(names, correlations) is None:
        fault = "contradict each other: no samples can have all of them (the matrix is not positive definite)"
        problems.append(Problem(f"{MANIFEST_NAME}: sampling.correlations", fault, "smaller correlations"))
    return problems
