"""Checking a study: read everything it names, check everything, and refuse it with every fault or accept it.

Knows nothing of where the files are: submit gives it a folder of a bucket, the command line a folder on disk.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from epsm.checks.analysis import check_analysis
from epsm.checks.budget import check_budget, measured_run_times
from epsm.checks.cells import check_cells
from epsm.checks.data_files import CLASSES, check_data_files
from epsm.checks.model_remarks import model_remarks
from epsm.checks.models import check_model
from epsm.checks.order import check_order
from epsm.checks.parameters import check_parameters
from epsm.checks.rules import Rules
from epsm.checks.sample_list import with_samples_of
from epsm.checks.table_files import check_table_files
from epsm.checks.target_matches import TargetInModel, unmatched_targets
from epsm.checks.time_steps import check_time_steps
from epsm.checks.weather_statistics import check_statistics, uses_weather_for_water_mains
from epsm.energyplus import dictionary
from epsm.energyplus.baseline_values import baseline_values
from epsm.energyplus.external_files import external_path
from epsm.energyplus.model_reader import ModelOutline
from epsm.energyplus.versions import DEFAULT, runnable, version_in
from epsm.energyplus.weather import read_weather, statistics_beside
from epsm.errors import StudyRejected
from epsm.estimate import RunTime, run_time_of
from epsm.model_memory import is_epjson, largest_model_bytes
from epsm.problems import Problem
from epsm.study.parsing import load_document
from epsm.study.partial import read_partial_study
from epsm.study.sampling import Listed
from epsm.study.schema import MANIFEST_NAME, Limits, Study
from epsm.text import nearest

MAX_STUDY_BYTES = 5_000_000
MAX_FILE_BYTES = 50_000_000
_NEEDED_LATER = (
    *CLASSES,
    "Schedule:File",
    "ScheduleTypeLimits",
    "Table:IndependentVariableList",
    "Timestep",
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


class StudyFiles(Protocol):
    """The files of a study, by their path in it (Unicode NFC)."""

    place: str
    """Where they are, for messages."""

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        """Every file with its size in bytes. May wait for `needed` ones that are still on their way."""
        ...

    def read(self, name: str) -> bytes | None:
        """A file's content, None if it has gone in the meantime.

        Raises:
            StudyRejected: If it is there and cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """A study that can run.

    Attributes:
        study: The study.
        inputs: Every file it reads beside study.json, in the order they were read.
        external_files: For each model the files that the model itself reads.
        baseline_values: For each model its own values of the parameters, where each is one.
        energyplus: Version that it was checked for and runs with, e.g. ``25.2``.
        input_remarks: What is worth knowing of inputs that can be run: for each model and weather file that has any,
            sentences that begin with the file.
        run_times: For each model the time of a run, assumed from the model itself.
        expected_run_times: The same, measured for those models that have run before.
        hashes: SHA-256, hexadecimal, of each input as it was checked.
        targets: What each target of each parameter means in each model.
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
        return tuple(dict.fromkeys(each for group in self.input_remarks.values() for each in group))


def with_hashes(document: bytes, hashes: Mapping[str, str]) -> bytes:
    """A study.json that says which bytes of its files are meant.

    Args:
        document: A study.json that has been checked.
        hashes: `Accepted.hashes`.

    Raises:
        StudyRejected: If it would be too large.
    """
    written = json.dumps({**load_document(document), "files": dict(hashes)}, indent=1).encode()
    if len(written) > MAX_STUDY_BYTES:
        what = f"has {len(written):,} bytes with the hashes of its files"
        raise StudyRejected([Problem(MANIFEST_NAME, what, f"at most {MAX_STUDY_BYTES:,}")])
    return written


def check_study(document: bytes, files: StudyFiles, rules: Rules) -> Accepted:
    """Check a study and all that it names. The only such composition of checks: bucket, API and command call it.

    Args:
        document: The content of study.json.
        files: The files beside it.
        rules: What the stack asks that is to run it.

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


