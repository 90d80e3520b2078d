"""Reading and writing many items of the table with few requests."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_MAX_READ = 100
"""Items of one BatchGetItem (Amazon DynamoDB API Reference)."""
_MAX_WRITTEN = 25
"""Items of one BatchWriteItem (the same)."""
_LONGEST_WAIT_S = 2.0


def read_items(
    table: "Table",
    keys: Sequence[dict[str, str]],
    *,
    consistent: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """The items with these keys, in any order; those that do not exist are left out.

    Args:
        table: A boto3 DynamoDB Table resource.
        keys: Keys, none twice.
        consistent: Whether writes of a moment ago must be seen.
        sleep: Waits before keys that DynamoDB did not process are requested again.
    """
    client: Any = table.meta.client  # that of a resource: it takes Python values
    for start in range(0, len(keys), _MAX_READ):
        left: Any = {table.name: {"Keys": list(keys[start : start + _MAX_READ]), "ConsistentRead": consistent}}
        for _ in _attempts(sleep):
            answer = client.batch_get_item(RequestItems=left)
            yield from answer["Responses"].get(table.name, ())
            left = answer.get("UnprocessedKeys")
            if not left:
                break


def put_items(table: "Table", items: Iterable[dict[str, Any]], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Write items without a condition, none twice; 25 with each request.

    boto3's own writer repeats at once what DynamoDB did not process, as often as it takes, which keeps a throttled
    partition throttled.

    Args:
        table: A boto3 DynamoDB Table resource.
        items: The items.
        sleep: Waits before items that DynamoDB did not process are sent again.
    """
    client: Any = table.meta.client
    iterator = iter(items)
    while some := list(islice(iterator, _MAX_WRITTEN)):
        left: Any = {table.name: [{"PutRequest": {"Item": item}} for item in some]}
        for _ in _attempts(sleep):
            left = client.batch_write_item(RequestItems=left).get("UnprocessedItems")
            if not left:
                break


def _attempts(sleep: Callable[[float], None]) -> Iterator[None]:
    """A step for each attempt at a request, with longer and longer waits in between."""
    wait_s = 0.05
    while True:
        yield
        sleep(wait_s)
        wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)
