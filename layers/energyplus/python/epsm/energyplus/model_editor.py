"""Editing a model: from the uploaded file to the in.idf of one variant.

A model is parsed once and then written many times: `prepare` adds the outputs that the results are read from, and
`PreparedModel.render` writes one variant and puts the old values back. IDF goes through eppy, epJSON through `json`.
"""

import contextlib
import copy
import io
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from epsm.energyplus import dictionary
from epsm.energyplus.dictionary import ClassRule, FieldPlace
from epsm.energyplus.model_reader import decode, read_outline
from epsm.energyplus.plain_idf import PlainIdfDocument
from epsm.energyplus.plain_idf import number_text as number_text  # its readers know it from here
from epsm.energyplus.versions import DEFAULT, version_in
from epsm.study.schema import Outputs, Parameter, Study
from epsm.text import fold_name

REPORTS = (
    "AnnualBuildingUtilityPerformanceSummary",
    "InputVerificationandResultsSummary",
    "DemandEndUseComponentsSummary",
)
"""The tabular reports that `epsm.results.reader` reads."""

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


class CannotEdit(Exception):
    """A parameter does not fit the model. Submit refuses such a study; here it means that it was not asked."""


class Document(Protocol):
    """What editing needs of a parsed model, whatever its syntax. Objects are opaque handles."""

    file_name: str

    def objects(self, rule: ClassRule) -> list[Any]: ...
    def name_of(self, each: Any) -> str: ...
    def get(self, each: Any, place: FieldPlace) -> Any: ...
    def set(self, each: Any, place: FieldPlace, value: Any) -> None: ...
    def values_of(self, each: Any) -> Any: ...
    def restore(self, each: Any, values: Any) -> None: ...
    def add(self, rule: ClassRule, values: Sequence[str]) -> None: ...
    def remove(self, rule: ClassRule, each: Any) -> None: ...
    def text(self) -> str: ...


class IdfDocument:
    """An IDF in eppy. The IDD is the process's: eppy holds one for all models."""

    file_name = "in.idf"

    def __init__(self, text: str, idd: Path) -> None:
        from eppy.modeleditor import IDF  # 0.7 s to import: only where models are edited

        if IDF.getiddname() is None:
            IDF.setiddname(str(idd))
        try:
            self._idf = IDF(io.StringIO(text))
        except TypeError:  # eppy looks for the group that an object with too many fields could extend
            self._idf = IDF(io.StringIO(_without_empty_fields_behind_the_last(text)))
        # eppy's default writes units into comments by a linear search for every field: 32 CPU seconds for a small
        # office, 125 for a 3 MB model. Without comments it takes milliseconds.
        self._idf.outputtype = "nocomment"

    def objects(self, rule: ClassRule) -> list[Any]:
        return list(self._idf.idfobjects[rule.name.upper()])

    def name_of(self, each: Any) -> str:
        return str(each.obj[1]) if len(each.obj) > 1 else ""

    def get(self, each: Any, place: FieldPlace) -> Any:
        index = place.position + 1  # eppy's list starts with the class name
        return each.obj[index] if index < len(each.obj) else ""

    def set(self, each: Any, place: FieldPlace, value: Any) -> None:
        index = place.position + 1
        each.obj.extend([""] * (index + 1 - len(each.obj)))
        each.obj[index] = number_text(value) if isinstance(value, float | int) else value

    def values_of(self, each: Any) -> Any:
        return list(each.obj)

    def restore(self, each: Any, values: Any) -> None:
        each.obj[:] = values

    def add(self, rule: ClassRule, values: Sequence[str]) -> None:
        each = self._idf.newidfobject(rule.name.upper())
        each.obj[:] = [rule.name, *values]  # eppy would write the class in capitals and fill in the defaults

    def remove(self, rule: ClassRule, each: Any) -> None:
        self._idf.removeidfobject(each)

    def text(self) -> str:
        return str(self._idf.idfstr())


def _without_empty_fields_behind_the_last(text: str) -> str:
    """An IDF without empty fields for which its classes have no room (`Timestep,4,,;`): the engine passes over them."""
    lines = []
    for each in read_outline(text.encode(), "in.idf").all():
        assert isinstance(each.values, tuple)
        rule = dictionary.load().find_class(each.class_name)
        values = each.values
        if rule is not None and not rule.repeats and not any(values[len(rule.fields) :]):
            values = values[: len(rule.fields)]
        lines.append(",".join([each.class_name, *values]) + ";\n")
    return "".join(lines)


