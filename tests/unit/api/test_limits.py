"""What the API answers to a study beyond its owner's limits."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from epsm.pipeline.owner_limits import OverLimit
from epsm.problems import Problem

ANNA = {"iam": {"userArn": "arn:aws:iam::123456789012:user/anna"}}


@pytest.fixture
def submitting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the routes; it takes a handler's environment for granted."""
    for name in ("INPUTS_BUCKET", "RESULTS_BUCKET", "TABLE_NAME"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import epsm.api.description
    import epsm.api.routes.submit

    assert epsm.api.description.app
    return epsm.api.routes.submit


def test_a_study_beyond_a_limit_is_answered_with_429_and_the_limit(
    submitting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OverLimit([Problem("study.json", "is one too many", "at most 2 at a time")])

    monkeypatch.setattr(submitting, "receive", refuse)
    path = "/api/simulation/run/"
    http = {"method": "POST", "path": path, "sourceIp": "", "protocol": "", "userAgent": ""}
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"authorizer": ANNA, "http": http, "stage": "$default", "requestId": "1"},
        "body": json.dumps({"study": {}}),
        "isBase64Encoded": False,
    }
    answer = submitting.app.resolve(event, SimpleNamespace(aws_request_id="1"))
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["title"]) == (429, "Too Many Requests")
    assert body["errors"] == [{"where": "study.json", "what": "is one too many", "allowed": "at most 2 at a time"}]
    assert "is one too many (at most 2 at a time)" in body["detail"]
