"""The end of executions, and the details that can be read as soon as they start."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.local.executions.machines import FAIL, SHORT, history
from tests.moto_fixtures import Aws, unique


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
