"""The canary's rule, function, permissions and alarms as they are deployed."""

import json
from typing import Any

import pytest

from infra.tools.synthesised import synthesise
from tests.infra.conftest import Template
from tests.infra.test_functions import allowed, as_list, statements
from tests.infra.test_monitoring import alarms


def rule(template: Template) -> dict[str, Any]:
    return template.only("AWS::Events::Rule", "CanaryFly")


def resources(template: Template, action: str) -> str:
    found = [each["Resource"] for each in statements(template, "Canary") if action in as_list(each["Action"])]
    return json.dumps(found)


def test_a_canary_flies_every_hour_by_default(other_template: Template) -> None:
    assert (rule(other_template)["ScheduleExpression"], rule(other_template)["State"]) == ("rate(1 hour)", "ENABLED")


def test_a_canary_can_be_switched_off(template: Template) -> None:
    assert rule(template)["State"] == "DISABLED"


@pytest.fixture(scope="module")
def every_six_hours() -> Template:
    return Template(synthesise({"stage": "six", "canary_every_hours": "6"}))


def test_a_canary_can_fly_less_often(every_six_hours: Template) -> None:
    assert rule(every_six_hours)["ScheduleExpression"] == "rate(6 hours)"
    assert alarms(every_six_hours)["epsm-six-canary-silent"]["Period"] == 6 * 3600


def test_a_flight_that_cannot_be_started_is_kept(template: Template) -> None:
    (target,) = rule(template)["Targets"]
    assert "LostCanaries" in json.dumps(target["DeadLetterConfig"])


def test_a_flight_that_failed_is_kept_and_not_tried_again(template: Template) -> None:
    config = template.only("AWS::Lambda::EventInvokeConfig", "Canary")
    assert config["MaximumRetryAttempts"] == 0
    assert "LostCanaries" in json.dumps(config["DestinationConfig"]["OnFailure"])


def test_the_function_is_small_and_patient(template: Template) -> None:
    function = template.only("AWS::Lambda::Function", "Canary")
    assert (function["MemorySize"], function["Timeout"]) == (256, 12 * 60)
    assert "Cleanup" in function["Environment"]["Variables"]["CLEANUP_FUNCTION"]["Ref"]


def test_uploads_go_below_the_canarys_folder_only(template: Template) -> None:
    written = resources(template, "s3:PutObject")
    assert written.count("/canary/*") == 1
    assert "Inputs" in written
    assert "Results" not in written


def test_no_function_but_the_one_that_removes_can_be_invoked(template: Template) -> None:
    assert "Cleanup" in resources(template, "lambda:InvokeFunction")
    assert not any(each in resources(template, "lambda:InvokeFunction") for each in ("Submit", "RunVariant", "Api"))


def test_the_function_may_do_no_more_than_send_and_look(template: Template) -> None:
    assert allowed(template, "Canary") - {"xray:PutTraceSegments", "xray:PutTelemetryRecords"} == {
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListBucket",
        "dynamodb:GetItem",
        "lambda:InvokeFunction",
        "sqs:SendMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_a_canary_that_fails_is_reported_until_the_next_has_flown(other_template: Template) -> None:
    alarm = alarms(other_template)["epsm-other-canary-failed"]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["DatapointsToAlarm"]) == ("Errors", 0, 1)
    # An hour, and the time that a flight may take.
    assert alarm["EvaluationPeriods"] * alarm["Period"] >= (60 + 12) * 60


def test_a_failed_canary_is_reported_once(other_template: Template) -> None:
    told = [name for name, each in alarms(other_template).items() if "anar" in json.dumps([name, each])]
    assert sorted(told) == [f"epsm-other-canary-{what}" for what in ("failed", "silent", "throttled")]


def test_canaries_that_do_not_fly_are_reported(other_template: Template) -> None:
    alarm = alarms(other_template)["epsm-other-canary-silent"]
    assert (alarm["MetricName"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Invocations",
        "LessThanThreshold",
        1,
    )
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3600, 3, 3)
    assert alarm["TreatMissingData"] == "breaching"


def test_nobody_waits_for_a_canary_that_is_switched_off(template: Template) -> None:
    assert "epsm-local-canary-silent" not in alarms(template)
