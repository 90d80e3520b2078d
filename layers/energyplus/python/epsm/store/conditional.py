"""Conditional writes to the table, and writes of several items together.

DynamoDB refuses any write, even outside a transaction, to an item that is part of an ongoing transaction (Amazon
DynamoDB Developer Guide, "Transactional conflict handling"). boto3 does not retry these conflicts, so they are retried
here.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

_MAX_WRITES = 30
_LONGEST_WAIT_S = 2.0
_CONFLICT: Final = "TransactionConflictException"
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Transient reasons for the cancellation of a transaction."""


def write(operation: Any, *, sleep: Callable[[float], None] = time.sleep, **arguments: Any) -> Any:
    """Call a write of a boto3 Table, and retry it while a transaction holds its item; returns the response.

    Args:
        operation: The bound method, such as ``table.put_item``.
        sleep: Waits between attempts.
        arguments: The method's arguments.

    Raises:
        botocore.exceptions.ClientError: If DynamoDB refuses the write for another reason, or conflicts do not end.
    """
    for attempt in range(_MAX_WRITES):
        try:
            return operation(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONFLICT or attempt == _MAX_WRITES - 1:
                raise
        sleep(_wait_s(attempt))
    raise AssertionError("the last attempt returns or raises")


def write_if(operation: Any, *, sleep: Callable[[float], None] = time.sleep, **arguments: Any) -> bool:
    """A conditional `write`; False, and nothing written, if the condition does not hold.

    Raises:
        botocore.exceptions.ClientError: See `write`.
    """
    try:
        write(operation, sleep=sleep, **arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
    return True


def write_together(client: Any, writes: Sequence[dict[str, Any]], sleep: Callable[[float], None] = time.sleep) -> bool:
    """Write several items, or none; False, and nothing written, if the condition of one does not hold.

    Args:
        client: The client of a boto3 DynamoDB resource, which takes Python values.
        writes: Entries of `TransactItems`.
        sleep: Waits between attempts.

    Raises:
        botocore.exceptions.ClientError: If DynamoDB refuses the writes for another reason, or conflicts do not end.
    """
    for attempt in range(_MAX_WRITES):
        try:
            client.transact_write_items(TransactItems=list(writes))
            return True
        except client.exceptions.TransactionCanceledException as error:
            codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
            if "ConditionalCheckFailed" in codes:
                return False
            if not codes & _PASSING or attempt == _MAX_WRITES - 1:
                raise
        sleep(_wait_s(attempt))
    raise AssertionError("the last attempt returns or raises")


def _wait_s(attempt: int) -> float:
    return random.uniform(0, min(_LONGEST_WAIT_S, 0.05 * 2**attempt))  # noqa: S311 - jitter
