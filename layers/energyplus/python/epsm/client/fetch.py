"""Downloading the results of a run to a folder, at its end or also while it runs."""

import hashlib
import os
import re
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from epsm.client.connection import Connection
from epsm.client.low_priority import lower_priority
from epsm.client.results_place import NAMING_FILES, PART, results_place
from epsm.client.unpack import Unpacking
from epsm.errors import CannotWrite, DamagedResults, NotFound
from epsm.results.result_files import RESULT_FILES
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.pack_index import read_index
from epsm.store.ranged import TAIL_BYTES
from epsm.store.s3_errors import is_absent
from epsm.text import counted, numbered

SUMMARY_FILES = (*NAMING_FILES, *RESULT_FILES)
_CONNECTIONS = 8
_EARLY_CONNECTIONS = 2
_MAX_IN_ONE_PART = 16 * 2**20
"""Larger objects are downloaded in parts, several at a time, with retries of each."""
_BLOCK_BYTES = 2**20
_ATTEMPTS, _BEFORE_NEXT_S = 4, 1.0
"""Attempts to download an object if the connection is lost. boto3 repeats only requests without a response."""
_MAX_SHOWN = 5
_MD5_ETAG = re.compile(r'"[0-9a-f]{32}"')
"""The ETag of an object that was uploaded in one part; of others, it is not the MD5 of the content."""
_MIN_FREE_BYTES = 2 * 2**30
"""While a study runs, its downloads leave this much of the disk to it."""


@dataclass(frozen=True, slots=True)
class _Object:
    """An object of a run, as S3 lists it.

    Attributes:
        name: Its path in the folder of the run.
        etag: Its ETag, with quotation marks.
        size: Bytes.
        modified: When it was written; None if unknown.
    """

    name: str
    etag: str
    size: int
    modified: datetime | None

    @property
    def is_pack(self) -> bool:
        """Whether it has the files of several variants."""
        return self.name.startswith(keys.PACKS)


def fetch(
    connection: Connection,
    simulation: str,
    folder: Path,
    *,
    with_variants: bool,
    report: Callable[[int, int], None],
    wait_s: float = 0.0,
) -> Path:
    """Download a run that has ended; see `Download.finish`."""
    return Download(connection, simulation, folder, with_variants=with_variants).finish(report, wait_s)


