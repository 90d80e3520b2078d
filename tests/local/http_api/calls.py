"""Templates of HTTP APIs, and requests to them."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from tests.moto_fixtures import unique

if TYPE_CHECKING:
    from epsm_local.aws.http_api.gateway import HttpApi


ISSUER = "https://issuer.example"
AUDIENCE = "studies"
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
        return [value for header_name, value in self.headers if header_name == name]

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


def echoed(url: str, method: str, target: str, body: bytes | None = None, *headers: tuple[str, str]) -> Any:
    """The event that a function gets for a request."""
    answered = call(url, method, target, body, headers)
    assert answered.status == 200, answered.body
    return answered.json


def said(url: str, answer: Any) -> Answered:
    """The response to a request that a function answers like that."""
    return call(url, "POST", "/says", json.dumps(answer).encode(), [("Content-Type", "application/json")])


def token(**claims: Any) -> tuple[str, str]:
    """An Authorization header with a token that the authorizer takes, but for what `claims` say; None leaves out."""
    payload = {"iss": ISSUER, "aud": AUDIENCE, "exp": GOES_ON_FOR_EVER, "sub": "anna", **claims}
    parts = ({"alg": "RS256"}, {name: value for name, value in payload.items() if value is not None}, "not checked")
    texts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return "Authorization", f"Bearer {'.'.join(texts)}"
