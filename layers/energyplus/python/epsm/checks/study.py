"""Checking a study: read every file that it names, check everything, and accept it or reject it with all its faults.

Independent of where the files are: submit passes a folder of a bucket, the command line a folder on disk.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from epsm.checks.analysis import check_analysis
from epsm.checks.budget import check_budget, measured_run_times
from epsm.checks.cells import check_cells
from epsm.checks.constructions import unmatched_constructions
from epsm.checks.currency import check_currency
from epsm.checks.data_files import CLASSES, check_data_files
from epsm.checks.file_levels import files_of_levels, replacements
from epsm.checks.locations import location_remark
from epsm.checks.model_remarks import model_remarks
from epsm.checks.models import check_model
from epsm.checks.order import check_order
from epsm.checks.parameters import check_parameters
from epsm.checks.rules import Rules
from epsm.checks.sample_list import with_samples_of
from epsm.checks.schedules import unmatched_schedules
from epsm.checks.study_files import StudyFiles, StudyReader
from epsm.checks.table_files import check_table_files
from epsm.checks.target_matches import TargetInModel, unmatched_targets
from epsm.checks.time_steps import check_time_steps
from epsm.checks.weather_statistics import uses_weather_for_water_mains
from epsm.energyplus import dictionary
from epsm.energyplus.baseline_values import baseline_values
from epsm.energyplus.external_files import external_path
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.versions import DEFAULT, runnable, version_in
from epsm.energyplus.weather import read_weather
from epsm.errors import StudyRejected
from epsm.estimate import RunTime, run_time_of
from epsm.problems import Problem
from epsm.study.assignments import field_parameters
from epsm.study.hashed_document import MAX_STUDY_BYTES
from epsm.study.hourly_factors import read_hourly_factors
from epsm.study.impact_consistency import impact_remarks
from epsm.study.limits import Limits
from epsm.study.partial import read_partial_study
from epsm.study.sampling import Listed
from epsm.study.schema import MANIFEST_NAME, Study
from epsm.text import fold_name

_NEEDED_LATER = (
    *CLASSES,
    "Schedule:File",
    "ScheduleTypeLimits",
    "Table:IndependentVariableList",
    "Timestep",
    "Site:Location",
    "Site:WaterMainsTemperature",
    "HeatBalanceAlgorithm",
    "HeatBalanceSettings:ConductionFiniteDifference",
    "PerformancePrecisionTradeoffs",
    "SurfaceProperty:HeatTransferAlgorithm",
    "SurfaceProperty:HeatTransferAlgorithm:MultipleSurface",
    "SurfaceProperty:HeatTransferAlgorithm:SurfaceList",
    "SurfaceProperty:HeatTransferAlgorithm:Construction",
)
"""Classes that are checked together with files; the rest of a model is not kept while the others are read."""


@dataclass(frozen=True, slots=True)
class CheckedStudy:
    """A study that can run.

    Attributes:
        study: The study.
        inputs: Every file it reads besides study.json, in the order of reading.
        external_files: For each model the files that the model itself reads.
        baseline_values: For each model its own values of the parameters, where each is one.
        energyplus: Version that it was checked for and runs with, e.g. ``25.2``.
        input_remarks: Remarks on dubious inputs that can be run: for each model and weather file that has
            any, sentences that begin with the file's name.
        run_times: For each model the time of a run, assumed from the model itself.
        expected_run_times: The same, measured for those models that have run before.
        hashes: SHA-256, hexadecimal, of each input as it was checked.
        targets: The fields that each target of each parameter edits in each model.
    """

    study: Study
    inputs: tuple[str, ...]
    external_files: dict[str, tuple[str, ...]]
    baseline_values: dict[str, dict[str, float | str]]
    energyplus: str
    input_remarks: dict[str, tuple[str, ...]]
    run_times: dict[str, RunTime] = field(default_factory=dict)
    expected_run_times: dict[str, RunTime] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    targets: tuple[TargetInModel, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """All `input_remarks`, each once."""
        return tuple(dict.fromkeys(remark for group in self.input_remarks.values() for remark in group))


def check_study(document: bytes, files: StudyFiles, rules: Rules) -> CheckedStudy:
    """Check a study and all files that it names. The only such composition of checks: bucket, API and command call it.

    Args:
        document: The content of study.json.
        files: The files beside it.
        rules: The requirements of the stack that will run it.

    Raises:
        StudyRejected: With every fault that was found.
    """
    accepted = _check_files(document, files, rules)
    study, run_time = accepted.study, rules.run_time
    measured = {} if run_time is None else measured_run_times(study, accepted.hashes.__getitem__, run_time)
    # Last, once everything else is valid: a budget matters only for a study that can run.
    if problems := check_budget(study, measured, rules.limits.variant_memory_mb):
        raise StudyRejected(problems)
    return replace(accepted, expected_run_times=accepted.run_times | measured)


@dataclass(slots=True)
class _Models:
    """What was read from the models of a study for later checks and for the run, by model."""

    external_files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own_values: dict[str, dict[str, float | str]] = field(default_factory=dict)
    outlines: dict[str, ModelOutline] = field(default_factory=dict)
    run_times: dict[str, RunTime] = field(default_factory=dict)
    edits: list[TargetInModel] = field(default_factory=list)


def _check_files(document: bytes, files: StudyFiles, rules: Rules) -> CheckedStudy:
    limits = rules.limits
    if len(document) > MAX_STUDY_BYTES:
        fault = f"has {len(document):,} bytes"
        raise StudyRejected([Problem(MANIFEST_NAME, fault, f"at most {MAX_STUDY_BYTES:,}")])
    draft = read_partial_study(document)
    study = draft.study
    if study is None:
        raise StudyRejected(draft.problems)
    samples = study.sampling.file if isinstance(study.sampling, Listed) else None
    hourly = study.impact.hourly_electricity if study.impact else None
    extra = [name for name in (samples, hourly.file if hourly else None) if name]
    levels = files_of_levels(study)
    reader = StudyReader(files, (*study.models, *study.all_weather, *levels, *extra), study.files)
    if samples is not None:
        study = _with_samples(study, samples, reader)
    if hourly is not None:
        factors = reader.read(hourly.file, f"{MANIFEST_NAME}: impact.hourly_electricity.file")
        reader.problems += [] if factors is None else read_hourly_factors(factors, hourly)[1]
    if rules.find_study is not None:
        reader.problems += check_order(study, rules.find_study, rules.owner)
    reader.problems += _beyond(limits, study)
    reader.problems += check_analysis(study)
    reader.problems += check_cells(study)
    remarks: dict[str, tuple[str, ...]] = {}
    if about := impact_remarks(study, datetime.now(UTC).date()):
        remarks[MANIFEST_NAME] = tuple(f"{MANIFEST_NAME}: {remark}" for remark in about)
    version, models = _check_models(study, reader, limits, remarks)
    with dictionary.of_version(version):
        reader.problems += check_parameters(study)
        if len(models.outlines) == len(study.models):
            reader.problems += unmatched_targets(study, models.edits)
            reader.problems += unmatched_constructions(study, models.edits)
            reader.problems += unmatched_schedules(study, models.edits)
        for_water_mains = any(map(uses_weather_for_water_mains, models.outlines.values()))
    with dictionary.of_version(version):
        records_per_hour = _check_weather(study, reader, models, remarks, for_water_mains=for_water_mains)
        _check_external_files(study, reader, models, records_per_hour, remarks)
    if problems := [*draft.problems, *map(draft.in_document, reader.problems)]:
        raise StudyRejected(problems)
    return CheckedStudy(
        study,
        tuple(reader.done),
        models.external_files,
        models.own_values,
        version,
        remarks,
        models.run_times,
        hashes=reader.done,
        targets=tuple(models.edits),
    )


def _check_models(
    study: Study, reader: StudyReader, limits: Limits, remarks: dict[str, tuple[str, ...]]
) -> tuple[str, _Models]:
    """Check each model on its own; returns the engine's version, from the first model where study.json names none."""
    models = _Models()
    version: str | None = study.energyplus
    for index, model in enumerate(study.models):
        content = reader.read_model(model, f"{MANIFEST_NAME}: models[{index}]", limits.variant_memory_mb)
        if content is None:
            continue
        version = version or runnable(version_in(content, model))
        with dictionary.of_version(version):
            checked = check_model(content, model, study)
            if found := [*model_remarks(checked.outline, model), *checked.remarks]:
                remarks[model] = tuple(found)
            models.own_values[model] = baseline_values(checked.outline, study)
            reader.problems += check_currency(checked.outline, model, study)
        reader.problems += checked.problems
        models.edits += checked.edits
        models.external_files[model] = checked.external_files
        models.run_times[model] = run_time_of(checked.outline)
        models.outlines[model] = checked.outline.only(_NEEDED_LATER)
    return version or DEFAULT, models


