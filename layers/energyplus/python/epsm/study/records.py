"""States and records of studies and their variants, independent of the store."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from epsm.problems import Problem

RETENTION_MARGIN_DAYS = 40
"""The table's own expiry comes this much later than the study's retention, which counts from its end: it backs up the
daily cleanup, and must not delete a study that ran long or was rerun."""


class StudyStatus(StrEnum):
    """Status of a study; a text, e.g. ``"completed"``.

    pending and running are on their way; completed (every variant succeeded), partial, failed, cancelled and rejected
    are final, until it is run again.
    """

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        return self not in (StudyStatus.PENDING, StudyStatus.RUNNING)


CANCELLED_STAGE = "cancelled"
LOST_STAGE = "worker"


class VariantStatus(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """The record of a study, from the table.

    Attributes:
        simulation_id: Its name.
        name: The name that the modeller gave it.
        status: Where it is.
        created_at: ISO 8601, UTC.
        started_at, ended_at: Likewise, empty until then.
        variants: How many there are; 0 while it is not known.
        succeeded, failed: Counts, once it has ended.
        reused: How many of those that succeeded have the results of earlier runs.
        execution_arn: The Step Functions execution, empty before it is started.
        error: Why the study as a whole failed, empty otherwise.
        problems: Why it was rejected.
        source: Bucket, key and version of the study.json.
        options: The study's options.
        owner: Who submitted it through the API; empty for a study.json uploaded to the bucket directly.
        attempt: 1, and one more for each time that its failed variants were run again.
        reopened_at: When the last such attempt was requested; empty before the second.
        removing: Whether it is being removed, and so is hidden from queries.
        given_up: Whether its map or its execution ended before everything had run, whatever the reason.
        collected: Whether `succeeded` and `failed` of a cancelled study are counted, also where both are 0.
        stop_reason: Why it is being stopped without having been cancelled; empty otherwise.
        spent_usd: What this attempt's variants have cost so far; counted only where `max_cost_usd` limits it, or
            owners have a limit of dollars a month.
        cost_usd: The same of all attempts together.
        batched: Whether its variants run in batches, in this attempt.
        engines: Number of engines that one function runs at a time; more than one only in batches.
        successes, failures: Of a study that runs in batches, variants that have ended in this attempt, for its progress
            and its limit of failures.
        interruptions: How often Fargate Spot has interrupted a batch, in all attempts together.
    """

    simulation_id: str
    name: str
    status: StudyStatus
    created_at: str
    started_at: str = ""
    ended_at: str = ""
    variants: int = 0
    succeeded: int = 0
    failed: int = 0
    reused: int = 0
    execution_arn: str = ""
    error: str = ""
    problems: tuple[Problem, ...] = ()
    source: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    owner: str = ""
    attempt: int = 1
    reopened_at: str = ""
    removing: bool = False
    given_up: bool = False
    collected: bool = False
    stop_reason: str = ""
    spent_usd: float = 0.0
    cost_usd: float = 0.0
    batched: bool = False
    engines: int = 1
    successes: int = 0
    failures: int = 0
    interruptions: int = 0

    @property
    def is_waiting(self) -> bool:
        """Whether it is accepted and has not been started because it waits for another one (`options.after`)."""
        return self.status is StudyStatus.PENDING and self.attempt == 1 and bool(self.options.get("after"))


@dataclass(frozen=True, slots=True)
class StudyPage:
    """Some studies, the newest first, and where the next page starts; None after the last."""

    studies: tuple[StudyRecord, ...]
    next_page: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """The record of a variant, from the table.

    Attributes:
        index: Position in the study.
        status: running, succeeded or failed.
        started_at, ended_at: ISO 8601, UTC.
        verdict: How the engine run ended, a value of `epsm.energyplus.verdict.Verdict`; empty while it runs.
        stage: For a failure where it happened: ``input``, ``engine``, ``results`` or ``worker``; ``cancelled`` for a
            variant that was stopped with its study.
        error: For a failure the message.
        summary: Metrics, measures and the period, as `epsm.pipeline.run_variant` wrote them.
        pack: Name of the object below its study's folder that has its small files; empty if each is an object.
    """

    index: int
    status: VariantStatus
    started_at: str = ""
    ended_at: str = ""
    verdict: str = ""
    stage: str = ""
    error: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    pack: str = ""


def now() -> str:
    return timestamp(datetime.now(UTC))


def timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def expiry(created_at: datetime, retention_days: int) -> int:
    """When the table's TTL deletes a study's items, seconds since 1970."""
    return int((created_at + timedelta(days=retention_days + RETENTION_MARGIN_DAYS)).timestamp())


def functions_for(variants_at_a_time: int, engines: int) -> int:
    """Functions that together run so many variants at a time.

    Args:
        variants_at_a_time: Number of variants.
        engines: Engines of one function.

    >>> functions_for(100, engines=1), functions_for(100, engines=6)
    (100, 17)
    """
    return math.ceil(variants_at_a_time / engines)
