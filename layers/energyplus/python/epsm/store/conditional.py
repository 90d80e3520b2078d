"""Conditional writes to the table."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

_MAX_TRANSACTIONS = 30
_LONGEST_WAIT_S = 2.0


def write_if(operation: Any, **arguments: Any) -> bool:
    """Call a write of a boto3 Table that has a condition; False, and nothing written, if the condition does not hold.

    Args:
        operation: The bound method, such as ``table.put_item``.
        arguments: Its arguments.

    Raises:
        botocore.exceptions.ClientError: If DynamoDB refuses the write for another reason.
    """
    try:
        operation(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def write_together(client: Any, writes: Sequence[dict[str, Any]], sleep: Callable[[float], None] = time.sleep) -> bool:
    """Write several items, or none; False, and nothing written, if the condition of one does not hold.

    Transactions that meet at one item are cancelled, which boto3 does not retry; they are retried here.

    Args:
        client: The client of a boto3 DynamoDB resource, which takes Python values.
        writes: Entries of `TransactItems`.
        sleep: Waits between attempts.

    Raises:
        botocore.exceptions.ClientError: If DynamoDB refuses the writes for another reason, or conflicts do not end.
    """
    for attempt in range(_MAX_TRANSACTIONS):
        try:
            client.transact_write_items(TransactItems=list(writes))
            return True
        except client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
            if "ConditionalCheckFailed" in codes:
                return False
            if "TransactionConflict" not in codes or attempt == _MAX_TRANSACTIONS - 1:
                raise
        sleep(random.uniform(0, min(_LONGEST_WAIT_S, 0.05 * 2**attempt)))  # noqa: S311 - jitter
    raise AssertionError("the last attempt returns or raises")
