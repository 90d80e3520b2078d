"""The outcome of a study, and its notifications."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from epsm.pipeline.aggregate import aggregate, decide
from epsm.pipeline.detail import write_detail
from epsm.pipeline.study_summary import StudySummary
from epsm.results.table import OutcomeCounts, read_columns
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.pack_index import PackIndex
from epsm.study.records import StudyStatus
from epsm.study.schema import Options, Study
from tests.conftest import study_document
from tests.unit.fakes import MemoryRecords, MemoryS3, fake, study_record
from tests.unit.manifests import manifest_of

LOST = "ExecutionDoesNotExist: Step Functions no longer knows the execution of this study."


@pytest.mark.parametrize(
    ("counts", "map_error", "status", "error"),
    [
        (OutcomeCounts(3, 0, 0), "", StudyStatus.COMPLETED, ""),
        (OutcomeCounts(2, 1, 0), "", StudyStatus.PARTIAL, ""),
        (OutcomeCounts(2, 0, 1), "", StudyStatus.PARTIAL, ""),
        (OutcomeCounts(0, 3, 0), "", StudyStatus.FAILED, "No variant succeeded."),
        (OutcomeCounts(2, 1, 0), "BudgetSpent: $5.01", StudyStatus.PARTIAL, ""),
        (
            OutcomeCounts(2, 0, 1),
            "BudgetSpent: $5.01",
            StudyStatus.FAILED,
            "The study was given up: BudgetSpent: $5.01",
        ),
        (OutcomeCounts(0, 3, 0), "BudgetSpent: $5.01", StudyStatus.FAILED, "No variant succeeded."),
        (OutcomeCounts(2, 1, 0), "TIMED_OUT", StudyStatus.FAILED, "The study was given up: TIMED_OUT"),
    ],
)
def test_the_status_of_a_study_follows_from_its_variants_and_its_map(
    counts: OutcomeCounts, map_error: str, status: StudyStatus, error: str
) -> None:
    assert decide(counts, map_error) == (status, error)


def test_an_execution_that_was_lost_after_the_last_variant_spoils_nothing() -> None:
    assert decide(OutcomeCounts(3, 0, 0), LOST) == (StudyStatus.COMPLETED, "")


def collected(study: Study, attempt: int = 1) -> tuple[StudySummary, MemoryS3]:
    """A study of which no variant has started, aggregated."""
    created_at = datetime(2026, 5, 1, tzinfo=UTC)
    manifest = manifest_of(study, simulation_id="office-1", created_at=created_at)
    s3 = MemoryS3()
    s3.put_object(Bucket="results", Key=keys.run_key("office-1", "manifest.json"), Body=manifest.to_json().encode())
    records = MemoryRecords(study_record("office-1", StudyStatus.RUNNING, created_at, attempt=attempt))
    return aggregate(Files(fake(s3), "results"), records, "office-1"), s3


def result(s3: MemoryS3, name: str) -> str:
    return str(s3.get_object(Bucket="results", Key=keys.run_key("office-1", name))["Body"].read().decode())


@pytest.mark.parametrize("notify", [True, False])
def test_the_summary_says_whether_subscribers_are_notified(notify: bool) -> None:
    study = Study(models=("office.idf",), weather=("chicago.epw",), options=Options(notify=notify))
    assert collected(study)[0].notify is notify


def test_a_further_attempt_replaces_the_index_of_packs_also_if_no_variant_is_in_one() -> None:
    _, s3 = collected(Study.model_validate(study_document()), attempt=2)
    assert json.loads(result(s3, "packs/index.json"))["packs"] == {}


def test_a_study_with_parameters_has_an_analysis() -> None:
    _, s3 = collected(Study.model_validate(study_document()))

    (analysis,) = json.loads(result(s3, "sensitivity.json"))["analyses"]
    assert (analysis["metric"], analysis["runs"], analysis["used"]) == ("site_eui_kwh_m2", 2, 0)
    assert "0 runs with a result are too few" in result(s3, "sensitivity.csv")
    assert "<h2>Sensitivity</h2>" in result(s3, "report.html")


def test_a_fault_of_the_analysis_does_not_cost_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise MemoryError("too large")

    monkeypatch.setattr("epsm.pipeline.aggregate.analyses", fails)
    summary, s3 = collected(Study.model_validate(study_document()))

    assert summary.not_run == 3
    assert result(s3, "results.csv").count("not_run") == 3
    assert "The sensitivity analysis failed: MemoryError(&#x27;too large&#x27;)" in result(s3, "report.html")


def test_the_results_table_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []

    def read(parquet: Path, names: Iterable[str]) -> pd.DataFrame:
        reads.append(parquet)
        return read_columns(parquet, names)

    monkeypatch.setattr("epsm.pipeline.aggregate.read_columns", read)
    collected(Study.model_validate(study_document()))

    assert len(reads) == 1


def test_the_tables_that_a_study_asks_for_are_collected(tmp_path: Path) -> None:
    study = Study.model_validate(study_document(outputs={"tables": ["zones"]}))
    own = {
        "variant_index": 1,
        "model": "room.idf",
        "weather": "chicago.epw",
        "zones": [{"name": "ROOM", "area_m2": 48}],
    }
    s3 = MemoryS3()
    s3.put_object(Bucket="results", Key=keys.variant_key("x-1", 1, "result.json"), Body=json.dumps(own).encode())
    files = Files(fake(s3), "results")

    assert write_detail(files, "x-1", [1], PackIndex(), study.outputs.tables, tmp_path) == []
    rows = pq.read_table(tmp_path / "zones.parquet").to_pylist()
    assert [(row["variant_index"], row["zone"], row["area_m2"]) for row in rows] == [(1, "ROOM", 48)]

    # Variant 2 has left nothing: no half of a table, but the reason.
    (section,) = write_detail(files, "x-1", [1, 2], PackIndex(), study.outputs.tables, tmp_path)
    assert section.startswith("<p class='status failed'>zones.parquet could not be written: NotFound(")
    assert list(tmp_path.iterdir()) == []


def test_without_such_tables_no_variant_is_read(tmp_path: Path) -> None:
    write_detail(Files(fake(MemoryS3()), "results"), "x-1", [1, 2], PackIndex(), (), tmp_path)
    assert list(tmp_path.iterdir()) == []