class Download:
    """The download of a run, in several rounds: each downloads the files that are not on disk or have changed.

    A folder that holds another run is not overwritten: it is renamed after that run first. A run in such a renamed
    folder is updated there. Several processes may download to the same folder: one writes at a time, and a file
    appears under its name when it is complete. Objects that are deleted in the meantime are left out, and reported at
    the end.

    Args:
        connection: The stack.
        simulation: The run.
        folder: Output folder; created if missing.
        with_variants: Whether to download per-variant files too.

    Attributes:
        with_variants: The same.
    """

    def __init__(self, connection: Connection, simulation: str, folder: Path, *, with_variants: bool) -> None:
        self._s3 = connection.client("s3")
        self._files = Files(self._s3, connection.stack.settings.results_bucket)
        self._bucket = connection.stack.settings.results_bucket
        self._simulation = simulation
        self._folder = folder
        self.with_variants = with_variants
        self._place: Path | None = None
        self._etags: dict[str, str] = {}
        self._unpacking = Unpacking(folder)
        self._gone: set[str] = set()
        self._stop = threading.Event()

    def download_early(self) -> bool:
        """Download the files that exist while the run continues, with low priority.

        Returns:
            Whether a later round can download more; False after `stop`, and if the disk has little room left.

        Raises:
            CannotWrite, FolderBusy, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: See `finish`.
        """
        if self._stop.is_set():
            return False
        objects = self._objects()
        if not objects:
            return True
        with self._writing(0.0) as place:
            if shutil.disk_usage(place).free < _MIN_FREE_BYTES + sum(entry.size for entry in objects):
                return False
            self._download_all(place, objects, lambda done, total: None, _EARLY_CONNECTIONS)
        return not self._stop.is_set()

    def stop(self) -> None:
        """End a round of `download_early` after the files that are being downloaded."""
        self._stop.set()

    def finish(self, report: Callable[[int, int], None], wait_s: float = 0.0) -> Path:
        """Download what is missing of a run that has ended.

        Args:
            report: Called with the number of files on disk, and of all files.
            wait_s: How long to wait for another process that is writing to the folder, seconds.

        Returns:
            The folder that holds the run now.

        Raises:
            CannotWrite: If the folder cannot be made or written (full disk, no permission, a file in its place).
            FolderBusy: If another process is still writing to it.
            DamagedResults: If files of some variants are missing or damaged; all others have been downloaded.
            NotFound: If the run was deleted in the meantime; some files have been downloaded.
            botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the stack does not answer.
        """
        objects = self._objects()
        if not objects:
            return self._folder
        self._stop.clear()
        self._gone.clear()
        with self._writing(wait_s) as place:
            self._download_all(place, objects, report, _CONNECTIONS)
            if self._gone:
                files = f"{len(self._gone)} of {counted(len(objects), 'file')}"
                fault = f"{self._simulation} was deleted while it was downloaded: {files} could not be downloaded to"
                raise NotFound(f"{fault} {place}/")
            if damage := self._unpacking.damage(entry.name for entry in objects if entry.is_pack):
                raise DamagedResults(
                    place, _message(place, damage), set().union(*(found for found, _ in damage.values()))
                )
            return place

    @contextmanager
    def _writing(self, wait_s: float) -> Iterator[Path]:
        try:
            with results_place(self._folder, self._simulation, time.monotonic() + wait_s) as place:
                if place != self._place:
                    self._etags.clear()
                    self._unpacking = Unpacking(place)
                self._place = place
                yield place
        except OSError as error:
            where = f" ({error.filename})" if error.filename and Path(error.filename) != self._folder else ""
            raise CannotWrite(f"{self._folder} cannot be written: {error.strerror or error}{where}") from error

    def _objects(self) -> list[_Object]:
        """The objects to download, those that identify the run first: an interrupted download can be recognised."""
        prefix = keys.run_key(self._simulation)
        folders = (keys.VARIANTS, keys.PACKS, keys.SERIES_FOLDER) if self.with_variants else ()
        pages = self._s3.get_paginator("list_objects_v2")
        where = {"Bucket": self._bucket, "Prefix": prefix}
        objects = [
            _Object(name, entry["ETag"], entry["Size"], entry.get("LastModified"))
            for page in pages.paginate(**where, **({} if self.with_variants else {"Delimiter": "/"}))
            for entry in page.get("Contents", [])
            if (name := entry["Key"].removeprefix(prefix)) in SUMMARY_FILES
            or (name.startswith(folders) and name != keys.PACK_INDEX)
        ]
        return sorted(objects, key=lambda entry: (entry.name not in NAMING_FILES, entry.name))

    def _download_all(
        self, place: Path, objects: list[_Object], report: Callable[[int, int], None], connections: int
    ) -> None:
        done = sum(entry.name in NAMING_FILES for entry in objects)
        for entry in objects[:done]:
            self._download_missing(place, entry)
        packs = [entry for entry in objects if entry.is_pack]
        if packs:
            self._unpacking.index = read_index(self._files, self._simulation)
        low_priority = lower_priority if connections == _EARLY_CONNECTIONS else None
        pool = ThreadPoolExecutor(connections, thread_name_prefix="fetch", initializer=low_priority)
        try:
            report(done, len(objects))
            # A variant of a batch may have run by itself before: its files in the pack replace those.
            for part in ([entry for entry in objects[done:] if not entry.is_pack], packs):
                for future in as_completed([pool.submit(self._download_missing, place, entry) for entry in part]):
                    future.result()
                    done += 1
                    report(done, len(objects))
        except BaseException as error:
            # An interrupt does not wait for large files on a slow line; after a fault, nothing more is written.
            pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
            raise
        pool.shutdown()

    def _download_missing(self, place: Path, entry: _Object) -> None:
        path = place / entry.name
        try:
            if self._stop.is_set() or self._is_on_disk(path, entry):
                return
        except NotFound:
            self._gone.add(entry.name)
            return
        if not entry.is_pack:
            path.parent.mkdir(parents=True, exist_ok=True)
        part = (place if entry.is_pack else path.parent) / f".{path.name}.{uuid.uuid4().hex}{PART}"
        key = keys.run_key(self._simulation, entry.name)
        try:
            etag = self._download(key, part, entry)
            if entry.is_pack:
                self._unpack(entry, part)
            else:
                part.replace(path)
                self._etags[entry.name] = etag
        except ClientError as error:
            if not is_absent(error):
                raise
            self._gone.add(entry.name)
        finally:
            part.unlink(missing_ok=True)

    def _unpack(self, entry: _Object, part: Path) -> None:
        with part.open("rb") as content:
            for name in self._unpacking.unpack(entry.name, str(entry.modified), content):
                self._etags.pop(name, None)

    def _is_on_disk(self, path: Path, entry: _Object) -> bool:
        """Whether the file on disk, or of a pack all files that count, has the content of the object, because this or
        another process downloaded it.

        Raises:
            NotFound: If the object is a pack that has been deleted.
        """
        if entry.is_pack:
            return self._unpacking.is_done(entry.name) or self._is_unpacked(entry)
        try:
            status = path.stat()
            if status.st_size != entry.size:
                return False
            if entry.name in self._etags:
                return self._etags[entry.name] == entry.etag
            if _MD5_ETAG.fullmatch(entry.etag):
                with path.open("rb") as file:
                    return f'"{hashlib.file_digest(file, _md5).hexdigest()}"' == entry.etag
        except OSError:
            return False
        return entry.modified is not None and status.st_mtime == entry.modified.timestamp()

    def _is_unpacked(self, entry: _Object) -> bool:
        """Whether an earlier process unpacked a pack, by the directory at its end. Of a small one, that is all."""
        if entry.size <= TAIL_BYTES or not self._unpacking.may_be_on_disk(entry.name):
            return False
        with self._files.open_ranged(keys.run_key(self._simulation, entry.name)) as content:
            return self._unpacking.recognise(entry.name, str(entry.modified), content)

    def _download(self, key: str, path: Path, entry: _Object) -> str:
        """Download an object to a file with the time of the object; returns the ETag of what was downloaded."""
        if entry.size > _MAX_IN_ONE_PART:
            self._s3.download_file(self._bucket, key, str(path))
            etag, modified = entry.etag, entry.modified
        else:
            answer = self._download_at_once(key, path)
            etag, modified = answer["ETag"], answer.get("LastModified")
        if modified is not None:
            os.utime(path, (modified.timestamp(), modified.timestamp()))
        return etag

    def _download_at_once(self, key: str, path: Path) -> Any:
        """Download a small object; the answer. boto3's transfer manager would ask for its size first and start threads:
        10 ms for each."""
        for attempt in range(1, _ATTEMPTS + 1):
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            try:
                with path.open("wb") as file:
                    shutil.copyfileobj(answer["Body"], file, _BLOCK_BYTES)
            except (HTTPClientError, IncompleteReadError):
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_BEFORE_NEXT_S)
            else:
                return answer
        raise AssertionError("the last attempt returns or raises")


def _message(place: Path, damage: Mapping[str, tuple[set[int], str]]) -> str:
    faults = [
        f"{name} (variants {numbered(variants)}): {reason}" if variants else f"{name}: {reason}"
        for name, (variants, reason) in damage.items()
    ]
    more = f"; and {len(faults) - _MAX_SHOWN} more" if len(faults) > _MAX_SHOWN else ""
    return (
        f"Files of some variants cannot be downloaded: {'; '.join(faults[:_MAX_SHOWN])}{more}. All other files are in "
        f"{place}/; 'epsm run --no-cache' computes the study again"
    )


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)
