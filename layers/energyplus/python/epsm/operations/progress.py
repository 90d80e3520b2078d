"""How far a study is, from its map run: exact at any size, and nothing that could drift."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from epsm.store.records import StudyRecord, StudyStatus

_MOST_REMEMBERED = 1000
_THROTTLES = frozenset({"ThrottlingException", "TooManyRequestsException", "ProvisionedThroughputExceededException"})


def is_throttle(error: ClientError) -> bool:
    """Whether a service of AWS says that it is asked too often."""
    return error.response["Error"]["Code"] in _THROTTLES


@dataclass(frozen=True, slots=True)
class Counts:
    """Variants by what has become of them: of the map run, and what earlier attempts have come to.

    Those that are in none of the counts have not run: they wait, or the study ended before or while they ran.
    """

    running: int = 0
    succeeded: int = 0
    failed: int = 0
    total: int = 0

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed

    @property
    def not_run(self) -> int:
        return max(0, self.total - self.ended - self.running)


class MapRuns:
    """The map runs of studies, as Step Functions knows them.

    It answers only about one such question a second, over everybody who asks in an account. So which map run is a
    study's is asked once, and what has been counted is good for a moment, and for longer while it is asked too often.

    Args:
        step_functions: A boto3 Step Functions client.
        fresh_s: How long counts are good for, seconds.
    """

    def __init__(self, step_functions: Any, fresh_s: float = 2.0) -> None:
        self._step_functions = step_functions
        self._fresh_s = fresh_s
        self._arns: dict[str, str] = {}
        self._counted: dict[str, tuple[float, dict[str, int]]] = {}

    def arn(self, record: StudyRecord) -> str | None:
        """ARN of a study's map run, None before there is one and after Step Functions has forgotten it (90 days)."""
        execution = record.execution_arn
        if execution and execution not in self._arns:
            try:
                runs = self._step_functions.list_map_runs(executionArn=execution)["mapRuns"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                    raise
                runs = []
            if not runs:
                return None
            _make_room(self._arns)
            self._arns[execution] = str(runs[-1]["mapRunArn"])
        return self._arns.get(execution)

    def counts(self, record: StudyRecord) -> Counts:
        """How many variants of a study are where; the failures of a cancelled one once its results are collected.

        Raises:
            botocore.exceptions.ClientError: If Step Functions refuses; not if it is asked too often and has answered
                before.
        """
        if record.status.final and (record.collected or record.succeeded or record.failed):
            return Counts(0, record.succeeded, record.failed, record.variants)
        # Of a study that ended and was never collected the map run still knows what it came to.
        arn = self.arn(record)
        if arn is None:
            return Counts(succeeded=record.succeeded, total=record.variants)
        counted = self._count(arn)
        # What was aborted was stopped with the study, by whoever cancelled it or because too many had failed. A variant
        # that noticed the cancellation itself is a failure to Step Functions: which those are, collecting tells.
        cancelled = record.status is StudyStatus.CANCELLED
        failed = 0 if cancelled else counted["failed"] + counted["timedOut"]
        # The map run of a later attempt holds what had not succeeded before, or one variant where nothing was missing.
        succeeded = min(record.succeeded + counted["succeeded"], record.variants)
        running = 0 if record.status.final else counted["running"]
        return Counts(running, succeeded, failed, record.variants)

    def _count(self, arn: str) -> dict[str, int]:
        moment, counted = self._counted.get(arn, (0.0, None))
        # Not the monotonic clock: it may stand still while Lambda keeps a function frozen between two requests.
        if counted is not None and 0 <= time.time() - moment < self._fresh_s:
            return counted
        try:
            fresh: dict[str, int] = self._step_functions.describe_map_run(mapRunArn=arn)["itemCounts"]
        except ClientError as error:
            if counted is None or not is_throttle(error):
                raise
            return counted
        _make_room(self._counted)
        self._counted[arn] = (time.time(), fresh)
        return fresh


def _make_room(remembered: dict[str, Any]) -> None:
    """A function may live for hours; what it has seen long ago is asked again."""
    if len(remembered) >= _MOST_REMEMBERED:
        remembered.clear()


def seconds_left(record: StudyRecord, counts: Counts) -> float | None:
    """What a running study will still take if the rest goes as what has ended; None where nothing can be said."""
    ended = counts.ended - record.succeeded  # in this attempt
    if record.status.final or not record.started_at or ended <= 0 or not counts.total:
        return None
    elapsed = (datetime.now(UTC) - datetime.fromisoformat(record.started_at)).total_seconds()
    return max(0.0, round(elapsed / ended * (counts.total - counts.ended), 1))
