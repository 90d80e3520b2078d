"""From a request to its service, and back, without what costs time and is not needed here.

Completes moto/backends.py, which lists moto's folder at every request (other threads run at each of about 150 disk
accesses: with eight clients, a request waited for seconds); moto/core/responses.py, which lists the methods of the
service's class at every request; moto/moto_server/werkzeug_app.py, which runs its applications in Flask's debug mode,
and so makes a class for the forms of every request; moto/utilities/aws_headers.py, which draws an id letter by letter;
and flask_cors, which adds headers for browsers to the responses to other programs too. Together
0.2 ms of a request's 0.6.
"""

import functools
import secrets
from collections.abc import Callable
from typing import Any

from flask import request
from flask_cors import extension
from moto import backends
from moto.core import responses
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.wrappers import Request

_modules = frozenset(backends.list_of_moto_modules())
_stock_cors = extension.make_after_request_function


def install() -> None:
    backends.list_of_moto_modules = lambda: _modules
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    BackendRequest._load_form_data = Request._load_form_data
    responses.gen_amzn_requestid_long = _request_id
    extension.make_after_request_function = _for_browsers


def _request_id(headerdict: dict[str, Any] | None = None) -> str:
    identifier = secrets.token_hex(26)
    if headerdict is not None:
        headerdict["x-amzn-requestid"] = identifier
    return identifier


def _for_browsers(resources: Any) -> Callable[[Any], Any]:
    """The function that adds headers for browsers, which send their page's origin."""
    stock = _stock_cors(resources)
    return lambda response: stock(response) if "Origin" in request.headers else response
