"""Requests: the route that is chosen, the event that the function receives, and the limits of API Gateway."""

import base64
import json
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from epsm_local.aws.http_api.routes import find_route, find_stage
from epsm_local.aws.session import ACCOUNT
from tests.local.http_api.calls import call, echoed
from tests.moto_fixtures import Deployed
from tests.support import wait_for

MB = 1024 * 1024


# --- which route


AS_DOCUMENTED = ["ANY /{proxy+}", "GET /pets/{proxy+}", "$default", "GET /pets/dog/{id}", "GET /pets/dog/1"]


@pytest.mark.parametrize(
    ("method", "path", "route_key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", {}),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("GET", "/pets/dog/1/2", "GET /pets/{proxy+}", {"proxy": "dog/1/2"}),
        ("POST", "/pets/dog/1", "ANY /{proxy+}", {"proxy": "pets/dog/1"}),
        ("POST", "/test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("GET", "/pets/", "ANY /{proxy+}", {"proxy": "pets/"}),
        ("GET", "/", "$default", {}),
    ],
)
def test_the_best_route_is_taken(method: str, path: str, route_key: str, parameters: dict[str, str]) -> None:
    found = find_route(AS_DOCUMENTED, method, path)
    assert found is not None
    assert (found.route_key, found.parameters) == (route_key, parameters)


@pytest.mark.parametrize(
    ("route_keys", "best"),
    [
        (["ANY /a", "GET /a"], "GET /a"),
        (["GET /{b}", "ANY /a"], "ANY /a"),
        (["GET /{proxy+}", "ANY /{b}"], "ANY /{b}"),
        (["$default", "ANY /{proxy+}"], "ANY /{proxy+}"),
        (["POST /a", "$default"], "$default"),
    ],
)
def test_a_better_route_is_taken_wherever_it_stands(route_keys: list[str], best: str) -> None:
    found = [find_route(keys, "GET", "/a") for keys in (route_keys, route_keys[::-1])]
    assert [each.route_key if each else None for each in found] == [best, best]


@pytest.mark.parametrize("path", ["/", "/a/", "/a/b", "/b", "/A", "//a"])
def test_a_path_must_fit_exactly(path: str) -> None:
    assert find_route(["GET /a", "GET /a/{b}/{c+}", "GET /x/{y+}"], "GET", path) is None


@pytest.mark.parametrize(
    ("path", "stage"),
    [("/v1/a/b", ("v1", "/a/b")), ("/v1", ("v1", "/")), ("/a/v1", ("$default", "/a/v1")), ("/", ("$default", "/"))],
)
def test_a_path_may_begin_with_its_stage(path: str, stage: tuple[str, str]) -> None:
    assert find_stage({"$default", "v1"}, path) == stage


def test_a_path_without_a_stage_has_none() -> None:
    assert find_stage({"v1"}, "/a") is None


@pytest.mark.parametrize(("method", "target"), [("GET", "/"), ("GET", "/nothing"), ("PUT", "/says"), ("GET", "/echo2")])
def test_a_request_without_a_route_is_not_found(url: str, method: str, target: str) -> None:
    answered = call(url, method, target)
    assert (answered.status, answered.json) == (404, {"message": "Not Found"})


# --- the event


