"""The records of a study whose variants have all ended, served as DynamoDB serves them: page by page.

Stands in for moto, which takes about a second to put a page into JSON. It answers the requests that aggregate makes;
the client, its parsing and the store's reading stay what they are.
"""

import base64
import dataclasses
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from boto3.dynamodb.types import TypeSerializer

from epsm.store import attributes, keys
from epsm.store.records import Records
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus, expiry, now

_ONE_FAILS_OF = 100
_STUDY = "study"


def write_pages(folder: Path, simulation: str, real: VariantRecord, variants: int) -> None:
    """Write the answers to a query for the variants of a study, one file a page.

    Args:
        folder: Where to; it is made.
        simulation: The study.
        real: The record of a variant that was really run. The others are like it, with other numbers of as many
            digits, but one of a hundred has failed.
        variants: How many.
    """
    folder.mkdir()
    study = {
        "simulation_id": simulation,
        "name": simulation,
        attributes.STATUS: StudyStatus.RUNNING.value,
        attributes.CREATED_AT: now(),
        attributes.BLOCK_SIZE: keys.BLOCK_SIZE,
        attributes.VARIANTS: variants,
    }
    (folder / _STUDY).write_text(json.dumps({"Item": _serialized(study)}), encoding="utf-8")
    # A block is a page: its items have about 2.6 KB as DynamoDB counts, and a page has at most 1 MB.
    for first in range(0, variants, keys.BLOCK_SIZE):
        items = [
            item_of(simulation, like(real, index, variants))
            for index in range(first, min(first + keys.BLOCK_SIZE, variants))
        ]
        page: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": len(items)}
        partition = keys.partition(simulation, keys.block_suffix(first, keys.BLOCK_SIZE))
        (folder / partition).write_text(json.dumps(page, default=_in_base64), encoding="utf-8")


def like(real: VariantRecord, index: int, variants: int) -> VariantRecord:
    if index % _ONE_FAILS_OF == _ONE_FAILS_OF - 1:
        message = "An error of EnergyPlus, in as many words as it takes to say what and where. " * 3
        return dataclasses.replace(
            real, index=index, status=VariantStatus.FAILED, verdict="failed", stage="engine", error=message, summary={}
        )
    factor = 1 + index / (7 * variants)
    numbers = {
        group: {name: value * factor for name, value in real.summary[group].items()}
        for group in ("metrics", "end_uses")
    }
    return dataclasses.replace(real, index=index, summary=real.summary | numbers)


class _Caught:
    """Takes the place of the table, to have an item as the store writes it."""

    def put_item(self, *, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803 - DynamoDB's name
        self.item = Item

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}


def item_of(simulation: str, record: VariantRecord) -> dict[str, Any]:
    caught = _Caught()
    Records(cast(Any, caught)).finish_variant(simulation, record, expiry(datetime.now(UTC), 30))
    return _serialized(caught.item)


def _serialized(item: dict[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in item.items()}


def _in_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


@contextmanager
def served(pages: Path) -> Iterator[str]:
    """Serve the pages in a folder; gives the URL to use as AWS_ENDPOINT_URL_DYNAMODB."""

    class Handler(_Handler):
        folder = pages

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        if operation == "Query":
            self._answer((self.folder / request["ExpressionAttributeValues"][":pk"]["S"]).read_bytes())
        elif operation == "GetItem":
            self._answer((self.folder / _STUDY).read_bytes())
        elif operation == "UpdateItem":
            self._answer(b"{}")
        else:
            self.send_error(501, f"{operation} is not expected here")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing: one line per request is too much."""
