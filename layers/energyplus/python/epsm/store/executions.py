"""Executions of the state machine, and their map runs."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from epsm.store import keys
from epsm.study.records import StudyRecord, StudyStatus

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import MapRunItemCountsTypeDef


@dataclass(frozen=True, slots=True)
class Execution:
    """A Step Functions execution.

    Attributes:
        arn, name: Which one.
        simulation_id: The simulation in its input; empty if it was started by hand without one.
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


_NO_EXECUTION = "ExecutionDoesNotExist"
_MAX_REMEMBERED = 1000


_THROTTLES = frozenset({"ThrottlingException", "TooManyRequestsException", "ProvisionedThroughputExceededException"})


def is_throttle(error: ClientError) -> bool:
    """Whether AWS throttled the request."""
    return error.response["Error"]["Code"] in _THROTTLES


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Variants by outcome: of the map run, and of earlier attempts.

    Variants in none of the counts have not run: they wait, or the study ended before or while they ran.
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


class Executions:
    """Executions of the state machine that runs studies.

    Step Functions allows about one request per second for map runs in an account. So the map run of an execution is
    looked up once, and its counts are cached briefly, and for longer while requests are throttled.

    Args:
        step_functions: A boto3 Step Functions client.
        state_machine_arn: The state machine.
        fresh_s: How long counts are cached, seconds.
    """

    def __init__(self, step_functions: "SFNClient", state_machine_arn: str, fresh_s: float = 2.0) -> None:
        self._step_functions = step_functions
        self._state_machine_arn = state_machine_arn
        self._fresh_s = fresh_s
        self._map_runs: dict[str, str] = {}
        self._counted: dict[str, tuple[float, MapRunItemCountsTypeDef]] = {}

    def start(self, name: str, content: dict[str, Any]) -> bool:
        """Start an execution; False if one of that name exists already.

        Args:
            name: Name of the execution.
            content: Its input.
        """
        try:
            self._step_functions.start_execution(
                stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(content)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def stop(self, record: StudyRecord, error: str, cause: str) -> None:
        """Stop the execution of a study, if it has one.

        Args:
            record: The study.
            error, cause: Why, as the console shows it.
        """
        try:
            self._step_functions.stop_execution(executionArn=self.arn_of(record), error=error, cause=cause)
        except ClientError as fault:
            # It was not started yet; once it is, it finds the study closed.
            if fault.response["Error"]["Code"] != _NO_EXECUTION:
                raise

    def arn_of(self, record: StudyRecord) -> str:
        """ARN of a study's latest execution, also before it is started."""
        return record.execution_arn or keys.execution_arn(self._state_machine_arn, record.simulation_id, record.attempt)

    def find(self, arn: str) -> Execution | None:
        """The current state of an execution; None if it does not exist."""
        try:
            described = self._step_functions.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] == _NO_EXECUTION:
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

    def map_run(self, record: StudyRecord) -> str | None:
        """ARN of a study's map run; None before it starts, and after Step Functions has deleted it (90 days)."""
        return self.map_run_of(record.execution_arn) if record.execution_arn else None

    def map_run_of(self, execution_arn: str) -> str | None:
        """ARN of the map run of an execution; None before it starts, or if the execution does not exist."""
        if execution_arn not in self._map_runs:
            try:
                runs = self._step_functions.list_map_runs(executionArn=execution_arn)["mapRuns"]
            except ClientError as error:
                if error.response["Error"]["Code"] != _NO_EXECUTION:
                    raise
                runs = []
            if not runs:
                return None
            _make_room(self._map_runs)
            self._map_runs[execution_arn] = str(runs[-1]["mapRunArn"])
        return self._map_runs.get(execution_arn)

    def set_concurrency(self, map_run: str, functions_at_a_time: int) -> None:
        """Change how many child executions, each a function, a map run may run at a time."""
        self._step_functions.update_map_run(mapRunArn=map_run, maxConcurrency=functions_at_a_time)

    def running_concurrency(self, map_run: str) -> int | None:
        """How many child executions a map run may run at a time; None if it has ended."""
        described = self._step_functions.describe_map_run(mapRunArn=map_run)
        return int(described["maxConcurrency"]) if described["status"] == "RUNNING" else None

    def look(self) -> None:
        """Check that the state machine exists.

        Raises:
            botocore.exceptions.ClientError: If it does not answer.
        """
        self._step_functions.describe_state_machine(stateMachineArn=self._state_machine_arn)

    def counts(self, record: StudyRecord) -> RunCounts:
        """Numbers of a study's variants by state; the failures of a cancelled study once its results are collected.

        Raises:
            botocore.exceptions.ClientError: If Step Functions refuses; not if it throttles and cached counts exist.
        """
        if (ended := counts_of_ended(record)) is not None:
            return ended
        # If a study ended and was never collected, the counts of its map run are still available.
        arn = self.map_run(record)
        if arn is None:
            return RunCounts(succeeded=record.succeeded, total=record.variants)
        counted = self._count(arn)
        if record.batched:
            return _of_batches(record, counted["running"])
        # Aborted children were stopped with the study, by a cancellation or because too many had failed. A variant that
        # noticed the cancellation itself is a failure to Step Functions; collecting the results counts those.
        cancelled = record.status is StudyStatus.CANCELLED
        failed = 0 if cancelled else counted["failed"] + counted["timedOut"]
        # The map run of a later attempt has the variants that had not succeeded, or one variant if none was missing.
        succeeded = min(record.succeeded + counted["succeeded"], record.variants)
        running = 0 if record.status.final else counted["running"]
        return RunCounts(running, succeeded, failed, record.variants)

    def _count(self, arn: str) -> "MapRunItemCountsTypeDef":
        moment, counted = self._counted.get(arn, (0.0, None))
        # Not the monotonic clock: it may stop while Lambda freezes a function between two requests.
        if counted is not None and 0 <= time.time() - moment < self._fresh_s:
            return counted
        try:
            fresh = self._step_functions.describe_map_run(mapRunArn=arn)["itemCounts"]
        except ClientError as error:
            if counted is None or not is_throttle(error):
                raise
            return counted
        _make_room(self._counted)
        self._counted[arn] = (time.time(), fresh)
        return fresh


def counts_of_ended(record: StudyRecord) -> RunCounts | None:
    """The counts of a study whose results are collected, which its record has; else None."""
    if record.status.final and (record.collected or record.succeeded or record.failed):
        return RunCounts(0, record.succeeded, record.failed, record.variants)
    return None


def _of_batches(record: StudyRecord, running_batches: int) -> RunCounts:
    """Counts of a study with a map that counts batches: those of its record, and as many running variants as its
    functions have engines. A repetition of a count whose answer was lost must not show more variants than there are."""
    failures = min(record.failures, record.variants - record.succeeded)
    failed = 0 if record.status is StudyStatus.CANCELLED else failures
    succeeded = min(record.succeeded + record.successes, record.variants - failures)
    open_ = record.variants - succeeded - failures
    running = 0 if record.status.final else min(open_, running_batches * record.engines)
    return RunCounts(running, succeeded, failed, record.variants)


def _make_room(remembered: dict[str, Any]) -> None:
    """Limits the cache: a function instance may live for hours."""
    if len(remembered) >= _MAX_REMEMBERED:
        remembered.clear()


def _simulation_in(text: str) -> str:
    try:
        content = json.loads(text)
    except ValueError:
        return ""
    return str(content.get("simulation_id", "")) if isinstance(content, dict) else ""
