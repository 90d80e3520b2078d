"""Checks of a model file, and of a study's parameters on it.

All checks work on text in memory and report every fault; no process is started. Faults that only the engine can find
(a zone without surfaces, say) appear as the verdict of the run.
"""

from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from epsm.checks.cells import check_reduced_on
from epsm.checks.constructions import check_constructions_on, constructions_in
from epsm.checks.file_levels import check_file_levels_on, file_levels_in
from epsm.checks.model_faults import FieldFilter, check_model_faults, place_of
from epsm.checks.object_levels import check_object_levels_on, object_levels_in
from epsm.checks.parameters import Setters, check_parameters_on
from epsm.checks.references import check_object_names
from epsm.checks.schedules import check_schedules_on, count_schedules, overridden, schedules_in
from epsm.checks.setpoints import crossings_together
from epsm.checks.systems import check_systems_on
from epsm.checks.table_text import field_text, is_number
from epsm.checks.target_matches import TargetInModel, targets_in
from epsm.energyplus import dictionary, versions
from epsm.energyplus.construction_plans import plans_of
from epsm.energyplus.dictionary import ClassRule
from epsm.energyplus.external_files import conflicting_paths, external_path
from epsm.energyplus.file_levels import naming_fields
from epsm.energyplus.model_reader import ModelObject, ModelOutline, read_outline
from epsm.energyplus.schedule_plans import schedule_plans
from epsm.energyplus.targets import selected_objects
from epsm.problems import Problem
from epsm.study.parameters import MeasureParameter
from epsm.study.schema import Study
from epsm.study.targets import Target
from epsm.text import fold_name, middle_cut, nearest

_NOT_SUPPORTED = (
    ("parametric:", "EnergyPlus's parametric preprocessor is not run; define its values as parameters of the study"),
    ("pythonplugin:", "Python plugins are not part of the engine package"),
    ("externalinterface", "co-simulation is not supported"),
    ("groundheattransfer:", "the Slab and Basement preprocessors are not part of the engine package"),
)

_MAX_OF_A_KIND = 50


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """The result of checking a model file.

    Attributes:
        problems: Every fault, of the model itself and of the study's parameters on it.
        external_files: Files that the model reads (Schedule:File and the like), as study paths.
        outline: What the model contains.
        edits: The objects and values that each target of each parameter edits in it.
        remarks: Sentences about variants that EnergyPlus may end with an error.
    """

    problems: tuple[Problem, ...]
    external_files: tuple[str, ...]
    outline: ModelOutline = field(default_factory=ModelOutline, compare=False)
    edits: tuple[TargetInModel, ...] = ()
    remarks: tuple[str, ...] = ()


def check_model(content: bytes, source: str, study: Study) -> CheckedModel:
    """Check one model file, and the study's parameters on it.

    Args:
        content: The file's bytes.
        source: Its path in the study.
        study: The study; its parameters must have passed `check_parameters`.
    """
    outline = read_outline(content, source)
    problems = list(outline.problems)
    problems += _check_version(outline, source, study)
    external_files: dict[str, None] = {}
    edits = list(targets_in(outline, source, study))
    remarks: tuple[str, ...] = ()
    if not problems:
        problems += islice(_check_objects(outline, source), _MAX_OF_A_KIND)
        sound = not problems  # a missing ';' hides objects, so that their names would be reported as missing
        varied = _set_by(study)
        problems += check_model_faults(outline, source, varied)[:_MAX_OF_A_KIND]
        if sound:
            problems += check_object_names(outline, source, varied)[:_MAX_OF_A_KIND]
        problems += _check_run_period(outline, source, study)
        problems += _check_leap_days(outline, source, study)
        problems += check_reduced_on(outline, source, study)
        setters: Setters = {}
        met: dict[str, int | None] = {}
        schedules = schedule_plans(outline, study)
        edits += schedules_in(source, schedules)
        count_schedules(schedules, met)
        problems += islice(check_parameters_on(outline, source, study, setters, met), _MAX_OF_A_KIND)
        problems += islice(check_object_levels_on(outline, source, study, setters), _MAX_OF_A_KIND)
        problems += islice(check_systems_on(outline, source, study), _MAX_OF_A_KIND)
        problems += islice(check_schedules_on(outline, source, study, schedules, setters, met), _MAX_OF_A_KIND)
        remarks = (*crossings_together(outline, source, schedules), *overridden(source, schedules))
        plans = plans_of(outline, study)
        edits += constructions_in(source, plans)
        edits += file_levels_in(outline, source, study)
        edits += object_levels_in(outline, source, study)
        problems += islice(check_constructions_on(source, plans, edits, setters), _MAX_OF_A_KIND)
        for model_object, name in _external_names(outline):
            path, fault = external_path(name, source)
            if fault:
                message = f"{model_object.class_name} '{model_object.name}' reads '{middle_cut(name, 100)}', {fault}"
                problems.append(Problem(place_of(model_object, source), message, "a file uploaded with the study"))
            else:
                external_files[path] = None
        problems += islice(check_file_levels_on(source, external_files, study), _MAX_OF_A_KIND)
        for file, other in conflicting_paths([*external_files, source]):
            problems.append(Problem(source, f"reads '{other}', but '{file}' is a file, not a folder", "other names"))
    return CheckedModel(tuple(problems), tuple(external_files), outline, tuple(edits), remarks)


