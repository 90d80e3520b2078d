"""Whether a local stack that `epsm up` keeps is running, and where.

Its file says where it is; a lock on the file beside it says that it is running. The kernel lets go of a lock when its
holder ends, in any way; a process id may belong to another process after a power cut, or in a container.
"""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE_S = 2.0
"""A process that asks whether a stack is running holds the lock briefly."""
_INTERVAL_S = 0.05


class AlreadyRunning(Exception):
    """Another local stack of this user is running or starting; the message says where it is, as far as is known."""


def state_file() -> Path:
    """Where a local stack that is kept running says how to reach it."""
    chosen = os.environ.get("XDG_STATE_HOME")
    if chosen:
        return Path(chosen) / "epsm" / "local.json"
    try:
        return Path.home() / ".local" / "state" / "epsm" / "local.json"
    except RuntimeError:  # no HOME, and a user without an entry in passwd, as in a container
        return Path(tempfile.gettempdir()) / f"epsm-{os.getuid()}" / "local.json"


def lock_file() -> Path:
    """What is locked as long as that stack is running."""
    return state_file().with_suffix(".lock")


def running_local_endpoint() -> str | None:
    """The endpoint of a local stack that is running, or None."""
    try:
        with lock_file().open("rb") as held:
            if _lock(held.fileno(), fcntl.LOCK_SH):
                return None
        return str(json.loads(state_file().read_text(encoding="utf-8"))["endpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def claimed() -> Iterator[None]:
    """Hold the role of this user's local stack exclusively for the duration of the block.

    Raises:
        AlreadyRunning: If another process is.
        OSError: If the folder of the state file cannot be written.
    """
    state = state_file()
    state.parent.mkdir(parents=True, exist_ok=True)
    with lock_file().open("ab") as held:
        latest = time.monotonic() + _PATIENCE_S
        while not _lock(held.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > latest:
                endpoint = running_local_endpoint()
                raise AlreadyRunning(
                    f"A local stack is running already at {endpoint}"
                    if endpoint
                    else "Another local stack is just starting or stopping: try again in a moment"
                )
            time.sleep(_INTERVAL_S)
        state.unlink(missing_ok=True)  # of a stack that was killed
        yield


@contextmanager
def announced(endpoint: str) -> Iterator[None]:
    """Others find the stack that this process has claimed to be, from here to the end of the block.

    Raises:
        OSError: If the state file cannot be written.
    """
    state = state_file()
    part = state.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps({"endpoint": endpoint, "pid": os.getpid()}), encoding="utf-8")
    part.replace(state)
    try:
        yield
    finally:
        with suppress(OSError):
            state.unlink(missing_ok=True)


def _lock(number: int, how: int) -> bool:
    """Lock an open file if no other process has.

    Raises:
        OSError: If its file system has no locks.
    """
    try:
        fcntl.flock(number, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
