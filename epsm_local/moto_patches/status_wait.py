"""Waiting for a change of status without polling, as clients on the same machine do.

Completes moto/moto_server/werkzeug_app.py: `GET /_epsm/wait` is answered as soon as the `status` of an item of a table
differs from the one in the request, or after the requested time. AWS has nothing of the kind, so nothing that runs on
AWS depends on it. The waiting client uses no CPU of the engines, and learns of the end of a study at once.

A client in the stack's own process need not list the studies either, to find that nothing has changed.
"""

import functools
import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.wrappers import Response

from epsm.store.keys import STUDY_SORT_KEY
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.status_wait import ATTRIBUTE, MAX_WAIT_S, PATH

_changed = threading.Condition()
_awaited: Counter[tuple[str, str]] = Counter()
"""Keys of items that requests are waiting for. Other writes, such as those of variants, wake up none of them."""
_numbers = itertools.count(1)
_last_write = deque([0], maxlen=1)


def install() -> None:
    DynamoDBBackend.put_item = _announcing(DynamoDBBackend.put_item)
    DynamoDBBackend.update_item = _announcing(DynamoDBBackend.update_item)
    DomainDispatcherApplication.__call__ = _with_waiting(DomainDispatcherApplication.__call__)


def last_write_of_a_study() -> int:
    """A number that is another one after each write of a study's item."""
    return _last_write[-1]


def _announcing(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def write(*args: Any, **kwargs: Any) -> Any:
        try:
            return stock(*args, **kwargs)
        finally:
            # The third argument of both: the item, or its key.
            written = args[2] if len(args) > 2 else kwargs.get("item_attrs", kwargs.get("key", {}))
            key = _key(written)
            if key[1] == STUDY_SORT_KEY:
                _last_write.append(next(_numbers))
            if _awaited and key in _awaited:
                with _changed:
                    _changed.notify_all()

    return write


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item.get("pk", {}).get("S", ""), item.get("sk", {}).get("S", "")


def _with_waiting(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def called(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO") != PATH:
            return stock(self, environ, start_response)
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        try:
            _wait(query["table"], (query["pk"], query["sk"]), query.get(ATTRIBUTE, ""), float(query["seconds"]))
        except (KeyError, ValueError):
            return Response(status=400)(environ, start_response)
        return Response(status=204)(environ, start_response)

    return called


def _wait(table: str, key: tuple[str, str], status: str, seconds: float) -> None:
    latest = time.monotonic() + min(seconds, MAX_WAIT_S)
    with _changed:
        _awaited[key] += 1
        try:
            while (rest := latest - time.monotonic()) > 0 and _status(table, key) == status:
                _changed.wait(rest)
        finally:
            _awaited[key] -= 1
            if not _awaited[key]:
                del _awaited[key]


def _status(table: str, key: tuple[str, str]) -> str:
    """The status of an item; empty if there is none."""
    items = dynamodb_backends[ACCOUNT][REGION].tables[table].items
    partition, sort = (DynamoType({"S": part}) for part in key)
    item = items[partition].get(sort) if partition in items else None
    return "" if item is None or ATTRIBUTE not in item.attrs else str(item.attrs[ATTRIBUTE].value)
