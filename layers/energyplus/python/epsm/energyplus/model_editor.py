"""Editing a model: from the uploaded file to the in.idf of one variant.

A model is parsed once and then written many times: `prepare` adds the outputs that the results are read from, and
`PreparedModel.render` writes one variant and puts the old values back. `epsm.energyplus.documents` says how a model is
held in between.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.documents import Document, EpjsonDocument, IdfDocument, PlainObjects
from epsm.energyplus.eppy_objects import EppyObjects
from epsm.energyplus.idf_text import decode
from epsm.energyplus.targets import number_in, selected
from epsm.energyplus.versions import DEFAULT, version_in
from epsm.study.measures import NONE, TargetEdit
from epsm.study.parameters import Dimension, MeasureParameter
from epsm.study.reduced import ReducedSeries
from epsm.study.schema import Outputs, Study
from epsm.study.targets import Target
from epsm.text import fold_name

REPORTS = (
    "AnnualBuildingUtilityPerformanceSummary",
    "InputVerificationandResultsSummary",
    "DemandEndUseComponentsSummary",
    "EnvelopeSummary",
    "SensibleHeatGainSummary",
    "EnergyMeters",
    "AdaptiveComfortSummary",
    "HVACSizingSummary",
    "EquipmentSummary",
    "SystemSummary",
)
"""The tabular reports that `epsm.results` reads."""

_TARIFF, _BILLS = "utilitycost:tariff", ("EconomicResultSummary",)
"""The bills that a model's tariffs give, a report of their own."""

_REQUESTED_AS = {
    "annualheatemissionsreport": "heatemissionssummary",
    "annualthermalresiliencesummary": "thermalresiliencesummary",
}
"""Reports that are requested by another name than the one under which EnergyPlus stores them."""

_FILES_ALWAYS_WRITTEN = (
    *("Output EIO", "Output SQLite", "Output END"),
    # With daylighting by DElight the engine reads these back itself, and stops where they are not written.
    *("Output DelightIn", "Output DelightELdmp", "Output DelightDFdmp"),
)
_FILE_FIELD_OF = {
    "htm": "Output Tabular",
    "csv": "Output CSV",
    "eso": "Output ESO",
    "mtr": "Output MTR",
    "audit": "Output AUDIT",
    "rdd": "Output RDD",
    "mdd": "Output MDD",
}
_SET_FOR_EVERY_RUN = (
    *("Version", "RunPeriod", "SimulationControl"),
    *("Output:SQLite", "Output:Table:SummaryReports", "Output:Diagnostics", "Output:VariableDictionary"),
    *("OutputControl:Files", "OutputControl:Table:Style"),
)
"""Classes whose objects are looked at or changed whatever the study varies."""


class CannotEdit(Exception):
    """A parameter does not fit the model. Submit refuses such a study; here it means that it was not asked."""


@dataclass(frozen=True, slots=True)
class _Edit:
    target: Target
    place: FieldPlace
    object: Any
    value: float | str | None = None
    """Of an edit of a measure; others get the parameter's level."""


