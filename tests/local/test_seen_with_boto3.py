"""The local stack as the AWS command line and boto3 show it, in the form that AWS uses."""

import datetime
from typing import Any

import pytest

from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.moto_fixtures import Aws, unique
from tests.support import wait_for

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "End": True}}}


def sums(aws: Aws, namespace: str, name: str, dimension: str, value: str) -> float:
    now = datetime.datetime.now(datetime.UTC)
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=now - datetime.timedelta(minutes=10),
        EndTime=now + datetime.timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def test_a_history_is_reversed_and_paged(aws: Aws) -> None:
    sfn = aws.client("stepfunctions")
    arn = aws.run(aws.machine(PASS), {"a": 1})["executionArn"]
    forward = [event["id"] for event in sfn.get_execution_history(executionArn=arn)["events"]]
    backward = sfn.get_execution_history(executionArn=arn, reverseOrder=True)["events"]
    assert [event["id"] for event in backward] == forward[::-1]
    pages: list[int] = []
    token: dict[str, str] = {}
    while True:
        page = sfn.get_execution_history(executionArn=arn, maxResults=2, **token)
        assert len(page["events"]) <= 2
        pages += [event["id"] for event in page["events"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pages == forward
    with pytest.raises(sfn.exceptions.InvalidToken):
        sfn.get_execution_history(executionArn=arn, nextToken="x")


def test_a_history_without_data_holds_neither_input_nor_output(aws: Aws) -> None:
    sfn = aws.client("stepfunctions")
    arn = aws.run(aws.machine(PASS), {"secret": 1})["executionArn"]
    assert "secret" in str(sfn.get_execution_history(executionArn=arn)["events"])
    assert "secret" not in str(sfn.get_execution_history(executionArn=arn, includeExecutionData=False)["events"])


def test_descriptions_say_that_data_is_included(aws: Aws) -> None:
    described = aws.run(aws.machine(PASS), {"a": 1})
    assert described["inputDetails"] == described["outputDetails"] == {"included": True}


def test_an_execution_is_not_redriven_and_says_so(aws: Aws) -> None:
    sfn = aws.client("stepfunctions")
    machine = aws.machine({"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Nope"}}})
    failed = aws.run(machine)
    assert failed["redriveStatus"] == "NOT_REDRIVABLE"
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable, match="local stack"):
        sfn.redrive_execution(executionArn=failed["executionArn"])


def test_a_path_that_finds_nothing_fails_at_once_whatever_is_retried(aws: Aws) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": aws.function("def handler(event, context): return 1"), "Payload.$": "$.none"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "MaxAttempts": 5}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }
    machine = aws.machine({"StartAt": "T", "States": {"T": task, "Caught": {"Type": "Succeed"}}})
    ended = aws.run(machine)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


def test_the_product_fails_at_once_without_an_input(aws: Aws, stack: LocalStack) -> None:
    ended = aws.run(stack.outputs.state_machine_arn, {})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


def test_the_log_group_of_the_machine_is_shown(stack: LocalStack) -> None:
    machine = stack.client("stepfunctions").describe_state_machine(stateMachineArn=stack.outputs.state_machine_arn)
    (destination,) = machine["loggingConfiguration"]["destinations"]
    group = destination["cloudWatchLogsLogGroup"]["logGroupArn"]
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    assert group.removesuffix(":*") in {each["arn"].removesuffix(":*") for each in groups}


def test_functions_and_executions_are_counted(aws: Aws) -> None:
    function = aws.function("def handler(event, context): return 1 / event")
    for event in (1, 0):
        aws.invoke(function, event)
    assert sums(aws, "AWS/Lambda", "Invocations", "FunctionName", function) == 2
    assert sums(aws, "AWS/Lambda", "Errors", "FunctionName", function) == 1
    assert sums(aws, "AWS/Lambda", "Duration", "FunctionName", function) > 0
    machine = aws.machine(PASS)
    aws.run(machine)
    assert sums(aws, "AWS/States", "ExecutionsStarted", "StateMachineArn", machine) == 1
    wait_for(lambda: sums(aws, "AWS/States", "ExecutionsSucceeded", "StateMachineArn", machine) or None, "the count")


def test_the_alarms_of_the_template_are_listed_and_not_evaluated(stack: LocalStack) -> None:
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=STACK_NAME)
    alarms: list[dict[str, Any]] = [alarm for page in pages for alarm in page["MetricAlarms"]]
    assert f"{STACK_NAME}-executions-failed" in {alarm["AlarmName"] for alarm in alarms}
    assert {alarm["StateValue"] for alarm in alarms} == {"INSUFFICIENT_DATA"}


def test_generated_names_are_the_same_at_every_deployment(aws: Aws) -> None:
    cloudformation, name = aws.client("cloudformation"), unique("names")
    body = '{"Resources": {"Due": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 day)"}}}}'

    def deployed() -> str:
        cloudformation.create_stack(StackName=name, TemplateBody=body)
        (resource,) = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        cloudformation.delete_stack(StackName=name)
        return str(resource["PhysicalResourceId"])

    assert deployed() == deployed()