def test_the_event_says_which_request_it_is_about(url: str, deployed: Deployed) -> None:
    event = echoed(url, "GET", "/studies/s-1/runs/7?a=1", None, ("User-Agent", "test/1"))
    context = event["requestContext"]
    host = url.removeprefix("http://")
    request_id, _text, epoch = context.pop("requestId"), context.pop("time"), context.pop("timeEpoch")
    assert (request_id, epoch) != ("", 0)
    assert event == {
        "version": "2.0",
        "routeKey": "GET /studies/{study}/runs/{run}",
        "rawPath": "/studies/s-1/runs/7",
        "rawQueryString": "a=1",
        "headers": {"host": host, "user-agent": "test/1"},
        "queryStringParameters": {"a": "1"},
        "pathParameters": {"study": "s-1", "run": "7"},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": deployed.ids["Api"],
            "domainName": host,
            "domainPrefix": "127",
            "http": {
                "method": "GET",
                "path": "/studies/s-1/runs/7",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test/1",
            },
            "routeKey": "GET /studies/{study}/runs/{run}",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def test_the_time_of_the_request_is_the_same_twice(url: str) -> None:
    context = echoed(url, "GET", "/echo")["requestContext"]
    arrived = datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert arrived == datetime.fromtimestamp(context["timeEpoch"] // 1000, UTC)


def test_every_request_has_an_id_of_its_own(url: str) -> None:
    ids = {echoed(url, "GET", "/echo")["requestContext"]["requestId"] for _ in range(3)}
    assert len(ids) == 3


def test_the_response_names_the_request(url: str) -> None:
    answered = call(url, "GET", "/echo")
    assert answered.header("apigw-requestid") == [answered.json["requestContext"]["requestId"]]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_route_for_any_method_takes_them_all(url: str, method: str) -> None:
    event = echoed(url, method, "/echo")
    assert (event["requestContext"]["http"]["method"], event["routeKey"]) == (method, "ANY /echo")


def test_the_path_is_decoded(url: str) -> None:
    event = echoed(url, "GET", "/echo/D%C3%A4mmung%20a+b/100%25")
    assert event["rawPath"] == "/echo/Dämmung a+b/100%"


def test_path_parameters_are_decoded(url: str) -> None:
    event = echoed(url, "GET", "/echo/a%20b/c")
    assert event["pathParameters"] == {"proxy": "a b/c"}


def test_the_query_stays_as_it_was_sent(url: str) -> None:
    assert echoed(url, "GET", "/echo?b=%20x&a=1&b=")["rawQueryString"] == "b=%20x&a=1&b="


def test_query_parameters_are_decoded_and_joined(url: str) -> None:
    event = echoed(url, "GET", "/echo?b=%20x+y&a=1&b=&c=1,2")
    assert event["queryStringParameters"] == {"b": " x y,", "a": "1", "c": "1,2"}


def test_headers_are_lower_case_and_joined(url: str) -> None:
    event = echoed(url, "GET", "/echo", None, ("X-One", "1"), ("x-one", "2"), ("X-Two", "a, b"))
    assert (event["headers"]["x-one"], event["headers"]["x-two"]) == ("1,2", "a, b")


def test_cookies_are_no_header(url: str) -> None:
    event = echoed(url, "GET", "/echo", None, ("Cookie", "a=1; b=2"))
    assert (event["cookies"], "cookie" in event["headers"]) == (["a=1", "b=2"], False)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/csv", "application/xml"]
)
def test_a_body_of_text_stays_text(url: str, content_type: str) -> None:
    event = echoed(url, "POST", "/echo", "Dämmung".encode(), ("Content-Type", content_type))
    assert (event["body"], event["isBase64Encoded"]) == ("Dämmung", False)


@pytest.mark.parametrize(
    "content_type", ["application/octet-stream", "image/png", "application/x-www-form-urlencoded", ""]
)
def test_any_other_body_comes_in_base64(url: str, content_type: str) -> None:
    content = bytes(range(256))
    event = echoed(url, "POST", "/echo", content, *([("Content-Type", content_type)] if content_type else []))
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (content, True)


def test_a_request_without_a_body_has_none(url: str) -> None:
    assert "body" not in echoed(url, "POST", "/echo", b"", ("Content-Type", "application/json"))


def test_a_body_in_chunks_arrives_whole(url: str) -> None:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    connection.request("POST", "/echo", iter([b"a" * 70_000, b"b" * 70_000]), {"Content-Type": "text/plain"})
    body = json.loads(connection.getresponse().read())["body"]
    connection.close()
    assert body == "a" * 70_000 + "b" * 70_000


# --- limits


def test_a_body_as_long_as_lambda_takes_is_taken(url: str) -> None:
    in_base64 = 6 * MB - 10_000
    assert call(url, "GET", "/raises", b" " * (in_base64 * 3 // 4)).status == 500


def test_a_body_that_is_too_long_for_lambda_alone_is_refused(url: str) -> None:
    answered = call(url, "GET", "/raises", b" " * (10 * MB))
    assert (answered.status, answered.json) == (413, {"message": "Request Too Long"})


def test_a_body_that_is_too_long_is_refused(url: str) -> None:
    answered = call(url, "GET", "/raises", b" " * (10 * MB + 1))
    assert (answered.status, answered.json) == (413, {"message": "Request Entity Too Large"})


def test_a_length_that_is_no_number_is_refused(url: str) -> None:
    assert call(url, "POST", "/echo", None, [("Content-Length", "many")]).status == 400


def test_a_function_that_takes_too_long_is_not_waited_for(url: str, tmp_path: Path) -> None:
    answered = call(url, "GET", f"/waits?folder={tmp_path}")
    (tmp_path / "go").touch()
    assert (answered.status, answered.json) == (503, {"message": "Service Unavailable"})


def test_a_function_that_takes_too_long_continues(url: str, tmp_path: Path) -> None:
    call(url, "GET", f"/waits?folder={tmp_path}")
    (tmp_path / "go").touch()
    wait_for((tmp_path / "done").exists, "the function")
