"""Editing a model: from the uploaded file to the in.idf of one variant.

A model is parsed once and then written many times: `prepare` adds the outputs that the results are read from, and
`PreparedModel.render` writes one variant and restores the old values. In between the model is a document of
`epsm.energyplus.documents`.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from epsm.energyplus import dictionary
from epsm.energyplus.amounts import AmountsByMeasure
from epsm.energyplus.construction_edits import Plans, plans_by_variant, rebuilt
from epsm.energyplus.construction_plan import Expected
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.documents import Document, EpjsonDocument, IdfDocument, PlainObjects
from epsm.energyplus.editing import CannotEdit, place_of_field, rule_of
from epsm.energyplus.eppy_objects import EppyObjects
from epsm.energyplus.external_files import EXTERNAL_FILE_FIELDS
from epsm.energyplus.file_levels import name_in_model, readers_of
from epsm.energyplus.idf_text import decode
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.object_levels import Reference, references_by_parameter
from epsm.energyplus.output_requests import choose_files, replace_object, request_results, request_series
from epsm.energyplus.schedule_edits import ScheduleEdits
from epsm.energyplus.targets import is_left, own_number, selected
from epsm.energyplus.versions import DEFAULT, version_in
from epsm.study.loads import LoadTarget
from epsm.study.measures import NONE
from epsm.study.parameters import Dimension, MeasureParameter
from epsm.study.schema import Study
from epsm.study.targets import Target, TargetEdit
from epsm.study.whole_files import FileParameter, WeatherParameter, Whole
from epsm.study.whole_objects import ReplaceParameter
from epsm.text import fold_name

_SET_FOR_EVERY_RUN = (
    *("Version", "RunPeriod", "SimulationControl"),
    *("Output:SQLite", "Output:Table:SummaryReports", "Output:Diagnostics", "Output:VariableDictionary"),
    *("OutputControl:Files", "OutputControl:Table:Style"),
)
"""Classes with objects that are read or changed in every study."""


@dataclass(frozen=True, slots=True)
class _Edit:
    target: Target
    place: FieldPlace
    object: Any
    value: float | str | None = None
    """Of an edit of a measure; others get the parameter's level."""


