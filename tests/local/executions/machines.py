"""State machines to start and stop."""

from pathlib import Path
from typing import Any

from tests.moto_fixtures import Aws
from tests.support import wait_for

PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Unlucky", "Cause": "it rains"}}}
PAUSE = {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 600, "End": True}}}
SHORT = {"TimeoutSeconds": 1, "StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 3, "End": True}}}


def entered(folder: Path) -> int:
    """How many invocations have come to a folder."""
    return sum(path.name != "go" for path in folder.iterdir())


def stop(aws: Aws, execution: str, **reasons: str) -> Any:
    return aws.client("stepfunctions").stop_execution(executionArn=execution, **reasons)


def start_waiting(aws: Aws, machine: str, folder: Path, **more: Any) -> str:
    """An execution whose task waits in the folder."""
    execution = aws.start(machine, {"folder": str(folder), **more})
    wait_for(lambda: entered(folder), "the task")
    return execution


def started(aws: Aws, machine: str, name: str | None = None) -> str:
    """An execution that has entered its first state."""
    execution = aws.start(machine, name=name)
    wait_for(lambda: len(history(aws, execution)) > 1, "the first state")
    return execution


def history(aws: Aws, execution: str) -> list[Any]:
    return list(aws.client("stepfunctions").get_execution_history(executionArn=execution)["events"])