class PreparedModel:
    """A model with its outputs requested, ready to be written once for each variant of a study."""

    def __init__(self, document: Document, parameters: Sequence[Dimension], *, annual: bool = False) -> None:
        self._document = document
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
            CannotEdit: If a parameter finds no object, or nothing to multiply.
        """
        with contextlib.ExitStack() as undo:
            undo.enter_context(dictionary.of_version(self._version))
            if values:
                self._edits()
            for parameter in self._parameters:
                if parameter.name in values:
                    undo.enter_context(self._edited(parameter, values[parameter.name]))
            if first_day:
                undo.enter_context(self._cut_to_first_day())
            return self._document.text()

    @contextlib.contextmanager
    def _cut_to_first_day(self) -> Iterator[None]:
        document = self._document
        period, control = _rule("RunPeriod"), _rule("SimulationControl")
        run_periods = document.objects(period)
        controls = document.objects(control) if self._annual else []
        changed = [*run_periods, *controls]
        before = [document.values_of(each) for each in changed]
        try:
            for each in run_periods:
                for part in ("Month", "Day of Month", "Year"):
                    document.set(
                        each, _place(period, f"End {part}"), document.get(each, _place(period, f"Begin {part}"))
                    )
            for each in controls:  # what the engine's --annual does to it
                document.set(each, _place(control, "Run Simulation for Sizing Periods"), "No")
                document.set(each, _place(control, "Run Simulation for Weather File Run Periods"), "Yes")
            yield
        finally:
            for each, values in zip(changed, before, strict=True):
                document.restore(each, values)

    def _edits(self) -> dict[tuple[str, str], list[_Edit]]:
        """What each parameter edits, and each variant of a measure; chosen by the model's own values, whatever other
        parameters change."""
        if self._chosen is None:
            self._chosen = {}
            for each in self._parameters:
                if not isinstance(each, MeasureParameter):
                    self._chosen[each.name, ""] = self._edits_of(each.name, each.all_targets)
                    continue
                for variant in each.bound.variants if each.bound else ():
                    if variant.changes:
                        name = f"{each.name} {variant.name}"
                        self._chosen[each.name, fold_name(variant.name)] = self._edits_of(name, variant.targets)
        return self._chosen

    def _edits_of(self, name: str, targets: Sequence[Target]) -> list[_Edit]:
        document, edits = self._document, []
        for target in targets:
            rule = _rule(target.class_name)
            place = rule.find_field(target.field)
            if place is None:
                raise CannotEdit(f"{name}: {rule.name} has no field '{target.field}'")
            objects = selected(target, rule, document.objects(rule), document.name_of, document.get)
            value = target.value if isinstance(target, TargetEdit) else None
            edits += [_Edit(target, place, each, value) for each in objects]
        if not edits:
            shown = ", ".join(f"{target.class_name} '{target.shown_objects}'" for target in targets)
            raise CannotEdit(f"{name}: the model has no {shown}")
        return edits

    @contextlib.contextmanager
    def _edited(self, parameter: Dimension, level: float | str) -> Iterator[None]:
        document, key = self._document, (parameter.name, "")
        if isinstance(parameter, MeasureParameter):
            if fold_name(str(level)) == NONE:
                yield
                return
            key = (parameter.name, fold_name(str(level)))
        if key not in self._edits():
            raise CannotEdit(f"{parameter.name}: there is no variant '{level}'")
        edits = self._edits()[key]
        before = [document.values_of(edit.object) for edit in edits]
        try:
            for edit in edits:
                wanted = level if edit.value is None else edit.value
                value = _new_value(parameter, edit, wanted, document.get(edit.object, edit.place))
                if value is not None:
                    document.set(edit.object, edit.place, value)
            yield
        finally:
            for edit, values in zip(reversed(edits), reversed(before), strict=True):
                document.restore(edit.object, values)


def _new_value(parameter: Dimension, edit: _Edit, level: float | str, current: Any) -> float | str | None:
    """What to write; None to leave the field as it is."""
    own = number_in(current)
    if edit.target.relative and own is None:
        if edit.target.blank == "skip":
            return None
        what = "multiplied" if edit.target.way == "multiply" else "added to"
        raise CannotEdit(f"{parameter.name}: '{current}' cannot be {what}")
    value = edit.target.new_value(level, own)
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotEdit(f"{parameter.name}: {current} with {edit.target.way} {level} is too large")
    return value


def _rule(class_name: str) -> ClassRule:
    rule = dictionary.load().find_class(class_name)
    if rule is None:
        raise CannotEdit(f"'{class_name}' is not a class of EnergyPlus")
    return rule


def _place(rule: ClassRule, field: str) -> FieldPlace:
    place = rule.find_field(field)
    assert place is not None, f"{rule.name} has no field {field}"
    return place


def prepare(content: bytes, source: str, study: Study, idd: Path) -> PreparedModel:
    """Parse a model and add what every run of the study needs.

    Args:
        content: The uploaded file's bytes.
        source: Its path in the study; the ending distinguishes IDF from epJSON.
        study: Defines the outputs to request, the files to keep and the run period to simulate.
        idd: The engine's `Energy+.idd`.
    """
    version = dictionary.load().model_version
    document: Document
    if source.lower().endswith(".epjson"):
        document = EpjsonDocument(decode(content))
    else:
        make = EppyObjects(idd) if version == DEFAULT else PlainObjects()
        document = IdfDocument(content, _editable(study.parameters), make)
    if version_in(content, source) != version:  # of 26.1, run with 25.2 because the study asks for it
        _replace(document, "Version", [version])
    _request_results(document, study.outputs)
    _request_series(document, study.outputs)
    _choose_files(document, study.outputs)
    if study.options.run_period == "annual":
        # The engine's --annual stretches the first run period only; the tables would add up all of them.
        rule = _rule("RunPeriod")
        first, *others = document.objects(rule) or [None]
        for extra in others:
            document.remove(rule, extra)
        if first is not None:
            _end_in_the_year_it_begins(document, rule, first)
    return PreparedModel(document, study.parameters, annual=study.options.run_period == "annual")


def _editable(parameters: Sequence[Dimension]) -> Callable[[str, str], bool]:
    """Whether an object may be edited, by the key of its class and its name."""
    patterns: dict[str, list[Target]] = {}
    for target in (target for parameter in parameters for target in parameter.all_targets):
        patterns.setdefault(fold_name(target.class_name), []).append(target)
    always = {fold_name(name) for name in _SET_FOR_EVERY_RUN}

    def may_edit(key: str, name: str) -> bool:
        return key in always or any(each.matches(name) for each in patterns.get(key, ()))

    return may_edit


def _end_in_the_year_it_begins(document: Document, rule: ClassRule, run_period: Any) -> None:
    """--annual sets month and day only: a run period from 2017 to 2018 would be two years."""
    place = _place(rule, "End Year")
    if document.get(run_period, place) not in ("", None):
        document.set(run_period, place, document.get(run_period, _place(rule, "Begin Year")))


def _replace(document: Document, class_name: str, values: Sequence[str]) -> None:
    """Make the one object of a unique class what `values` say."""
    rule = _rule(class_name)
    for each in document.objects(rule):
        document.remove(rule, each)
    document.add(rule, values)


def _request_results(document: Document, outputs: Outputs) -> None:
    # Energy in kWh with all digits, whatever unit and rounding the model chose for its own tables.
    # (EnergyPlus before 25.2 has no third field: it always writes all digits.)
    sqlite = ["SimpleAndTabular", "JtoKWH", "No"]
    _replace(document, "Output:SQLite", sqlite[: len(_rule("Output:SQLite").fields)])
    rule = _rule("Output:Table:SummaryReports")
    existing = document.objects(rule)
    wanted: list[str] = []
    for each in existing:
        group = 1
        while name := document.get(each, _place(rule, f"Report {group} Name")):
            wanted.append(str(name))
            group += 1
    if not any(fold_name(name).startswith("allsummary") for name in wanted):
        known = {fold_name(name) for name in wanted}
        reports = (*REPORTS, *(_BILLS if _TARIFF in document.class_keys() else ()))
        wanted += [name for name in reports if fold_name(name) not in known]
    # Monthly reports are in AllSummaryAndMonthly alone; a report that is requested twice is printed once.
    requested = {fold_name(name) for name in wanted}
    named = {fold_name(cell.report).replace(" ", "") for cell in outputs.cells}
    named |= {_REQUESTED_AS[name] for name in named if name in _REQUESTED_AS}
    wanted += [name for name in rule.repeats[0].words if fold_name(name) in named - requested]
    _replace(document, rule.name, wanted)


def _request_series(document: Document, outputs: Outputs) -> None:
    if outputs.meters or outputs.variables or outputs.reduced:
        _silence_warm_up(document)
    for meter in outputs.meters:
        document.add(_rule("Output:Meter"), [meter, outputs.frequency])
    for variable in outputs.variables:
        document.add(_rule("Output:Variable"), ["*", variable, outputs.frequency])
    for class_name, *values in sorted({_request(each) for each in outputs.reduced}):
        document.add(_rule(class_name), values)


def _request(each: ReducedSeries) -> tuple[str, ...]:
    """Class and values of the object that requests a series."""
    if each.meter is not None:
        return "Output:Meter", each.meter, each.frequency
    # A key with parts left open is a regular expression to the engine, so all keys are requested.
    key = "*" if "*" in each.key else each.key
    return "Output:Variable", key, each.series, each.frequency, *([each.schedule] if each.schedule else ())


def _silence_warm_up(document: Document) -> None:
    """Drop ReportDuringWarmup: in the database its values look like those of the run period."""
    rule = _rule("Output:Diagnostics")
    for each in document.objects(rule):
        groups = range(1, 20)
        kept = [str(key) for group in groups if (key := document.get(each, _place(rule, f"Key {group}")))]
        wanted = [key for key in kept if fold_name(key) != "reportduringwarmup"]
        if wanted != kept:
            document.remove(rule, each)
            if wanted:
                document.add(rule, wanted)


def _choose_files(document: Document, outputs: Outputs) -> None:
    """Let the engine write what is read or kept, and nothing else."""
    rule = _rule("OutputControl:Files")
    written = {*_FILES_ALWAYS_WRITTEN, *(_FILE_FIELD_OF[kept] for kept in outputs.keep if kept in _FILE_FIELD_OF)}
    _replace(document, rule.name, ["Yes" if field.name in written else "No" for field in rule.fields])
    if {"rdd", "mdd"} & set(outputs.keep) and not document.objects(_rule("Output:VariableDictionary")):
        document.add(_rule("Output:VariableDictionary"), ["Regular"])
    if "htm" in outputs.keep:
        style = _rule("OutputControl:Table:Style")
        existing = document.objects(style)
        if existing:
            document.set(existing[0], _place(style, "Column Separator"), "HTML")
        else:
            document.add(style, ["HTML"])
