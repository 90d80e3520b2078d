"""DynamoDB answers one request at a time. Completes moto/dynamodb/responses.py, whose server answers each in a thread.

Its tables are plain dictionaries, which a query or a scan reads while other requests put items: an item of a new
partition was an error 500, "dictionary changed size during iteration". A condition and the write that depends on it
are one step this way, as they are on AWS.
"""

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler


def install() -> None:
    """After `persistence`: what a request wrote is in the journal before the next one."""
    stock, lock = DynamoHandler.call_action, threading.RLock()

    @functools.wraps(stock)
    def call_action(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return stock(*args, **kwargs)

    DynamoHandler.call_action = call_action
