"""The life of an execution: name, end, stop, events. The completion is stepfunctions/executions.py."""

import contextlib
import copy
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from tests.moto_fixtures import Aws, Queue, unique
from tests.support import wait_for

WAITS = """
import time
from pathlib import Path

class Unlucky(Exception):
    pass

def handler(event, context):
    folder, started = Path(event["folder"]), time.monotonic()
    (folder / context.aws_request_id).touch()
    while not (folder / "go").exists() and time.monotonic() < started + 20:
        time.sleep(0.01)
    if event.get("fails"):
        raise Unlucky("it rains")
    return "done"
"""
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "Fail", "States": {"Fail": {"Type": "Fail", "Error": "Unlucky", "Cause": "it rains"}}}
PAUSE = {"StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 600, "End": True}}}
SHORT = {"TimeoutSeconds": 1, "StartAt": "Pause", "States": {"Pause": {"Type": "Wait", "Seconds": 3, "End": True}}}


@pytest.fixture(scope="module")
def work(aws: Aws) -> dict[str, Any]:
    """A state that waits in the folder that its input names."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": aws.function(WAITS), "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }


@pytest.fixture(scope="module")
def waits(aws: Aws, work: dict[str, Any]) -> str:
    """A machine of that one state."""
    return aws.machine({"StartAt": "Work", "States": {"Work": work}})


@pytest.fixture(scope="module")
def maps(aws: Aws, work: dict[str, Any]) -> str:
    """A machine that does it in a Distributed Map, one child at a time."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": work},
    }
    state = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": processor, "End": True}
    return aws.machine({"StartAt": "Map", "States": {"Map": state}})


