"""The HTTP API from the request to the function and back: epsm_local/aws/http_api."""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto.sts.models import sts_backends

from epsm_local.aws.http_api.routes import find_route, find_stage
from epsm_local.aws.session import ACCOUNT
from tests.moto_fixtures import Aws, Deployed, unique
from tests.support import wait_for

if TYPE_CHECKING:
    from epsm_local.aws.http_api.gateway import HttpApi

ECHOES = "def handler(event, context): return event"
SAYS = "import json\ndef handler(event, context): return json.loads(event['body'])"
RAISES = "def handler(event, context): raise LookupError('secret')"
WAITS = """
import time
from pathlib import Path

def handler(event, context):
    folder = Path(event["queryStringParameters"]["folder"])
    while not (folder / "go").exists():
        time.sleep(0.01)
    (folder / "done").touch()
"""
ISSUER = "https://issuer.example"
AUDIENCE = "studies"
MB = 1024 * 1024
GOES_ON_FOR_EVER = 4_000_000_000
"""An hour in 2096, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP response.

    Attributes:
        status: HTTP status.
        headers: Names in lower case, in their order.
        body: Its bytes.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    url: str,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Answered:
    """Send a request over a connection of its own."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    try:
        return send(connection, method, target, body, headers)
    finally:
        connection.close()


def send(
    connection: HTTPConnection,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Answered:
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    return Answered(
        response.status, tuple((name.lower(), value) for name, value in response.getheaders()), response.read()
    )


def api_resources(
    functions: Mapping[str, str], routes: Mapping[str, tuple[str, Mapping[str, Any]]], **api: Any
) -> dict[str, Any]:
    """Resources of an API.

    Args:
        functions: ARNs by name.
        routes: For each route key the name of the function, and more properties of the route.
        api: More properties of the API.
    """
    ref = {"Ref": "Api"}
    resources: dict[str, Any] = {
        "Api": resource("Api", Name=unique("api"), ProtocolType="HTTP", Description="For tests", **api),
        "Authorizer": resource(
            "Authorizer",
            ApiId=ref,
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            Name="tokens",
            JwtConfiguration={"Issuer": ISSUER, "Audience": [AUDIENCE, "others"]},
        ),
        "Stage": resource(
            "Stage",
            ApiId=ref,
            StageName="$default",
            AutoDeploy=True,
            DefaultRouteSettings={"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5},
            AccessLogSettings={"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:a", "Format": "{}"},
        ),
    }
    for name, arn in functions.items():
        resources[name] = resource(
            "Integration",
            ApiId=ref,
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion="2.0",
            **({"TimeoutInMillis": 100} if name == "Waits" else {}),
        )
    resources["Permission"] = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": functions["Echoes"],
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"},
        },
    }
    for number, (key, (name, more)) in enumerate(routes.items()):
        target = {"Fn::Join": ["", ["integrations/", {"Ref": name}]]}
        resources[f"Route{number}"] = resource("Route", ApiId=ref, RouteKey=key, Target=target, **more)
    return resources


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}


def serve(api_id: str) -> "HttpApi":
    from epsm_local.aws.http_api.gateway import HttpApi  # once the stack has told moto its port

    return HttpApi(api_id)


@pytest.fixture(scope="module")
def functions(aws: Aws) -> dict[str, str]:
    """ARNs of the functions behind the API, by name."""
    sources = {"Echoes": ECHOES, "Says": SAYS, "Raises": RAISES, "Waits": WAITS}
    return {name: aws.function_arn(aws.function(source)) for name, source in sources.items()}


