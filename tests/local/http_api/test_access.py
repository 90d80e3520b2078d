"""Authorization: IAM signatures, tokens of an issuer, and pages of other origins."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sts.models import sts_backends

from epsm_local.aws.session import ACCOUNT
from tests.local.http_api.calls import (
    AUDIENCE,
    GOES_ON_FOR_EVER,
    ISSUER,
    Answered,
    api_resources,
    call,
    echoed,
    said,
    serve,
    token,
)
from tests.moto_fixtures import Aws

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
