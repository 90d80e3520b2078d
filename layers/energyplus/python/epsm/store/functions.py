"""Lambda functions of the stack that others invoke, and limits of the account."""

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

logger = logging.getLogger(__name__)


class FunctionFailed(Exception):
    """An invoked function raised an error; the message is Lambda's response."""


class Functions:
    """The functions.

    Args:
        functions: A boto3 Lambda client.
        cleanup_function: Name of the function that removes studies and allocates the concurrency.
    """

    def __init__(self, functions: "LambdaClient", cleanup_function: str) -> None:
        self._functions = functions
        self._cleanup_function = cleanup_function

    def ask_to_share(self) -> None:
        """Request the allocation of the concurrency among the running studies; returns at once."""
        self._invoke({"task": "share"}, wait=False)

    def ask_to_remove(self, simulation: str) -> None:
        """Request the removal of a study; returns at once."""
        self._invoke({"task": "remove", "simulation_id": simulation}, wait=False)

    def remove(self, simulation: str) -> None:
        """Remove a study, and wait for completion.

        Raises:
            FunctionFailed: If it was not removed.
        """
        answer = self._invoke({"task": "remove", "simulation_id": simulation}, wait=True)
        content = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise FunctionFailed(content.decode(errors="replace")[:500])

    def _invoke(self, payload: dict[str, str], *, wait: bool) -> Any:
        return self._functions.invoke(
            FunctionName=self._cleanup_function,
            InvocationType="RequestResponse" if wait else "Event",
            Payload=json.dumps(payload).encode(),
        )

    def account_limit(self, name: str) -> int | None:
        """A limit of the account, such as `ConcurrentExecutions`; None if Lambda does not report it."""
        try:
            limits: Mapping[str, Any] = {**self._functions.get_account_settings()["AccountLimit"]}
            return int(limits[name])
        except (BotoCoreError, ClientError, KeyError):
            logger.warning("the account's concurrency is not known", exc_info=True)
            return None
