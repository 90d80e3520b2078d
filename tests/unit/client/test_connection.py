"""Which stack a command talks to: epsm.client.connection."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from unittest.mock import Mock

import pytest

from epsm.client.connection import Connection, any_stack, connect, lasting_stack
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


class Laptop:
    """What offers local stacks, with one that runs or none.

    Attributes:
        started, installed: What it was asked for.
    """

    def __init__(self, running: Connection | None) -> None:
        self._running = running
        self.fresh = Mock(Connection)
        self.started = 0
        self.installed: list[str] = []

    def running(self) -> Connection | None:
        return self._running

    def start(self) -> Connection:
        self.started += 1
        return self.fresh

    def install_engine(self, model_version: str) -> None:
        self.installed.append(model_version)


@pytest.fixture
def laptop(monkeypatch: pytest.MonkeyPatch) -> Callable[[Connection | None], Laptop]:
    def with_stack(running: Connection | None) -> Laptop:
        made = Laptop(running)
        monkeypatch.setattr("epsm.client.connection.local_stacks", lambda: made)
        return made

    return with_stack


def test_a_local_stack_that_runs_is_used(laptop: Callable[[Connection | None], Laptop]) -> None:
    running = Mock(Connection)
    on = laptop(running)
    assert connect() is any_stack("local", "25.2") is lasting_stack("local", "23.2") is running
    assert (on.started, on.installed) == (0, ["25.2", "23.2"])


def test_a_study_may_start_a_local_stack_unless_it_is_to_outlive_the_program(
    laptop: Callable[[Connection | None], Laptop],
) -> None:
    on = laptop(None)
    with pytest.raises(NoStack, match="start one with 'epsm up'"):
        connect()
    with pytest.raises(NoStack, match="start one with 'epsm up'"):
        lasting_stack("local", "25.2")
    assert (on.started, on.installed) == (0, [])
    assert any_stack("local", "25.2") is on.fresh
    assert (on.started, on.installed) == (1, ["25.2"])


def test_a_connection_is_used_as_it_is() -> None:
    given = Mock(Connection)
    assert any_stack(given, "25.2") is lasting_stack(given, "25.2") is given


def test_without_a_package_that_offers_it_there_is_no_local_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    with pytest.raises(NoStack, match=r"pip install 'epsm\[local\]'"):
        connect()


def test_a_profile_or_a_region_that_is_missing_is_said(
    signed_for: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(NoStack, match="stack epsm-dev: No AWS region is set"):
        connect("epsm-dev")
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(NoStack, match="nowhere"):
        connect("epsm-dev")
    assert signed_for == []
