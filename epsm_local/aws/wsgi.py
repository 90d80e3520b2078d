"""A WSGI application, such as moto's, behind `HttpServer`: persistent connections, unlike with Werkzeug's server."""

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIApplication

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header
from werkzeug.exceptions import InternalServerError

from epsm_local.aws.http_server import Request, Response

logger = logging.getLogger(__name__)

_KEPT_WITH_UNDERSCORE = "x-amz-meta-"
"""moto keeps underscores in the names of these headers, the metadata of an object, and ignores others with one."""


def answers_of(app: WSGIApplication, port: int) -> Callable[[Request], Response]:
    """The answers of an application that is served on a port of 127.0.0.1."""

    def answer(request: Request) -> Response:
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
            answered[:] = [(status, headers)]
            return _no_write

        try:
            pieces = app(_environ(request, port), start_response)
            try:
                body = _joined(pieces)
            finally:
                if close := getattr(pieces, "close", None):
                    close()
        except Exception:
            logger.exception("%s %s", request.method, request.target)
            return Response(500, (("content-type", "text/html"),), InternalServerError().get_body().encode())
        status, headers = answered[0]
        return Response(int(status.split(maxsplit=1)[0]), tuple(headers), body)

    return answer


def _no_write(_: bytes) -> object:
    raise NotImplementedError("the application must return its response")


def _joined(pieces: Iterable[bytes]) -> bytes:
    found = list(pieces)
    return found[0] if len(found) == 1 else b"".join(found)


def _environ(request: Request, port: int) -> dict[str, Any]:
    """The request as WSGI describes it, with RAW_URI, from which moto reads the keys of objects as they were sent."""
    target = urlsplit(request.target)
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path).encode().decode("latin-1"),
        "QUERY_STRING": target.query.encode().decode("latin-1"),
        "REQUEST_URI": request.target,
        "RAW_URI": request.target,
        "REMOTE_ADDR": request.source_ip,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": request.protocol,
    }
    environ |= _headers(request.headers)
    if target.scheme and target.netloc:
        environ["HTTP_HOST"] = target.netloc
    environ["CONTENT_LENGTH"] = str(len(request.body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # the body has been received whole
    return environ


def _headers(headers: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {environ_key_for_header(name): headers[name] for name in headers if "_" not in name}
    spelled = {}
    for name in headers:
        key = environ_key_for_header(name)
        if "_" in name and name.startswith(_KEPT_WITH_UNDERSCORE) and key not in found:
            found[key], spelled[key] = headers[name], name
    return found | {PRESERVED_HEADER_NAMES_ENVIRON_KEY: spelled}
