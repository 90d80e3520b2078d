"""Which stack a command talks to: epsm.client.connection."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from epsm.client.connection import connect
from epsm.errors import NoStack

_NO_SUCH_STACK = b"<ErrorResponse><Error><Code>ValidationError</Code><Message>none</Message></Error></ErrorResponse>"


@pytest.fixture
def signed_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The credential scopes of the requests that an AWS in which there is nothing has got."""
    scopes: list[str] = []

    class Nothing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            scopes.append(self.headers["Authorization"].split("Credential=")[1].split(",")[0])
            self.send_response(400)
            self.end_headers()
            self.wfile.write(_NO_SUCH_STACK)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Nothing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        for name in ("AWS_PROFILE", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield scopes
        server.shutdown()


def test_the_region_is_that_of_aws_region_as_with_the_aws_command(
    signed_for: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(NoStack):
        connect("epsm-dev")
    assert "/eu-central-1/" in signed_for[0]


def test_without_aws_region_it_is_boto3_s_own_choice(signed_for: list[str]) -> None:
    with pytest.raises(NoStack):
        connect("epsm-dev")
    assert "/us-east-1/" in signed_for[0]
