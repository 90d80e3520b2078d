"""What every run asks of the engine: reports, series, files, requested in the model."""

from collections.abc import Sequence

from epsm.energyplus.documents import Document
from epsm.energyplus.editing import place_of_field, rule_of
from epsm.energyplus.monthly_reports import MONTHLY_REPORTS
from epsm.study.reduced import ReducedSeries
from epsm.study.schema import Outputs
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


def replace_object(document: Document, class_name: str, values: Sequence[str]) -> None:
    """Make the one object of a unique class what `values` say."""
    rule = rule_of(class_name)
    for model_object in document.objects(rule):
        document.remove(rule, model_object)
    document.add(rule, values)


def request_results(document: Document, outputs: Outputs) -> None:
    # Energy in kWh with all digits, whatever unit and rounding the model chose for its own tables.
    # (EnergyPlus before 25.2 has no third field: it always writes all digits.)
    sqlite = ["SimpleAndTabular", "JtoKWH", "No"]
    replace_object(document, "Output:SQLite", sqlite[: len(rule_of("Output:SQLite").fields)])
    rule = rule_of("Output:Table:SummaryReports")
    existing = document.objects(rule)
    printed: list[str] = []
    for model_object in existing:
        group = 1
        while name := document.get(model_object, place_of_field(rule, f"Report {group} Name")):
            printed.append(str(name))
            group += 1
    if not any(fold_name(name).startswith("allsummary") for name in printed):
        known = {fold_name(name) for name in printed}
        reports = (*REPORTS, *(_BILLS if _TARIFF in document.class_keys() else ()))
        printed += [name for name in reports if fold_name(name) not in known]
    # Monthly reports are in AllSummaryAndMonthly alone; a report that is requested twice is printed once.
    requested = {fold_name(name) for name in printed}
    needed = {fold_name(cell.report).replace(" ", "") for cell in outputs.cells}
    needed |= {fold_name(name) for name in MONTHLY_REPORTS} if "monthly" in outputs.tables else set()
    needed |= {_REQUESTED_AS[name] for name in needed if name in _REQUESTED_AS}
    printed += [name for name in rule.repeats[0].words if fold_name(name) in needed - requested]
    replace_object(document, rule.name, printed)


def request_series(document: Document, outputs: Outputs, hourly_meters: Sequence[str] = ()) -> None:
    if outputs.meters or outputs.variables or outputs.reduced or "monthly" in outputs.tables or hourly_meters:
        _silence_warm_up(document)
    for meter in outputs.meters:
        document.add(rule_of("Output:Meter"), [meter, outputs.frequency])
    for variable in outputs.variables:
        document.add(rule_of("Output:Variable"), ["*", variable, outputs.frequency])
    if "monthly" in outputs.tables:
        # Which meters a model has is known to the engine alone, and it warns of each that is missing.
        document.add(rule_of("Output:Meter"), ["*", "Monthly"])
    for meter in hourly_meters:
        document.add(rule_of("Output:Meter"), [meter, "Hourly"])
    for class_name, *values in sorted({_request(series) for series in outputs.reduced}):
        document.add(rule_of(class_name), values)


def _request(series: ReducedSeries) -> tuple[str, ...]:
    """Class and values of the object that requests a series."""
    if series.meter is not None:
        return "Output:Meter", series.meter, series.frequency
    # A key with parts left open is a regular expression to the engine, so all keys are requested.
    key = "*" if "*" in series.key else series.key
    return "Output:Variable", key, series.series, series.frequency, *([series.schedule] if series.schedule else ())


def _silence_warm_up(document: Document) -> None:
    """Drop ReportDuringWarmup: in the database its values look like those of the run period."""
    rule = rule_of("Output:Diagnostics")
    for model_object in document.objects(rule):
        groups = range(1, 20)
        keys = [
            str(key) for group in groups if (key := document.get(model_object, place_of_field(rule, f"Key {group}")))
        ]
        remaining = [key for key in keys if fold_name(key) != "reportduringwarmup"]
        if remaining != keys:
            document.remove(rule, model_object)
            if remaining:
                document.add(rule, remaining)


def choose_files(document: Document, outputs: Outputs) -> None:
    """Let the engine write what is read or kept, and nothing else."""
    rule = rule_of("OutputControl:Files")
    written = {
        *_FILES_ALWAYS_WRITTEN,
        *(_FILE_FIELD_OF[file_kind] for file_kind in outputs.keep if file_kind in _FILE_FIELD_OF),
    }
    replace_object(document, rule.name, ["Yes" if field.name in written else "No" for field in rule.fields])
    if {"rdd", "mdd"} & set(outputs.keep) and not document.objects(rule_of("Output:VariableDictionary")):
        document.add(rule_of("Output:VariableDictionary"), ["Regular"])
    if "htm" in outputs.keep:
        style = rule_of("OutputControl:Table:Style")
        existing = document.objects(style)
        if existing:
            document.set(existing[0], place_of_field(style, "Column Separator"), "HTML")
        else:
            document.add(style, ["HTML"])
