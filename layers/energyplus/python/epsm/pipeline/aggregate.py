"""Ending a study: the results table, the report, the record.

Runs after the map, whether it completed or not, keeps the results of the successful variants, and can be repeated: it
reads the variants' records and writes the same files again.
"""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from epsm.pipeline.detail import write_detail
from epsm.pipeline.series_columns import VariantsByColumns, write_series_columns
from epsm.pipeline.study_summary import StudySummary, summary_columns, summary_of
from epsm.results.design import write_design
from epsm.results.ended_study import EndedStudy
from epsm.results.overview import overview, write_overview
from epsm.results.remarks import remarks
from epsm.results.report import columns_of_all, write_report
from epsm.results.report_detail import detail_section
from epsm.results.result_files import COLLECTED_FILES, OVERVIEW
from epsm.results.rows import CANCELLED, GIVEN_UP, NOT_STARTED
from epsm.results.sensitivity.section import failed_section, sensitivity_section
from epsm.results.sensitivity.tables import analyses, analysis_columns, write_csv, write_json
from epsm.results.table import (
    RUN_TIME_COLUMNS,
    OutcomeCounts,
    mean_run_times,
    read_columns,
    weather_run_with,
    write_table,
)
from epsm.results.table_rows import from_file, read_outcomes
from epsm.store import keys
from epsm.store.files import Files, json_bytes
from epsm.store.pack_index import PackIndex
from epsm.store.records import Records
from epsm.study.failures import BUDGET_SPENT, TOO_MANY_FAILURES, too_many_failures
from epsm.study.manifest import RunManifest
from epsm.study.preflight import reason_of
from epsm.study.records import StudyStatus, VariantStatus
from epsm.study.schema import Study

logger = logging.getLogger(__name__)

_UPLOADS = 4
"""Result files that are uploaded at a time."""


def aggregate(
    files: Files,
    records: Records,
    simulation: str,
    map_error: str = "",
    trials: Sequence[Mapping[str, Any]] = (),
    attempt: int | None = None,
) -> StudySummary:
    """Write the results of a study and close its record.

    Args:
        files, records: The store.
        simulation: The study.
        map_error: Why the map gave up, empty if it did not.
        trials: Outcomes of the trial runs of its models, if one failed and no variant was started; see
            `epsm.study.preflight`.
        attempt: The attempt of the study that has ended, by default its present one. If a later one has begun by the
            end, the record stays open for that, and nobody is notified.

    Raises:
        NotFound: If the run has no manifest.
    """
    manifest = files.read_manifest(simulation)
    record = records.study(simulation)
    attempt = attempt or (record.attempt if record else 1)
    cancelled = record is not None and record.status is StudyStatus.CANCELLED
    # The map of a study in batches tolerates every failure, and may end before the execution is stopped.
    if record is not None and not map_error:
        too_many = too_many_failures(record, records.recount_failures)
        map_error = f"{TOO_MANY_FAILURES}: {too_many}" if too_many else ""
    by_columns = VariantsByColumns()
    packs = PackIndex()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        counts = write_table(
            manifest,
            packs.noting(by_columns.noting(records.variants(simulation))),
            folder / "results.parquet",
            folder / "results.csv",
            f"{CANCELLED}." if cancelled else NOT_STARTED,
            stopped=CANCELLED if cancelled else GIVEN_UP if map_error else "",
        )
        if record is not None and cancelled:
            status, error = StudyStatus.CANCELLED, record.error
        else:
            status, error = decide(counts, map_error, reason_of(manifest.study, trials))
        parquet = folder / "results.parquet"
        table = read_columns(parquet, _columns(manifest.study))
        succeeded = table.loc[table["status"] == VariantStatus.SUCCEEDED.value, "variant_index"].tolist()
        sections = _analyse(folder, manifest, table)
        sections += write_detail(files, simulation, succeeded, packs, manifest.study.outputs.tables, folder)
        sections += write_series_columns(files, simulation, by_columns.indices, folder, attempt)
        sections.append(detail_section(folder, manifest.study))
        interruptions = record.interruptions if record else 0
        ended = EndedStudy(
            manifest, table, counts, status, error, interruptions, from_file(parquet), read_outcomes(parquet)
        )
        about = remarks(table, manifest.study, ended.outcomes)
        write_report(folder / "report.html", ended, sections, about)
        write_overview(folder / OVERVIEW, overview(table, manifest.study, about, ended.complete))
        if manifest.study.parameters and manifest.study.sampling.method != "grid":
            write_design(manifest.study, folder / "design.parquet")
        _upload(files, simulation, folder, attempt)
    if packs or (record is not None and record.attempt > 1):  # which replaces the index of an earlier attempt
        index = json_bytes(packs.document())
        files.collected(attempt).put(keys.run_key(simulation, keys.PACK_INDEX), index, "application/json")
    if record is not None:
        weather = weather_run_with(table)
        for model, seconds in mean_run_times(table).items():
            run_with = [manifest.inputs[file].sha256 for file in weather[model]]
            records.note_run_time(record.owner, manifest.inputs[model].sha256, seconds, run_with)
    ended_with = {"succeeded": counts.succeeded, "failed": counts.failed, "attempt": attempt}
    if cancelled:
        written = records.count_cancelled_study(simulation, **ended_with)
    else:
        written = records.finish_study(
            simulation, status, **ended_with, reused=counts.reused, error=error, given_up=bool(map_error)
        )
    summary = summary_of(ended, record.execution_arn if record else "", files.results_bucket)
    if written:
        return summary
    present = records.study(simulation)
    has_gone_on = present is not None and present.attempt > attempt
    logger.warning("the study had ended already", extra={"simulation_id": simulation, "runs_again": has_gone_on})
    return replace(summary, notify=False) if has_gone_on else summary


def _columns(study: Study) -> list[str]:
    """All columns that are read back from the results table for every variant, of which there may be a million."""
    return [*columns_of_all(study), *analysis_columns(study), *summary_columns(study), *RUN_TIME_COLUMNS]


def _upload(files: Files, simulation: str, folder: Path, attempt: int) -> None:
    collected = files.collected(attempt)

    def upload(name: str) -> None:
        if not collected.put(keys.run_key(simulation, name), folder / name, COLLECTED_FILES[name]):
            logger.warning("a later attempt has written the file", extra={"simulation_id": simulation, "file": name})

    with ThreadPoolExecutor(_UPLOADS) as pool:
        list(pool.map(upload, (name for name in COLLECTED_FILES if (folder / name).is_file())))


def _analyse(folder: Path, manifest: RunManifest, table: pd.DataFrame) -> list[str]:
    """Write the files of the sensitivity analysis, if the study has one; returns its section of the report."""
    study = manifest.study
    if not study.parameters or not study.analysis.metrics:
        return []
    try:
        found = analyses(study, table, manifest.seed)
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
        # A fault of the map or the execution after the last variant loses nothing.
        return StudyStatus.COMPLETED, ""
    if counts.not_run == 0 and map_error.startswith(BUDGET_SPENT):
        map_error = ""  # the last variants spent the budget: nothing was given up
    if not_started:
        return StudyStatus.FAILED, not_started
    if map_error:
        return StudyStatus.FAILED, f"{GIVEN_UP}: {map_error}"
    if counts.succeeded == 0:
        return StudyStatus.FAILED, "No variant succeeded."
    return StudyStatus.PARTIAL, ""
