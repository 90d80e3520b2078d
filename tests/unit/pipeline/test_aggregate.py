"""What a study has come to, and who is told."""

from datetime import UTC, datetime

import pytest

from epsm.pipeline.aggregate import aggregate, decide
from epsm.results.table import Counts
from epsm.store import keys
from epsm.store.files import Files
from epsm.study.manifest import RunManifest, Source
from epsm.study.records import StudyStatus
from epsm.study.schema import Options, Study
from tests.unit.fakes import MemoryRecords, MemoryS3, study_record

LOST = "ExecutionDoesNotExist: Step Functions knows the execution of this study no more."


@pytest.mark.parametrize(
    ("counts", "map_error", "status", "error"),
    [
        (Counts(3, 0, 0), "", StudyStatus.COMPLETED, ""),
        (Counts(2, 1, 0), "", StudyStatus.PARTIAL, ""),
        (Counts(2, 0, 1), "", StudyStatus.PARTIAL, ""),
        (Counts(0, 3, 0), "", StudyStatus.FAILED, "No variant succeeded."),
        (Counts(2, 1, 0), "TIMED_OUT", StudyStatus.FAILED, "The study was given up: TIMED_OUT"),
    ],
)
def test_a_study_is_what_its_variants_and_its_map_have_come_to(
    counts: Counts, map_error: str, status: StudyStatus, error: str
) -> None:
    assert decide(counts, map_error) == (status, error)


def test_an_execution_that_was_lost_after_the_last_variant_spoils_nothing() -> None:
    assert decide(Counts(3, 0, 0), LOST) == (StudyStatus.COMPLETED, "")


@pytest.mark.parametrize("notify", [True, False])
def test_the_summary_says_whether_anybody_is_to_be_told(notify: bool) -> None:
    created_at = datetime(2026, 5, 1, tzinfo=UTC)
    manifest = RunManifest(
        simulation_id="office-1",
        created_at=created_at,
        study=Study(models=("office.idf",), weather=("chicago.epw",), options=Options(notify=notify)),
        source=Source(bucket="inputs", key="office/study.json", version_id="v1"),
        inputs={},
        external_files={},
        variants=1,
        engine_version="25.2",
        image_id="image",
        code_version="1",
        extraction_version=1,
    )
    s3 = MemoryS3()
    s3.put_object(Bucket="results", Key=keys.run_key("office-1", "manifest.json"), Body=manifest.to_json().encode())
    records = MemoryRecords(study_record("office-1", StudyStatus.RUNNING, created_at))
    assert aggregate(Files(s3, "results"), records, "office-1").notify is notify
