"""The HTTP API as it is deployed: authorization, logs, and the permissions of its function."""

import json
from typing import Any

import pytest

from epsm.store.keys import HOMES, UPLOADS
from infra.tools.synthesised import synthesise
from tests.infra.conftest import Template
from tests.infra.test_functions import allowed, as_list, statements

ISSUER = "https://issuer.example/pool"


@pytest.fixture(scope="module")
def token_template() -> Template:
    return Template(
        synthesise({"stage": "tokens", "jwt_issuer": ISSUER, "jwt_audience": "web,cli", "api_requests_per_s": "7"})
    )


def resources(template: Template, action: str) -> list[str]:
    """What an action is allowed on, each as text."""
    found = [as_list(each["Resource"]) for each in statements(template, "Api") if action in as_list(each["Action"])]
    return [json.dumps(each) for several in found for each in several]


def routes(template: Template) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template.of_type("AWS::ApiGatewayV2::Route").values()]


# --- who may call


def test_every_route_asks_who_calls(template: Template) -> None:
    assert routes(template)
    assert {route.get("AuthorizationType") for route in routes(template)} == {"AWS_IAM"}


def test_every_route_asks_for_a_token_where_an_issuer_is_named(token_template: Template) -> None:
    (authorizer,) = token_template.of_type("AWS::ApiGatewayV2::Authorizer")
    asked = {
        (route.get("AuthorizationType"), route.get("AuthorizerId", {}).get("Ref")) for route in routes(token_template)
    }
    assert asked == {("JWT", authorizer)}


def test_tokens_must_be_of_the_issuer_and_for_an_audience(token_template: Template) -> None:
    authorizer = token_template.only("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["JwtConfiguration"] == {"Issuer": ISSUER, "Audience": ["web", "cli"]}


def test_tokens_are_taken_from_the_authorization_header(token_template: Template) -> None:
    authorizer = token_template.only("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]


def test_without_an_issuer_no_token_is_taken(template: Template) -> None:
    assert template.of_type("AWS::ApiGatewayV2::Authorizer") == {}


def test_no_function_has_an_address_of_its_own(template: Template) -> None:
    assert template.of_type("AWS::Lambda::Url") == {}


def test_nobody_but_api_gateway_and_this_api_calls_the_function(template: Template) -> None:
    given = [
        each["Properties"]
        for each in template.of_type("AWS::Lambda::Permission").values()
        if "FunctionsApi" in json.dumps(each["Properties"]["FunctionName"])
    ]
    (api,) = template.of_type("AWS::ApiGatewayV2::Api")
    assert {each["Principal"] for each in given} == {"apigateway.amazonaws.com"}
    assert all(api in json.dumps(each["SourceArn"]) for each in given)


# --- the stage


def test_requests_are_limited(template: Template) -> None:
    limits = template.only("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (50, 100)


def test_the_limit_can_be_chosen(token_template: Template) -> None:
    limits = token_template.only("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    assert (limits["ThrottlingRateLimit"], limits["ThrottlingBurstLimit"]) == (7, 14)


def test_there_is_one_stage_and_it_is_the_default(template: Template) -> None:
    assert template.only("AWS::ApiGatewayV2::Stage")["StageName"] == "$default"


def test_every_request_is_logged(template: Template) -> None:
    settings = template.only("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]
    assert {"account", "method", "path", "status", "time"} <= json.loads(settings["Format"]).keys()


def test_the_access_log_names_nobody(template: Template) -> None:
    logged = template.only("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]
    assert not [word for word in ("userArn", "claims", "sub", "user", "sourceIp") if word in logged]


def test_the_access_log_forgets(template: Template) -> None:
    settings = template.only("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]
    group, _ = settings["DestinationArn"]["Fn::GetAtt"]
    assert template.of_type("AWS::Logs::LogGroup")[group]["Properties"]["RetentionInDays"] == 30


def test_the_function_answers_before_the_gateway_gives_up(template: Template) -> None:
    assert template.only("AWS::Lambda::Function", "Api")["Timeout"] < 30


def test_the_gateway_hands_over_requests_in_format_2(template: Template) -> None:
    assert template.only("AWS::ApiGatewayV2::Integration")["PayloadFormatVersion"] == "2.0"


# --- what the function may do


def test_the_function_may_do_this_and_nothing_else(template: Template) -> None:
    assert allowed(template, "Api") == {
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "lambda:GetAccountSettings",
        "lambda:InvokeFunction",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
        "states:DescribeMapRun",
        "states:DescribeStateMachine",
        "states:ListMapRuns",
        "states:StartExecution",
        "states:StopExecution",
        "states:UpdateMapRun",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion"])
def test_of_inputs_only_what_comes_through_the_api_can_be_read_and_written(template: Template, action: str) -> None:
    inputs = [json.loads(each) for each in resources(template, action) if "Inputs" in each]
    assert {each["Fn::Join"][1][1] for each in inputs} == {f"/{HOMES}*", f"/{UPLOADS}*"}


def test_of_results_only_items_and_copies_of_packed_files_are_written(template: Template) -> None:
    results = [each for each in resources(template, "s3:PutObject") if "Inputs" not in each]
    names = ("items-*.json", "unpacked/*")
    assert [each.endswith(f'"/runs/*/{name}"]]}}') for each, name in zip(results, names, strict=True)] == [True, True]


def test_only_notes_of_requests_are_deleted_from_the_table(template: Template) -> None:
    (deleting,) = [each for each in statements(template, "Api") if "dynamodb:DeleteItem" in as_list(each["Action"])]
    assert deleting["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["IDEMPOTENCY"]}}


def test_no_other_machine_can_be_started(template: Template) -> None:
    (machine,) = template.of_type("AWS::StepFunctions::StateMachine")
    assert resources(template, "states:StartExecution") == [json.dumps({"Ref": machine})]


@pytest.mark.parametrize("action", ["states:StopExecution", "states:ListMapRuns"])
def test_no_other_machines_executions_can_be_touched(template: Template, action: str) -> None:
    name = template.only("AWS::StepFunctions::StateMachine")["StateMachineName"]
    (only,) = resources(template, action)
    assert only.endswith(f':execution:{name}:*"]]}}')


@pytest.mark.parametrize("action", ["states:DescribeMapRun", "states:UpdateMapRun"])
def test_no_other_machines_map_runs_can_be_touched(template: Template, action: str) -> None:
    name = template.only("AWS::StepFunctions::StateMachine")["StateMachineName"]
    (only,) = resources(template, action)
    assert f":mapRun:{name}/" in only


def test_no_function_but_cleanup_can_be_invoked(template: Template) -> None:
    (only,) = resources(template, "lambda:InvokeFunction")
    assert "Cleanup" in only


def test_on_every_resource_only_what_has_none_is_allowed(template: Template) -> None:
    everywhere = {
        action for each in statements(template, "Api") if each["Resource"] == "*" for action in as_list(each["Action"])
    }
    assert everywhere == {"lambda:GetAccountSettings", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
