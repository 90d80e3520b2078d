"""Responses of S3 and DynamoDB when the local disk is full, which does not occur on AWS: 507 InsufficientStorage, which
clients do not retry. moto answers 500 with a traceback, which clients retry.
"""

import errno
import functools
import json
import sqlite3
from collections.abc import Callable
from typing import Any

_STATUS = 507
_MESSAGE = "The local stack's disk is full: no space left on the device that holds its data or TMPDIR"


def is_full(error: BaseException) -> bool:
    """Whether an error means that a disk is full or a user's quota is used up."""
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def told_by_s3(stock: Callable[..., Any]) -> Callable[..., Any]:
    """An error response in S3's form."""
    body = f"<Error><Code>InsufficientStorage</Code><Message>{_MESSAGE}</Message></Error>"
    return _told(stock, (_STATUS, {"Content-Type": "application/xml"}, body))


def told_by_dynamodb(stock: Callable[..., Any]) -> Callable[..., Any]:
    """An error response in DynamoDB's form."""
    body = json.dumps({"__type": "InsufficientStorage", "message": _MESSAGE})
    return _told(stock, (_STATUS, {"Content-Type": "application/x-amz-json-1.0"}, body))


def _told(stock: Callable[..., Any], answer: tuple[int, dict[str, str], str]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def answered(*args: Any, **kwargs: Any) -> Any:
        try:
            return stock(*args, **kwargs)
        except (OSError, sqlite3.OperationalError) as error:
            if not is_full(error):
                raise
            return answer

    return answered
