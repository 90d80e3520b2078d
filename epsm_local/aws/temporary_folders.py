"""The temporary folders of local stacks, and what is left of them when a stack is killed.

A folder is locked as long as its stack runs. The kernel releases the lock when the stack ends, in any way; the
process id in the folder's name is for people: another process may have it by now, or in another container.
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
        path: Where it is.

    Raises:
        OSError: If it cannot be made.
    """

    def __init__(self) -> None:
        for _ in range(_ATTEMPTS):
            self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
            locked = _locked(self.path)
            # Another stack may have taken it for a leftover before it was locked.
            if locked is not None and self.path.exists():
                self._lock = locked
                return
        raise OSError(errno.ENOLCK, "a folder cannot be locked", str(self.path))

    def remove(self) -> None:
        """Remove it with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            os.close(self._lock)


def remove_leftovers() -> None:
    """Remove the folders of stacks that were killed: no other process would, and a run may have left gigabytes
    there."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        locked = _locked(folder)
        if locked is None:
            continue
        try:
            end_processes_of(folder)  # they would keep running, and call the next stack on the same port
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(locked)


def _locked(folder: Path) -> int | None:
    """An open, locked descriptor of a folder; None if another process has locked it, or it is gone or not ours."""
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
