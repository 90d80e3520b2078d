"""The HTTP server of the local stack: for AWS's services (moto), the HTTP API and the Lambda Runtime API, each on its
own port on 127.0.0.1.

docs/decisions/0019-one-http-server.md has the reasons for a server of our own.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import TCPServer

_PIECE_BYTES = 1 << 20
_POLL_INTERVAL_S = 2.0
"""Polling interval of an idle server's thread; there is a server per worker."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request.

    Attributes:
        method: Method in upper case.
        target: Path and query as sent.
        protocol: `HTTP/1.1`.
        headers: Names in lower case; repeated ones joined with commas.
        body: Bytes of the body.
        source_ip: Address of the client.
    """

    method: str
    target: str
    protocol: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response. Headers may repeat; the server adds those for connection, date and length.

    A length among the headers is kept: that of the object, in the response to a HEAD request.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class HttpServer:
    """Serves HTTP until it is closed. A connection is persistent, with its own thread.

    Args:
        answer: Returns the response to a request.
        port: Port on 127.0.0.1; 0 picks a free one.
        max_bytes: Maximum size of a request's body; None for no limit. A longer body gets the response for status 413.
        refuse: Returns the response to a request that does not reach `answer`, for its status: 400 or 413.

    Attributes:
        address: Host and port.

    Raises:
        OSError: If the port is taken.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        port: int = 0,
        *,
        max_bytes: int | None = None,
        refuse: Callable[[int], Response] = Response,
    ) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.answer, self._server.max_bytes, self._server.refuse = answer, max_bytes, refuse
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": _POLL_INTERVAL_S}, daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections, and end the idle ones. Requests in progress are still answered."""
        # Wakes up the serving thread, which keeps the port open while it waits for a connection.
        with suppress(OSError):  # closed already
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()


def joined(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values by name; several of one name joined with commas."""
    joined: dict[str, list[str]] = {}
    for name, value in items:
        joined.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in joined.items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many clients may connect at once; the kernel lets others wait for a second
    answer: Callable[[Request], Response]
    max_bytes: int | None
    refuse: Callable[[int], Response]

    def __init__(self, address: tuple[str, int], handler: type["_Handler"]) -> None:
        self.connections: set[socket.socket] = set()
        self.connecting = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Without the host's name, for which HTTPServer asks the DNS."""
        TCPServer.server_bind(self)

    def end_connections(self) -> None:
        """Let each handler read the end of its connection instead of another request."""
        with self.connecting:
            for connection in self.connections:
                with suppress(OSError):  # closed by the client
                    connection.shutdown(socket.SHUT_RD)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects, as a killed worker does, is not an error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        with self.server.connecting:
            self.server.connections.add(self.connection)

    def finish(self) -> None:
        with self.server.connecting:
            self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, *args: object) -> None:
        pass

    def handle_expect_100(self) -> bool:
        """Send `100 Continue` immediately: buffered output would not reach the waiting client."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _serve(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True  # the start of the next request is not known
            return self._send(self.server.refuse(400))
        if body is None:
            return self._send(self.server.refuse(413))
        request = Request(
            method=self.command,
            target=self.path,
            protocol=self.request_version,
            headers=joined((name.lower(), value) for name, value in self.headers.items()),
            body=body,
            source_ip=str(self.client_address[0]),
        )
        return self._send(self.server.answer(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _body(self) -> bytes | None:
        """The request's body; None if it is too long. It is still read to its end, or clients would not read the
        response."""
        body, max_bytes = bytearray(), self.server.max_bytes
        for piece in _pieces(self.headers, self.rfile):
            if max_bytes is None or len(body) <= max_bytes:
                body += piece
        return bytes(body) if max_bytes is None or len(body) <= max_bytes else None

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("date", self.date_time_string())
        for name, value in response.headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("connection", "close")
        has_body = response.status not in (204, 304)
        if has_body and not any(name.lower() == "content-length" for name, _ in response.headers):
            self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()


def _pieces(headers: Message, stream: BufferedIOBase) -> Iterator[bytes]:
    """The body of a request in pieces, for plain and for chunked transfer.

    Raises:
        ConnectionError: If the stream ends before the body does.
        ValueError: If a length is not a number.
    """
    if "chunked" not in headers.get("Transfer-Encoding", "").lower():
        yield from _read(stream, _length(headers.get("Content-Length") or "0", 10))
        return
    while size := _length(_line(stream).partition(b";")[0].strip().decode("latin-1"), 16):
        yield from _read(stream, size)
        _line(stream)
    while _line(stream).strip():
        pass


def _length(text: str, base: int) -> int:
    length = int(text, base)
    if length < 0:
        raise ValueError("a length must not be negative")
    return length


def _line(stream: BufferedIOBase) -> bytes:
    line = stream.readline()
    if not line:
        raise ConnectionError("the body ended early")
    return line


def _read(stream: BufferedIOBase, size: int) -> Iterator[bytes]:
    while size > 0:
        piece = stream.read(min(size, _PIECE_BYTES))
        if not piece:
            raise ConnectionError("the body ended early")
        size -= len(piece)
        yield piece
