"""Runs beyond Lambda's 15 minutes: the resources that the setting `fargate` adds, and that none exist without it."""

import json
from typing import Any

import pytest

from infra.tools.check import lint_definition
from tests.infra.conftest import Template

MAX_CONTAINER_RUN_S = 86_400


def child_states(template: Template) -> dict[str, Any]:
    return dict(template.machine["States"]["Run variants"]["ItemProcessor"]["States"])


def start_of_child(template: Template) -> str:
    return str(template.machine["States"]["Run variants"]["ItemProcessor"]["StartAt"])


def caught(state: dict[str, Any]) -> dict[str, str]:
    return {error: each["Next"] for each in state["Catch"] for error in each["ErrorEquals"]}


def statements(template: Template, role: str) -> list[dict[str, Any]]:
    """What a role may do, with actions and resources as lists."""
    document = template.only("AWS::IAM::Policy", role)["PolicyDocument"]
    return [
        {
            **each,
            "Action": [each["Action"]] if isinstance(each["Action"], str) else each["Action"],
            "Resource": each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]],
        }
        for each in document["Statement"]
    ]


def allowing(template: Template, role: str, action: str) -> dict[str, Any]:
    (found,) = (each for each in statements(template, role) if action in each["Action"])
    return found


def variables(template: Template, function: str) -> dict[str, Any]:
    return dict(template.only("AWS::Lambda::Function", function)["Environment"]["Variables"])


# --- without the choice


@pytest.mark.parametrize("service", ["AWS::ECS::", "AWS::EC2::"])
def test_without_fargate_there_is_neither_a_container_nor_a_network(template: Template, service: str) -> None:
    assert not [each for each in template.document["Resources"].values() if each["Type"].startswith(service)]


def test_without_fargate_a_child_runs_its_function_and_nothing_else(template: Template) -> None:
    start = child_states(template)[start_of_child(template)]
    assert (start["Choices"][0]["Next"], start["Default"]) == ("Run a batch", "Run EnergyPlus")
    assert "container" not in json.dumps(template.machine)
    assert "RanTooLong" not in caught(child_states(template)["Run EnergyPlus"])


@pytest.mark.parametrize("action", ["ecs:", "iam:PassRole", "events:", "dynamodb:GetItem"])
def test_without_fargate_the_machine_may_do_nothing_for_it(template: Template, action: str) -> None:
    assert action not in json.dumps(statements(template, "StudyMachine"))


@pytest.mark.parametrize("function", ["Submit", "FunctionsApi"])
def test_the_door_knows_how_long_a_run_may_take(template: Template, fargate_template: Template, function: str) -> None:
    assert variables(template, function)["LONGEST_RUN_S"] == "840"
    assert variables(fargate_template, function)["LONGEST_RUN_S"] == str(MAX_CONTAINER_RUN_S)


def test_the_choice_changes_nothing_but_machine_and_door(template: Template, fargate_template: Template) -> None:
    before, after = template.document["Resources"], fargate_template.document["Resources"]
    changed = {name for name, each in before.items() if after[name] != each}
    kinds = sorted(before[name]["Type"] for name in changed)
    assert kinds == [
        "AWS::IAM::Policy",
        "AWS::Lambda::Function",
        "AWS::Lambda::Function",
        "AWS::Lambda::Function",
        "AWS::StepFunctions::StateMachine",
    ]


# --- the state machine


def test_an_item_says_where_it_runs_and_without_a_word_it_is_a_function(fargate_template: Template) -> None:
    choice = child_states(fargate_template)["Function or container?"]
    (rule,) = choice["Choices"]
    assert {each["Variable"] for each in rule["And"]} == {"$.variant.runs_on"}
    assert (rule["And"][1]["StringEquals"], rule["Next"]) == ("container", "Run EnergyPlus in a container")
    assert choice["Default"] == "Run EnergyPlus"