class PreparedModel:
    """A model with its outputs requested, ready to be written once for each variant of a study."""

    def __init__(
        self,
        document: Document,
        parameters: Sequence[Dimension],
        plans: Plans = MappingProxyType({}),
        schedules: ScheduleEdits | None = None,
        *,
        annual: bool = False,
        source: str = "",
        references: Mapping[str, Sequence[Reference]] = MappingProxyType({}),
    ) -> None:
        self._document = document
        self._references = references
        self._source = source
        self._plans = plans
        self._schedules = schedules or ScheduleEdits([])
        self._parameters = parameters
        self._version = dictionary.load().model_version
        self._annual = annual
        self._chosen: dict[tuple[str, str], list[_Edit]] | None = None
        self.file_name = document.file_name
        self.needs_expansion = any(key.startswith("hvactemplate:") for key in document.class_keys())

    def render(self, values: dict[str, float | str], *, first_day: bool = False) -> str:
        """The model's text with the parameters set to `values`; without values, the baseline.

        Args:
            values: For each parameter its value or factor.
            first_day: Whether each run period ends on the day on which it begins.

        Raises:
            CannotEdit: If a parameter matches no object, or no number to multiply.
        """
        with contextlib.ExitStack() as undo:
            undo.enter_context(dictionary.of_version(self._version))
            if values:
                self._edits()
            for parameter in self._parameters:
                if parameter.name in values:
                    undo.enter_context(self._edited(parameter, values[parameter.name]))
            undo.enter_context(self._schedules.made(self._document, values))
            if first_day:
                undo.enter_context(self._cut_to_first_day())
            return self._document.text()

    def expected(self, values: dict[str, float | str]) -> dict[str, list[Expected]]:
        """The coefficients of surfaces that the engine should report, by measure and variant.

        Args:
            values: For each parameter its value.
        """
        plans = ((name, level, self._plans.get((name, fold_name(str(level))))) for name, level in values.items())
        return {f"{name} {level}": plan.expected for name, level, plan in plans if plan is not None}

    def amounts(self, values: Mapping[str, float | str]) -> AmountsByMeasure:
        """The volume and mass of each layer that measures add to surfaces.

        Args:
            values: For each parameter its value.
        """
        plans = ((name, self._plans.get((name, fold_name(str(level))))) for name, level in values.items())
        return {name: plan.amounts for name, plan in plans if plan is not None}

    @contextlib.contextmanager
    def _cut_to_first_day(self) -> Iterator[None]:
        document = self._document
        period, control = rule_of("RunPeriod"), rule_of("SimulationControl")
        run_periods = document.objects(period)
        controls = document.objects(control) if self._annual else []
        changed = [*run_periods, *controls]
        before = [document.values_of(model_object) for model_object in changed]
        try:
            for run_period in run_periods:
                for part in ("Month", "Day of Month", "Year"):
                    end, begin = (place_of_field(period, f"{side} {part}") for side in ("End", "Begin"))
                    document.set(run_period, end, document.get(run_period, begin))
            for model_object in controls:  # what the engine's --annual does to it
                document.set(model_object, place_of_field(control, "Run Simulation for Sizing Periods"), "No")
                document.set(
                    model_object, place_of_field(control, "Run Simulation for Weather File Run Periods"), "Yes"
                )
            yield
        finally:
            for model_object, values in zip(changed, before, strict=True):
                document.restore(model_object, values)

    def _edits(self) -> dict[tuple[str, str], list[_Edit]]:
        """The edits of each parameter, and of each variant of a measure; selected by the model's own values,
        independent of other parameters."""
        if self._chosen is None:
            self._chosen = {}
            for parameter in self._parameters:
                if isinstance(parameter, WeatherParameter):
                    continue
                if isinstance(parameter, ReplaceParameter):
                    self._chosen[parameter.name, ""] = self._naming(parameter)
                    continue
                if isinstance(parameter, FileParameter):
                    self._chosen[parameter.name, ""] = self._readers_of(parameter)
                    continue
                if not isinstance(parameter, MeasureParameter):
                    self._chosen[parameter.name, ""] = self._edits_of(
                        parameter.name,
                        parameter.all_targets,
                        others=bool(parameter.all_schedules or parameter.all_setpoints),
                    )
                    continue
                for variant in parameter.bound.variants if parameter.bound else ():
                    others = bool(variant.constructions or variant.all_schedules or variant.setpoints)
                    self._chosen[parameter.name, fold_name(variant.name)] = self._edits_of(
                        f"{parameter.name} {variant.name}", variant.all_targets, others=others or not variant.changes
                    )
        return self._chosen

    def _edits_of(self, name: str, targets: Sequence[Target], *, others: bool) -> list[_Edit]:
        document, edits = self._document, []
        for target in targets:
            rule = rule_of(target.class_name)
            place = rule.find_field(target.field)
            if place is None and isinstance(target, LoadTarget):
                continue  # of another version
            if place is None:
                raise CannotEdit(f"{name}: {rule.name} has no field '{target.field}'")
            objects = selected(target, rule, document.objects(rule), document.name_of, document.get)
            value = target.value if isinstance(target, TargetEdit) else None
            edits += [_Edit(target, place, model_object, value) for model_object in objects]
        if not edits and not others:
            shown = ", ".join(f"{target.class_name} '{target.shown_objects}'" for target in targets)
            raise CannotEdit(f"{name}: the model has no {shown}")
        return edits

    def _naming(self, parameter: ReplaceParameter) -> list[_Edit]:
        document, edits = self._document, []
        for found in self._references.get(parameter.name, ()):
            target = Target.model_validate({"class": found.rule.name, "field": found.place.rule.name})
            edits += [
                _Edit(target, found.place, model_object)
                for model_object in document.objects(found.rule)
                if document.name_of(model_object) == found.model_object.name
                and fold_name(str(document.get(model_object, found.place))) == fold_name(parameter.replaces.name)
            ]
        if not edits:
            raise CannotEdit(f"{parameter.name}: nothing uses the {parameter.replaces.kind} '{parameter.own}'")
        return edits

    def _readers_of(self, parameter: FileParameter) -> list[_Edit]:
        document = self._document
        found = readers_of(parameter.file, self._source, document.objects, document.get)
        edits = [
            _Edit(Target.model_validate({"class": rule.name, "field": place.rule.name}), place, model_object)
            for rule, place, model_object in found
        ]
        if not edits:
            raise CannotEdit(f"{parameter.name}: the model does not read '{parameter.file}'")
        return edits

    @contextlib.contextmanager
    def _edited(self, parameter: Dimension, level: float | str) -> Iterator[None]:
        key = (parameter.name, "")
        if isinstance(parameter, WeatherParameter) or (
            isinstance(parameter, Whole) and parameter.spelled(level) == parameter.own
        ):
            yield
            return
        if isinstance(parameter, FileParameter):
            level = name_in_model(str(level), self._source)
        if isinstance(parameter, MeasureParameter):
            if fold_name(str(level)) == NONE:
                yield
                return
            key = (parameter.name, fold_name(str(level)))
        if key not in self._edits():
            raise CannotEdit(f"{parameter.name}: there is no variant '{level}'")
        with self._rebuilt(key), self._set_fields(parameter, self._edits()[key], level):
            yield

    def _rebuilt(self, key: tuple[str, str]) -> contextlib.AbstractContextManager[None]:
        plan = self._plans.get(key)
        if plan is None:
            return contextlib.nullcontext()
        if plan.faults:
            raise CannotEdit(f"{' '.join(key)}: {plan.faults[0].what}")
        return rebuilt(self._document, plan)

    @contextlib.contextmanager
    def _set_fields(self, parameter: Dimension, edits: Sequence[_Edit], level: float | str) -> Iterator[None]:
        document = self._document
        before = [document.values_of(edit.object) for edit in edits]
        try:
            for edit in edits:
                new_level = level if edit.value is None else edit.value
                value = _new_value(parameter, edit, new_level, document.get(edit.object, edit.place))
                if value is not None:
                    document.set(edit.object, edit.place, value)
            yield
        finally:
            for edit, values in zip(reversed(edits), reversed(before), strict=True):
                document.restore(edit.object, values)


