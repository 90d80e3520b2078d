"""Buckets in the host name. Completes moto/moto_server/werkzeug_app.py, which takes the bucket only from the path
unless the host is one of AWS's.

A request to http://BUCKET.localhost:PORT/KEY becomes one to http://localhost:PORT/BUCKET/KEY before moto sees it. boto3
and the AWS command line send such requests with `addressing_style = virtual`, also in presigned URLs and forms.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

_BUCKET_AND_HOST = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]+)\.(?P<host>localhost(?::\d+)?)", re.IGNORECASE)

_PATHS = ("PATH_INFO", "RAW_URI", "REQUEST_URI")
"""The last two are werkzeug's, still encoded as received: moto reads keys from them."""


def install() -> None:
    DomainDispatcherApplication.__call__ = _with_the_bucket_in_the_path(DomainDispatcherApplication.__call__)


def _with_the_bucket_in_the_path(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def called(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Any:
        if match := _BUCKET_AND_HOST.fullmatch(environ.get("HTTP_HOST", "")):
            bucket = match["bucket"].lower()
            as_it_came: list[str] = [path for path in _PATHS if path in environ]
            paths: dict[str, Any] = {variable: f"/{bucket}{environ[variable]}" for variable in as_it_came}
            environ = {**environ, **paths, "HTTP_HOST": match["host"]}
        return stock(self, environ, start_response)

    return called