def test_a_batch_says_where_it_runs_too(fargate_template: Template) -> None:
    states = child_states(fargate_template)
    choice = states["Batch in a function or a container?"]
    places = {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]}
    assert {rule["Variable"] for rule in choice["Choices"]} == {"$.variant.runs_on"}
    assert places == {"container": "Run a batch in a container", "spot": "Run a batch on Fargate Spot"}
    assert choice["Default"] == "Run a batch"
    assert states["Run a batch in a container"]["Next"] == "Run a batch", "which looks the outcomes up"
    assert caught(states["Run a batch"])["RanTooLong"] == "Run a batch in a container"


def test_what_is_too_long_for_a_function_goes_to_a_container_at_once(fargate_template: Template) -> None:
    function = child_states(fargate_template)["Run EnergyPlus"]
    assert caught(function)["RanTooLong"] == "Run EnergyPlus in a container"
    assert function["Catch"][-1]["ErrorEquals"] == ["States.ALL"], "it would catch everything behind it"
    (retrier,) = (each for each in function["Retry"] if "RanTooLong" in each["ErrorEquals"])
    assert retrier["MaxAttempts"] == 0


def test_the_machine_waits_for_the_end_of_the_task(fargate_template: Template) -> None:
    task = child_states(fargate_template)["Run EnergyPlus in a container"]
    assert task["Resource"].endswith(":ecs:runTask.sync")
    assert task["Parameters"]["LaunchType"] == "FARGATE"
    assert MAX_CONTAINER_RUN_S < task["TimeoutSeconds"] < MAX_CONTAINER_RUN_S + 7200


def test_the_container_gets_its_variant(fargate_template: Template) -> None:
    parameters = child_states(fargate_template)["Run EnergyPlus in a container"]["Parameters"]
    (override,) = parameters["Overrides"]["ContainerOverrides"]
    container = fargate_template.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"][0]
    assert override["Name"] == container["Name"]
    assert override["Environment"] == [
        {"Name": "SIMULATION_ID", "Value.$": "$.simulation_id"},
        {"Name": "VARIANT", "Value.$": "States.JsonToString($.variant)"},
    ]


