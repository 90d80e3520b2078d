"""What a client sees of the server of the HTTP API and of the Runtime API: epsm_local/aws/http_server.py."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from epsm_local.aws import runtime_api
from epsm_local.aws.http_server import HttpServer, Request, Response
from epsm_local.aws.runtime_api import RuntimeApi

MAX_BYTES = 100
_TIMEOUT_S = 30.0


def echo(request: Request) -> Response:
    """What arrived, as the body."""
    about = {"method": request.method, "target": request.target, "headers": dict(request.headers)}
    return Response(200, (("x-about", json.dumps(about)),), request.body)


@contextmanager
def served(answer: Callable[[Request], Response] = echo, max_bytes: int | None = MAX_BYTES) -> Iterator[str]:
    server = HttpServer(
        answer,
        max_bytes=max_bytes,
        refuse=lambda status: Response(status, (("x-refused", "yes"),), f"refused: {status}".encode()),
    )
    yield server.address
    server.close()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as found:
        yield found


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT_S) as connection:
        yield connection


def read(connection: socket.socket, method: str = "POST") -> tuple[int, bytes]:
    """Status and body of the next response."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    return response.status, response.read()


def sent(address: str, headers: str, body: bytes) -> list[tuple[int, bytes]]:
    """The responses to a request and to a second one over the same connection."""
    with connected(address) as connection:
        connection.sendall(f"POST /a HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode() + body)
        first = read(connection)
        connection.sendall(b"POST /b HTTP/1.1\r\nContent-Length: 6\r\n\r\nsecond")
        return [first, read(connection)]


@pytest.mark.parametrize(
    ("headers", "body", "arrives"),
    [
        ("Content-Length: 3", b"abc", b"abc"),
        ("X: y", b"", b""),
        ("Transfer-Encoding: chunked", b"3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        ("Transfer-Encoding: Chunked", b"1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", b"a"),
    ],
    ids=["length", "no length", "chunks", "fields after chunks"],
)
def test_a_body_arrives_whole_and_the_connection_is_kept(
    address: str, headers: str, body: bytes, arrives: bytes
) -> None:
    assert sent(address, headers, body) == [(200, arrives), (200, b"second")]


def test_a_long_body_is_whole() -> None:
    content = bytes(range(256)) * 20_000
    with served(max_bytes=None) as address:
        assert sent(address, f"Content-Length: {len(content)}", content)[0] == (200, content)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_long_is_read_and_refused(address: str, chunked: bool) -> None:
    body = b"x" * (MAX_BYTES + 1)
    if chunked:
        answers = sent(address, "Transfer-Encoding: chunked", b"65\r\n" + body + b"\r\n0\r\n\r\n")
    else:
        answers = sent(address, f"Content-Length: {len(body)}", body)
    assert answers == [(413, b"refused: 413"), (200, b"second")]


def test_a_body_of_the_greatest_length_is_taken(address: str) -> None:
    assert sent(address, f"Content-Length: {MAX_BYTES}", b"x" * MAX_BYTES)[0][0] == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: many", b"ab"),
        ("Content-Length: -1", b""),
        ("Transfer-Encoding: chunked", b"x\r\n"),
        ("Transfer-Encoding: chunked", b"-1\r\n"),
    ],
)
def test_a_length_that_is_not_a_number_is_refused_and_ends_the_connection(
    address: str, headers: str, body: bytes
) -> None:
    with connected(address) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body)
        response = HTTPResponse(connection)
        response.begin()
        assert (response.status, response.getheader("connection")) == (400, "close")
        assert response.read() == b"refused: 400"
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: 3", b"ab"),
        ("Transfer-Encoding: chunked", b"3\r\nab"),
        ("Transfer-Encoding: chunked", b"3\r\nabc\r\n"),
        ("Transfer-Encoding: chunked", b""),
    ],
)
def test_a_client_that_leaves_early_is_not_answered(headers: str, body: bytes) -> None:
    answered: list[Request] = []

    def answer(request: Request) -> Response:
        answered.append(request)
        return Response(200)

    with served(answer) as address, connected(address) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert not answered


