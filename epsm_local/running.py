"""The state file of the local stack that `epsm up` keeps running.

The file has its endpoint; a lock on a second file shows that it is running. The kernel releases a lock when its holder
ends, in any way; a process id may belong to another process after a power cut, or in a container.
"""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_PATIENCE_S = 2.0
"""Processes that check whether a stack is running hold the lock briefly."""
_INTERVAL_S = 0.05


class AlreadyRunning(Exception):
    """Another local stack of this user is running or starting; the message has its endpoint, if known."""


def state_file() -> Path:
    """The file with the endpoint of the running local stack."""
    chosen = os.environ.get("XDG_STATE_HOME")
    if chosen:
        return Path(chosen) / "epsm" / "local.json"
    try:
        return Path.home() / ".local" / "state" / "epsm" / "local.json"
    except RuntimeError:  # no HOME and no entry in passwd, as in a container
        return Path(tempfile.gettempdir()) / f"epsm-{os.getuid()}" / "local.json"


def lock_file() -> Path:
    """The file that is locked while the stack is running."""
    return state_file().with_suffix(".lock")


def running_local_endpoint() -> str | None:
    """The endpoint of the running local stack, or None."""
    try:
        return str(running_local_state()["endpoint"])
    except (KeyError, TypeError):
        return None


def running_local_state() -> Mapping[str, Any]:
    """What the running local stack has published: `endpoint`, and `settings` since version 0.3; empty without one."""
    try:
        with lock_file().open("rb") as held:
            if _lock(held.fileno(), fcntl.LOCK_SH):
                return {}
        state = json.loads(state_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


@contextmanager
def claimed() -> Iterator[None]:
    """Hold the lock of this user's local stack for the duration of the block.

    Raises:
        AlreadyRunning: If another process holds it.
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
                    f"A local stack is already running at {endpoint}"
                    if endpoint
                    else "Another local stack is just starting or stopping: try again in a moment"
                )
            time.sleep(_INTERVAL_S)
        state.unlink(missing_ok=True)  # left by a killed stack
        yield


@contextmanager
def announced(endpoint: str, settings: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Publish the endpoint of this process's stack for the duration of the block.

    Args:
        endpoint: Its URL.
        settings: `epsm.settings.Settings` of its clients, which then need not ask CloudFormation.

    Raises:
        OSError: If the state file cannot be written.
    """
    state = state_file()
    part = state.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps({"endpoint": endpoint, "pid": os.getpid(), "settings": settings}), encoding="utf-8")
    part.replace(state)
    try:
        yield
    finally:
        with suppress(OSError):
            state.unlink(missing_ok=True)


def _lock(number: int, operation: int) -> bool:
    """Lock an open file unless another process holds the lock.

    Raises:
        OSError: If its file system does not support locks.
    """
    try:
        fcntl.flock(number, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