def test_a_task_has_a_public_address_and_lets_nothing_in(fargate_template: Template) -> None:
    parameters = child_states(fargate_template)["Run EnergyPlus in a container"]["Parameters"]
    assert parameters["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "ENABLED"
    group = fargate_template.only("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert [(each["IpProtocol"], each["ToPort"]) for each in group["SecurityGroupEgress"]] == [("tcp", 443)]


def test_a_task_waits_for_room_for_most_of_a_day(fargate_template: Template) -> None:
    retries = child_states(fargate_template)["Run EnergyPlus in a container"]["Retry"]
    (retrier,) = (each for each in retries if "ECS.AmazonECSException" in each["ErrorEquals"])
    assert retrier["JitterStrategy"] == "FULL"
    assert retrier["MaxAttempts"] * retrier["MaxDelaySeconds"] / 2 > 20 * 3600


def test_a_burst_of_tasks_that_wears_ec2_out_is_waited_for(fargate_template: Template) -> None:
    retries = child_states(fargate_template)["Run EnergyPlus in a container"]["Retry"]
    (retrier,) = (each for each in retries if "ECS.InvalidParameterException" in each["ErrorEquals"])
    assert 1800 < retrier["MaxAttempts"] * retrier["MaxDelaySeconds"] / 2 < 7200


def test_a_task_that_was_lost_is_recorded(fargate_template: Template) -> None:
    assert caught(child_states(fargate_template)["Run EnergyPlus in a container"]) == {
        "States.ALL": "Record lost variant"
    }


def test_what_became_of_the_variant_is_read_from_its_record(fargate_template: Template) -> None:
    states = child_states(fargate_template)
    assert states["Run EnergyPlus in a container"]["Next"] == "Read the variant's record"
    assert states["Run EnergyPlus in a container"]["ResultPath"] is None, "the description of a task is long"
    assert states["Read the variant's record"]["Parameters"]["ConsistentRead"] is True
    how = states["Did the variant succeed?"]
    ends = [*(each["Next"] for each in how["Choices"]), how["Default"]]
    assert [states[name]["Type"] for name in ends] == ["Succeed", "Fail", "Fail"]


def test_the_definition_passes_statelint(fargate_template: Template) -> None:
    assert lint_definition(json.dumps(fargate_template.machine)) == []


# --- the task


def test_the_task_is_the_image_of_the_functions(fargate_template: Template) -> None:
    (container,) = fargate_template.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert container["Image"] == fargate_template.only("AWS::Lambda::Function", "RunVariant")["Code"]["ImageUri"]
    assert container["EntryPoint"] + container["Command"] == [
        "/opt/epsm/bin/python",
        "-m",
        "functions.run_variant.task",
    ]


def test_the_task_knows_what_the_function_knows(fargate_template: Template) -> None:
    (container,) = fargate_template.only("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    told = {each["Name"]: each["Value"] for each in container["Environment"]}
    assert variables(fargate_template, "RunVariant").items() <= told.items()
    assert told["VARIANT_MEMORY_MB"] == fargate_template.only("AWS::ECS::TaskDefinition")["Memory"]


def test_the_task_may_do_what_the_function_may_and_no_more(fargate_template: Template) -> None:
    def stores(role: str) -> list[dict[str, Any]]:
        return [
            each
            for each in statements(fargate_template, role)
            if not any(action.startswith(("logs:", "xray:")) for action in each["Action"])
        ]

    assert stores("ContainersTaskRole") == stores("RunVariantRole")
    assert len(statements(fargate_template, "ContainersTaskRole")) == len(stores("ContainersTaskRole"))


def test_ecs_may_pull_the_image_and_write_the_log(fargate_template: Template) -> None:
    actions = {action for each in statements(fargate_template, "ExecutionRole") for action in each["Action"]}
    assert actions == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_the_log_of_a_task_forgets(fargate_template: Template) -> None:
    assert fargate_template.only("AWS::Logs::LogGroup", "ContainersLogs")["RetentionInDays"] == 30


# --- what the machine may do


def test_the_machine_may_run_this_task_in_this_cluster_only(fargate_template: Template) -> None:
    statement = allowing(fargate_template, "StudyMachine", "ecs:RunTask")
    assert statement["Action"] == ["ecs:RunTask"]
    (resource,) = statement["Resource"]
    assert json.dumps(resource).endswith(':task-definition/epsm-local-run-variant:*"]]}')
    assert "Cluster" in json.dumps(statement["Condition"]["ArnEquals"]["ecs:cluster"])


def test_the_machine_may_stop_the_tasks_of_this_cluster_only(fargate_template: Template) -> None:
    (resource,) = allowing(fargate_template, "StudyMachine", "ecs:StopTask")["Resource"]
    assert json.dumps(resource).endswith(':task/epsm-local/*"]]}')


def test_the_machine_may_hand_the_two_roles_of_the_task_to_ecs_only(fargate_template: Template) -> None:
    statement = allowing(fargate_template, "StudyMachine", "iam:PassRole")
    assert sorted("Execution" in json.dumps(each) for each in statement["Resource"]) == [False, True]
    assert all("Containers" in json.dumps(each) for each in statement["Resource"])
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_machine_may_keep_its_one_rule(fargate_template: Template) -> None:
    (resource,) = allowing(fargate_template, "StudyMachine", "events:PutRule")["Resource"]
    assert json.dumps(resource).endswith(':rule/StepFunctionsGetEventsForECSTaskRule"]]}')


# --- nothing costs while nothing runs


@pytest.mark.parametrize("kind", ["AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::FlowLog", "AWS::ECS::Service"])
def test_nothing_is_there_that_costs_money_while_nothing_runs(fargate_template: Template, kind: str) -> None:
    assert not fargate_template.of_type(kind)


def test_endpoints_are_of_the_kind_that_is_free(fargate_template: Template) -> None:
    kinds = [
        each["Properties"]["VpcEndpointType"] for each in fargate_template.of_type("AWS::EC2::VPCEndpoint").values()
    ]
    assert kinds == ["Gateway", "Gateway"]


def test_container_insights_are_off(fargate_template: Template) -> None:
    assert "ClusterSettings" not in fargate_template.only("AWS::ECS::Cluster")
