"""Requests to the API, and studies in the states that they ask about."""

import json
from base64 import b64encode
from types import SimpleNamespace
from typing import Any

from epsm.api.description import app
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.unit.deployed import Deployed

ACCOUNT = "arn:aws:iam::123456789012:user"
ANNA, BEN, ROOT = (f"iam:{ACCOUNT}/{name}" for name in ("anna", "ben", "root"))
JSON = "application/json"


def ask(
    stack: Deployed,
    method: str,
    path: str,
    body: Any = None,
    *,
    caller: str = ANNA,
    content_type: str = JSON,
    **query: str,
) -> tuple[int, Any]:
    """Status and body of an answer."""
    http = {"method": method, "path": path, "sourceIp": "", "protocol": "", "userAgent": ""}
    authorizer = {"iam": {"userArn": caller.removeprefix("iam:")}} if caller else {}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "queryStringParameters": query,
        "headers": {"content-type": content_type} if body is not None else {},
        "requestContext": {"authorizer": authorizer, "http": http, "stage": "$default", "requestId": "r-1"},
        "body": b64encode(raw).decode(),
        "isBase64Encoded": True,
    }
    app.append_context(stack=stack)
    context: Any = SimpleNamespace(aws_request_id="1")
    answer = app.resolve(event, context)
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def ended(stack: Deployed, **changes: Any) -> str:
    """A study of Anna's that has ended: two variants succeeded, one failed; `changes` are keys of its document."""
    simulation = stack.accepted(ANNA, **changes)
    summary = {"metrics": {"site_eui_kwh_m2": 100.0}, "engine_seconds": 1.0}
    for index, status in enumerate((VariantStatus.SUCCEEDED, VariantStatus.SUCCEEDED, VariantStatus.FAILED)):
        stack.records.start_variant(simulation, index, 0)
        found = stack.records.variant(simulation, index)
        assert found is not None
        more: dict[str, Any] = {"error": "it rains"} if status is VariantStatus.FAILED else {"summary": summary}
        record = VariantRecord(index, status, found.started_at, ended_at=found.started_at, verdict="clean", **more)
        stack.records.finish_variant(simulation, record, 0)
    stack.records.finish_study(simulation, StudyStatus.PARTIAL, succeeded=2, failed=1)
    return simulation


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """A multipart form, with the boundary `b`, of parts with field, name of the file (or none) and content."""
    body = b""
    for field, name, content in parts:
        file = f'; filename="{name}"' if name else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return body + b"--b--\r\n"