class EpjsonDocument:
    """An epJSON model: classes of named objects. A handle is the pair of name and fields."""

    file_name = "in.epJSON"

    def __init__(self, text: str) -> None:
        self._classes: dict[str, dict[str, dict[str, Any]]] = json.loads(text)

    def _group(self, rule: ClassRule) -> dict[str, dict[str, Any]]:
        key = next((each for each in self._classes if fold_name(each) == fold_name(rule.name)), rule.name)
        return self._classes.setdefault(key, {})

    def objects(self, rule: ClassRule) -> list[Any]:
        return list(self._group(rule).items())

    def name_of(self, each: Any) -> str:
        return str(each[0])

    def _fields(self, each: Any, place: FieldPlace) -> dict[str, Any]:
        fields: dict[str, Any] = each[1]
        if place.group is None:
            return fields
        groups = fields.setdefault(place.rule.repeat_key or "", [])
        groups.extend({} for _ in range(place.group + 1 - len(groups)))
        return groups[place.group]  # type: ignore[no-any-return]

    def get(self, each: Any, place: FieldPlace) -> Any:
        return self._fields(each, place).get(place.rule.key, "")

    def set(self, each: Any, place: FieldPlace, value: Any) -> None:
        fields = self._fields(each, place)
        if value == "":
            fields.pop(place.rule.key, None)
        else:
            whole = place.rule.type == "integer" and isinstance(value, float) and value == int(value)
            fields[place.rule.key] = int(value) if whole else value

    def values_of(self, each: Any) -> Any:
        return copy.deepcopy(each[1])

    def restore(self, each: Any, values: Any) -> None:
        each[1].clear()
        each[1].update(values)

    def add(self, rule: ClassRule, values: Sequence[str]) -> None:
        group = self._group(rule)
        free = (name for number in itertools.count(1) if (name := f"{rule.name} {number}") not in group)
        name = values[0] if rule.named else next(free)
        fields: dict[str, Any] = {}
        group[name] = fields
        plain = len(rule.fields)
        for position, value in enumerate(values[:plain]):
            if value and rule.fields[position].key != "name":
                fields[rule.fields[position].key] = value
        if rule.repeats:
            key = rule.repeats[0].repeat_key or ""
            fields[key] = [{rule.repeats[0].key: value} for value in values[plain:]]

    def remove(self, rule: ClassRule, each: Any) -> None:
        del self._group(rule)[each[0]]

    def text(self) -> str:
        return json.dumps({name: group for name, group in self._classes.items() if group}, indent=1)


class PreparedModel:
    """A model with its outputs requested, ready to be written once for each variant of a study."""

    def __init__(self, document: Document, parameters: Sequence[Parameter], *, annual: bool = False) -> None:
        self._document = document
        self._parameters = parameters
        self._version = dictionary.load().model_version
        self._annual = annual
        self.file_name = document.file_name
        self.needs_expansion = any(
            document.objects(_rule(name)) for name in dictionary.load().class_names if name.startswith("HVACTemplate:")
        )

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

    @contextlib.contextmanager
    def _edited(self, parameter: Parameter, level: float | str) -> Iterator[None]:
        document = self._document
        rule = _rule(parameter.class_name)
        place = rule.find_field(parameter.field)
        if place is None:
            raise CannotEdit(f"{parameter.name}: {rule.name} has no field '{parameter.field}'")
        targets = [each for each in document.objects(rule) if parameter.matches(document.name_of(each))]
        if not targets:
            raise CannotEdit(f"{parameter.name}: the model has no {rule.name} '{parameter.object_name}'")
        before = [document.values_of(each) for each in targets]
        try:
            for each in targets:
                document.set(each, place, _new_value(parameter, level, document.get(each, place)))
            yield
        finally:
            for each, values in zip(targets, before, strict=True):
                document.restore(each, values)


def _new_value(parameter: Parameter, level: float | str, current: Any) -> float | str:
    if parameter.multiply is None:
        return level
    try:
        product = float(current) * float(level)
    except (TypeError, ValueError, OverflowError):
        raise CannotEdit(f"{parameter.name}: '{current}' cannot be multiplied") from None
    if not math.isfinite(product):
        raise CannotEdit(f"{parameter.name}: {current} x {level} is too large")
    return product


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
        source: Its path in the study; the ending tells IDF from epJSON.
        study: Says which outputs to request, which files to keep and which run period to simulate.
        idd: The engine's `Energy+.idd`.
    """
    text = decode(content)
    version = dictionary.load().model_version
    document: Document
    if source.lower().endswith(".epjson"):
        document = EpjsonDocument(text)
    elif version == DEFAULT:
        document = IdfDocument(text, idd)
    else:
        document = PlainIdfDocument(text)
    if version_in(content, source) != version:  # of 26.1, run with 25.2 because the study asks for it
        _replace(document, "Version", [version])
    _request_results(document)
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


def _request_results(document: Document) -> None:
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
        wanted += [name for name in REPORTS if fold_name(name) not in known]
    _replace(document, rule.name, wanted)


def _request_series(document: Document, outputs: Outputs) -> None:
    if outputs.meters or outputs.variables:
        _silence_warm_up(document)
    for meter in outputs.meters:
        document.add(_rule("Output:Meter"), [meter, outputs.frequency])
    for variable in outputs.variables:
        document.add(_rule("Output:Variable"), ["*", variable, outputs.frequency])


def _silence_warm_up(document: Document) -> None:
    """Drop ReportDuringWarmup: in the database its values cannot be told from those of the run period."""
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
