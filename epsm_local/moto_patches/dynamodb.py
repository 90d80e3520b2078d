"""DynamoDB processes one request at a time.

Completes moto/dynamodb/responses.py, whose server processes each request in its own thread. Its tables are plain
dictionaries, which a query or a scan iterates while other requests put items: an item of a new partition caused error
500, "dictionary changed size during iteration". This also makes a conditional write atomic, as on AWS.
"""

import functools
import threading
from typing import Any

from moto.dynamodb.responses import DynamoHandler


def install() -> None:
    """Install after `persistence`: a request's writes are in the journal before the next request."""
    stock, lock = DynamoHandler.call_action, threading.RLock()

    @functools.wraps(stock)
    def call_action(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return stock(*args, **kwargs)

    DynamoHandler.call_action = call_action
