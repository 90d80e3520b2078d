"""Responses of functions, and the API as it is deployed, changed and deleted."""

import base64
import json
import re
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from tests.local.http_api.calls import api_resources, call, echoed, said, send, serve
from tests.moto_fixtures import Aws, Deployed

# --- the response


@pytest.mark.parametrize("target", ["/raises", "/nobody"])
def test_a_function_that_fails_is_an_internal_error(url: str, target: str) -> None:
    answered = call(url, "GET", target)
    assert (answered.status, answered.json) == (500, {"message": "Internal Server Error"})


def test_a_function_says_status_headers_and_body(url: str) -> None:
    answered = said(url, {"statusCode": 418, "headers": {"Content-Type": "text/tea", "X-Number": 7}, "body": "Grün"})
    assert (answered.status, answered.body.decode()) == (418, "Grün")
    assert (answered.header("content-type"), answered.header("x-number")) == (["text/tea"], ["7"])


def test_every_cookie_is_a_header(url: str) -> None:
    answered = said(url, {"statusCode": 200, "cookies": ["a=1; Secure", "b=2"]})
    assert answered.header("set-cookie") == ["a=1; Secure", "b=2"]


def test_a_body_in_base64_is_sent_as_bytes(url: str) -> None:
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    assert said(url, {"statusCode": 200, "body": encoded, "isBase64Encoded": True}).body == content


def test_an_answer_without_a_content_type_is_text(url: str) -> None:
    assert said(url, {"statusCode": 200, "body": "a"}).header("content-type") == ["text/plain; charset=utf-8"]


def test_a_function_does_not_decide_about_the_connection(url: str) -> None:
    answered = said(url, {"statusCode": 200, "headers": {"Content-Length": "99", "connection": "close"}, "body": "abc"})
    assert (answered.header("content-length"), answered.header("connection")) == (["3"], [])


@pytest.mark.parametrize(
    ("value", "body"), [({"a": [1]}, b'{"a": [1]}'), ([1, 2], b"[1, 2]"), ("text", b"text"), (7, b"7"), (None, b"null")]
)
def test_a_plain_value_is_the_body(url: str, value: Any, body: bytes) -> None:
    answered = said(url, value)
    assert (answered.status, answered.body) == (200, body)


def test_a_plain_value_is_json(url: str) -> None:
    assert said(url, {"a": 1}).header("content-type") == ["application/json"]


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "many"},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "a text"}},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "cookies": ["a\nb"]},
    ],
)
def test_an_answer_that_cannot_be_sent_is_an_internal_error(url: str, answer: Any) -> None:
    answered = said(url, answer)
    assert (answered.status, answered.json) == (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(url: str, status: int) -> None:
    answered = said(url, {"statusCode": status, "body": "a"})
    assert (answered.status, answered.body, answered.header("content-length")) == (status, b"", [])


def test_a_request_for_the_head_gets_no_body(url: str) -> None:
    answered = call(url, "HEAD", "/says")
    assert (answered.status, answered.body) == (200, b"")


def test_a_connection_is_kept_for_the_next_request(url: str) -> None:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    first = send(connection, "GET", "/nothing")
    socket = connection.sock
    second = send(connection, "POST", "/says", b"7", [("Content-Type", "application/json")])
    kept = connection.sock is socket
    connection.close()
    assert (first.status, second.body, kept) == (404, b"7", True)


# --- what is deployed


def test_an_api_has_an_endpoint_on_aws(deployed: Deployed) -> None:
    assert re.fullmatch(r"https://\w+\.execute-api\.us-east-1\.amazonaws\.com", deployed.ids["Endpoint"])


def test_an_api_is_what_the_template_says(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("apigatewayv2").get_api(ApiId=deployed.ids["Api"])
    assert (found["ProtocolType"], found["Description"]) == ("HTTP", "For tests")


def test_a_stage_is_what_the_template_says(aws: Aws, deployed: Deployed) -> None:
    found = aws.client("apigatewayv2").get_stage(ApiId=deployed.ids["Api"], StageName=deployed.ids["Stage"])
    assert (found["AutoDeploy"], found["DefaultRouteSettings"]["ThrottlingBurstLimit"]) == (True, 10)


def test_a_route_that_is_added_later_is_served(aws: Aws, deployed: Deployed, url: str) -> None:
    target = f"integrations/{deployed.ids['Echoes']}"
    aws.client("apigatewayv2").create_route(ApiId=deployed.ids["Api"], RouteKey="GET /later", Target=target)
    assert echoed(url, "GET", "/later")["routeKey"] == "GET /later"


def test_a_deleted_stack_takes_its_api_along(aws: Aws, functions: dict[str, str]) -> None:
    stack = aws.deploy(api_resources(functions, {"$default": ("Echoes", {})}))
    aws.client("cloudformation").delete_stack(StackName=stack.name)
    with pytest.raises(ClientError, match="NotFoundException"):
        aws.client("apigatewayv2").get_api(ApiId=stack.ids["Api"])


def test_an_api_is_not_updated_by_halves(aws: Aws, functions: dict[str, str]) -> None:
    template = api_resources(functions, {"$default": ("Echoes", {})})
    stack = aws.deploy(template)
    template["Route0"]["Properties"]["RouteKey"] = "GET /a"
    with pytest.raises(ResponseParserError):
        aws.client("cloudformation").update_stack(
            StackName=stack.name, TemplateBody=json.dumps({"Resources": template})
        )


def test_a_stage_of_another_name_is_part_of_the_path(aws: Aws, functions: dict[str, str]) -> None:
    template = api_resources(functions, {"GET /a": ("Echoes", {})})
    template["Stage"]["Properties"]["StageName"] = "v1"
    api = serve(aws.deploy(template).ids["Api"])
    event = echoed(api.url, "GET", "/v1/a")
    api.close()
    assert (event["requestContext"]["stage"], event["rawPath"]) == ("v1", "/v1/a")


def test_a_closed_api_answers_no_more(aws: Aws, functions: dict[str, str]) -> None:
    api = serve(aws.deploy(api_resources(functions, {"$default": ("Echoes", {})})).ids["Api"])
    api.close()
    with pytest.raises(ConnectionRefusedError):
        call(api.url, "GET", "/")
