"""Shared by all routes: the stack, the caller, and error responses, each a problem+json document.

The stack comes with each request: `app.append_context(stack=...)` before `app.resolve(...)`. Nothing is read or
connected when this is imported.
"""

import json
from base64 import b64decode
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path
from botocore.exceptions import ClientError

from epsm.api.access import Caller, Unknown, caller_of
from epsm.errors import OverLimit, StudyRejected
from epsm.pipeline.owner_limits import OwnerLimits
from epsm.problems import Problem
from epsm.store.executions import is_throttle
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord
from epsm.text import counted

logger = Logger(child=True)
app = APIGatewayHttpResolver(enable_validation=True)

SimulationId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,80}$", description="Name of a simulation.")]


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def stack() -> Stack:
    """The stack that the request is for."""
    found: Stack = app.context["stack"]
    return found


def owner_limits() -> OwnerLimits:
    """The limits of owners on this stack."""
    return OwnerLimits(stack().accounts, stack().records, stack().settings.allowance)


def identify_caller() -> Caller:
    """The caller of the current request."""
    try:
        authorization = str(app.current_event.headers.get("authorization", ""))
        context = app.current_event["requestContext"]
        settings = stack().settings
        return caller_of(context, settings.administrators, authorization, settings.trusted_session_roles)
    except Unknown as error:
        raise Refusal(HTTPStatus.UNAUTHORIZED, str(error)) from error


def own_study(simulation: str) -> StudyRecord:
    """A study of the caller. Studies of other owners are not found."""
    record = stack().records.study(simulation)
    if record is None or not identify_caller().may_use(record):
        raise Refusal(HTTPStatus.NOT_FOUND, f"There is no simulation '{simulation}'")
    return record


def request_body() -> bytes:
    """The body as it was sent."""
    event = app.current_event
    return b64decode(event.body or "") if event.is_base64_encoded else (event.body or "").encode()


def media_type() -> str:
    """Media type of the body, without parameters."""
    return str(app.current_event.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _problem(status: HTTPStatus, detail: str, problems: tuple[Problem, ...] = ()) -> Response[str]:
    """RFC 9457, with the `error` of legacy EPSM."""
    document: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    document["error"] = detail
    if problems:
        document["errors"] = [problem.as_dict() for problem in problems]
    return Response(status.value, "application/problem+json", json.dumps(document, ensure_ascii=False))


_NO_JSON = "The body must be JSON, sent with the header Content-Type: application/json"


@app.exception_handler(Refusal)  # type: ignore[untyped-decorator]
def _refused(refusal: Refusal) -> Response[str]:
    return _problem(refusal.status, refusal.detail)


@app.exception_handler(StudyRejected)  # type: ignore[untyped-decorator]
def _rejected(rejection: StudyRejected) -> Response[str]:
    detail = f"The study cannot run: {counted(len(rejection.problems), 'problem')}"
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, rejection.problems)


@app.exception_handler(OverLimit)  # type: ignore[untyped-decorator]
def _over_limit(over: OverLimit) -> Response[str]:
    detail = "; ".join(f"{problem.what} ({problem.allowed})" for problem in over.problems)
    return _problem(HTTPStatus.TOO_MANY_REQUESTS, f"Your limits do not allow this study now: {detail}", over.problems)


@app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
def _invalid(invalid: RequestValidationError) -> Response[str]:
    if app.current_event.body and media_type() not in ("", "application/json"):
        # curl calls every body a form, which Powertools reads as one.
        return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON)
    problems = tuple(
        Problem(".".join(str(step) for step in error["loc"]), f"{error['msg']}") for error in invalid.errors()
    )
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is invalid; see /openapi.json", problems)


@app.exception_handler(RequestUnsupportedContentType)  # type: ignore[untyped-decorator]
def _unsupported(_: RequestUnsupportedContentType) -> Response[str]:
    return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON)


@app.exception_handler(RecursionError)  # type: ignore[untyped-decorator]
def _too_deep(_: RecursionError) -> Response[str]:
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The body is nested too deeply")


@app.exception_handler(ValueError)  # type: ignore[untyped-decorator]
def _unreadable(error: ValueError) -> Response[str]:
    """Powertools reads bodies before it calls a route, and raises this for one that it cannot read."""
    event = app.current_event
    if event.http_method in ("POST", "PATCH") and not event.path.endswith("/run/"):
        if media_type() not in ("", "application/json"):
            return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON)
        try:
            json.loads(request_body().decode())
        except ValueError as fault:
            return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The request body is not valid UTF-8 JSON: {fault}")
    answer: Response[str] = _failed(error)
    return answer


@app.exception_handler(ClientError)  # type: ignore[untyped-decorator]
def _refused_by_aws(error: ClientError) -> Response[str]:
    if is_throttle(error):
        logger.warning("AWS is throttling requests", exc_info=error)
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "The service is busy; try again in a few seconds")
    answer: Response[str] = _failed(error)
    return answer


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def _failed(error: Exception) -> Response[str]:
    """Internal details are only logged, under the request id in the response."""
    logger.error("request failed", exc_info=error)
    request = app.current_event.request_context.request_id
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"Internal error; see request {request} in the log")


@app.not_found
def _no_such_path(_: Exception) -> Response[str]:
    return _problem(HTTPStatus.NOT_FOUND, "Path not found; see /openapi.json")
