"""Reading and writing many items of the table with few requests."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_MAX_READ = 100
"""Items of one BatchGetItem (Amazon DynamoDB API Reference)."""
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
        for attempt in count():
            answer = client.batch_get_item(RequestItems=left)
            yield from answer["Responses"].get(table.name, ())
            left = answer.get("UnprocessedKeys")
            if not left:
                break
            sleep(min(_LONGEST_WAIT_S, 0.05 * 2**attempt))


def put_items(table: "Table", items: Iterable[dict[str, Any]]) -> None:
    """Write items without a condition, none twice; 25 with each request."""
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(Item=item)
