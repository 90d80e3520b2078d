"""The Lambda Runtime API, which `awslambdaric` asks for work: one small HTTP server for each execution environment.

AWS documents it as "Using the Lambda runtime API"; the version in the path has been 2018-06-01 ever since.
"""

import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from epsm_local.aws.http_bodies import pieces

_PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True, slots=True)
class Request:
    """One invocation on its way to the function.

    Attributes:
        request_id: Identifies it.
        body: The event, JSON.
        deadline_ms: When the function must have answered, milliseconds since 1970.
        arn: ARN of the function.
    """

    request_id: str
    body: bytes
    deadline_ms: int
    arn: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a result, an error of the handler, or an error while the function was being loaded.

    Attributes:
        request_id: Which request it answers; empty for an error before any.
        body: JSON.
        error: Whether the function raised.
    """

    request_id: str
    body: bytes
    error: bool


class RuntimeApi:
    """Serves one execution environment on a port of its own, on 127.0.0.1.

    Attributes:
        answers: What the function posts; the owner may put things of its own there.
        asked: Set when the function has asked for its first request: it is loaded.
    """

    def __init__(self) -> None:
        self.requests: queue.Queue[Request | None] = queue.Queue()
        self.answers: queue.Queue[Answer | int] = queue.Queue()
        self.asked = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 2.0}, daemon=True).start()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        self.requests.put(None)
        # shutdown() waits for the serving thread's next look, so it gets a thread of its own.
        threading.Thread(target=self._server.shutdown, daemon=True).start()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed worker resets its connection; that is not an error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}invocation/next":
            return self._send(404)
        self.server.api.asked.set()
        request = self.server.api.requests.get()
        if request is None:
            return self._send(410)
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request.request_id,
            "Lambda-Runtime-Deadline-Ms": str(request.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": request.arn,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }
        return self._send(200, request.body, headers)

    def do_POST(self) -> None:
        body = b"".join(pieces(self.headers, self.rfile))
        match self.path.removeprefix(_PREFIX).split("/"):
            case ["invocation", request_id, "response"]:
                self.server.api.answers.put(Answer(request_id, body, error=False))
            case ["invocation", request_id, "error"]:
                self.server.api.answers.put(Answer(request_id, body, error=True))
            case ["init", "error"]:
                self.server.api.answers.put(Answer("", body, error=True))
            case _:
                return self._send(404)
        return self._send(202, json.dumps({"status": "OK"}).encode())

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
