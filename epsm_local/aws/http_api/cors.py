"""CORS responses of an HTTP API. AWS documents them as "Configure CORS for HTTP APIs"."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from epsm_local.aws.http_server import Request, Response

_PREFIX = "access-control-"


def is_preflight(request: Request) -> bool:
    """Whether a request is a browser's preflight."""
    return request.method == "OPTIONS" and {"origin", f"{_PREFIX}request-method"} <= request.headers.keys()


def preflight(configuration: Mapping[str, Any], request: Request) -> Response:
    """The gateway's own response to a preflight request; without CORS headers if it is not permitted."""
    methods = configuration.get("allowMethods") or []
    if not {"*", request.headers[f"{_PREFIX}request-method"]} & set(methods):
        return Response(204)
    lists = (("allow-methods", methods), ("allow-headers", configuration.get("allowHeaders") or []))
    headers = [(f"{_PREFIX}{name}", ",".join(values)) for name, values in lists if values]
    if "maxAge" in configuration:
        headers.append((f"{_PREFIX}max-age", str(configuration["maxAge"])))
    allowed = _allowed(configuration, request)
    return Response(204, (*allowed, *headers) if allowed else ())


def with_headers(configuration: Mapping[str, Any], request: Request, response: Response) -> Response:
    """A response with the configuration's CORS headers instead of the function's."""
    headers = [(name, value) for name, value in response.headers if not name.startswith(_PREFIX)]
    added = _allowed(configuration, request)
    exposed = configuration.get("exposeHeaders")
    if added and exposed:
        added.append((f"{_PREFIX}expose-headers", ",".join(exposed)))
    return replace(response, headers=(*headers, *added))


def _allowed(configuration: Mapping[str, Any], request: Request) -> list[tuple[str, str]]:
    """Headers that allow the request's origin to read the response; empty if it may not."""
    origin = request.headers.get("origin")
    origins = configuration.get("allowOrigins") or []
    if origin is None or not any(fnmatchcase(origin, pattern) for pattern in origins):
        return []
    headers = [(f"{_PREFIX}allow-origin", "*" if "*" in origins else origin)]
    if configuration.get("allowCredentials"):
        headers.append((f"{_PREFIX}allow-credentials", "true"))
    return headers