def _check_weather(
    study: Study,
    reader: StudyReader,
    models: _Models,
    remarks: dict[str, tuple[str, ...]],
    *,
    for_water_mains: bool,
) -> dict[str, int]:
    """Check each weather file; returns the records per hour of those that can be read."""
    records_per_hour: dict[str, int] = {}
    targets = (target for parameter in study.parameters for target in parameter.all_targets)
    location_varies = any(fold_name(target.class_name) == "site:location" for target in targets)
    for name in study.all_weather:
        content = reader.read(name, _place_of_weather(study, name))
        if content is not None:
            weather, problems = read_weather(content, name)
            reader.problems += problems
            if weather is not None:
                records_per_hour[name] = weather.records_per_hour
                found = [f"{name}: {remark}" for remark in weather.remarks]
                if not location_varies and (elsewhere := location_remark(weather, name, models.outlines)):
                    found.append(elsewhere)
                if found:
                    remarks[name] = tuple(found)
        reader.read_statistics(name, for_water_mains=for_water_mains)
    return records_per_hour


def _check_external_files(
    study: Study,
    reader: StudyReader,
    models: _Models,
    records_per_hour: dict[str, int],
    remarks: dict[str, tuple[str, ...]],
) -> None:
    """Check the files that models read themselves, and time steps, which must fit the weather's records."""
    read_by = {name: model for model, names in models.external_files.items() for name in names}
    read_by = files_of_levels(study) | read_by
    reader.wait_for(read_by)
    tables = {name: reader.read(name, where) for name, where in read_by.items()}
    varied = field_parameters(study)
    for model, outline in models.outlines.items():
        faults: dict[Problem, None] = {}
        found: dict[str, None] = {}
        for replaced in replacements(study):
            table = partial(_table, tables, model, replaced)
            problems, remarks_here = check_table_files(outline, model, table, varied)
            faults |= dict.fromkeys((*problems, *check_data_files(outline, model, table, varied)))
            found |= dict.fromkeys(remarks_here)
        reader.problems += faults
        reader.problems += check_time_steps(outline, model, varied, records_per_hour)
        if found:
            remarks[model] = (*remarks.get(model, ()), *found)