def _check_files(document: bytes, files: StudyFiles, rules: Rules) -> Accepted:
    limits = rules.limits
    if len(document) > MAX_STUDY_BYTES:
        what = f"has {len(document):,} bytes"
        raise StudyRejected([Problem(MANIFEST_NAME, what, f"at most {MAX_STUDY_BYTES:,}")])
    draft = read_partial_study(document)
    study = draft.study
    if study is None:
        raise StudyRejected(draft.problems)
    listed = study.sampling.file if isinstance(study.sampling, Listed) else None
    reader = _Reader(files, (*study.models, *study.weather, *([listed] if listed else [])), study.files)
    if listed is not None:
        study = _with_samples(study, listed, reader)
    if rules.find_study is not None:
        reader.problems += check_order(study, rules.find_study, rules.owner)
    reader.problems += _beyond(limits, study)
    reader.problems += check_analysis(study)
    reader.problems += check_cells(study)
    external_files: dict[str, tuple[str, ...]] = {}
    own_values: dict[str, dict[str, float | str]] = {}
    outlines: dict[str, ModelOutline] = {}
    remarks: dict[str, tuple[str, ...]] = {}
    edits: list[TargetInModel] = []
    run_times: dict[str, RunTime] = {}
    version: str | None = study.energyplus
    for index, model in enumerate(study.models):
        content = reader.read_model(model, f"{MANIFEST_NAME}: models[{index}]", limits.variant_memory_mb)
        if content is None:
            continue
        version = version or runnable(version_in(content, model))
        with dictionary.of_version(version):
            checked = check_model(content, model, study)
            if passed_over := model_remarks(checked.outline, model):
                remarks[model] = tuple(passed_over)
            own_values[model] = baseline_values(checked.outline, study)
        reader.problems += checked.problems
        edits += checked.edits
        external_files[model] = checked.external_files
        run_times[model] = run_time_of(checked.outline)
        outlines[model] = checked.outline.only(_NEEDED_LATER)
    version = version or DEFAULT
    with dictionary.of_version(version):
        reader.problems += check_parameters(study)
        if len(outlines) == len(study.models):
            reader.problems += unmatched_targets(study, edits)
        for_water_mains = any(map(uses_weather_for_water_mains, outlines.values()))
    records_per_hour: dict[str, int] = {}
    for index, weather in enumerate(study.weather):
        content = reader.read(weather, f"{MANIFEST_NAME}: weather[{index}]")
        if content is not None:
            whether, found = read_weather(content, weather)
            reader.problems += found
            if whether is not None:
                records_per_hour[weather] = whether.records_per_hour
            if whether is not None and whether.remarks:
                remarks[weather] = tuple(f"{weather}: {each}" for each in whether.remarks)
        reader.read_statistics(weather, for_water_mains=for_water_mains)
    read_by = {name: model for model, names in external_files.items() for name in names}
    reader.wait_for(read_by)
    tables = {name: reader.read(name, model) for name, model in read_by.items()}
    with dictionary.of_version(version):
        for model, outline in outlines.items():
            table = partial(_table, tables, model)
            found, about = check_table_files(outline, model, table, study.with_levels)
            reader.problems += found
            reader.problems += check_data_files(outline, model, table, study.with_levels)
            reader.problems += check_time_steps(outline, model, study.with_levels, records_per_hour)
            if about:
                remarks[model] = (*remarks.get(model, ()), *about)
    if problems := [*draft.problems, *map(draft.in_document, reader.problems)]:
        raise StudyRejected(problems)
    return Accepted(
        study,
        tuple(reader.done),
        external_files,
        own_values,
        version,
        remarks,
        run_times,
        hashes=reader.done,
        targets=tuple(edits),
    )


def _with_samples(study: Study, name: str, reader: "_Reader") -> Study:
    """The study with the samples of its list's file."""
    content = reader.read(name, f"{MANIFEST_NAME}: sampling.file")
    if content is None:
        return study
    listed, problems = with_samples_of(study, name, content)
    reader.problems += problems
    return listed


