"""The Lambda Runtime API, which `awslambdaric` polls for work: one server per execution environment.

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
"""Maximum size of a function's result, as in Lambda's own message."""


@dataclass(frozen=True, slots=True)
class Request:
    """One invocation to be passed to the function.

    Attributes:
        request_id: Identifies it.
        body: The event, JSON.
        deadline_ms: Deadline of the response, milliseconds since 1970.
        arn: ARN of the function.
    """

    request_id: str
    body: bytes
    deadline_ms: int
    arn: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A function's answer: a result, an error of the handler, or an error while the function was being loaded.

    Attributes:
        request_id: Id of the request; empty for an error before the first one.
        body: JSON.
        error: Whether the function raised.
    """

    request_id: str
    body: bytes
    error: bool


class RuntimeApi:
    """Serves one execution environment on its own port on 127.0.0.1.

    Attributes:
        address: Host and port.
        answers: The function's answers; the owner may add its own.
        asked: Set when the function has requested its first invocation, i.e. has been loaded.
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
        """The next invocation; blocks until there is one."""
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
    """A function's result, or Lambda's own error if it is too long."""
    if len(body) <= MAX_RESULT_BYTES:
        return Answer(request_id, body, error=False)
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESULT_BYTES} bytes)."
    error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
    return Answer(request_id, json.dumps(error).encode(), error=True)
