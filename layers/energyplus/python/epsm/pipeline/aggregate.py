"""Ending a study: the results table, the report, the record.

Runs after the map whatever became of it, keeps what succeeded, and can be repeated: it reads the variants' records
and writes the same files again.
"""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from epsm.pipeline.notices import for_mail, heading, links, reasons
from epsm.results.design import write_design
from epsm.results.remarks import engine_messages
from epsm.results.report import write_report
from epsm.results.rows import CANCELLED, GIVEN_UP, NOT_RUN, NOT_STARTED
from epsm.results.sensitivity.section import failed_section, sensitivity_section
from epsm.results.sensitivity.tables import analyses, write_csv, write_json
from epsm.results.table import OutcomeCounts, mean_run_times, write_table
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.preflight import reason_of
from epsm.study.records import StudyStatus, VariantStatus
from epsm.study.schema import Study

logger = logging.getLogger(__name__)

_ANALYSIS_FILES = {"sensitivity.json": "application/json", "sensitivity.csv": "text/csv; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class StudySummary:
    """The end of a study, for the state machine and for subscribers.

    Attributes:
        simulation_id: Which study.
        status: completed, partial, failed or cancelled.
        succeeded, failed, not_run: Numbers of variants.
        error: Why the study as a whole failed; empty otherwise.
        notify: Whether subscribers are notified.
        subject, message: The notification.
    """

    simulation_id: str
    status: str
    succeeded: int
    failed: int
    not_run: int
    error: str
    notify: bool
    subject: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def aggregate(
    files: Files,
    records: Records,
    simulation: str,
    map_error: str = "",
    trials: Sequence[Mapping[str, Any]] = (),
) -> StudySummary:
    """Write the results of a study and close its record.

    Args:
        files, records: The store.
        simulation: The study.
        map_error: Why the map gave up, empty if it did not.
        trials: What trying its models came to, where one failed and no variant was started; see `epsm.study.preflight`.

    Raises:
        NotFound: If the run has no manifest.
    """
    manifest = files.read_manifest(simulation)
    record = records.study(simulation)
    cancelled = record is not None and record.status is StudyStatus.CANCELLED
    with tempfile.TemporaryDirectory() as folder:
        parquet, csv, html = (Path(folder) / name for name in ("results.parquet", "results.csv", "report.html"))
        why_not_run = f"{CANCELLED}." if cancelled else NOT_STARTED
        found = records.variants(simulation)
        counts = write_table(
            manifest.study,
            found,
            parquet,
            csv,
            why_not_run,
            stopped=CANCELLED if cancelled else GIVEN_UP if map_error else "",
            own_values=manifest.baseline_values,
            input_remarks=manifest.input_remarks,
        )
        if record is not None and cancelled:
            status, error = StudyStatus.CANCELLED, record.error
        else:
            status, error = decide(counts, map_error, reason_of(manifest.study, trials))
        sections = _analyse(Path(folder), manifest, parquet)
        write_report(html, manifest, parquet, counts, status, error, sections)
        run_times = mean_run_times(parquet)
        highlights = _highlights(parquet, manifest.study)
        files.put_file(keys.run_key(simulation, parquet.name), parquet)
        files.put_file(keys.run_key(simulation, csv.name), csv, "text/csv; charset=utf-8")
        for name, content_type in _ANALYSIS_FILES.items():
            if (Path(folder) / name).is_file():
                files.put_file(keys.run_key(simulation, name), Path(folder) / name, content_type)
        files.put_file(keys.run_key(simulation, html.name), html, "text/html; charset=utf-8")
        if manifest.study.parameters and manifest.study.sampling.method != "grid":
            design = Path(folder) / "design.parquet"
            write_design(manifest.study, design)
            files.put_file(keys.run_key(simulation, design.name), design)
    for model, seconds in run_times.items():
        records.note_run_time(manifest.inputs[model].sha256, seconds)
    ended_with = {"succeeded": counts.succeeded, "failed": counts.failed}
    if cancelled:
        records.count_cancelled_study(simulation, **ended_with)
    elif not records.finish_study(simulation, status, **ended_with, error=error, given_up=bool(map_error)):
        logger.warning("the study had ended already", extra={"simulation_id": simulation})
    name = manifest.study.name
    subject = f"{name}: {status.value}, {counts.succeeded} of {counts.total} variants succeeded"
    place = f"s3://{files.results_bucket}/{keys.run_key(simulation)}"
    where = [
        f"Table:      {place}results.csv (and results.parquet)",
        f"Report:     {place}report.html",
        *links(record.execution_arn if record else "", files.results_bucket, simulation),
    ]
    return StudySummary(
        simulation_id=simulation,
        status=status.value,
        succeeded=counts.succeeded,
        failed=counts.failed,
        not_run=counts.not_run,
        error=error,
        notify=manifest.study.options.notify,
        subject=for_mail(subject),
        message=_message(name, simulation, status, counts, error, highlights, where),
    )


def _analyse(folder: Path, manifest: RunManifest, parquet: Path) -> list[str]:
    """Write the files of the sensitivity analysis, where the study has one; the report's section on it."""
    study = manifest.study
    if not study.parameters or not study.analysis.metrics:
        return []
    try:
        found = analyses(study, parquet, manifest.seed)
        write_json(folder / "sensitivity.json", manifest.simulation_id, study, found)
        write_csv(folder / "sensitivity.csv", found)
        return [sensitivity_section(found, study.analysis.confidence)]
    except Exception as error:
        # A fault of the analysis must not cost the table, which is written and complete.
        logger.exception("the sensitivity analysis failed", extra={"simulation_id": manifest.simulation_id})
        return [failed_section(repr(error))]


def decide(counts: OutcomeCounts, map_error: str, not_started: str = "") -> tuple[StudyStatus, str]:
    """The study's final status, and the reason if it is failed."""
    if counts.succeeded == counts.total:
        # Whatever became of the map or the execution after the last variant: nothing is missing.
        return StudyStatus.COMPLETED, ""
    if not_started:
        return StudyStatus.FAILED, not_started
    if map_error:
        return StudyStatus.FAILED, f"{GIVEN_UP}: {map_error}"
    if counts.succeeded == 0:
        return StudyStatus.FAILED, "No variant succeeded."
    return StudyStatus.PARTIAL, ""


def _highlights(parquet: Path, study: Study) -> list[str]:
    """The numbers that a reader of a mail wants first: the range of EUI, the largest saving, why variants failed."""
    names = [parameter.name for parameter in study.parameters]
    columns = ["variant_index", "model", "weather", "status", "error", "site_eui_kwh_m2", "site_eui_saved_percent"]
    columns += ["severe_errors", "warnings"]
    table = pd.read_parquet(parquet, columns=[*columns, *names])
    euis = table["site_eui_kwh_m2"].dropna()
    lines = []
    if len(euis):
        lines.append(f"Site EUI:   {euis.min():.1f} to {euis.max():.1f} kWh/m2")
    saved = table["site_eui_saved_percent"].dropna()
    if len(saved) and saved.max() > 0:
        best = table[table.index == saved.idxmax()].iloc[0]
        values = ", ".join(
            f"{name}={best[name]:g}" if _is_number(best[name]) else f"{name}={best[name]}" for name in names
        )
        lines.append(
            f"Best:       variant {best['variant_index']} saves {saved.max():.1f} % against the baseline "
            f"({best['model']}, {best['weather']}; {values})"
        )
    without_result = table[table["status"] != VariantStatus.SUCCEEDED.value]
    failed = reasons(without_result["error"].dropna().tolist())
    label = "Failed or not run:" if (without_result["status"] == NOT_RUN).any() else "Failures:"
    severe = engine_messages(table)
    return [*lines, *([severe] if severe else []), *([label, *failed] if failed else [])]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _message(
    name: str,
    simulation: str,
    status: StudyStatus,
    counts: OutcomeCounts,
    error: str,
    highlights: list[str],
    where: list[str],
) -> str:
    lines = [
        *heading(name, simulation, f"{status.value} - {error}" if error else status.value),
        f"Variants:   {counts.succeeded} succeeded, {counts.failed} failed, {counts.not_run} not run",
        *highlights,
        "",
        *where,
    ]
    return "\n".join(lines)
