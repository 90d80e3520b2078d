"""Serves one HTTP API on its own port on 127.0.0.1.

moto stores APIs but does not serve them. This reads routes, integrations and authorizers from moto at every request, so
changes take effect immediately, and invokes functions in the same workers as all others.
"""

import json
import logging
import uuid
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Any

from moto.apigatewayv2.models import Api, Route, apigatewayv2_backends
from moto.awslambda.models import LambdaFunction, lambda_backends

from epsm_local.aws.http_api import callers, cors, messages
from epsm_local.aws.http_api.messages import message
from epsm_local.aws.http_api.routes import find_route, find_stage
from epsm_local.aws.http_server import HttpServer, Request, Response
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.aws.workers import Invocation
from epsm_local.moto_patches import functions, in_background

logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024
"""Maximum size of a request's body; API Gateway's own limit."""
_MAX_S = 30.0
"""Maximum time for a function's response; API Gateway's own limit."""
_REFUSALS = {400: "Bad Request", 413: "Request Entity Too Large"}


class HttpApi:
    """Serves one HTTP API until it is closed.

    Args:
        api_id: Id of an API in moto.
        port: Port on 127.0.0.1; 0 picks a free one.

    Attributes:
        url: URL of the API, without a trailing slash.

    Raises:
        OSError: If the port is taken.
    """

    def __init__(self, api_id: str, port: int = 0) -> None:
        self._server = HttpServer(partial(answer, api_id), port, max_bytes=MAX_BYTES, refuse=_refuse)
        self.url = f"http://{self._server.address}"

    def close(self) -> None:
        """Stop accepting connections."""
        self._server.close()


def _refuse(status: int) -> Response:
    return message(status, _REFUSALS[status])


def answer(api_id: str, request: Request) -> Response:
    """The API's response to a request, also for faults."""
    request_id = str(uuid.uuid4())
    try:
        response = _answer(apigatewayv2_backends[ACCOUNT][REGION].get_api(api_id), request, request_id)
    except callers.Refused as refused:
        response = message(refused.status, str(refused), *refused.headers)
    except Exception:
        logger.exception("%s %s", request.method, request.target)
        response = message(500, "Internal Server Error")
    return Response(response.status, (*response.headers, ("apigw-requestid", request_id)), response.body)


def _answer(api: Api, request: Request, request_id: str) -> Response:
    """The response of the function of the request's route.

    Raises:
        callers.Refused: If the caller may not use the route.
        ValueError: If the function's result is not a valid response.
    """
    routes = {route.route_key: route for route in api.get_routes()}
    staged = find_stage(api.stages, messages.path_of(request))
    match = find_route(routes, request.method, staged[1]) if staged else None
    if staged is None or match is None:
        if api.cors_configuration and cors.is_preflight(request):
            return cors.preflight(api.cors_configuration, request)
        return message(404, "Not Found")
    route, now = routes[match.route_key], datetime.now(UTC)
    event = messages.event(
        request,
        api_id=api.api_id,
        stage=staged[0],
        match=match,
        authorizer=_caller(api, route, request, now),
        request_id=request_id,
        now=now,
    )
    integration = api.get_integration(route.target.removeprefix("integrations/"))
    function = lambda_backends[ACCOUNT][REGION].get_function(integration.integration_uri)
    try:
        invocation = _invoke(function, event, min(_MAX_S, integration.timeout_in_millis / 1000))
    except TimeoutError:
        return message(503, "Service Unavailable")
    except functions.RequestTooLarge:
        return message(413, "Request Too Long")
    if invocation.failed:
        logger.warning("%s %s: %s", request.method, request.target, invocation.payload.decode(errors="replace"))
        return message(500, "Internal Server Error")
    response = messages.response(invocation.payload)
    return cors.with_headers(api.cors_configuration, request, response) if api.cors_configuration else response


def _caller(api: Api, route: Route, request: Request, now: datetime) -> dict[str, Any] | None:
    """The caller in the form of `requestContext.authorizer`; None on a route without authorization.

    Raises:
        callers.Refused: If the caller may not use the route.
        NotImplementedError: For a kind of authorization that is not emulated.
    """
    match route.authorization_type:
        case None | "NONE":
            return None
        case "AWS_IAM":
            return callers.signed_by(request.headers)
        case "JWT":
            authorizer = api.get_authorizer(route.authorizer_id)
            return callers.bearer(request.headers, authorizer, route.authorization_scopes or (), now)
    raise NotImplementedError(f"{route.authorization_type} authorisation of {route.route_key}")


def _invoke(function: LambdaFunction, event: dict[str, Any], timeout_s: float) -> Invocation:
    """Run a function and wait for a limited time; after that it continues alone, as on AWS.

    Raises:
        TimeoutError: If it takes longer.
        epsm_local.moto_patches.functions.RequestTooLarge: If Lambda does not take so large an event.
    """
    future: Future[Invocation] = Future()

    def run() -> None:
        try:
            future.set_result(functions.run(function, json.dumps(event).encode()))
        except Exception as error:
            future.set_exception(error)

    in_background(run)
    return future.result(timeout_s)
