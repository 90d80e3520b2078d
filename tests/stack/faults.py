"""Faults of the local AWS: requests that are refused, throttled, kept waiting or answered too late.

They take hold where a request reaches moto's server, so whoever asks, a function's boto3 or a state of a state machine,
sees what it would see of AWS. Each is undone at the end of its `with` and meets only requests that name what the test
says: a study's folder and all the names made from it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from tests.support import wait_for

_S3_OPERATIONS = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_MAX_HOLD_S = 50.0
"""Below 60 s, when boto3 gives a request up and sends it again."""
_HASTE = 20


@dataclass(frozen=True, slots=True)
class _Request:
    """A request to AWS.

    Attributes:
        service: As a signature names it: s3, dynamodb, states.
        operation: PutObject, UpdateItem, StartExecution, ...
        text: Path and, but for S3, body.
    """

    service: str
    operation: str
    text: str


@dataclass(slots=True)
class Fault:
    """Requests that go wrong.

    Attributes:
        service, operation: Which; an empty operation is any.
        about: All these texts occur in the request.
        times: How many go wrong; None for all.
        every: Of those that match, only each such one: 3 for the third, the sixth, ...
        met: How many have gone wrong.
    """

    service: str
    operation: str
    about: tuple[str, ...]
    times: int | None = None
    every: int = 1
    met: int = 0
    _seen: int = 0
    _lock: Lock = field(default_factory=Lock)

    def meets(self, request: _Request) -> bool:
        """Whether this request goes wrong."""
        if request.service != self.service or self.operation not in ("", request.operation):
            return False
        if not all(text in request.text for text in self.about):
            return False
        with self._lock:
            self._seen += 1
            if self._seen % self.every or (self.times is not None and self.met >= self.times):
                return False
            self.met += 1
        return True


@dataclass(slots=True)
class Hold(Fault):
    """A request that is kept waiting, and is then refused and never carried out."""

    _released: Event = field(default_factory=Event)

    def wait(self) -> None:
        """Return as soon as the request is there."""
        wait_for(lambda: self.met, f"{self.operation} of {self.service}")

    def release(self) -> None:
        self._released.set()


@contextmanager
def answer(
    service: str,
    operation: str,
    status: int,
    code: str,
    *about: str,
    times: int | None = None,
    every: int = 1,
) -> Iterator[Fault]:
    """Requests are not carried out but answered with an error."""
    fault = Fault(service, operation, about, times, every)

    def refuse(carry_out: Callable[[], Iterable[bytes]], start_response: Any) -> Iterable[bytes]:
        return _error(service, status, code, start_response)

    with _installed(fault, refuse):
        yield fault


@contextmanager
def lost_answer(service: str, operation: str, *about: str, times: int) -> Iterator[Fault]:
    """Requests are carried out, but whoever asked hears of an internal error."""
    fault = Fault(service, operation, about, times)

    def lose(carry_out: Callable[[], Iterable[bytes]], start_response: Any) -> Iterable[bytes]:
        list(carry_out())
        return _error(service, 500, "InternalServerError", start_response)

    with _installed(fault, lose):
        yield fault


@contextmanager
def hold(service: str, operation: str, *about: str, number: int = 1) -> Iterator[Hold]:
    """One such request, by its number, waits until it is released, and is then refused; all others pass."""
    fault = Hold(service, operation, about, times=1, every=number)

    def keep_waiting(carry_out: Callable[[], Iterable[bytes]], start_response: Any) -> Iterable[bytes]:
        fault._released.wait(_MAX_HOLD_S)
        return _error(service, 503, "ServiceUnavailable", start_response)

    with _installed(fault, keep_waiting):
        try:
            yield fault
        finally:
            fault.release()


@contextmanager
def throttled_invocations(function: str, *about: str, times: int) -> Iterator[Fault]:
    """Lambda throttles what Step Functions invokes. On the local stack that way does not lead over HTTP."""
    # Imported when the stack runs: moto reads its settings when it is imported.
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    fault = Fault("lambda", "Invoke", about, times)
    stock = lambda_eval_utils._invoke_lambda_function

    def invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> Any:
        request = _Request("lambda", "Invoke", str(parameters.get("Payload")))
        if function in parameters["FunctionName"] and fault.meets(request):
            error: Any = {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
            metadata: Any = {"HTTPStatusCode": 429, "RequestId": "throttled"}
            raise ClientError({"Error": error, "ResponseMetadata": metadata}, "Invoke")
        return stock(parameters, region, state_credentials)

    lambda_eval_utils._invoke_lambda_function = invoke
    try:
        yield fault
    finally:
        lambda_eval_utils._invoke_lambda_function = stock


@contextmanager
def hasty_retries() -> Iterator[None]:
    """State machines wait 20 times shorter before they try again; moto's interpreter really sleeps."""
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

    stock = retrier_decl.time
    retrier_decl.time = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / _HASTE))
    try:
        yield
    finally:
        retrier_decl.time = stock


@contextmanager
def _installed(
    fault: Fault, respond: Callable[[Callable[[], Iterable[bytes]], Any], Iterable[bytes]]
) -> Iterator[None]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    stock = DomainDispatcherApplication.__call__

    def call(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        if not fault.meets(_request(environ)):
            return stock(self, environ, start_response)
        return respond(lambda: stock(self, environ, lambda *_: None), start_response)

    DomainDispatcherApplication.__call__ = call
    try:
        yield
    finally:
        DomainDispatcherApplication.__call__ = stock


def _request(environ: dict[str, Any]) -> _Request:
    scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else ""
    path = unquote(environ.get("PATH_INFO", ""))
    if service == "s3":
        return _Request(service, _S3_OPERATIONS.get(environ["REQUEST_METHOD"], ""), path)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return _Request(service, operation, f"{path} {body.decode(errors='replace')}")


def _error(service: str, status: int, code: str, start_response: Any) -> Iterable[bytes]:
    message = f"{code}, as the test wants it"
    if service == "s3":
        kind, body = "application/xml", f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    else:
        kind, body = "application/x-amz-json-1.0", json.dumps({"__type": f"aws#{code}", "message": message})
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-RequestId", "fault")]
    start_response(f"{status} {code}", headers)
    return [body.encode()]
