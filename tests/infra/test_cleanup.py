"""The cleanup function's rules, dead-letter queue and permissions as they are deployed."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Template
from tests.infra.test_functions import allowed, as_list, statements

RULES = ("ExecutionChanged", "BudgetSpent", "Reconcile", "Retention")


def target(template: Template, rule: str) -> dict[str, Any]:
    (only,) = template.only("AWS::Events::Rule", rule)["Targets"]
    return dict(only)


def resources(template: Template, action: str) -> str:
    found = [each["Resource"] for each in statements(template, "Cleanup") if action in as_list(each["Action"])]
    return json.dumps(found)


def test_every_begin_and_end_of_an_execution_is_reported(template: Template) -> None:
    detail = template.only("AWS::Events::Rule", "ExecutionChanged")["EventPattern"]["detail"]
    assert set(detail["status"]) == {"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


def test_an_exceeded_limit_is_reported_by_this_project_alone(template: Template) -> None:
    pattern = template.only("AWS::Events::Rule", "BudgetSpent")["EventPattern"]
    assert pattern == {"source": ["epsm"], "detail-type": ["Budget Spent", "Too Many Failures"]}


def test_only_executions_of_the_study_machine_are_reported(template: Template) -> None:
    detail = template.only("AWS::Events::Rule", "ExecutionChanged")["EventPattern"]["detail"]
    (machine,) = detail["stateMachineArn"]
    assert machine["Ref"] in template.of_type("AWS::StepFunctions::StateMachine")


def test_records_are_compared_with_executions_every_quarter_of_an_hour(template: Template) -> None:
    assert template.only("AWS::Events::Rule", "Reconcile")["ScheduleExpression"] == "rate(15 minutes)"


def test_expired_studies_are_removed_every_night(template: Template) -> None:
    assert template.only("AWS::Events::Rule", "Retention")["ScheduleExpression"] == "cron(0 3 * * ? *)"


@pytest.mark.parametrize(
    ("rule", "given"), [("Reconcile", {"task": "reconcile"}), ("Retention", {"task": "retention", "dry_run": False})]
)
def test_a_schedule_says_what_to_do(template: Template, rule: str, given: dict[str, Any]) -> None:
    assert json.loads(target(template, rule)["Input"]) == given


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_calls_the_cleanup_function(template: Template, rule: str) -> None:
    assert "Cleanup" in json.dumps(target(template, rule)["Arn"])


@pytest.mark.parametrize("rule", RULES)
def test_an_event_that_cannot_be_delivered_is_kept(template: Template, rule: str) -> None:
    assert "LostCleanups" in json.dumps(target(template, rule)["DeadLetterConfig"])


@pytest.mark.parametrize("rule", RULES)
def test_delivery_is_tried_again_for_a_bounded_time(template: Template, rule: str) -> None:
    policy = target(template, rule)["RetryPolicy"]
    assert policy["MaximumRetryAttempts"] > 0
    assert policy["MaximumEventAgeInSeconds"] <= 6 * 3600


def test_an_event_that_the_function_cannot_handle_is_kept(template: Template) -> None:
    config = template.only("AWS::Lambda::EventInvokeConfig", "Cleanup")
    assert "LostCleanups" in json.dumps(config["DestinationConfig"]["OnFailure"])


def test_the_function_waits_as_long_as_collecting_may_take(template: Template) -> None:
    assert template.only("AWS::Lambda::Function", "Cleanup")["Timeout"] == 900


def test_the_function_knows_the_machine_and_who_collects(template: Template) -> None:
    variables = template.only("AWS::Lambda::Function", "Cleanup")["Environment"]["Variables"]
    assert variables["STATE_MACHINE_ARN"]["Ref"] in template.of_type("AWS::StepFunctions::StateMachine")
    assert "Aggregate" in variables["AGGREGATE_FUNCTION"]["Ref"]


def test_no_other_function_can_be_invoked(template: Template) -> None:
    assert "Aggregate" in resources(template, "lambda:InvokeFunction")
    assert "RunVariant" not in resources(template, "lambda:InvokeFunction")


def test_executions_that_may_be_described_are_those_of_the_machine(template: Template) -> None:
    name = template.only("AWS::StepFunctions::StateMachine")["StateMachineName"]
    assert f":execution:{name}:*" in resources(template, "states:DescribeExecution")


def test_results_are_deleted_below_runs_only(template: Template) -> None:
    assert "/runs/*" in resources(template, "s3:DeleteObject")


def test_versions_of_inputs_may_be_deleted(template: Template) -> None:
    assert "Inputs" in resources(template, "s3:DeleteObjectVersion")
    assert "Inputs" in resources(template, "s3:DeleteObject"), "S3 asks for both where a version is deleted"


def test_nothing_but_reports_is_written(template: Template) -> None:
    assert '"/cleanup/*"' in resources(template, "s3:PutObject")
    assert not allowed(template, "Cleanup") & {"dynamodb:PutItem", "lambda:UpdateFunctionConfiguration"}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("states:StartExecution", "StudyMachine"),
        ("states:StopExecution", ":execution:epsm-local-study:*"),
        ("states:UpdateMapRun", ":mapRun:epsm-local-study/variants:*"),
    ],
)
def test_only_executions_of_the_study_machine_are_touched(template: Template, action: str, resource: str) -> None:
    assert resource in resources(template, action)