def test_a_client_that_waits_to_be_asked_for_the_body_is_asked(address: str) -> None:
    """The line stayed in a buffer: curl waited a second before each upload."""
    with connected(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            asked += connection.recv(1)
        connection.sendall(b"abc")
        assert (asked.split(b"\r\n")[0], read(connection)) == (b"HTTP/1.1 100 Continue", (200, b"abc"))


def test_a_slow_client_does_not_hold_up_others(address: str) -> None:
    with connected(address) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na")
        assert sent(address, "Content-Length: 1", b"b")[0] == (200, b"b")
        slow.sendall(b"bc")
        assert read(slow) == (200, b"abc")


def test_a_request_for_the_head_gets_the_length_and_no_body(address: str) -> None:
    with closing(HTTPConnection(address, timeout=_TIMEOUT_S)) as connection:
        connection.request("HEAD", "/", b"abc")
        response = connection.getresponse()
        assert (response.getheader("content-length"), response.read()) == ("3", b"")
        connection.request("POST", "/", b"next")
        assert connection.getresponse().read() == b"next"


def test_headers_are_lower_case_and_joined_and_the_target_is_as_it_was_sent(address: str) -> None:
    with connected(address) as connection:
        connection.sendall(b"PUT /a%20b/?c=%64 HTTP/1.1\r\nX-One: 1\r\nx-one: 2\r\nUnder_Score: 3\r\n\r\n")
        response = HTTPResponse(connection)
        response.begin()
        about = json.loads(response.headers["x-about"])
    headers = {"x-one": "1,2", "under_score": "3"}
    assert about == {"method": "PUT", "target": "/a%20b/?c=%64", "headers": headers}


def listening_on(port: int) -> list[str]:
    """Addresses that a port listens on, as the kernel writes them."""
    lines = [each for name in ("tcp", "tcp6") for each in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]]
    pattern = re.compile(rf" *\d+: ([0-9A-F]+):{port:04X} \S+ 0A ")
    return [match[1] for line in lines if (match := pattern.match(line))]


def test_only_this_machine_is_listened_to() -> None:
    with served() as address:
        port = int(address.split(":")[1])
        assert listening_on(port) == ["0100007F"]
    assert listening_on(port) == []


def test_a_port_that_is_taken_is_an_error() -> None:
    with served() as address, pytest.raises(OSError, match="in use"):
        HttpServer(echo, int(address.split(":")[1]))


def test_a_closed_server_answers_what_it_was_asked_before() -> None:
    begun, finish = threading.Event(), threading.Event()

    def answer(request: Request) -> Response:
        begun.set()
        assert finish.wait(_TIMEOUT_S)
        return Response(200, (), b"done")

    server = HttpServer(answer)
    with connected(server.address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert begun.wait(_TIMEOUT_S)
        server.close()
        with pytest.raises(ConnectionRefusedError), connected(server.address):
            pass
        server.close()
        finish.set()
        assert read(connection) == (200, b"done")


# --- the Runtime API on it


def test_a_worker_that_asks_for_work_waits_until_there_is_some() -> None:
    api = RuntimeApi()
    with closing(HTTPConnection(api.address, timeout=_TIMEOUT_S)) as connection:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        assert api.asked.wait(_TIMEOUT_S)
        api.requests.put(runtime_api.Request("r-1", b"{}", 5, "arn:f"))
        response = connection.getresponse()
        assert (response.getheader("lambda-runtime-aws-request-id"), response.read()) == ("r-1", b"{}")
        connection.request("POST", "/2018-06-01/runtime/invocation/r-1/response", b"7")
        assert connection.getresponse().status == 202
    assert api.answers.get(timeout=_TIMEOUT_S) == runtime_api.Answer("r-1", b"7", error=False)
    api.close()


@pytest.mark.parametrize("too_long", [False, True])
def test_a_result_may_be_as_long_as_lambda_lets_it(too_long: bool) -> None:
    api, body = RuntimeApi(), b"1" * (runtime_api.MAX_RESULT_BYTES + too_long)
    with closing(HTTPConnection(api.address, timeout=_TIMEOUT_S)) as connection:
        connection.request("POST", "/2018-06-01/runtime/invocation/r-1/response", body)
        assert connection.getresponse().status == 202
    answer = api.answers.get(timeout=_TIMEOUT_S)
    assert isinstance(answer, runtime_api.Answer)
    assert (answer.error, answer.body == body) == (too_long, not too_long)
    if too_long:
        assert json.loads(answer.body)["errorType"] == "Function.ResponseSizeTooLarge"
    api.close()


def test_a_worker_that_waits_for_work_is_released_when_its_api_closes() -> None:
    api = RuntimeApi()
    with closing(HTTPConnection(api.address, timeout=_TIMEOUT_S)) as connection:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        assert api.asked.wait(_TIMEOUT_S)
        api.close()
        assert connection.getresponse().status == 410


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/2018-06-01/runtime/init/error"), ("POST", "/2018-06-01/runtime/invocation/next")],
)
def test_other_paths_are_not_found(method: str, path: str) -> None:
    api = RuntimeApi()
    with closing(HTTPConnection(api.address, timeout=_TIMEOUT_S)) as connection:
        connection.request(method, path, b"")
        assert connection.getresponse().status == 404
    api.close()
