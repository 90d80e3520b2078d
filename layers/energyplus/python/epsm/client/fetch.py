"""Downloading the results of a run to a folder."""

import fcntl
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from epsm.client.connection import Connection
from epsm.errors import CannotWrite, FolderBusy
from epsm.results.result_files import ERRORS, MANIFEST, RESULT_FILES
from epsm.store import keys
from epsm.store.files import is_absent

_NAMING_FILES = (MANIFEST, ERRORS)
SUMMARY_FILES = (*_NAMING_FILES, *RESULT_FILES)
_CONNECTIONS = 8
_PART = ".part"
_POLL_INTERVAL_S = 0.1
_MAX_NAME_BYTES = 200
"""Of a folder's name; file systems allow 255 bytes, and temporary names are longer than the name itself."""


def fetch(
    connection: Connection,
    simulation: str,
    folder: Path,
    *,
    with_variants: bool,
    report: Callable[[int, int], None],
    wait_s: float = 0.0,
) -> Path:
    """Download a run.

    A folder that holds another run is not overwritten: it is renamed after that run first. A run in such a renamed
    folder is updated there. Several processes may download to the same folder: one writes at a time, and a file
    appears under its name when it is complete. Objects that are deleted in the meantime are left out.

    Args:
        connection: The stack.
        simulation: The run.
        folder: Output folder; created if missing.
        with_variants: Whether to download per-variant files too.
        report: Called with the number of downloaded files, and of all files.
        wait_s: How long to wait for another process that is writing to the folder, seconds.

    Returns:
        The folder that holds it now.

    Raises:
        CannotWrite: If the folder cannot be made or written (full disk, no permission, a file in its place).
        FolderBusy: If another process is still writing to it.
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the stack does not answer.
    """
    names = sorted(_names(connection, simulation, with_variants), key=lambda name: name not in _NAMING_FILES)
    if not names:
        return folder
    try:
        with _place(folder, simulation, time.monotonic() + wait_s) as place:
            _download(connection, simulation, place, names, report)
            return place
    except OSError as error:
        where = f" ({error.filename})" if error.filename and Path(error.filename) != folder else ""
        raise CannotWrite(f"{folder} cannot be written: {error.strerror or error}{where}") from error


def _download(
    connection: Connection, simulation: str, folder: Path, names: list[str], report: Callable[[int, int], None]
) -> None:
    s3 = connection.client("s3")

    def bring(name: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_PART}")
        try:
            s3.download_file(connection.stack.settings.results_bucket, keys.run_key(simulation, name), str(part))
            part.replace(path)
        except ClientError as error:
            if not is_absent(error):
                raise
        finally:
            part.unlink(missing_ok=True)

    # The file that identifies the run comes first, so that an interrupted download can be recognised.
    first = sum(name in _NAMING_FILES for name in names)
    for name in names[:first]:
        bring(name)
    pool = ThreadPoolExecutor(_CONNECTIONS)
    try:
        report(first, len(names))
        waiting = [pool.submit(bring, name) for name in names[first:]]
        for done, future in enumerate(as_completed(waiting), first + 1):
            future.result()
            report(done, len(names))
    except BaseException as error:
        # An interrupt does not wait for large files on a slow line; after a fault, nothing more is written.
        pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    pool.shutdown()


def _names(connection: Connection, simulation: str, with_variants: bool) -> Iterator[str]:
    prefix = keys.run_key(simulation)
    folder = "variants/" if with_variants else ""
    pages = connection.client("s3").get_paginator("list_objects_v2")
    where = {"Bucket": connection.stack.settings.results_bucket, "Prefix": prefix}
    for page in pages.paginate(**where, **({} if with_variants else {"Delimiter": "/"})):
        for entry in page.get("Contents", []):
            name = entry["Key"].removeprefix(prefix)
            if name in SUMMARY_FILES or (folder and name.startswith(folder)):
                yield name


@contextmanager
def _place(folder: Path, simulation: str, deadline: float) -> Iterator[Path]:
    """The folder for a run, locked while it is written.

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
    for part in folder.rglob(f".*{_PART}"):
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
    for name in _NAMING_FILES:
        try:
            return str(json.loads((folder / name).read_text(encoding="utf-8"))["simulation_id"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
