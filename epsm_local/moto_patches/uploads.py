"""Uploads by PUT. Completes moto/moto_server/werkzeug_app.py, which loses the body of a request with the content type
of a form (`curl --data-binary` sends it), and moto/s3/responses.py, which stores bodies that do not match their
SHA-256.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

_stock_call = DomainDispatcherApplication.__call__
_BAD_DIGEST = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>BadDigest</Code>'
    b"<Message>The SHA256 you specified did not match the calculated checksum.</Message></Error>"
)


def install() -> None:
    DomainDispatcherApplication.__call__ = _call


def _call(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "PUT":
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            environ["CONTENT_TYPE"] = "binary/octet-stream"  # S3's own default
        expected = environ.get("HTTP_X_AMZ_CHECKSUM_SHA256")
        if expected and environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            if b64encode(hashlib.sha256(body).digest()).decode() != expected:
                start_response("400 Bad Request", [("Content-Type", "application/xml")])
                return [_BAD_DIGEST]
            environ["wsgi.input"] = BytesIO(body)
    answer: Iterable[bytes] = _stock_call(self, environ, start_response)
    return answer
