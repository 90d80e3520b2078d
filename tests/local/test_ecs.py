"""What epsm_local/moto_patches/ecs.py adds to moto: `ecs:runTask.sync` with a process for the container."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.moto_fixtures import Aws, unique
from tests.support import wait_for

PRINTS = "import os; print('its environment:', sorted(os.environ)); print('GIVEN is', os.environ['GIVEN'])"
WAITS = "import time; time.sleep(60)"
WAITS_STUBBORNLY = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


@pytest.fixture(scope="module")
def image(stack: LocalStack) -> str:
    """An image that the stack has: the product's own."""
    functions = stack.client("lambda")
    return str(functions.get_function(FunctionName=f"{STACK_NAME}-run-variant")["Code"]["ImageUri"])


def task_definition(aws: Aws, image: str, program: str, group: str = "") -> str:
    """The family of a new task definition that runs a Python program."""
    family = unique("task")
    options = {"awslogs-group": group, "awslogs-stream-prefix": "p", "awslogs-region": REGION}
    container: dict[str, Any] = {
        "name": "c",
        "image": image,
        "memory": 128,
        "entryPoint": ["/opt/epsm/bin/python"],
        "command": ["-c", program],
        "environment": [{"name": "GIVEN", "value": "as defined"}],
        **({"logConfiguration": {"logDriver": "awslogs", "options": options}} if group else {}),
    }
    aws.client("ecs").register_task_definition(
        family=family, networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256", memory="512",
        containerDefinitions=[container],
    )  # fmt: skip
    return family


def machine(aws: Aws, family: str, timeout_s: int = 60, **parameters: Any) -> str:
    """A machine that runs a task and waits for its end."""
    ec2 = aws.client("ec2")
    network = {
        "Subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]],
        "SecurityGroups": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        "AssignPublicIp": "ENABLED",
    }
    run = {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "TimeoutSeconds": timeout_s,
        "Parameters": {
            "Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{STACK_NAME}",
            "TaskDefinition": family,
            "LaunchType": "FARGATE",
            "PlatformVersion": "1.4.0",
            "NetworkConfiguration": {"AwsvpcConfiguration": network},
            **parameters,
        },
        "End": True,
    }
    return aws.machine({"StartAt": "Run", "States": {"Run": run}})


def test_a_task_is_waited_for_and_described(aws: Aws, image: str) -> None:
    ended = aws.run(machine(aws, task_definition(aws, image, "print('done')")))
    described = json.loads(ended["output"])
    assert (described["LastStatus"], described["Containers"][0]["ExitCode"]) == ("STOPPED", 0)
    (task,) = aws.client("ecs").describe_tasks(cluster=STACK_NAME, tasks=[described["TaskArn"]])["tasks"]
    assert task["lastStatus"] == "STOPPED"


def test_a_task_whose_container_fails_is_a_failed_task_with_its_description(aws: Aws, image: str) -> None:
    ended = aws.run(machine(aws, task_definition(aws, image, "raise SystemExit(3)")))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["Containers"][0]["ExitCode"] == 3


def test_a_container_has_its_own_variables_those_of_the_call_and_none_of_this_process(
    aws: Aws, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "x")
    group = unique("/group")
    aws.client("logs").create_log_group(logGroupName=group)
    given = {"ContainerOverrides": [{"Name": "c", "Environment": [{"Name": "GIVEN", "Value": "when called"}]}]}
    aws.run(machine(aws, task_definition(aws, image, PRINTS, group), Overrides=given))
    (stream,) = aws.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    events = aws.client("logs").get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    printed = "\n".join(each["message"] for each in events)
    assert stream["logStreamName"].startswith("p/c/")
    assert "GIVEN is when called" in printed
    assert "AWS_ENDPOINT_URL" in printed
    assert "SECRET_OF_THE_USER" not in printed


def test_a_task_definition_that_is_not_there_fails_the_task(aws: Aws) -> None:
    ended = aws.run(machine(aws, "no-such-task"))
    assert ended["status"] == "FAILED"


@pytest.mark.parametrize("how", ["the execution is stopped", "its time is over"])
def test_a_task_that_is_not_wanted_any_more_is_ended(stack: LocalStack, aws: Aws, image: str, how: str) -> None:
    stopped = how == "the execution is stopped"
    execution = aws.start(machine(aws, task_definition(aws, image, WAITS), timeout_s=60 if stopped else 3))
    (pid,) = wait_for(stack.containers.running, "a container")
    if stopped:
        aws.client("stepfunctions").stop_execution(executionArn=execution)
    wait_for(lambda: pid not in stack.containers.running(), "the end of the container", within_s=10)
    assert not Path("/proc", str(pid)).exists()


def test_a_container_that_does_not_heed_the_stop_is_killed(
    stack: LocalStack, aws: Aws, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epsm_local.aws.containers.STOP_TIMEOUT_S", 1.0)
    execution = aws.start(machine(aws, task_definition(aws, image, WAITS_STUBBORNLY)))
    (pid,) = wait_for(stack.containers.running, "a container")
    aws.client("stepfunctions").stop_execution(executionArn=execution)
    wait_for(lambda: pid not in stack.containers.running(), "the end of the container", within_s=10)
