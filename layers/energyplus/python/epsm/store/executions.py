"""Executions of the state machine, and their map runs."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from epsm.store import keys
from epsm.study.manifest import RunManifest
from epsm.study.preflight import MOST_AT_A_TIME
from epsm.study.records import StudyRecord, StudyStatus, expiry


@dataclass(frozen=True, slots=True)
class Execution:
    """A Step Functions execution.

    Attributes:
        arn, name: Which one.
        simulation_id: The simulation that it was given; empty if somebody started it by hand with something else.
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE.
        error, cause: Why it failed or was stopped; empty otherwise.
        ended_at: When it ended; None while it runs.
    """

    arn: str
    name: str
    simulation_id: str
    status: str
    error: str = ""
    cause: str = ""
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


def find_execution(step_functions: Any, arn: str) -> Execution | None:
    """An execution as Step Functions knows it now; None if it knows none of that ARN (any more)."""
    try:
        described = step_functions.describe_execution(executionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
            return None
        raise
    return Execution(
        arn=arn,
        name=described["name"],
        simulation_id=_simulation_in(described.get("input", "")),
        status=described["status"],
        error=described.get("error") or "",
        cause=described.get("cause") or "",
        ended_at=described.get("stopDate"),
    )


def _simulation_in(text: str) -> str:
    try:
        given = json.loads(text)
    except ValueError:
        return ""
    return str(given.get("simulation_id", "")) if isinstance(given, dict) else ""


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


def start(step_functions: Any, state_machine_arn: str, manifest: RunManifest, preflight: Sequence[int] = ()) -> bool:
    """Start the execution; False if it exists: a duplicate event, or a submit that died after this."""
    expires_at = expiry(manifest.created_at, manifest.study.options.retention_days)
    items_key = keys.run_key(manifest.simulation_id, "items.json")
    given = execution_input(manifest, items_key, manifest.variants, expires_at, preflight)
    try:
        step_functions.start_execution(
            stateMachineArn=state_machine_arn, name=manifest.simulation_id, input=json.dumps(given)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
            return False
        raise
    return True


def execution_input(
    manifest: RunManifest, items_key: str, variants: int, expires_at: int, preflight: Sequence[int] = ()
) -> dict[str, Any]:
    """What an execution is started with.

    Args:
        manifest: The run's manifest.
        items_key: The items that it runs.
        variants: How many they are.
        expires_at: When the table drops the study's items, seconds since 1970.
        preflight: What is tried before, from `epsm.study.preflight.pairs_to_try`.
    """
    options = manifest.study.options
    return {
        "simulation_id": manifest.simulation_id,
        "variants": variants,
        "items_key": items_key,
        "preflight": list(preflight),
        "preflight_concurrency": min(options.max_concurrency, MOST_AT_A_TIME),
        "map_prefix": keys.run_key(manifest.simulation_id, "map"),
        "max_concurrency": options.max_concurrency,
        "tolerated_failure_percentage": options.tolerated_failure_percentage,
        # The state always asks for a number, and no more can fail than there are.
        "tolerated_failure_count": variants if options.max_failures is None else options.max_failures,
        "expires_at": str(expires_at),
    }