def _set_by(study: Study) -> FieldFilter:
    """Fields that a parameter sets: the model may have a fault or another tool's tag there."""
    known = dictionary.load()
    setters: dict[tuple[str, int], list[tuple[Target, ClassRule]]] = {}
    parameters = (
        candidate for candidate in study.parameters if not isinstance(candidate, MeasureParameter)
    )  # `none` sets nothing
    for target in (target for parameter in parameters for target in parameter.all_targets):
        rule = known.find_class(target.class_name)
        place = rule.find_field(target.field) if rule else None
        if rule is not None and place is not None and not target.relative:
            setters.setdefault((fold_name(rule.name), place.position), []).append((target, rule))

    def is_set(model_object: ModelObject, position: int) -> bool:
        candidates = setters.get((fold_name(model_object.class_name), position), ()) if setters else ()
        return any(selected_objects(target, rule, [model_object]) for target, rule in candidates)

    return is_set


def _check_version(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    expected = dictionary.load().model_version
    found = outline.version
    if not outline.objects:
        return
    if found is None:
        yield Problem(source, "has no Version object, so its EnergyPlus version is unknown", f"Version,{expected};")
        return
    model = ".".join(found.split(".")[:2])
    if versions.runs_as(model, expected, study.energyplus):
        for name in sorted(versions.CHANGED_IN_26_1 & outline.objects.keys()):
            first = outline.objects[name][0]
            fault = f"{first.class_name} is defined differently in EnergyPlus {model} and {expected}"
            yield Problem(place_of(first, source), fault, "a model without such objects")
    elif model != expected:
        yield Problem(source, *versions.misfit(found, expected, study.energyplus))


def _check_objects(outline: ModelOutline, source: str) -> Iterator[Problem]:
    known = dictionary.load()
    for group in outline.objects.values():
        first = group[0]
        where = place_of(first, source)
        reason = next(
            (explanation for start, explanation in _NOT_SUPPORTED if fold_name(first.class_name).startswith(start)),
            None,
        )
        rule = known.find_class(first.class_name)
        if reason is not None:
            yield Problem(where, f"{first.class_name} cannot be simulated: {reason}", "a model without such objects")
        elif rule is None:
            fault = f"'{first.class_name}' is not a class of EnergyPlus {known.model_version}"
            yield Problem(where, fault, nearest(first.class_name, known.class_names))
        elif isinstance(first.values, dict) and first.class_name != rule.name:
            # Class names are case-insensitive in IDF, case-sensitive in epJSON.
            yield Problem(
                where,
                f"'{first.class_name}' is not spelled as in the schema (epJSON is case-sensitive)",
                f"'{rule.name}'",
            )
        else:
            yield from _check_group(group, rule, source)
    for needed in ("Building", "GlobalGeometryRules"):
        if not outline.of_class(needed):
            yield Problem(source, f"has no {needed} object")
    templates = next(
        (
            model_object
            for model_object in outline.all()
            if fold_name(model_object.class_name).startswith("hvactemplate:")
        ),
        None,
    )
    if templates is not None and not isinstance(templates.values, tuple):
        fault = f"{templates.class_name} can only be expanded in an IDF"
        yield Problem(f"{source}: {templates.class_name}", fault, "the model as IDF")
    elif templates is not None and not versions.RELEASES[known.model_version].expands_templates:
        fault = f"{templates.class_name} cannot be expanded: the package of {known.model_version} has no ExpandObjects"
        yield Problem(place_of(templates, source), fault, "expanded.idf, which your own EnergyPlus writes")


def _check_group(group: list[ModelObject], rule: ClassRule, source: str) -> Iterator[Problem]:
    if rule.unique and len(group) > 1:
        yield Problem(place_of(group[1], source), f"there are {len(group)} {rule.name} objects", "one")
    for model_object in group:
        if not isinstance(model_object.values, tuple) or rule.repeats or len(model_object.values) <= len(rule.fields):
            continue
        if not any(model_object.values[len(rule.fields) :]):
            continue  # the engine ignores empty fields after the last one
        count = len(model_object.values)
        fault = f"{rule.name} '{model_object.name}' has {count} fields; a ';' may be missing before the next object"
        yield Problem(place_of(model_object, source), fault, f"at most {len(rule.fields)}")


def _check_run_period(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    has_run_period = bool(outline.of_class("RunPeriod") or outline.of_class("RunPeriod:CustomRange"))
    has_design_day = bool(outline.of_class("SizingPeriod:DesignDay"))  # the engine counts no other sizing period
    chosen = study.options.run_period
    if chosen == "annual" and not has_run_period:
        yield Problem(
            source, "has no RunPeriod, which options.run_period 'annual' extends to a whole year", "a RunPeriod"
        )
    elif chosen == "design_days" and not has_design_day:
        fault = "has no SizingPeriod:DesignDay, and options.run_period 'design_days' simulates nothing else"
        yield Problem(source, fault, "a SizingPeriod:DesignDay")
    elif chosen == "as_in_model" and not (has_run_period and _asks_for_weather_run(outline)):
        reason = "its SimulationControl disables weather-file run periods" if has_run_period else "it has no RunPeriod"
        # 'annual' extends an existing run period; without one it would be rejected too.
        other = "another SimulationControl, or options.run_period 'annual'" if has_run_period else "a RunPeriod"
        yield Problem(source, f"would have no energy use: {reason}", other)


def _check_leap_days(outline: ModelOutline, source: str, study: Study) -> Iterator[Problem]:
    """Run periods to 29 February without a year: the engine simulates to the next leap year, 367 to 1,461 days."""
    varied = any(
        fold_name(target.class_name) == "runperiod"
        for parameter in study.parameters
        for target in parameter.all_targets
    )
    if study.options.run_period != "as_in_model" or varied:
        return
    for run_period in outline.of_class("RunPeriod"):
        begin = [field_text(run_period, f"Begin {part}") for part in ("Month", "Day of Month", "Year")]
        end = [field_text(run_period, f"End {part}") for part in ("Month", "Day of Month", "Year")]
        if not all(is_number(text) for text in (*begin[:2], *end[:2])) or end[2]:
            continue
        first, last = ((int(float(month)), int(float(day))) for month, day, _ in (begin, end))
        within_leap_year = is_number(begin[2]) and isleap(int(float(begin[2]))) and first <= last
        if last == (2, 29) and not within_leap_year:
            fault = f"RunPeriod '{run_period.name}' ends on 29 February without a year"
            fault += ": EnergyPlus would run it to the next leap year"
            yield Problem(place_of(run_period, source), fault, "a Begin Year and an End Year")


def _asks_for_weather_run(outline: ModelOutline) -> bool:
    """The setting in SimulationControl; without the object, or if blank, the engine's default is Yes."""
    rule = dictionary.load().find_class("SimulationControl")
    place = rule.find_field("Run Simulation for Weather File Run Periods") if rule else None
    assert place is not None
    answers = [control.value(place) for control in outline.of_class("SimulationControl")]
    return not any(fold_name(str(answer)) == "no" for answer in answers)


def _external_names(outline: ModelOutline) -> Iterator[tuple[ModelObject, str]]:
    for rule, place in naming_fields():
        for model_object in outline.of_class(rule.name):
            if name := str(model_object.value(place) or "").strip():
                yield model_object, name
