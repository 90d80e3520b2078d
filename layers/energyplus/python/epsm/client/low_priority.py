"""Threads that let engines on the same machine go first."""

import os
import threading
from contextlib import suppress

_NICENESS = 10


def lower_priority() -> None:
    """Lower the priority of this thread: on Linux, a thread has a niceness of its own. It cannot be raised again."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
