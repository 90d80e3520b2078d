"""The folder on disk for the results of a run, next to those of other runs of the same study."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from epsm.errors import FolderBusy
from epsm.results.result_files import ERRORS, MANIFEST
from epsm.store import keys

NAMING_FILES = (MANIFEST, ERRORS)
"""Files that identify the run in a folder."""
PART = ".part"
_POLL_INTERVAL_S = 0.1
_MAX_NAME_BYTES = 200
"""Of a folder's name; file systems allow 255 bytes, and temporary names are longer than the name itself."""


@contextmanager
def results_place(folder: Path, simulation: str, deadline: float) -> Iterator[Path]:
    """The folder for a run, locked while it is written.

    A folder that holds another run is renamed after that run first. A run in such a renamed folder stays there.

    Args:
        folder: Output folder; created if missing.
        simulation: The run.
        deadline: Until when to wait for another process that is writing to the folder, by the monotonic clock, seconds.

    Raises:
        FolderBusy: If another process keeps the lock past the deadline.
        OSError: If it cannot be made.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock_folder(folder, deadline) as still_named:
            if not still_named:
                continue  # renamed while this process waited
            present = run_in(folder)
            if present in (None, simulation):
                _remove_leftovers(folder)
                yield folder
                return
            own = folder.with_name(simulation)
            if run_in(own) != simulation:
                folder.rename(_free_name(folder, present))
                continue
        folder = own


@contextmanager
def _lock_folder(folder: Path, deadline: float) -> Iterator[bool]:
    """Lock a folder against other processes; returns whether it still has its name once it is locked."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise FolderBusy(f"another process is writing to {folder}")
            time.sleep(_POLL_INTERVAL_S)
        held = os.fstat(descriptor)
        try:
            current = folder.stat()
        except FileNotFoundError:
            yield False
        else:
            yield (held.st_dev, held.st_ino) == (current.st_dev, current.st_ino)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # some network file systems cannot lock folders; names are unique anyway
    return True


def _remove_leftovers(folder: Path) -> None:
    """Temporary files of a process that was killed while it wrote here."""
    for part in folder.rglob(f".*{PART}"):
        part.unlink(missing_ok=True)


def _free_name(folder: Path, present: str) -> Path:
    """New place for results that are in the way: a sibling folder named after their simulation."""
    name = present if is_folder_name(present) else f"{folder.name}-earlier"
    number = 1
    while (place := folder.with_name(name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return place


def is_folder_name(name: str) -> bool:
    """Whether a name is valid as the name of a single folder on this machine."""
    fits = 0 < len(name.encode(errors="replace")) <= _MAX_NAME_BYTES
    return fits and name not in (".", "..") and not set(name) & {"/", "\0"}


def results_folder(results: Path, manifest_key: str, simulation: str) -> Path:
    """Output folder of a study: named like the study's own, or like the simulation if that is not a valid name here."""
    name = keys.study_folder(manifest_key)
    return results / (name if is_folder_name(name) else simulation)


def run_in(folder: Path) -> str | None:
    """The simulation whose results a folder holds, or None."""
    for name in NAMING_FILES:
        try:
            return str(json.loads((folder / name).read_text(encoding="utf-8"))["simulation_id"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