@pytest.fixture(scope="module")
def deployed(aws: Aws, functions: dict[str, str]) -> Deployed:
    token = {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Authorizer"}}
    routes: dict[str, tuple[str, dict[str, Any]]] = {
        "ANY /echo": ("Echoes", {}),
        "ANY /echo/{proxy+}": ("Echoes", {}),
        "GET /studies/{study}/runs/{run}": ("Echoes", {"AuthorizationType": "NONE"}),
        "POST /says": ("Says", {}),
        "HEAD /says": ("Echoes", {}),
        "GET /raises": ("Raises", {}),
        "GET /waits": ("Waits", {}),
        "GET /nobody": ("Nobody", {}),
        "GET /signed": ("Echoes", {"AuthorizationType": "AWS_IAM"}),
        "GET /token": ("Echoes", token),
        "GET /scoped": ("Echoes", {**token, "AuthorizationScopes": ["read", "write"]}),
    }
    template = api_resources({**functions, "Nobody": aws.function_arn("not-there")}, routes)
    return aws.deploy(template, Endpoint={"Fn::GetAtt": ["Api", "ApiEndpoint"]})


@pytest.fixture(scope="module")
def url(deployed: Deployed) -> Iterator[str]:
    """Where the API is."""
    api = serve(deployed.ids["Api"])
    yield api.url
    api.close()


def echoed(url: str, method: str, target: str, body: bytes | None = None, *headers: tuple[str, str]) -> Any:
    """The event that a function gets for a request."""
    answered = call(url, method, target, body, headers)
    assert answered.status == 200, answered.body
    return answered.json


def said(url: str, answer: Any) -> Answered:
    """The response to a request that a function answers like that."""
    return call(url, "POST", "/says", json.dumps(answer).encode(), [("Content-Type", "application/json")])


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


def test_a_body_as_long_as_allowed_is_taken(url: str) -> None:
    assert call(url, "GET", "/raises", b" " * (10 * MB)).status == 500


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


# --- who calls


def caller(url: str, *headers: tuple[str, str]) -> Any:
    return echoed(url, "GET", "/signed", None, *headers)["requestContext"]["authorizer"]


def user(name: str) -> dict[str, Any]:
    return {
        "iam": {
            "accessKey": name,
            "accountId": ACCOUNT,
            "callerId": name,
            "userArn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
            "userId": name,
            "cognitoIdentity": None,
            "principalOrgId": None,
        }
    }


def test_a_caller_who_does_not_sign_is_the_owner(url: str) -> None:
    assert caller(url) == user("local")


def test_a_caller_who_signs_is_the_user_of_the_key(url: str) -> None:
    signature = (
        "AWS4-HMAC-SHA256 Credential=anna/20260101/us-east-1/execute-api/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=00"
    )
    assert caller(url, ("Authorization", signature)) == user("anna")


def test_a_caller_who_signs_with_an_assumed_role_is_its_session(url: str) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/teams/Modellers"
    session = sts_backends[ACCOUNT]["aws"].assume_role("us-east-1", "anna", role, "", 3600, "")
    signature = f"AWS4-HMAC-SHA256 Credential={session.access_key_id}/20260101/us-east-1/execute-api/aws4_request"
    given = caller(url, ("Authorization", signature))["iam"]
    assert given["userArn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Modellers/anna"
    assert given["userId"].endswith(":anna")


@pytest.mark.parametrize("authorization", ["Bearer abc", "Basic YTpi", "AWS4-HMAC-SHA256 Signature=00", ""])
def test_a_caller_who_signs_otherwise_is_refused(url: str, authorization: str) -> None:
    answered = call(url, "GET", "/signed", None, [("Authorization", authorization)])
    assert (answered.status, answered.json) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("target", ["/echo", "/studies/1/runs/2"])
def test_an_open_route_asks_for_no_caller(url: str, target: str) -> None:
    assert "authorizer" not in echoed(url, "GET", target)["requestContext"]


# --- who has a token


def token(**claims: Any) -> tuple[str, str]:
    """An Authorization header with a token that the authorizer takes, but for what `claims` say; None leaves out."""
    given = {"iss": ISSUER, "aud": AUDIENCE, "exp": GOES_ON_FOR_EVER, "sub": "anna", **claims}
    parts = ({"alg": "RS256"}, {name: value for name, value in given.items() if value is not None}, "not checked")
    texts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return "Authorization", f"Bearer {'.'.join(texts)}"


def test_claims_reach_the_function_as_texts(url: str) -> None:
    header = token(groups=["a", "b"], iat=1_700_000_000, admin=True)
    authorizer = echoed(url, "GET", "/token", None, header)["requestContext"]["authorizer"]
    assert authorizer == {
        "jwt": {
            "claims": {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "exp": str(GOES_ON_FOR_EVER),
                "sub": "anna",
                "groups": "[a b]",
                "iat": "1700000000",
                "admin": "true",
            },
            "scopes": None,
        }
    }


@pytest.mark.parametrize(
    "claims",
    [{"aud": ["x", AUDIENCE]}, {"aud": "others"}, {"aud": None, "client_id": AUDIENCE}, {"nbf": 1, "iat": 1}],
)
def test_a_token_for_this_api_is_taken(url: str, claims: dict[str, Any]) -> None:
    assert call(url, "GET", "/token", None, [token(**claims)]).status == 200


def test_a_token_may_come_without_the_word_bearer(url: str) -> None:
    name, value = token()
    assert call(url, "GET", "/token", None, [(name, value.removeprefix("Bearer "))]).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "elsewhere"},
        {"aud": ["elsewhere"]},
        {"aud": "elsewhere", "client_id": AUDIENCE},
        {"aud": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": GOES_ON_FOR_EVER - 1},
        {"iat": GOES_ON_FOR_EVER - 1},
    ],
)
def test_a_token_that_is_not_for_here_and_now_is_refused(url: str, claims: dict[str, Any]) -> None:
    answered = call(url, "GET", "/token", None, [token(**claims)])
    assert (answered.status, answered.json) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("authorization", [None, "", "Bearer ", "Bearer a.b.c", "Bearer YQ.W10.YQ", "Basic YTpi"])