@pytest.fixture(scope="module")
def passes(aws: Aws) -> str:
    """A machine that hands on its input."""
    return aws.machine(PASS)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Executions that are started do not begin before this event is set: the moment lasts as long as a test needs."""
    begin = threading.Event()
    read = ExecutionWorker._get_evaluation_entrypoint

    def wait_and_read(self: ExecutionWorker) -> Any:
        begin.wait(20)
        return read(self)

    monkeypatch.setattr(ExecutionWorker, "_get_evaluation_entrypoint", wait_and_read)
    yield begin
    begin.set()


def entered(folder: Path) -> int:
    """How many invocations have come to a folder."""
    return sum(path.name != "go" for path in folder.iterdir())


def stop(aws: Aws, execution: str, **why: str) -> Any:
    return aws.client("stepfunctions").stop_execution(executionArn=execution, **why)


def start_waiting(aws: Aws, machine: str, folder: Path, **more: Any) -> str:
    """An execution whose task waits in the folder."""
    execution = aws.start(machine, {"folder": str(folder), **more})
    wait_for(lambda: entered(folder), "the task")
    return execution


def start_map(aws: Aws, machine: str, folder: Path, number: int = 3) -> str:
    """A map of which one child waits in the folder."""
    execution = aws.start(machine, {"items": [{"folder": str(folder)}] * number})
    wait_for(lambda: entered(folder), "the first child")
    return execution


def names(aws: Aws, machine: str) -> list[str]:
    found = aws.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [execution["name"] for execution in found]


# --- results


def test_an_execution_succeeds_with_its_output(aws: Aws, passes: str) -> None:
    described = aws.run(passes, {"a": "ü", "b": [1, None]})
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"a": "ü", "b": [1, None]})


def test_times_of_the_context_are_written_as_aws_writes_them(aws: Aws) -> None:
    times = {"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime", "since.$": "$$.Execution.StartTime"}}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Child",
        "States": {"Child": {**times, "End": True}},
    }
    children = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    states = {"Times": {**times, "ResultPath": "$.own", "Next": "Map"}, "Map": {**children, "ResultPath": "$.children"}}
    output = json.loads(aws.run(aws.machine({"StartAt": "Times", "States": states}), {"items": [1]})["output"])
    (child,) = output["children"]
    for moment in (*output["own"].values(), *child.values()):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment), moment


def test_success_is_never_seen_without_the_output(aws: Aws, passes: str) -> None:
    large = list(range(20_000))

    def first_seen_ended(_: int) -> dict[str, Any]:
        execution = aws.start(passes, large)
        return next(seen for _ in iter(int, 1) if (seen := aws.describe(execution))["status"] != "RUNNING")

    assert all("output" in first_seen_ended(number) for number in range(5))


def test_an_execution_fails_with_error_and_cause(aws: Aws) -> None:
    described = aws.run(aws.machine(FAIL))
    assert [described[key] for key in ("status", "error", "cause")] == ["FAILED", "Unlucky", "it rains"]


def test_the_error_of_a_function_is_the_error_of_the_task(aws: Aws, waits: str, tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    described = aws.run(waits, {"folder": str(tmp_path), "fails": True})
    assert (described["error"], json.loads(described["cause"])["errorMessage"]) == ("Unlucky", "it rains")


def task(resource: str, parameters: Mapping[str, Any], error: str) -> dict[str, Any]:
    """A machine of one task that catches an error by its name."""
    catch = [{"ErrorEquals": [error], "Next": "Caught"}]
    work = {"Type": "Task", "Resource": resource, "Parameters": parameters, "Catch": catch, "End": True}
    return {"StartAt": "Work", "States": {"Work": work, "Caught": {"Type": "Pass", "End": True}}}


def test_a_function_that_is_not_there_is_an_error_by_name(aws: Aws) -> None:
    name = "Lambda.ResourceNotFoundException"
    machine = aws.machine(task("arn:aws:states:::lambda:invoke", {"FunctionName": "not-there"}, name))
    assert json.loads(aws.run(machine)["output"])["Error"] == name


def test_a_condition_that_does_not_hold_is_an_error_by_name(aws: Aws) -> None:
    table, name = unique("t"), "DynamoDB.ConditionalCheckFailedException"
    aws.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    parameters = {"TableName": table, "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_exists(pk)"}
    machine = aws.machine(task("arn:aws:states:::dynamodb:putItem", parameters, name))
    assert json.loads(aws.run(machine)["output"])["Error"] == name


def test_an_execution_that_takes_too_long_times_out(aws: Aws) -> None:
    assert aws.run(aws.machine(SHORT))["status"] == "TIMED_OUT"


def test_an_execution_that_timed_out_has_a_stop_date(aws: Aws) -> None:
    assert "stopDate" in aws.run(aws.machine(SHORT))


@pytest.mark.usefixtures("held")
def test_map_runs_can_be_listed_from_the_first_moment(aws: Aws, passes: str) -> None:
    execution = aws.start(passes)
    assert aws.client("stepfunctions").list_map_runs(executionArn=execution)["mapRuns"] == []


@pytest.mark.usefixtures("held")
def test_the_history_can_be_read_from_the_first_moment(aws: Aws, passes: str) -> None:
    assert history(aws, aws.start(passes)) == []


@pytest.fixture(scope="module")
def ended_map(aws: Aws, passes: str, maps: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """ARN of a map run that has ended, of a machine that is younger than `passes`."""
    folder = tmp_path_factory.mktemp("map")
    (folder / "go").touch()
    (map_run,) = aws.map_runs(aws.run(maps, {"items": [{"folder": str(folder)}]})["executionArn"])
    return map_run


@pytest.mark.usefixtures("held")
def test_a_map_run_can_be_described_while_another_execution_starts(aws: Aws, passes: str, ended_map: str) -> None:
    aws.start(passes)
    assert aws.client("stepfunctions").describe_map_run(mapRunArn=ended_map)["status"] == "SUCCEEDED"


@pytest.mark.usefixtures("held")
def test_children_can_be_listed_while_another_execution_starts(aws: Aws, passes: str, ended_map: str) -> None:
    aws.start(passes)
    assert [child["status"] for child in aws.children(ended_map)] == ["SUCCEEDED"]


# --- names


def test_the_same_name_and_input_while_running_is_the_same_execution(aws: Aws, waits: str, tmp_path: Path) -> None:
    name, given = unique("x"), {"folder": str(tmp_path)}
    first, second = (aws.start(waits, given, name) for _ in range(2))
    assert (first, names(aws, waits).count(name)) == (second, 1)
    (tmp_path / "go").touch()
    aws.ended(first)


def test_the_same_name_and_input_runs_once(aws: Aws, waits: str, tmp_path: Path) -> None:
    name, given = unique("x"), {"folder": str(tmp_path)}
    execution = aws.start(waits, given, name)
    aws.start(waits, given, name)
    wait_for(lambda: entered(tmp_path), "the task")
    (tmp_path / "go").touch()
    aws.ended(execution)
    assert entered(tmp_path) == 1


def test_another_input_under_the_same_name_is_refused(aws: Aws, waits: str, tmp_path: Path) -> None:
    name = unique("x")
    execution = aws.start(waits, {"folder": str(tmp_path)}, name)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.start(waits, {"folder": str(tmp_path), "other": True}, name)
    (tmp_path / "go").touch()
    aws.ended(execution)


@pytest.mark.parametrize("definition", [PASS, FAIL])
def test_the_name_of_an_ended_execution_is_refused(aws: Aws, definition: dict[str, Any]) -> None:
    machine, name = aws.machine(definition), unique("x")
    aws.ended(aws.start(machine, name=name))
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.start(machine, name=name)


def test_the_name_of_a_stopped_execution_is_refused(aws: Aws) -> None:
    machine, name = aws.machine(PAUSE), unique("x")
    stop(aws, started(aws, machine, name))
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.start(machine, name=name)


def started(aws: Aws, machine: str, name: str | None = None) -> str:
    """An execution that has entered its first state."""
    execution = aws.start(machine, name=name)
    wait_for(lambda: len(history(aws, execution)) > 1, "the first state")
    return execution


def history(aws: Aws, execution: str) -> list[Any]:
    return list(aws.client("stepfunctions").get_execution_history(executionArn=execution)["events"])


def test_another_machine_may_use_the_same_name(aws: Aws, passes: str) -> None:
    name = unique("x")
    assert aws.start(passes, name=name) != aws.start(aws.machine(PASS), name=name)


def test_executions_without_a_name_get_one_each(aws: Aws, passes: str) -> None:
    sfn = aws.client("stepfunctions")
    arns = [sfn.start_execution(stateMachineArn=passes)["executionArn"] for _ in range(2)]
    first, second = (UUID(arn.rpartition(":")[2]) for arn in arns)
    assert first != second


def test_a_name_starts_once_however_many_ask_at_the_same_moment(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(4)

    def copy_slowly(*given: Any) -> Any:
        # moto copies the machine between looking for the name and adding the execution.
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=0.5)
        return copy.deepcopy(*given)

    monkeypatch.setattr(models, "copy", SimpleNamespace(deepcopy=copy_slowly))
    machine, name = aws.machine(PAUSE), unique("x")
    with ThreadPoolExecutor(4) as pool:
        executions = set(pool.map(lambda _: aws.start(machine, {}, name), range(4)))
    found = names(aws, machine).count(name)
    for execution in executions:
        stop(aws, execution)
    assert found == 1


@pytest.mark.parametrize("name", ["with space", "a:b", "x" * 81])
def test_a_name_that_step_functions_does_not_allow_is_refused(aws: Aws, passes: str, name: str) -> None:
    with pytest.raises(ClientError):
        aws.start(passes, name=name)


# --- stopping


def test_a_stopped_execution_is_aborted_at_once(aws: Aws, waits: str, tmp_path: Path) -> None:
    execution = start_waiting(aws, waits, tmp_path)
    stop(aws, execution)
    status = aws.describe(execution)["status"]
    (tmp_path / "go").touch()
    assert status == "ABORTED"


def test_a_stopped_execution_stays_aborted_when_its_task_ends(aws: Aws, waits: str, tmp_path: Path) -> None:
    execution = start_waiting(aws, waits, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    wait_for(lambda: history(aws, execution)[-1]["type"] == "ExecutionAborted", "the end of the task")
    described = aws.describe(execution)
    assert (described["status"], "output" in described) == ("ABORTED", False)


def test_a_stopped_execution_tells_why_and_when(aws: Aws) -> None:
    execution = started(aws, aws.machine(PAUSE))
    answer = stop(aws, execution, error="Cancelled", cause="by its user")
    described = aws.describe(execution)
    assert (described["error"], described["cause"]) == ("Cancelled", "by its user")
    assert described["stopDate"] == answer["stopDate"] >= described["startDate"]


def test_stopping_twice_changes_nothing(aws: Aws) -> None:
    execution = started(aws, aws.machine(PAUSE))
    first = stop(aws, execution, error="First")
    second = stop(aws, execution, error="Second")
    assert (aws.describe(execution)["error"], second["stopDate"]) == ("First", first["stopDate"])


def test_what_has_ended_cannot_be_stopped(aws: Aws, passes: str) -> None:
    execution = aws.run(passes)["executionArn"]
    stop(aws, execution)
    assert aws.describe(execution)["status"] == "SUCCEEDED"


def test_what_is_not_there_cannot_be_stopped(aws: Aws, passes: str) -> None:
    execution = aws.run(passes)["executionArn"]
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        stop(aws, execution + "0")


def test_a_stopped_execution_enters_no_further_state(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    states = {"Work": {**work, "Next": "Then"}, "Then": {"Type": "Pass", "End": True}}
    del states["Work"]["End"]
    execution = start_waiting(aws, aws.machine({"StartAt": "Work", "States": states}), tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    wait_for(lambda: history(aws, execution)[-1]["type"] == "ExecutionAborted", "the end of the task")
    assert not any(event["type"] == "PassStateEntered" for event in history(aws, execution))


def test_an_execution_that_is_stopped_at_once_does_nothing(aws: Aws, passes: str, held: threading.Event) -> None:
    execution = aws.start(passes)
    stop(aws, execution)
    held.set()
    wait_for(lambda: history(aws, execution), "the interpreter")
    wait_for(lambda: history(aws, execution)[-1]["type"].startswith("Execution"), "its end")
    assert not any(event["type"] == "PassStateEntered" for event in history(aws, execution))


@pytest.mark.usefixtures("held")
def test_an_execution_that_is_stopped_at_once_is_aborted(aws: Aws, passes: str) -> None:
    execution = aws.start(passes)
    stop(aws, execution)
    assert aws.describe(execution)["status"] == "ABORTED"


# --- stopping a map


def test_the_map_run_of_a_stopped_execution_is_aborted(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    wait_for(lambda: aws.map_run(execution)["status"] == "ABORTED", "the end of the map run")
    (tmp_path / "go").touch()


def test_a_stopped_map_starts_no_more_children(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    counts_at_rest(aws, execution)
    assert entered(tmp_path) == 1


def counts_at_rest(aws: Aws, execution: str) -> dict[str, int]:
    """The item counts of a map run, once nothing of it runs."""

    def look() -> dict[str, int] | None:
        described = aws.map_run(execution)
        counts: dict[str, int] = described["itemCounts"]
        return counts if described["status"] != "RUNNING" and not counts["running"] else None

    return wait_for(look, "the end of the children")


def test_the_counts_of_a_stopped_map_add_up(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    counts = counts_at_rest(aws, execution)
    assert [counts[name] for name in ("total", "aborted", "pending", "succeeded", "failed")] == [3, 3, 0, 0, 0]


def test_the_running_child_of_a_stopped_map_is_aborted(aws: Aws, maps: str, tmp_path: Path) -> None:
    execution = start_map(aws, maps, tmp_path)
    stop(aws, execution)
    (tmp_path / "go").touch()
    counts_at_rest(aws, execution)
    (map_run,) = aws.map_runs(execution)
    assert [child["status"] for child in aws.children(map_run)] == ["ABORTED"]


def test_a_stopped_map_leaves_its_place_to_others(aws: Aws, maps: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    execution = start_map(aws, maps, tmp_path / "a")
    stop(aws, execution)
    (tmp_path / "a" / "go").touch()
    (tmp_path / "b" / "go").touch()
    assert aws.run(maps, {"items": [{"folder": str(tmp_path / "b")}] * 6})["status"] == "SUCCEEDED"


def test_children_of_a_map_that_timed_out_have_not_succeeded(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": work},
    }
    state = {"Type": "Map", "ItemsPath": "$.items", "TimeoutSeconds": 1, "ItemProcessor": processor, "End": True}
    machine = aws.machine({"StartAt": "Map", "States": {"Map": state}})
    execution = aws.run(machine, {"items": [{"folder": str(tmp_path)}]})["executionArn"]
    (tmp_path / "go").touch()
    assert counts_at_rest(aws, execution)["succeeded"] == 0


# --- events


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
