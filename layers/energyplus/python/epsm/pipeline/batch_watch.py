"""What the watches of a batch's engines share: whether they must stop, and the mark that a variant is running."""

import logging
import threading
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from epsm.footprint import RUNNING_AFTER_S

logger = logging.getLogger(__name__)


class RunningMark:
    """The record that a variant is running, which is written once the variant has run for some time.

    Args:
        write: Writes it.
    """

    def __init__(self, write: Callable[[], object]) -> None:
        self._write = write
        self._due_at = time.monotonic() + RUNNING_AFTER_S
        self._written = False

    def write_when_due(self) -> None:
        if self._written or time.monotonic() < self._due_at:
            return
        self._written = True
        try:
            self._write()
        except (BotoCoreError, ClientError):
            logger.warning("could not record that a variant is running", exc_info=True)


class SharedStop:
    """Whether the variants of a batch must stop: one engine's watch at a time asks, on behalf of all.

    Args:
        ask: The check from `stop_watch`.

    Attributes:
        requested: Whether they must stop.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self.requested = False

    def __call__(self) -> bool:
        if not self.requested and self._asking.acquire(blocking=False):
            try:
                if self._ask():  # never back to False: a thread may have set it because too many variants failed
                    self.requested = True
            finally:
                self._asking.release()
        return self.requested