def _with_samples(study: Study, name: str, reader: StudyReader) -> Study:
    """The study with the samples of its list's file."""
    content = reader.read(name, f"{MANIFEST_NAME}: sampling.file")
    if content is None:
        return study
    listed, problems = with_samples_of(study, name, content)
    reader.problems += problems
    return listed


def _place_of_weather(study: Study, name: str) -> str:
    if name in study.weather:
        return f"{MANIFEST_NAME}: weather[{study.weather.index(name)}]"
    assert study.climate is not None
    number = study.climate.weather.index(name)
    return f"{MANIFEST_NAME}: parameters[{study.parameters.index(study.climate)}].weather[{number}]"


def _table(
    tables: Mapping[str, bytes | None], model: str, replaced: Mapping[str, str], name: str
) -> tuple[str, bytes] | None:
    """A file that a model reads, by the name that it uses, or the one that takes its place."""
    path, fault = external_path(name, model)
    path = replaced.get(path, path)
    content = None if fault else tables.get(path)
    return None if content is None else (path, content)


def _beyond(limits: Limits, study: Study) -> Iterator[Problem]:
    """What a study requests beyond the limits of this stack."""
    options, where = study.options, f"{MANIFEST_NAME}: options"
    if study.variant_count > limits.max_variants:
        yield Problem(MANIFEST_NAME, f"asks for {study.variant_count:,} variants", f"at most {limits.max_variants:,}")
    if options.timeout_s > limits.longest_run_s:
        allowed = f"at most {limits.longest_run_s} on this stack, which was deployed without Fargate"
        yield Problem(f"{where}.timeout_s", f"{options.timeout_s} is too large", allowed)
    if options.in_containers and not limits.containers:
        allowed = "function on this stack, which was deployed without Fargate"
        yield Problem(f"{where}.compute", f"'{options.compute}' runs variants in containers", allowed)
    if options.retention_days > limits.longest_retention_days:
        allowed = f"at most {limits.longest_retention_days} on this stack (limited by its `noncurrent_days` setting)"
        yield Problem(f"{where}.retention_days", f"{options.retention_days} is too large", allowed)