def _new_value(parameter: Dimension, edit: _Edit, level: float | str, current: Any) -> float | str | None:
    """The value to write; None to leave the field unchanged."""
    if is_left(edit.target, current, edit.place.rule):
        return None
    own = own_number(current, edit.place.rule)
    if edit.target.relative and own is None:
        operation = "multiplied" if edit.target.way == "multiply" else "added to"
        raise CannotEdit(f"{parameter.name}: '{current}' cannot be {operation}")
    value = edit.target.new_value(level, own)
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotEdit(f"{parameter.name}: {current} with {edit.target.way} {level} is too large")
    return value


def prepare(content: bytes, source: str, study: Study, idd: Path) -> PreparedModel:
    """Parse a model and add the outputs that every run of the study needs.

    Args:
        content: The uploaded file's bytes.
        source: Its path in the study; the ending distinguishes IDF from epJSON.
        study: Defines the outputs to request, the files to keep and the run period to simulate.
        idd: The engine's `Energy+.idd`.
    """
    version = dictionary.load().model_version
    plans, schedules = plans_by_variant(content, source, study), ScheduleEdits.of(content, source, study)
    replaces = any(isinstance(parameter, ReplaceParameter) for parameter in study.parameters)
    references = references_by_parameter(read_outline(content, source), study) if replaces else {}
    document: Document
    if source.lower().endswith(".epjson"):
        document = EpjsonDocument(decode(content))
    else:
        make = EppyObjects(idd) if version == DEFAULT else PlainObjects()
        document = IdfDocument(content, _editable(study.parameters, plans, schedules, references), make)
    if version_in(content, source) != version:  # of 26.1, run with 25.2 because the study asks for it
        replace_object(document, "Version", [version])
    request_results(document, study.outputs)
    request_series(document, study.outputs, study.impact.hourly_meters if study.impact else ())
    choose_files(document, study.outputs)
    if study.options.run_period == "annual":
        # The engine's --annual stretches the first run period only; the tables would add up all of them.
        rule = rule_of("RunPeriod")
        first, *others = document.objects(rule) or [None]
        for extra in others:
            document.remove(rule, extra)
        if first is not None:
            _align_end_year(document, rule, first)
    annual = study.options.run_period == "annual"
    return PreparedModel(
        document, study.parameters, plans, schedules, annual=annual, source=source, references=references
    )


def _editable(
    parameters: Sequence[Dimension],
    plans: Plans,
    schedules: ScheduleEdits,
    references: Mapping[str, Sequence[Reference]],
) -> Callable[[str, str], bool]:
    """Whether an object may be edited, by the key of its class and its name."""
    patterns: dict[str, list[Target]] = {}
    for target in (target for parameter in parameters for target in parameter.all_targets):
        patterns.setdefault(fold_name(target.class_name), []).append(target)
    surfaces = {(fold_name(key), name) for plan in plans.values() for key, name in plan.settings}
    always = {fold_name(name) for name in _SET_FOR_EVERY_RUN}
    if any(isinstance(item, FileParameter) for item in parameters):
        always |= EXTERNAL_FILE_FIELDS.keys()
    naming = {
        (fold_name(found.rule.name), fold_name(found.model_object.name))
        for group in references.values()
        for found in group
    }
    edited = schedules.objects | naming

    def may_edit(key: str, name: str) -> bool:
        chosen = any(pattern.matches(name) for pattern in patterns.get(key, ()))
        return key in always or chosen or (key, name) in surfaces or (key, fold_name(name)) in edited

    return may_edit


def _align_end_year(document: Document, rule: ClassRule, run_period: Any) -> None:
    """--annual sets month and day only: a run period from 2017 to 2018 would be two years."""
    place = place_of_field(rule, "End Year")
    if document.get(run_period, place) not in ("", None):
        document.set(run_period, place, document.get(run_period, place_of_field(rule, "Begin Year")))
