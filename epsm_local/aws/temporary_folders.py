"""The temporary folders of local stacks, including those left by killed stacks.

A folder is locked as long as its stack runs. The kernel releases the lock however the stack ends; the process id in the
folder's name is for information only, because another process may have the same id.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from epsm_local.aws.janitor import end_processes_of

_PREFIX = "epsm-local-"
_ATTEMPTS = 10


class TemporaryFolder:
    """A new folder that no other stack removes until this process ends or removes it.

    Attributes:
        path: Its path.

    Raises:
        OSError: If it cannot be created.
    """

    def __init__(self) -> None:
        for _ in range(_ATTEMPTS):
            self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
            locked = _locked(self.path)
            # Another stack may have removed it as a leftover before it was locked.
            if locked is not None and self.path.exists():
                self._lock = locked
                return
        raise OSError(errno.ENOLCK, "a folder cannot be locked", str(self.path))

    def remove(self) -> None:
        """Remove it with its contents."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            os.close(self._lock)


def remove_leftovers() -> None:
    """Remove the folders of killed stacks: no other process does, and a run may have left gigabytes there."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        locked = _locked(folder)
        if locked is None:
            continue
        try:
            end_processes_of(folder)  # they would keep running and send requests to the next stack on the same port
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(locked)


def _locked(folder: Path) -> int | None:
    """An open, locked descriptor of a folder; None if another process has locked it, or if it no longer exists or is
    another user's."""
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        return None
    return number
