"""The summary of a study's end: its numbers, for the state machine, and the notification of its subscribers."""

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from epsm.pipeline.notices import for_mail, heading, links, reasons
from epsm.results.ended_study import EndedStudy
from epsm.results.remarks import engine_messages
from epsm.results.rows import NOT_RUN
from epsm.store import keys
from epsm.study.records import VariantStatus
from epsm.study.schema import Study


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


def summary_columns(study: Study) -> list[str]:
    """The columns of the results table that the summary is made from."""
    columns = ["variant_index", "model", "weather", "status", "error", "site_eui_kwh_m2", "site_eui_saved_percent"]
    return [*columns, "severe_errors", "warnings", *(parameter.name for parameter in study.parameters)]


def summary_of(ended: EndedStudy, execution_arn: str, results_bucket: str) -> StudySummary:
    """Summarise the end of a study.

    Args:
        ended: The study, with at least `summary_columns` of its results table.
        execution_arn: Its execution; empty if it was never started.
        results_bucket: Where its results are.
    """
    study, simulation = ended.manifest.study, ended.manifest.simulation_id
    counts, status, error = ended.counts, ended.status.value, ended.error
    place = f"s3://{results_bucket}/{keys.run_key(simulation)}"
    message = [
        *heading(study.name, simulation, f"{status} - {error}" if error else status),
        f"Variants:   {counts.succeeded} succeeded, {counts.failed} failed, {counts.not_run} not run",
        *([f"Reused:     results of earlier runs for {counts.reused} of them"] if counts.reused else []),
        *([f"Repeated:   {ended.interruptions} interruptions by Fargate Spot"] if ended.interruptions else []),
        *_highlights(ended.table, study),
        "",
        f"Table:      {place}results.csv (and results.parquet)",
        f"Report:     {place}report.html",
        *links(execution_arn, results_bucket, simulation),
    ]
    return StudySummary(
        simulation_id=simulation,
        status=status,
        succeeded=counts.succeeded,
        failed=counts.failed,
        not_run=counts.not_run,
        error=error,
        notify=study.options.notify,
        subject=for_mail(f"{study.name}: {status}, {counts.succeeded} of {counts.total} variants succeeded"),
        message="\n".join(message),
    )


def _highlights(table: pd.DataFrame, study: Study) -> list[str]:
    """The key figures: the range of EUI, the largest saving, severe errors, the most frequent reasons for failures."""
    names = [parameter.name for parameter in study.parameters]
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
    without_result = table[["status", "error"]][table["status"] != VariantStatus.SUCCEEDED.value]
    failed = reasons(without_result["error"].dropna())
    label = "Failed or not run:" if (without_result["status"] == NOT_RUN).any() else "Failures:"
    severe = engine_messages(table)
    return [*lines, *([severe] if severe else []), *([label, *failed] if failed else [])]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
