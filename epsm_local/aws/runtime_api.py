"""The Lambda Runtime API, which `awslambdaric` asks for work: one server for each execution environment.

AWS documents it as "Using the Lambda runtime API"; the version in the path has been 2018-06-01 ever since.
"""

import json
import queue
import threading
from dataclasses import dataclass

from epsm_local.aws import http_server
from epsm_local.aws.http_server import HttpServer, Response

_PREFIX = "/2018-06-01/runtime/"
_JSON = ("Content-Type", "application/json")
MAX_RESULT_BYTES = 6 * 1024 * 1024 + 100
"""Of what a function returns, as Lambda's own message names it."""


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
        address: Host and port.
        answers: What the function posts; the owner may put things of its own there.
        asked: Set when the function has asked for its first request: it is loaded.
    """

    def __init__(self) -> None:
        self.requests: queue.Queue[Request | None] = queue.Queue()
        self.answers: queue.Queue[Answer | int] = queue.Queue()
        self.asked = threading.Event()
        self._server = HttpServer(self._answer)
        self.address = self._server.address

    def close(self) -> None:
        self.requests.put(None)
        self._server.close()

    def _answer(self, request: http_server.Request) -> Response:
        match request.method, request.target.removeprefix(_PREFIX).split("/"):
            case "GET", ["invocation", "next"]:
                return self._next()
            case "POST", ["invocation", request_id, "response"]:
                self.answers.put(_result(request_id, request.body))
            case "POST", ["invocation", request_id, "error"]:
                self.answers.put(Answer(request_id, request.body, error=True))
            case "POST", ["init", "error"]:
                self.answers.put(Answer("", request.body, error=True))
            case _:
                return Response(404)
        return Response(202, (_JSON,), json.dumps({"status": "OK"}).encode())

    def _next(self) -> Response:
        """The next invocation, as soon as there is one."""
        self.asked.set()
        request = self.requests.get()
        if request is None:
            return Response(410)
        headers = (
            _JSON,
            ("Lambda-Runtime-Aws-Request-Id", request.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(request.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", request.arn),
            ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
        )
        return Response(200, headers, request.body)


def _result(request_id: str, body: bytes) -> Answer:
    """What a function has returned; an error of Lambda's own if it is too long."""
    if len(body) <= MAX_RESULT_BYTES:
        return Answer(request_id, body, error=False)
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESULT_BYTES} bytes)."
    error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
    return Answer(request_id, json.dumps(error).encode(), error=True)
