"""Executions of a state machine with map runs, which plain moto has none of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from epsm.store.executions import Executions
from epsm.study.records import StudyRecord, StudyStatus, timestamp
from tests.unit.fakes import study_record

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:study"
EXECUTION = MACHINE.replace(":stateMachine:", ":execution:")


def executions_of(step_functions: Any, fresh_s: float = 2.0) -> Executions:
    return Executions(step_functions, MACHINE, fresh_s)


def running(seconds: float = 60, **changes: Any) -> StudyRecord:
    """A study that started some seconds ago."""
    now = datetime.now(UTC)
    record = study_record("study-1", StudyStatus.RUNNING, now, variants=100, execution_arn=f"{EXECUTION}:study-1")
    return replace(record, **{"started_at": timestamp(now - timedelta(seconds=seconds)), **changes})


class StepFunctions:
    """Step Functions with at most one map run."""

    def __init__(self, **counts: int) -> None:
        names = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total")
        self._counts = dict.fromkeys(names, 0) | counts
        self.asked = 0
        self.busy = False

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.asked += 1
        return {"mapRuns": [{"mapRunArn": "arn:map-run"}] if any(self._counts.values()) else []}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
        if self.busy:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeMapRun")
        self.asked += 1
        return {"itemCounts": self._counts}