def test_what_is_no_token_is_refused(url: str, authorization: str | None) -> None:
    headers = [] if authorization is None else [("Authorization", authorization)]
    answered = call(url, "GET", "/token", None, headers)
    assert (answered.status, answered.json) == (401, {"message": "Unauthorized"})


def test_a_refusal_says_that_a_token_is_wanted(url: str) -> None:
    assert call(url, "GET", "/token").header("www-authenticate") == ["Bearer"]


@pytest.mark.parametrize("scopes", [{"scope": "x read"}, {"scp": ["write"]}, {"scp": "read write", "scope": "no"}])
def test_one_of_the_scopes_is_enough(url: str, scopes: dict[str, Any]) -> None:
    assert call(url, "GET", "/scoped", None, [token(**scopes)]).status == 200


def test_the_scopes_of_the_token_reach_the_function(url: str) -> None:
    event = echoed(url, "GET", "/scoped", None, token(scope="read x"))
    assert event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["read", "x"]


@pytest.mark.parametrize("scopes", [{}, {"scope": "readwrite"}, {"scp": []}])
def test_a_token_without_the_scopes_is_refused(url: str, scopes: dict[str, Any]) -> None:
    answered = call(url, "GET", "/scoped", None, [token(**scopes)])
    assert (answered.status, answered.json) == (403, {"message": "Forbidden"})


# --- browsers


@pytest.fixture(scope="module")
def for_browsers(aws: Aws, functions: dict[str, str]) -> Iterator[str]:
    """Where an API is that browsers may call from https://app.example."""
    cors = {
        "AllowOrigins": ["https://app.example"],
        "AllowMethods": ["GET", "PUT"],
        "AllowHeaders": ["authorization", "content-type"],
        "ExposeHeaders": ["etag"],
        "MaxAge": 600,
        "AllowCredentials": True,
    }
    template = api_resources(
        functions, {"POST /says": ("Says", {}), "ANY /echo": ("Echoes", {})}, CorsConfiguration=cors
    )
    api = serve(aws.deploy(template).ids["Api"])
    yield api.url
    api.close()


def access(answered: Answered) -> dict[str, str]:
    return {name.removeprefix("access-control-"): value for name, value in answered.headers if "access-" in name}


def preflight(url: str, target: str, origin: str, method: str) -> Answered:
    headers = [("Origin", origin), ("Access-Control-Request-Method", method)]
    return call(url, "OPTIONS", target, None, headers)


def test_a_preflight_request_of_a_browser_is_answered(for_browsers: str) -> None:
    answered = preflight(for_browsers, "/says", "https://app.example", "PUT")
    assert (answered.status, access(answered)) == (
        204,
        {
            "allow-origin": "https://app.example",
            "allow-credentials": "true",
            "allow-methods": "GET,PUT",
            "allow-headers": "authorization,content-type",
            "max-age": "600",
        },
    )


@pytest.mark.parametrize(("origin", "method"), [("https://evil.example", "GET"), ("https://app.example", "DELETE")])
def test_a_preflight_request_that_is_not_allowed_gets_no_headers(for_browsers: str, origin: str, method: str) -> None:
    answered = preflight(for_browsers, "/says", origin, method)
    assert (answered.status, access(answered)) == (204, {})


def test_a_route_for_any_method_answers_a_browser_that_asks(for_browsers: str) -> None:
    answered = preflight(for_browsers, "/echo", "https://app.example", "GET")
    assert (answered.status, answered.json["routeKey"]) == (200, "ANY /echo")


def test_the_gateways_permission_replaces_that_of_the_function(for_browsers: str) -> None:
    body = json.dumps({"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}).encode()
    headers = [("Origin", "https://app.example"), ("Content-Type", "application/json")]
    assert access(call(for_browsers, "POST", "/says", body, headers)) == {
        "allow-origin": "https://app.example",
        "allow-credentials": "true",
        "expose-headers": "etag",
    }


def test_without_a_configuration_the_function_gives_permission(url: str) -> None:
    answered = said(url, {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}})
    assert access(answered) == {"allow-origin": "*"}


def test_without_a_configuration_no_browser_is_answered(url: str) -> None:
    assert preflight(url, "/says", "https://app.example", "POST").status == 404


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
