"""From an HTTP request to the event of payload format 2.0, and from the function's answer to an HTTP response.

AWS documents both as "Create AWS Lambda proxy integrations for HTTP APIs".
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from epsm_local.aws.http_api.routes import Match
from epsm_local.aws.http_server import Request, Response, joined
from epsm_local.aws.session import ACCOUNT

_TEXT = ("application/json", "application/xml", "application/javascript")
"""Content types that API Gateway passes as text, besides text/*; everything else, including forms, is
base64-encoded."""
_ABOUT_THE_CONNECTION = {"connection", "content-length", "keep-alive", "transfer-encoding"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def path_of(request: Request) -> str:
    """The path, decoded."""
    return unquote(request.target.partition("?")[0])


def message(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """A response of the gateway itself."""
    return Response(status, (("content-type", "application/json"), *headers), json.dumps({"message": text}).encode())


def event(
    request: Request,
    *,
    api_id: str,
    stage: str,
    match: Match,
    authorizer: dict[str, Any] | None,
    request_id: str,
    now: datetime,
) -> dict[str, Any]:
    """The event for the function.

    Args:
        request: The client's request.
        api_id, stage: Its target.
        match: Its route.
        authorizer: The caller; None on a route without authorization.
        request_id: Identifies the request.
        now: Its time of arrival.
    """
    path, query_string = path_of(request), request.target.partition("?")[2]
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    cookies = [part.strip() for part in request.headers.get("cookie", "").split(";") if part.strip()]
    host = headers.get("host", "")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route_key,
        "rawPath": path,
        "rawQueryString": query_string,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api_id,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": match.route_key,
            "stage": stage,
            "time": now.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    if cookies:
        event["cookies"] = cookies
    if query := joined(parse_qsl(query_string, keep_blank_values=True)):
        event["queryStringParameters"] = query
    if match.parameters:
        event["pathParameters"] = match.parameters
    if request.body:
        as_text = _is_text(headers.get("content-type", ""))
        event["body"] = request.body.decode(errors="replace") if as_text else base64.b64encode(request.body).decode()
        event["isBase64Encoded"] = not as_text
    return event


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT


def response(payload: bytes) -> Response:
    """The response that a function's result describes.

    Raises:
        ValueError: If it is not a valid response.
    """
    value = json.loads(payload)
    if not isinstance(value, dict) or "statusCode" not in value:
        body = value.encode() if isinstance(value, str) else payload
        return Response(200, (("content-type", "application/json"),), body)
    headers = [(str(name).lower(), _header_value(text)) for name, text in (value.get("headers") or {}).items()]
    headers = [(name, text) for name, text in headers if name not in _ABOUT_THE_CONNECTION]
    if "content-type" not in dict(headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers += [("set-cookie", str(cookie)) for cookie in value.get("cookies") or ()]
    for name, text in headers:
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(text):
            raise ValueError(f"{name!r} with {text!r} is not a valid header")
    return Response(_status(value["statusCode"]), tuple(headers), _body(value))


def _header_value(value: Any) -> str:
    """As JSON writes it, but without quotes."""
    return value if isinstance(value, str) else json.dumps(value)


def _status(value: Any) -> int:
    status = int(value)
    if isinstance(value, bool) or not 200 <= status <= 599:
        raise ValueError(f"{value!r} is not a status of a response")
    return status


def _body(answer: Mapping[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise ValueError("the body of a response must be a text")
    return base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