def _table(tables: Mapping[str, bytes | None], model: str, name: str) -> tuple[str, bytes] | None:
    """A file that a model reads, by the name that it uses."""
    path, fault = external_path(name, model)
    content = None if fault else tables.get(path)
    return None if content is None else (path, content)


def _beyond(limits: Limits, study: Study) -> Iterator[Problem]:
    """What a study asks for that this stack does not give."""
    options, where = study.options, f"{MANIFEST_NAME}: options"
    if study.variant_count > limits.max_variants:
        yield Problem(MANIFEST_NAME, f"asks for {study.variant_count:,} variants", f"at most {limits.max_variants:,}")
    if options.timeout_s > limits.longest_run_s:
        allowed = f"at most {limits.longest_run_s} on this stack, which was deployed without Fargate"
        yield Problem(f"{where}.timeout_s", f"{options.timeout_s} is too large", allowed)
    if options.retention_days > limits.longest_retention_days:
        allowed = f"at most {limits.longest_retention_days} on this stack, which was deployed with such noncurrent_days"
        yield Problem(f"{where}.retention_days", f"{options.retention_days} is too large", allowed)


class _Reader:
    """Reads the files of a study and notes what is wrong with them."""

    def __init__(self, files: StudyFiles, needed: Iterable[str], hashes: Mapping[str, str]) -> None:
        self._files = files
        self._hashes = hashes
        self._sizes = self._sizes_of_study(needed)
        self.problems: list[Problem] = []
        self.done: dict[str, str] = {}

    def _sizes_of_study(self, needed: Iterable[str]) -> Mapping[str, int]:
        sizes = self._files.sizes(needed)
        # What else lies in the folder may be somebody else's: a .stat, say, that would be taken along unasked.
        return {name: sizes[name] for name in sizes if name in self._hashes} if self._hashes else sizes

    def wait_for(self, names: Iterable[str]) -> None:
        if not set(names) <= self._sizes.keys():
            self._sizes = self._sizes_of_study(names)

    def read_statistics(self, weather: str, *, for_water_mains: bool) -> None:
        name = statistics_beside(weather, self._sizes)
        content = self.read(name, name) if name is not None else None
        if name is not None and content is not None:
            self.problems += check_statistics(content, name, for_water_mains=for_water_mains)

    def read_model(self, name: str, where: str, memory_mb: int) -> bytes | None:
        """A model's content; None, and a problem, if it is missing or a function with that memory cannot edit it."""
        largest = largest_model_bytes(memory_mb, epjson=is_epjson(name))
        size = self._sizes.get(name, 0)
        if size > largest:
            what = f"has {size:,} bytes, more than functions of {memory_mb:,} MB can edit"
            self.problems.append(Problem(name, what, f"at most {largest:,} with this stack's memory_mb"))
            return None
        return self.read(name, where)

    def read(self, name: str, where: str) -> bytes | None:
        """A file's content; None, and a problem, if it is missing or too large."""
        if self._hashes and name not in self._hashes:
            what = f"'{name}' is not in 'files', which lists every file of the study if it is there"
            self.problems.append(Problem(where, what, "its SHA-256 in 'files'"))
            return None
        size = self._sizes.get(name)
        if size is None:
            self.problems.append(Problem(where, f"'{name}' is not in {self._files.place}", nearest(name, self._sizes)))
            return None
        if size > MAX_FILE_BYTES:
            self.problems.append(Problem(name, f"has {size:,} bytes", f"at most {MAX_FILE_BYTES:,}"))
            return None
        try:
            content = self._files.read(name)
        except StudyRejected as refusal:
            self.problems += refusal.problems
            return None
        if content is None:
            self.problems.append(Problem(where, f"'{name}' was deleted while the study was being read"))
            return None
        found = hashlib.sha256(content).hexdigest()
        if self._hashes and found != self._hashes[name]:
            what = f"has the SHA-256 {found}, and {MANIFEST_NAME} means {self._hashes[name]}"
            self.problems.append(Problem(name, what, "the file that is meant, uploaded again"))
            return None
        self.done[name] = found
        return content
