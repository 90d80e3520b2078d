"""An HTTP API with functions behind it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.http_api.calls import api_resources, serve
from tests.moto_fixtures import Aws, Deployed

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
