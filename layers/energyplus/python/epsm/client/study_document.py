"""A study in Python as ``study.json`` has it: built and changed, without looking at its files."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from epsm.checks.study_files import StudyFiles
from epsm.client.folder import FolderOnDisk
from epsm.client.given import path_in, paths_of, plain
from epsm.client.loose_files import LooseFiles
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study import schema
from epsm.study.parameters import Parameter
from epsm.study.parsing import load_document, parse_study, problems_of
from epsm.study.schedule_targets import ScheduleTarget
from epsm.study.schema import MANIFEST_NAME, Options, Outputs
from epsm.study.targets import Target
from epsm.text import counted, listed, nearest

_File = str | Path


class StudyDocument:
    """The document of a study and the places of its files; `epsm.client.study.Study` checks and runs it.

    A document does not change; the methods that change it return another one.
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
    def from_folder(cls, folder: _File) -> Self:
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
        counts = (counted(len(document.get(key, ())), key.rstrip("s")) for key in ("models", "parameters"))
        return f"Study({self.name or self._folder_name!r}, {', '.join(counts)})"

    def vary(
        self,
        name: str,
        class_: str | None = None,
        object_: str | Sequence[str] | None = None,
        field: str | None = None,
        *,
        schedule: str | Sequence[str] | None = None,
        targets: Sequence[Target | ScheduleTarget | Mapping[str, Any]] | None = None,
        values: Sequence[float | str] | None = None,
        multiply: Sequence[float] | None = None,
        range: Mapping[str, float] | None = None,  # noqa: A002 - what study.json calls it
        distribution: Mapping[str, Any] | None = None,
        unit: str | None = None,
        **more: Any,
    ) -> Self:
        """The study with one more parameter.

        >>> from epsm import Study
        >>> study = Study(models=["office.idf"], weather=["chicago.epw"])
        >>> study = study.vary("shift_k", schedule="HTGSETP*", days=["Weekdays"], apply="add", values=[-1, 1])
        >>> study.document["parameters"][0]["schedule"]
        'HTGSETP*'

        Args:
            name: Column of the results table, e.g. ``insulation_m``.
            class_: EnergyPlus class, e.g. ``Material``.
            object_: Name of the object; ``*`` stands for any characters. Or a list of names. Without it every object
                of the class.
            field: Field as in the IDD, e.g. ``Thickness``.
            schedule: Instead of class, object and field: name, pattern or names of schedules whose values get the
                level; ``days`` and hours are further keys.
            targets: Instead of these: several fields and schedules that get the level, each a mapping with ``class``
                and ``field``, or ``schedule``, and the other keys of a target in ``study.json``.
            values: Values to write into the field, in EnergyPlus's unit.
            multiply: Factors for the model's own value.
            range: Evenly spaced values, e.g. ``{"from": 0.05, "to": 0.25, "steps": 5}``.
            distribution: Distribution of the values, e.g. ``{"kind": "uniform", "low": 0.05, "high": 0.25}``.
            unit: If given, must be the unit of the field in EnergyPlus, e.g. ``m``.
            **more: Further keys of a parameter in ``study.json``, e.g. ``apply="add"`` or ``where={...}``; instead of a
                field ``file="occ.csv"``, ``weather=["chicago.epw", "tampa.epw"]`` or
                ``replaces={"construction": "Wall"}``, with paths as in the study.

        Raises:
            StudyRejected: If the parameter itself is invalid, e.g. without any values.
        """
        target = {"class": class_, "object": object_, "field": field, "targets": targets, "unit": unit}
        target |= {"schedule": schedule}
        levels = {"values": values, "multiply": multiply, "range": range, "distribution": distribution}
        parameter = {key: value for key, value in {**target, **levels, **more}.items() if value is not None}
        return self._changed(parameters=[*self.document.get("parameters", []), {"name": name, **parameter}])

    def measure(
        self,
        name: str,
        variants: Mapping[str, Mapping[str, Any]],
        *,
        values: Sequence[str] | None = None,
        gwp: Mapping[str, Mapping[str, Any]] | None = None,
        cost: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Self:
        """The study with one more measure, and the parameter of the same name that varies it.

        >>> from epsm import Study
        >>> study = Study(models=["office.idf"], weather=["chicago.epw"])
        >>> window = {"slot": "window", "glazing": {"u_w_m2k": 0.8, "shgc": 0.5}}
        >>> study = study.measure("glazing", {"triple": {"constructions": [window]}})
        >>> study.document["parameters"]
        [{'name': 'glazing', 'measure': 'glazing'}]

        Args:
            name: Of the measure, and column of the results table.
            variants: For each name of a variant its edits: ``targets``, ``constructions``, ``loads``,
                ``setpoints``, ``efficiencies`` and ``ideal_loads`` as in ``study.json``; see docs/measures.md.
                ``none``, the model as it is, is always one.
            values: Which variants to run; all, and ``none``, without it.
            gwp: For names of variants the emissions of the variant as a whole, e.g. ``{"triple": {"kgco2e": 900}}``;
                what constructions and layers state is in `variants`. See docs/gwp-and-cost.md.
            cost: For names of variants the cost of the variant as a whole, e.g. ``{"triple": {"one_off": 4000}}``, in
                the currency of the study: ``Study(..., impact={"currency": "EUR"})``.

        Raises:
            StudyRejected: If the measure is wrong in itself.
        """
        stated: dict[str, dict[str, Any]] = {variant: {"name": variant, **edits} for variant, edits in variants.items()}
        for key, by_variant in (("gwp", gwp or {}), ("cost", cost or {})):
            for variant, numbers in by_variant.items():
                if variant not in stated:
                    allowed = nearest(variant, stated) or listed(stated)
                    raise StudyRejected([Problem(f"{name}: {key}", f"'{variant}' is not a variant", allowed)])
                stated[variant][key] = dict(numbers)
        measure = {"name": name, "variants": list(stated.values())}
        parameter = {"name": name, "measure": name, **({} if values is None else {"values": list(values)})}
        document = self.document
        return self._changed(
            measures=[*document.get("measures", []), measure],
            parameters=[*document.get("parameters", []), parameter],
        )

    def sample(self, method: str, **more: Any) -> Self:
        """The study with another sampling than all combinations (``grid``).

        Args:
            method: ``one_at_a_time``, ``list``, ``latin_hypercube``, ``random``, ``sobol`` or ``morris``.
            **more: Arguments of the method, e.g. ``samples=64, seed=7``; see docs/sampling.md.

        Raises:
            StudyRejected: If there is no such method, or an argument is invalid.
        """
        return self._changed(sampling={"method": method, **more})

    def with_options(self, **options: Any) -> Self:
        """The study with some of its options changed, e.g. ``study.with_options(max_concurrency=10)``.

        Args:
            **options: Fields of `Options`.

        Raises:
            StudyRejected: If there is no such option, or its value is invalid.
        """
        return self._changed(options={**self.document.get("options", {}), **options})

    def with_outputs(self, **outputs: Any) -> Self:
        """The study with some of its outputs changed, e.g. ``study.with_outputs(meters=["Electricity:Facility"])``.

        Args:
            **outputs: Fields of `Outputs`.

        Raises:
            StudyRejected: If there is no such field, or its value is invalid.
        """
        return self._changed(outputs={**self.document.get("outputs", {}), **outputs})

    def _changed(self, **keys_of: Any) -> Self:
        study = type(self).__new__(type(self))
        study._files, study._folder_name = self._files, self._folder_name
        study._set(self.document | keys_of)
        return study


def _folder_name(name: str) -> str:
    """Name of the study's folder in the bucket.

    >>> _folder_name("Office / north"), _folder_name("..")
    ('Office - north', 'study')
    """
    return re.sub(r"[/\\\x00-\x1f]", "-", name).strip(". ") or "study"
