"""Items of the table, of studies in any state."""

from collections.abc import Callable
from typing import Any

from epsm.store import attributes, keys
from epsm.store.records import Records
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, VariantStatus

SOURCE = {"bucket": "inputs", "key": "office/study.json", "version_id": "v1"}
FOREVER = 4_000_000_000
ENDED = [status for status in StudyStatus if status.final]
OPEN = [StudyStatus.PENDING, StudyStatus.RUNNING]


def put(table: Any, simulation: str, status: StudyStatus = StudyStatus.PENDING, **more: Any) -> None:
    """A study as the table has it, in any state."""
    item = {
        keys.PARTITION_KEY: keys.partition(simulation),
        keys.SORT_KEY: keys.STUDY_SORT_KEY,
        attributes.RECORD_TYPE: keys.STUDY_SORT_KEY,
        "simulation_id": simulation,
        "name": simulation,
        "status": status.value,
        "created_at": "2026-05-01T12:00:00.000Z",
        **more,
    }
    table.put_item(Item=item)


def study(records: Records, simulation: str = "a") -> StudyRecord:
    record = records.study_including_removed(simulation)
    assert record is not None
    return record


Write = Callable[[Records], bool]


def ended(index: int, status: VariantStatus = VariantStatus.SUCCEEDED, **changes: Any) -> VariantRecord:
    return VariantRecord(index, status, started_at="2026-05-01T12:00:00.000Z", **changes)
