"""What an application sees of a request, and a client of its response: epsm_local/aws/wsgi.py."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from epsm_local.aws.http_server import HttpServer
from epsm_local.aws.wsgi import answers_of
from tests.unit.local.test_http_server import connected

_TIMEOUT_S = 30.0
_SEEN = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "RAW_URI", "HTTP_HOST", "CONTENT_LENGTH", "CONTENT_TYPE")


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """What the request was, as the body; the status and the headers that the path asks for."""
    match environ["PATH_INFO"]:
        case "/object":
            start_response("200 OK", [("Content-Length", "5"), ("ETag", "x")])
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else b"12345"]
        case "/pieces":
            start_response("201 CREATED", [("X-A", "1"), ("X-A", "2")])
            return iter([b"a", b"b"])
        case "/gone":
            start_response("204 NO CONTENT", [])
            return []
        case "/fault":
            raise RuntimeError("a fault of the application")
    start_response("200 OK", [])
    headers = {name: value for name, value in environ.items() if name.startswith("HTTP_X")}
    seen = {name: environ.get(name) for name in _SEEN} | headers
    return [json.dumps(seen | {"body": environ["wsgi.input"].read().decode()}).encode()]


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    found = HttpServer(answers_of(app, 80))
    yield found
    found.close()


@pytest.fixture
def client(server: HttpServer) -> Iterator[HTTPConnection]:
    """One connection for all requests of a test."""
    with closing(HTTPConnection(server.address, timeout=_TIMEOUT_S)) as connection:
        yield connection


def asked(client: HTTPConnection, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    client.request(method, target, body, {name.replace("__", "-"): value for name, value in headers.items()})
    response = client.getresponse()
    return response.status, response.read()


def test_an_application_sees_the_request_as_it_was_sent(client: HTTPConnection, server: HttpServer) -> None:
    status, body = asked(client, "PUT", "/b/L%C3%BCfter%2F1?versionId=7&x=%20", b"content", Content__Type="text/plain")
    assert (status, json.loads(body)) == (
        200,
        {
            "REQUEST_METHOD": "PUT",
            "PATH_INFO": "/b/Lüfter/1".encode().decode("latin-1"),
            "QUERY_STRING": "versionId=7&x=%20",
            "RAW_URI": "/b/L%C3%BCfter%2F1?versionId=7&x=%20",
            "HTTP_HOST": server.address,
            "CONTENT_LENGTH": "7",
            "CONTENT_TYPE": "text/plain",
            "body": "content",
        },
    )


def test_a_chunked_body_has_its_length(client: HTTPConnection) -> None:
    seen = json.loads(asked(client, "POST", "/", iter([b"abc", b"de"]))[1])
    assert (seen["body"], seen["CONTENT_LENGTH"]) == ("abcde", "5")


def test_metadata_may_have_underscores_and_other_headers_may_not(client: HTTPConnection) -> None:
    headers = {"x-amz-meta-my_key": "1", "x_amz_acl": "private", "x-amz-meta-a-b": "dash", "x-amz-meta-a_b": "no"}
    seen = json.loads(asked(client, "GET", "/", **headers)[1])
    assert {name: value for name, value in seen.items() if name.startswith("HTTP_X")} == {
        "HTTP_X_AMZ_META_MY_KEY": "1",
        "HTTP_X_AMZ_META_A_B": "dash",
    }


def test_a_connection_is_kept_after_each_kind_of_response(client: HTTPConnection) -> None:
    client.connect()
    sock = client.sock
    assert asked(client, "GET", "/object") == (200, b"12345")
    client.request("HEAD", "/object")
    head = client.getresponse()
    assert (head.read(), head.headers.get_all("content-length")) == (b"", ["5"])
    client.request("GET", "/pieces")
    pieces = client.getresponse()
    assert (pieces.status, pieces.read(), pieces.headers.get_all("x-a")) == (201, b"ab", ["1", "2"])
    assert asked(client, "DELETE", "/gone") == (204, b"")
    assert asked(client, "GET", "/fault")[0] == 500
    assert asked(client, "GET", "/object") == (200, b"12345")
    assert client.sock is sock


def test_a_server_that_is_closed_ends_connections_without_a_request() -> None:
    server = HttpServer(answers_of(app, 80))
    with connected(server.address) as connection:
        connection.sendall(b"GET /object HTTP/1.1\r\n\r\n")
        assert connection.recv(9) == b"HTTP/1.1 "
        server.close()
        while connection.recv(1000):
            pass
