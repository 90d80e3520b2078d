"""How far a study is, from its map run: exact at any size, and nothing that could drift."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from epsm.store.records import StudyRecord


@dataclass(frozen=True, slots=True)
class Counts:
    """Variants by what has become of them: of the map run, and what earlier attempts have come to."""

    running: int = 0
    succeeded: int = 0
    failed: int = 0
    total: int = 0

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed


def counts_of(step_functions: Any, record: StudyRecord) -> Counts:
    """How many variants of a study are where.

    Args:
        step_functions: A boto3 Step Functions client.
        record: The study.
    """
    if record.status.final and (record.succeeded or record.failed):
        return Counts(0, record.succeeded, record.failed, record.variants)
    # Of a study that ended and was never collected the map run still knows what it came to.
    arn = map_run_of(step_functions, record)
    if arn is None:
        return Counts(succeeded=record.succeeded, total=record.variants)
    counts: dict[str, Any] = step_functions.describe_map_run(mapRunArn=arn)["itemCounts"]
    failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
    # The map run of a later attempt holds only what had not succeeded before, or one variant where nothing was missing.
    succeeded = min(record.succeeded + counts["succeeded"], record.variants)
    running = 0 if record.status.final else counts["running"]
    return Counts(running, succeeded, failed, record.variants)


def map_run_of(step_functions: Any, record: StudyRecord) -> str | None:
    """ARN of the map run of a study, None before there is one and after Step Functions has forgotten it (90 days)."""
    if not record.execution_arn:
        return None
    try:
        runs = step_functions.list_map_runs(executionArn=record.execution_arn)["mapRuns"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return None
    return str(runs[-1]["mapRunArn"]) if runs else None


def seconds_left(record: StudyRecord, counts: Counts) -> float | None:
    """What a running study will still take if the rest goes as what has ended; None where nothing can be said."""
    ended = counts.ended - record.succeeded  # in this attempt
    if record.status.final or not record.started_at or ended <= 0 or not counts.total:
        return None
    elapsed = (datetime.now(UTC) - datetime.fromisoformat(record.started_at)).total_seconds()
    return max(0.0, round(elapsed / ended * (counts.total - counts.ended), 1))
