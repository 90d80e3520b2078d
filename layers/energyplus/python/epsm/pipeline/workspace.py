"""The working folder of one run: the study's folder layout with the edited model, and an output folder."""

import errno
import hashlib
import logging
import os
import posixpath
import shutil
import tempfile
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from epsm.energyplus.engine import free_disk_mb
from epsm.energyplus.weather import statistics_beside
from epsm.store.files import Files
from epsm.study.manifest import ObjectRef, RunManifest
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

_MIN_FREE_MB = 100.0
_BLOCK_BYTES = 2**17
"""Small enough to stay in a processor's cache until it is hashed and written."""


class NoDiskSpace(Exception):
    """The disk has no room for a run, even after the cached inputs were deleted."""


def is_full(error: OSError) -> bool:
    """Whether an error means that the disk or this user's quota is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run.

    Attributes:
        model: The edited model, in.idf or in.epJSON, at the place of the original in the study.
        weather: The EPW, in.epw, with its .stat beside it.
        output: Output folder of the engine.
    """

    model: Path
    weather: Path
    output: Path


class Workspace:
    """Disk space for runs: a cache of input files by content, and one folder per run, which is always removed.

    Args:
        root: A folder that no other process uses.
        files: Where input files come from.

    Attributes:
        kept: The folder of the kept input files, each by its SHA-256; read-only, and checked before each use.
    """

    def __init__(self, root: Path, files: Files) -> None:
        self.kept = root / "inputs"
        self._runs = root / "runs"
        self._files = files
        self._caching = threading.RLock()
        self._folders = 0
        self._making_folders = threading.Lock()

    def read(self, ref: ObjectRef) -> bytes:
        """An input file's content, downloaded once for all variants that use it.

        Raises:
            NoDiskSpace: If it does not fit on the disk.
            RuntimeError: If the stored object is not the one that the study was accepted with.
        """
        with self._opened(ref) as cached:
            content = cached.read()
        if hashlib.sha256(content).hexdigest() == ref.sha256:
            return content
        self._discard_damaged(ref)
        with self._opened(ref) as cached:
            return cached.read()

    def copy(self, ref: ObjectRef, target: Path) -> None:
        """Copy a file into a run's folder: changes to it do not affect other runs.

        Cached files are hashed while they are copied, so that a run gets exactly the content its study was accepted
        with.

        Raises:
            NoDiskSpace: If there is no room to keep it.
            OSError: If there is no room for the run's own file, or it cannot be written.
            RuntimeError: If the stored object is not the one that the study was accepted with.
        """
        with self._opened(ref) as cached:
            sha256 = _copy(cached, target)
        if sha256 != ref.sha256:
            self._discard_damaged(ref)
            with self._opened(ref) as cached:
                sha256 = _copy(cached, target)
            if sha256 != ref.sha256:
                raise RuntimeError(f"s3://{ref.bucket}/{ref.key} does not stay unchanged on this disk")

    def _opened(self, ref: ObjectRef) -> FileIO:
        """The cached file, fetched if it is missing. Once it is open, it may be deleted by another engine of the
        batch that finds the disk full."""
        path = self.kept / ref.sha256
        with self._caching:
            try:
                return path.open("rb", buffering=0)
            except FileNotFoundError:
                pass
            try:
                self._fetch(ref, path)
            except OSError as error:
                if not is_full(error):
                    raise
                self._clear_cache()
                with _room_for(f"{ref.bytes / 1e6:.1f} MB of s3://{ref.bucket}/{ref.key}", self.kept):
                    self._fetch(ref, path)
            return path.open("rb", buffering=0)

    def _fetch(self, ref: ObjectRef, path: Path) -> None:
        self.kept.mkdir(parents=True, exist_ok=True)
        self._files.fetch(ref, path)
        path.chmod(0o444)

    def _clear_cache(self) -> None:
        with self._caching:
            shutil.rmtree(self.kept, ignore_errors=True)

    def _discard_damaged(self, ref: ObjectRef) -> None:
        logger.error("a cached input was modified; it is downloaded again", extra={"sha256": ref.sha256})
        with self._caching:
            (self.kept / ref.sha256).unlink(missing_ok=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder for one run.

        Raises:
            NoDiskSpace: If there is no room even without the cached inputs.
        """
        with self._making_folders, _room_for("a run's folder", self._runs):
            self._runs.mkdir(parents=True, exist_ok=True)
            if not self._folders and any(self._runs.iterdir()):
                # A killed invocation leaves its folder behind, and a warm container keeps its disk.
                shutil.rmtree(self._runs, ignore_errors=True)
                self._runs.mkdir(exist_ok=True)
            if free_disk_mb(self._runs) < _MIN_FREE_MB:
                self._clear_cache()
                if (free_mb := free_disk_mb(self._runs)) < _MIN_FREE_MB:
                    raise NoDiskSpace(f"{free_mb:.0f} MB are free in {self._runs}, {_MIN_FREE_MB:.0f} are needed")
            own = tempfile.TemporaryDirectory(dir=self._runs, ignore_cleanup_errors=True)
            self._folders += 1
        try:
            with own as name:
                yield Path(name)
        finally:
            with self._making_folders:
                self._folders -= 1

    def has_room_for_another(self, files: RunFolder) -> bool:
        """Whether the disk has room for another run of this size, beside compressed copies of this one's files."""
        written = sum(file.stat().st_size for file in os.scandir(files.output))
        return free_disk_mb(self._runs) - _MIN_FREE_MB > 2 * written / 2**20

    def lay_out(self, folder: Path, manifest: RunManifest, variant: Variant, file_name: str, text: str) -> RunFolder:
        """Write the model and copies of the files it reads, each at its path in the study, so that relative names work.

        Args:
            folder: From `folder`.
            manifest: The run's manifest.
            variant: Which variant.
            file_name: Name for the model, ``in.idf`` or ``in.epJSON``.
            text: The edited model.

        Raises:
            NoDiskSpace: If they do not fit on the disk.
        """
        try:
            return self._lay_out(folder, manifest, variant, file_name, text)
        except OSError as error:
            if not is_full(error):
                raise
        self._clear_cache()
        shutil.rmtree(folder / "study", ignore_errors=True)
        with _room_for(f"the files of variant {variant.index}", folder):
            return self._lay_out(folder, manifest, variant, file_name, text)

    def _lay_out(self, folder: Path, manifest: RunManifest, variant: Variant, file_name: str, text: str) -> RunFolder:
        study = folder / "study"
        home = study / posixpath.dirname(variant.model)
        home.mkdir(parents=True)
        model = home / file_name
        for name in manifest.files_of(variant):
            # File names in models may be NFC, or NFD from macOS.
            for written in {name, unicodedata.normalize("NFD", name)}:
                place = study / written
                place.parent.mkdir(parents=True, exist_ok=True)
                self.copy(manifest.inputs[name], place)
        weather = folder / "in.epw"
        self.copy(manifest.inputs[variant.weather], weather)
        statistics = statistics_beside(variant.weather, manifest.inputs)
        if statistics is not None:
            self.copy(manifest.inputs[statistics], weather.with_suffix(".stat"))
        # Written last, so that no input file replaces the edited model.
        model.unlink(missing_ok=True)
        model.write_text(text, encoding="utf-8")
        return RunFolder(model, weather, folder / "out")


@contextmanager
def _room_for(content: str, folder: Path) -> Iterator[None]:
    """Raises `NoDiskSpace` if the disk is found to be full."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise NoDiskSpace(f"there is no room for {content} in {folder}") from error
        raise


def _copy(cached: FileIO, target: Path) -> str:
    """Copy a file; the SHA-256 of what was copied, hexadecimal."""
    digest = hashlib.sha256()
    block = memoryview(bytearray(_BLOCK_BYTES))
    with target.open("wb") as own:
        while length := cached.readinto(block):
            digest.update(block[:length])
            own.write(block[:length])
    return digest.hexdigest()
