"""The cache of files that can be created or downloaded again; not beside the code, which may be in site-packages."""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

_DAY_S = 86_400.0


def cache_folder() -> Path:
    """EPSM's cache of this user: below XDG_CACHE_HOME or ~/.cache, otherwise in the folder for temporary files.

    In a container, the user often has no entry in passwd, or a home folder that is not writable.
    """
    chosen = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(chosen) if chosen else Path.home() / ".cache") / "epsm"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, RuntimeError):
        pass
    return _temporary_folder()


def _temporary_folder() -> Path:
    """Only this user may write there, because code in it is run."""
    base = Path(tempfile.gettempdir()) / f"epsm-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    status = base.lstat()
    if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o022:
        base = Path(tempfile.mkdtemp(prefix="epsm-cache-"))
    folder = base / "cache"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def remove_unused(folder: Path, days: float) -> None:
    """Remove the content of a folder that has not been used for a given time, by its modification time."""
    latest = time.time() - days * _DAY_S
    for path in folder.glob("*"):
        try:
            if path.stat().st_mtime < latest:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:  # another process was faster
            continue
