"""A study in Python: build, check and start it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.checks.study_files import StudyFiles
from epsm.client.aws_faults import stack_errors
from epsm.client.check import Check
from epsm.client.connection import Connection, any_stack, lasting_stack
from epsm.client.folder import FolderOnDisk, upload_files
from epsm.client.given import path_in, paths_of, plain
from epsm.client.local import LOCAL
from epsm.client.loose_files import LooseFiles
from epsm.errors import CannotWrite, StudyRejected
from epsm.estimate import estimate
from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.operations.shares import LAMBDA_AT_A_TIME
from epsm.problems import Problem
from epsm.store import keys
from epsm.study import schema
from epsm.study.parameters import Parameter
from epsm.study.parsing import load_document, parse_study, problems_of
from epsm.study.schema import MANIFEST_NAME, MAX_VARIANTS, Limits, Options, Outputs
from epsm.study.targets import Target
from epsm.text import counted

if TYPE_CHECKING:
    from epsm.client.run import Run

_File = str | Path


class Study:
    """A parametric study: models x weather x the combinations of the parameters' levels, and each model as it is.

    A study does not change; `vary` returns another one. It holds paths: the files are read when it is checked.

    >>> study = Study(models=["office.idf"], weather=["chicago.epw"], name="Office")
    >>> study = study.vary("insulation_m", "Material", "Wall Insulation", "Thickness", values=[0.1, 0.2])
    >>> study.document["parameters"][0]["values"]
    [0.1, 0.2]

    Args:
        models: IDF or epJSON files, as paths on this machine.
        weather: EPW files, as paths on this machine. A ``.stat`` next to one is used as by EnergyPlus.
        name: Name in lists of studies.
        outputs: Meters, variables and files to keep; `Outputs` or its fields by name.
        options: How to run it; `Options` or its fields by name.
        parameters: What to vary, as ``study.json`` has it; usually added with `vary`.
        folder: Folder that contains all files; paths are relative to it. Needed if models read files outside their own
            folders.
        **more: Further keys of ``study.json``, e.g. ``energyplus="25.2"``.

    Attributes:
        name: Its name; empty if none was given.

    Raises:
        StudyRejected: If a key or value is invalid, without looking at the files; with every problem.
    """

    def __init__(
        self,
        models: Iterable[_File],
        weather: Iterable[_File],
        *,
        name: str = "",
        outputs: Outputs | Mapping[str, Any] | None = None,
        options: Options | Mapping[str, Any] | None = None,
        parameters: Iterable[Parameter | Mapping[str, Any]] = (),
        folder: _File | None = None,
        **more: Any,
    ) -> None:
        files = {"models": paths_of(models), "weather": paths_of(weather)}
        if folder is None:
            loose = LooseFiles(path for paths in files.values() for path in paths)
            self._files: StudyFiles = loose
            names = {key: [loose.names[path] for path in paths] for key, paths in files.items()}
        else:
            self._files = FolderOnDisk(Path(folder))
            names = {key: [path_in(path, Path(folder)) for path in paths] for key, paths in files.items()}
        document = {"schema": 1, "name": name, **names, "parameters": list(parameters), **more}
        document |= {key: value for key, value in (("outputs", outputs), ("options", options)) if value is not None}
        self._folder_name = _folder_name(name or (files["models"][0].stem if files["models"] else ""))
        self._set(document)

    def _set(self, document: Mapping[str, Any]) -> None:
        self._text = json.dumps(document, ensure_ascii=False, indent=1, default=plain)
        try:
            self.name = schema.Study.model_validate(load_document(self._text)).name
        except ValidationError as error:
            raise StudyRejected(problems_of(error)) from None

    @classmethod
    def from_folder(cls, folder: _File) -> "Study":
        """The study in a folder with a ``study.json``.

        Raises:
            StudyRejected: If the folder has none, or it is invalid.
        """
        place = Path(folder)
        manifest = place / MANIFEST_NAME
        if not manifest.is_file():
            raise StudyRejected([Problem(str(place), f"holds no {MANIFEST_NAME}", "the folder of a study")])
        study = cls.__new__(cls)
        study._files = FolderOnDisk(place)
        study._folder_name = place.resolve().name
        study._set(load_document(manifest.read_bytes()))
        return study

    @property
    def document(self) -> dict[str, Any]:
        """The study as ``study.json`` has it, with paths in the study; a copy."""
        document: dict[str, Any] = json.loads(self._text)
        return document

    @property
    def variants(self) -> int:
        """Number of runs of EnergyPlus: models x weather x (1 baseline + samples).

        Raises:
            StudyRejected: If the sampling does not fit the parameters.
        """
        return parse_study(self._text).variant_count

    def __repr__(self) -> str:
        document = self.document
        counts = (counted(len(document.get(each, ())), each.rstrip("s")) for each in ("models", "parameters"))
        return f"Study({self.name or self._folder_name!r}, {', '.join(counts)})"

    def vary(
        self,
        name: str,
        class_: str | None = None,
        object_: str | Sequence[str] | None = None,
        field: str | None = None,
        *,
        targets: Sequence[Target | Mapping[str, Any]] | None = None,
        values: Sequence[float | str] | None = None,
        multiply: Sequence[float] | None = None,
        range: Mapping[str, float] | None = None,  # noqa: A002 - what study.json calls it
        distribution: Mapping[str, Any] | None = None,
        unit: str | None = None,
        **more: Any,
    ) -> "Study":
        """The study with one more parameter.

        Args:
            name: Column of the results table, e.g. ``insulation_m``.
            class_: EnergyPlus class, e.g. ``Material``.
            object_: Name of the object; ``*`` stands for any characters. Or a list of names. Without it every object
                of the class.
            field: Field as in the IDD, e.g. ``Thickness``.
            targets: Instead of class, object and field: several fields that get the level, each a mapping with
                ``class``, ``field`` and the other keys of a target in ``study.json``.
            values: Values to write into the field, in EnergyPlus's unit.
            multiply: Factors for the model's own value.
            range: Evenly spaced values, e.g. ``{"from": 0.05, "to": 0.25, "steps": 5}``.
            distribution: Distribution of the values, e.g. ``{"kind": "uniform", "low": 0.05, "high": 0.25}``.
            unit: If given, must be the unit of the field in EnergyPlus, e.g. ``m``.
            **more: Further keys of a parameter in ``study.json``, e.g. ``apply="add"`` or ``where={...}``.

        Raises:
            StudyRejected: If the parameter itself is invalid, e.g. without any values.
        """
        target = {"class": class_, "object": object_, "field": field, "targets": targets, "unit": unit}
        levels = {"values": values, "multiply": multiply, "range": range, "distribution": distribution}
        parameter = {key: value for key, value in {**target, **levels, **more}.items() if value is not None}
        return self._changed(parameters=[*self.document.get("parameters", []), {"name": name, **parameter}])

    def measure(
        self, name: str, variants: Mapping[str, Mapping[str, Any]], *, values: Sequence[str] | None = None
    ) -> "Study":
        """The study with one measure more, and the parameter of the same name that varies it.

        >>> study = Study(models=["office.idf"], weather=["chicago.epw"])
        >>> window = {"slot": "window", "glazing": {"u_w_m2k": 0.8, "shgc": 0.5}}
        >>> study = study.measure("glazing", {"triple": {"constructions": [window]}})
        >>> study.document["parameters"]
        [{'name': 'glazing', 'measure': 'glazing'}]

        Args:
            name: Of the measure, and column of the results table.
            variants: For each name of a variant what it changes: ``targets``, ``constructions`` and ``loads`` as in
                ``study.json``; see docs/measures.md. ``none``, the model as it is, is always one.
            values: Which variants to run; all, and ``none``, without it.

        Raises:
            StudyRejected: If the measure is wrong in itself.
        """
        measure = {"name": name, "variants": [{"name": each, **edits} for each, edits in variants.items()]}
        parameter = {"name": name, "measure": name, **({} if values is None else {"values": list(values)})}
        document = self.document
        return self._changed(
            measures=[*document.get("measures", []), measure],
            parameters=[*document.get("parameters", []), parameter],
        )

    def sample(self, method: str, **more: Any) -> "Study":
        """The study with another sampling than all combinations (``grid``).

        Args:
            method: ``one_at_a_time``, ``list``, ``latin_hypercube``, ``random``, ``sobol`` or ``morris``.
            **more: Arguments of the method, e.g. ``samples=64, seed=7``; see docs/sampling.md.

        Raises:
            StudyRejected: If there is no such method, or an argument is invalid.
        """
        return self._changed(sampling={"method": method, **more})

    def with_options(self, **options: Any) -> "Study":
        """The study with some of its options changed, e.g. ``study.with_options(max_concurrency=10)``.

        Args:
            **options: Fields of `Options`.

        Raises:
            StudyRejected: If there is no such option, or its value is invalid.
        """
        return self._changed(options={**self.document.get("options", {}), **options})

    def with_outputs(self, **outputs: Any) -> "Study":
        """The study with some of its outputs changed, e.g. ``study.with_outputs(meters=["Electricity:Facility"])``.

        Args:
            **outputs: Fields of `Outputs`.

        Raises:
            StudyRejected: If there is no such field, or its value is invalid.
        """
        return self._changed(outputs={**self.document.get("outputs", {}), **outputs})

    def _changed(self, **keys_of: Any) -> "Study":
        study = Study.__new__(Study)
        study._files, study._folder_name = self._files, self._folder_name
        study._set(self.document | keys_of)
        return study

    def check(self, *, max_variants: int = MAX_VARIANTS, memory_mb: int = DEFAULT_MEMORY_MB) -> Check:
        """Check the study and all its files as the stack would, without uploading anything.

        Args:
            max_variants: Maximum number of variants, if the stack was deployed with another limit.
            memory_mb: Memory of the stack's functions, MiB, if it was deployed with another; limits the models' size.

        Raises:
            StudyRejected: With every problem: file, object and field, what was found, what is allowed.
        """
        accepted = self._accepted(max_variants, memory_mb)
        study = accepted.study
        return Check(
            variants=study.variant_count,
            models=study.models,
            weather=study.weather,
            parameters=tuple(parameter.name for parameter in study.parameters),
            energyplus=accepted.energyplus,
            targets=accepted.targets,
            baseline_values=accepted.baseline_values,
            files=accepted.inputs,
            estimate=estimate(study, accepted.run_times, memory_mb=memory_mb, capacity=LAMBDA_AT_A_TIME),
            remarks=accepted.remarks,
        )

    def _accepted(self, max_variants: int, memory_mb: int) -> CheckedStudy:
        return check_study(self._text.encode(), self._files, Rules(Limits(max_variants, variant_memory_mb=memory_mb)))

    def run(
        self,
        stack: str | Connection = LOCAL,
        *,
        max_variants: int = MAX_VARIANTS,
        memory_mb: int = DEFAULT_MEMORY_MB,
    ) -> "Run":
        """Check the study, upload it and start it; returns at once.

        Args:
            stack: ``local`` for this machine: the stack that ``epsm up`` keeps running, or one started by this
                program, which ends with it; download the results that you need (`Run.download`). Otherwise the name of
                a stack in the AWS account, or a connection to one.
            max_variants, memory_mb: As for `check`.

        Raises:
            StudyRejected: As for `check`.
            NoStack: If there is no such stack, or the local one is not installed.
            EngineMissing: If its EnergyPlus version cannot be installed on this machine.
            StackError: If AWS refuses the upload, or cannot be reached.
        """
        accepted = self._accepted(max_variants, memory_mb)
        return self._start(any_stack(stack, accepted.energyplus), accepted)

    def submit(
        self,
        stack: str | Connection = LOCAL,
        *,
        max_variants: int = MAX_VARIANTS,
        memory_mb: int = DEFAULT_MEMORY_MB,
    ) -> "Run":
        """Check the study, upload it and start it on a stack that keeps running when this program ends.

        As `run`, but without starting a local stack, which would end with this program.

        Args:
            stack: ``local`` for the one that ``epsm up`` keeps running; otherwise as for `run`.
            max_variants, memory_mb: As for `check`.

        Returns:
            The run; its ``simulation_id`` finds it again with ``epsm.connect(stack).run(simulation_id)``.

        Raises:
            StudyRejected, EngineMissing, StackError: As for `run`.
            NoStack: If no such stack is running.
        """
        accepted = self._accepted(max_variants, memory_mb)
        return self._start(lasting_stack(stack, accepted.energyplus), accepted)

    def _start(self, connection: Connection, accepted: CheckedStudy) -> "Run":
        from epsm.client.run import Run

        with stack_errors():
            source = upload_files(
                self._text.encode(), self._files, self._folder_name, accepted, connection, lambda name, sent: None
            )
        return Run(connection, keys.simulation_id(source.bucket, source.key, source.version_id), is_new=True)

    def save(self, folder: _File) -> Path:
        """Write the study to a folder: ``study.json`` and every file that it reads.

        Args:
            folder: The folder; created if it does not exist.

        Returns:
            The folder, for ``epsm run`` or `load`.

        Raises:
            StudyRejected: If the study is invalid: the files that it reads are known only for a valid one.
            CannotWrite: If a file cannot be written.
        """
        accepted = self._accepted(MAX_VARIANTS, DEFAULT_MEMORY_MB)
        place = Path(folder)
        contents = {name: self._files.read(name) or b"" for name in accepted.inputs}
        try:
            for name, content in {**contents, MANIFEST_NAME: self._text.encode() + b"\n"}.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(content)
        except OSError as error:
            raise CannotWrite(f"{error.filename or place} cannot be written: {error.strerror or error}") from error
        return place


def _folder_name(name: str) -> str:
    """Name of the study's folder in the bucket.

    >>> _folder_name("Office / north"), _folder_name("..")
    ('Office - north', 'study')
    """
    return re.sub(r"[/\\\x00-\x1f]", "-", name).strip(". ") or "study"
