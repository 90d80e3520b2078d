"""Progress of a study, from its map run: exact at any size, without counters that could drift."""

from datetime import UTC, datetime

from epsm.store.executions import RunCounts
from epsm.study.records import StudyRecord


def seconds_left(record: StudyRecord, counts: RunCounts) -> float | None:
    """Expected remaining time of a running study, by its ended variants; None if no estimate is possible."""
    ended = counts.ended - record.succeeded  # in this attempt
    if record.status.final or not record.started_at or ended <= 0 or not counts.total:
        return None
    elapsed = (datetime.now(UTC) - datetime.fromisoformat(record.started_at)).total_seconds()
    return max(0.0, round(elapsed / ended * (counts.total - counts.ended), 1))
