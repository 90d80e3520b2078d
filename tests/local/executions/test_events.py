"""Events about the status of executions."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.local.executions.machines import FAIL, PASS, PAUSE, SHORT, history, start_waiting, started, stop
from tests.moto_fixtures import Aws, Queue
from tests.support import wait_for


@pytest.fixture(scope="module")
def told(aws: Aws) -> dict[str, Any]:
    """For each status the event about it, and the execution that it is about."""
    definitions = {"SUCCEEDED": PASS, "FAILED": FAIL, "ABORTED": PAUSE}
    found: dict[str, Any] = {}
    for status, definition in definitions.items():
        machine = aws.machine(definition)
        queue = listen(aws, machine, [status])
        execution = started(aws, machine)
        if status == "ABORTED":
            stop(aws, execution, error="Cancelled", cause="by its user")
        found[status] = (aws.messages(queue)[0], aws.ended(execution))
    return found


def listen(aws: Aws, machine: str, statuses: Sequence[str] | None = None) -> Queue:
    """A queue of the events about a machine's executions."""
    detail: dict[str, Any] = {"stateMachineArn": [machine]}
    if statuses:
        detail["status"] = list(statuses)
    queue = aws.queue()
    pattern = {"source": ["aws.states"], "detail-type": ["Step Functions Execution Status Change"], "detail": detail}
    aws.rule(pattern, queue.arn)
    return queue


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


STATUSES = ("SUCCEEDED", "FAILED", "ABORTED")


@pytest.mark.parametrize("status", STATUSES)
def test_the_end_of_an_execution_is_reported(told: dict[str, Any], status: str) -> None:
    event, execution = told[status]
    detail = event["detail"]
    assert detail["status"] == status
    assert {key: detail[key] for key in ("executionArn", "stateMachineArn", "name", "input")} == {
        key: execution[key] for key in ("executionArn", "stateMachineArn", "name", "input")
    }


@pytest.mark.parametrize("status", STATUSES)
def test_the_event_names_the_execution_as_its_resource(told: dict[str, Any], status: str) -> None:
    event, execution = told[status]
    assert event["resources"] == [execution["executionArn"]]


@pytest.mark.parametrize("status", STATUSES)
def test_the_times_in_the_event_are_milliseconds(told: dict[str, Any], status: str) -> None:
    event, execution = told[status]
    for key in ("startDate", "stopDate"):
        assert abs(event["detail"][key] - milliseconds(execution[key])) <= 1


@pytest.mark.parametrize("status", STATUSES)
def test_the_event_tells_output_error_and_cause(told: dict[str, Any], status: str) -> None:
    event, execution = told[status]
    for key in ("output", "error", "cause"):
        assert event["detail"][key] == execution.get(key)


@pytest.mark.parametrize("status", STATUSES)
def test_the_event_tells_whether_it_holds_input_and_output(told: dict[str, Any], status: str) -> None:
    detail = told[status][0]["detail"]
    assert detail["inputDetails"] == {"included": True}
    assert detail["outputDetails"] == ({"included": True} if status == "SUCCEEDED" else None)


def test_a_timeout_is_reported(aws: Aws) -> None:
    machine = aws.machine(SHORT)
    queue = listen(aws, machine, ["TIMED_OUT"])
    execution = aws.start(machine)
    assert aws.message(queue)["detail"]["executionArn"] == execution


def test_the_start_and_the_end_are_reported_once_each(aws: Aws) -> None:
    machine = aws.machine(PASS)
    queue = listen(aws, machine)
    executions = [aws.start(machine) for _ in range(10)]
    told = [(event["detail"]["executionArn"], event["detail"]["status"]) for event in aws.messages(queue, 20)]
    assert sorted(told) == sorted((each, status) for each in executions for status in ("RUNNING", "SUCCEEDED"))


def test_a_stop_is_reported_once_although_the_task_ends_later(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    machine = aws.machine({"StartAt": "Work", "States": {"Work": work}})
    queue = listen(aws, machine)
    execution = start_waiting(aws, machine, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    wait_for(lambda: history(aws, execution)[-1]["type"] == "ExecutionAborted", "the end of the task")
    aws.run(machine, {"folder": str(tmp_path)})
    statuses = [event["detail"]["status"] for event in aws.messages(queue, 4)]
    assert sorted(statuses) == ["ABORTED", "RUNNING", "RUNNING", "SUCCEEDED"]
