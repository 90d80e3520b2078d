"""Batches in containers and on Fargate Spot: the tasks' sizes, and what follows an interruption."""

import json
from typing import Any

import pytest

from epsm.pipeline.task_errors import INTERRUPTED_EXIT
from epsm.study.compute import Tasks
from infra.config import Config
from infra.state_machine.spot_states import MAX_INTERRUPTIONS
from tests.infra.conftest import Template
from tests.infra.test_fargate import caught, child_states, statements, variables

SPOT = "Run a batch on Fargate Spot"
CONTAINER, ONE_IN_CONTAINER = "Run a batch in a container", "Run a variant of a batch in a container"


def variables_of(state: dict[str, Any]) -> dict[str, str]:
    (override,) = state["Parameters"]["Overrides"]["ContainerOverrides"]
    return {each["Name"]: each.get("Value", "") for each in override["Environment"]}


def retried(state: dict[str, Any]) -> set[str]:
    return {error for each in state["Retry"] for error in each["ErrorEquals"] if each["MaxAttempts"]}


def test_the_cluster_uses_fargate_spot_for_tasks_without_a_launch_type(fargate_template: Template) -> None:
    providers = fargate_template.only("AWS::ECS::ClusterCapacityProviderAssociations")
    assert providers["CapacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert providers["DefaultCapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]


def test_only_a_task_on_spot_names_no_launch_type(fargate_template: Template) -> None:
    states = child_states(fargate_template)
    types = {name: states[name]["Parameters"].get("LaunchType") for name in (SPOT, CONTAINER)}
    assert types == {SPOT: None, CONTAINER: "FARGATE"}
    assert "CapacityProviderStrategy" not in states[SPOT]["Parameters"]
    assert states[SPOT]["Parameters"]["PlatformVersion"] == "1.4.0"


@pytest.mark.parametrize("name", [SPOT, CONTAINER])
def test_the_task_of_a_batch_has_the_vcpus_and_the_memory_that_its_program_is_told(
    fargate_template: Template, name: str
) -> None:
    state, size = child_states(fargate_template)[name], Tasks.within(Config().account_fargate_vcpus)
    overrides, told = state["Parameters"]["Overrides"], variables_of(state)
    assert (overrides["Cpu"], overrides["Memory"]) == (str(1024 * size.vcpus), str(size.memory_mb))
    assert (told["TASK_VCPUS"], told["VARIANT_MEMORY_MB"]) == (str(size.vcpus), str(size.memory_mb))
    assert (told.get("CAPACITY") == "spot") is (name == SPOT), "by which it knows what it costs"


@pytest.mark.parametrize(
    ("quota", "vcpus", "at_a_time"), [(1, 1, 1), (6, 2, 3), (15, 2, 7), (16, 4, 4), (4000, 4, 1000)]
)
def test_tasks_fit_into_the_quota_of_the_account(quota: int, vcpus: int, at_a_time: int) -> None:
    assert Tasks.within(quota) == Tasks(vcpus, at_a_time)


def test_a_container_gets_the_two_minutes_of_a_spot_notice(fargate_template: Template) -> None:
    (container,) = fargate_template.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert container["StopTimeout"] == 120
    assert {"Name": "STOP_TIMEOUT_S", "Value": "120"} in container["Environment"], "of which its program knows"


@pytest.mark.parametrize("function", ["Submit", "FunctionsApi", "FunctionsCleanup"])
def test_functions_know_the_quota_and_whether_there_are_containers(
    template: Template, fargate_template: Template, function: str
) -> None:
    assert variables(template, function)["FARGATE_VCPUS"] == "0"
    assert variables(fargate_template, function)["FARGATE_VCPUS"] == "6"


def test_only_a_stack_with_containers_has_their_number_as_an_output(
    template: Template, fargate_template: Template
) -> None:
    assert "FargateVcpus" not in template.document["Outputs"]
    assert fargate_template.document["Outputs"]["FargateVcpus"]["Value"] == "6"


def test_an_interruption_is_told_from_a_fault_by_the_cause_and_uses_up_no_retries(fargate_template: Template) -> None:
    states = child_states(fargate_template)
    assert caught(states[SPOT]) == {"States.ALL": "Was the task interrupted?"}
    assert not retried(states[SPOT]) & {"States.TaskFailed", "States.ALL"}
    choice = states["Was the task interrupted?"]
    (rule,) = choice["Choices"]
    patterns = {each["StringMatches"] for each in rule["Or"]}
    assert {each["Variable"] for each in rule["Or"]} == {"$.failure.Cause"}
    assert {"*SpotInterruption*", f'*"ExitCode":{INTERRUPTED_EXIT}*'} < patterns
    assert (rule["Next"], choice["Default"]) == ("Count the interruption", "Run a batch in a container")


def test_an_interruption_is_counted_on_the_study(fargate_template: Template) -> None:
    count = child_states(fargate_template)["Count the interruption"]
    assert count["Parameters"]["UpdateExpression"] == "ADD interruptions :one"
    assert count["Parameters"]["ConditionExpression"] == "attribute_exists(pk)"
    assert caught(count)["DynamoDB.ConditionalCheckFailedException"] == count["Next"]


def test_a_batch_that_is_interrupted_often_goes_on_on_demand(fargate_template: Template) -> None:
    states = child_states(fargate_template)
    assert states["Interrupted once more"]["Parameters"] == {"count.$": "States.MathAdd($.interrupted.count, 1)"}
    often = states["Interrupted too often?"]
    (rule,) = often["Choices"]
    assert (rule["Variable"], rule["NumericGreaterThanEquals"]) == ("$.interrupted.count", MAX_INTERRUPTIONS)
    assert (rule["Next"], often["Default"]) == ("Run a batch in a container", SPOT)
    selected = fargate_template.machine["States"]["Run variants"]["ItemSelector"]
    assert selected["interrupted"] == {"count": 0}


def test_a_study_waits_for_spot_capacity_for_about_half_an_hour(fargate_template: Template) -> None:
    retries = child_states(fargate_template)[SPOT]["Retry"]
    (retrier,) = (each for each in retries if "ECS.AmazonECSException" in each["ErrorEquals"])
    waits = [min(15 * 2**number, retrier["MaxDelaySeconds"]) / 2 for number in range(retrier["MaxAttempts"])]
    assert 1200 < sum(waits) < 2400, "with full jitter"


def test_a_variant_that_is_too_long_for_a_function_has_a_container_also_one_by_one(fargate_template: Template) -> None:
    one = child_states(fargate_template)["Run the variants one by one"]["ItemProcessor"]["States"]
    assert caught(one["Run a variant of a batch"])["RanTooLong"] == ONE_IN_CONTAINER
    assert one[ONE_IN_CONTAINER]["Next"] == "Run a variant of a batch", "which looks its outcome up"
    assert caught(one[ONE_IN_CONTAINER]) == {"States.ALL": "Record lost variant of a batch"}


def test_spot_needs_no_further_permission(fargate_template: Template) -> None:
    actions = {action for each in statements(fargate_template, "StudyMachine") for action in each["Action"]}
    assert {action for action in actions if action.startswith("ecs:")} == {
        "ecs:RunTask",
        "ecs:StopTask",
        "ecs:DescribeTasks",
    }


def test_without_fargate_there_is_nothing_of_spot(template: Template) -> None:
    assert "Spot" not in json.dumps(template.machine)
    assert "interrupted" not in json.dumps(template.machine)
