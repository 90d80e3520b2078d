"""Bodies of S3 objects in files that are open only while they are read.

Completes moto/s3/models.py, which keeps one open temporary file for every object above a certain size, so a study would
need as many open files as it has stored objects; and moto/core/common_models.py, which never releases a model. A body
belongs to the versions that refer to it: copies of a version share it, and the file is deleted with the last of them. A
body to which the journal refers (`keep`) is kept until the journal releases it (`forget`): the journal's row names the
file instead of holding the bytes a second time. Bodies of middle size are in the journal, without a file.
"""

import hashlib
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from moto.core.common_models import BaseModel
from moto.s3.models import FakeKey

from epsm_local.aws.journal import CannotKeep, Journal

MAX_IN_MEMORY_BYTES = 4096
"""Smaller bodies stay in memory: a file costs a block of the disk."""
MAX_IN_JOURNAL_BYTES = 2**20
"""Smaller bodies are in the journal itself, if there is one: a file waits for the disk three times, a row once."""
_BLOCK_BYTES = 16 * 1024 * 1024

_folder = Path()
_journal: Journal | None = None
_bodies: "WeakValueDictionary[str, _File | _Stored]" = WeakValueDictionary()


def install() -> None:
    FakeKey.value = property(_value, _set_value)
    FakeKey.etag = property(_etag)
    FakeKey.__getstate__ = _state
    FakeKey.__setstate__ = _set_state
    FakeKey.__del__ = lambda self: None  # moto's own warns about copies that were made for listings
    BaseModel.__new__ = _untracked


def _untracked(cls: type[BaseModel], *_: Any, **__: Any) -> BaseModel:
    """moto keeps every model that it has created for its dashboard, including deleted objects and copies made for
    listings."""
    return object.__new__(cls)


def use_folder(folder: Path, journal: Journal | None = None) -> None:
    """Store bodies in `folder` and `journal` from now on; the folder is created if missing."""
    global _folder, _journal
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _folder, _journal = folder, journal


def remove_orphans() -> None:
    """Remove files to which no body of this process refers: incomplete uploads of a killed process."""
    for path in list(_folder.iterdir()):
        if path.name not in _bodies:
            path.unlink(missing_ok=True)


def remove_unkept(folder: Path) -> None:
    """When the stack ends, remove files to which no journal refers: code of functions, incomplete uploads."""
    for path in list(folder.iterdir()):
        if (file := _bodies.get(path.name)) is None or not file.kept:
            path.unlink(missing_ok=True)


def keep(version: FakeKey) -> None:
    """Store the body on disk; it is there when this returns, and is kept until `forget`."""
    if isinstance(file := version._value_buffer.file, _File):
        file.keep()


def is_kept(version: FakeKey) -> bool:
    """Whether the journal's row of this version holds no bytes, or few."""
    file = version._value_buffer.file
    return isinstance(file, bytes | None) or file.kept


def new_bodies(versions: Iterable[Any]) -> dict[str, bytes]:
    """The bodies for the journal that it does not have yet, by name."""
    buffers = (getattr(version, "_value_buffer", None) for version in versions)
    files = [buffer.file for buffer in buffers if isinstance(buffer, _Body)]
    return {file.name: file.content for file in files if isinstance(file, _Stored) and file.content is not None}


def stored(names: Iterable[str]) -> None:
    """Release the memory of bodies that the journal has."""
    for name in names:
        if isinstance(file := _bodies.get(name), _Stored):
            file.content = None


def release(name: str) -> None:
    """Keep a body that the journal is about to remove in memory, as long as it is read."""
    if isinstance(file := _bodies.get(name), _Stored):
        file.content = b"".join(file.blocks())


def forget(names: list[str]) -> None:
    """Remove these files as soon as they are no longer read."""
    for name in names:
        file = _bodies.get(name)
        if isinstance(file, _File):
            file.kept = False
        elif file is None:
            (_folder / name).unlink(missing_ok=True)


def file_name(version: Any) -> str | None:
    """Name of the file, or in the journal, of the version's body; None for a delete marker and for small bodies."""
    file = getattr(getattr(version, "_value_buffer", None), "file", None)
    return file.name if isinstance(file, _File | _Stored) else None


class _File:
    """A body on disk.

    Raises:
        OSError: If the disk is full.
    """

    def __init__(self, path: Path, content: bytes | None) -> None:
        self.path, self.kept = path, content is None
        _bodies[self.name] = self
        if content is not None:
            path.write_bytes(content)

    @property
    def name(self) -> str:
        return self.path.name

    def blocks(self) -> Iterator[bytes]:
        with self.path.open("rb") as opened:
            while block := opened.read(_BLOCK_BYTES):
                yield block

    def keep(self) -> None:
        if not self.kept:
            for path in (self.path, self.path.parent):
                opened = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(opened)
                finally:
                    os.close(opened)
            self.kept = True

    def __del__(self) -> None:
        if not self.kept:
            self.path.unlink(missing_ok=True)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.kept:
            return _kept_file, (self.path.name,)
        return _new_file, (self.path.read_bytes(),)


class _Stored:
    """A body in the journal; in memory until it is written, and again when it is removed while it is read."""

    def __init__(self, name: str, content: bytes | None) -> None:
        self.name, self.content = name, content
        _bodies[name] = self

    @property
    def kept(self) -> bool:
        return self.content is None

    def blocks(self) -> Iterator[bytes]:
        content = self.content
        if content is None:
            content = None if _journal is None else _journal.body(self.name)
        if content is None:
            raise ValueError("the object has been deleted")
        yield content

    def __reduce__(self) -> tuple[Any, ...]:
        return _stored_body, (self.name,)


def _stored_body(name: str) -> "_File | _Stored":
    return _bodies.get(name) or _Stored(name, None)


def _new_file(content: bytes) -> _File:
    return _File(_folder / uuid.uuid4().hex, content)


def _kept_file(name: str) -> "_File | _Stored":
    path = _folder / name
    if not path.is_file():
        raise CannotKeep(f"{path} is missing, which holds a stored object: restore it, or discard all with --fresh")
    return _bodies.get(name) or _File(path, None)


class _Body:
    """A buffer for moto: a body, until it is closed."""

    def __init__(self, file: _File | _Stored | bytes) -> None:
        self.file: _File | _Stored | bytes | None = file

    def blocks(self) -> Iterator[bytes]:
        """The content in pieces.

        Raises:
            ValueError: If the object was deleted.
        """
        file = self.file
        if file is None:
            raise ValueError("the object has been deleted")
        if isinstance(file, bytes):
            yield file
            return
        yield from file.blocks()

    def close(self) -> None:
        self.file = None

    def __deepcopy__(self, _: Any) -> "_Body":
        return _Body(self.file or b"")


def _value(self: FakeKey) -> bytes:
    return b"".join(self._value_buffer.blocks())


def _set_value(self: FakeKey, content: bytes | str) -> None:
    if isinstance(content, str):
        content = content.encode()
    content = bytes(content)
    self._value_buffer.close()
    if len(content) <= MAX_IN_MEMORY_BYTES:
        self._value_buffer = _Body(content)
    elif _journal is not None and len(content) <= MAX_IN_JOURNAL_BYTES and _is_kept(self):
        self._value_buffer = _Body(_Stored(uuid.uuid4().hex, content))
    else:
        self._value_buffer = _Body(_new_file(content))
    self.contentsize = len(content)


def _is_kept(self: FakeKey) -> bool:
    """Whether the journal has the objects of the bucket. Assets are published again at each start."""
    return not str(self.bucket_name).startswith("cdk-")


def _etag(self: FakeKey) -> str:
    if self._etag is None:
        digest = hashlib.md5(usedforsecurity=False)
        for block in self._value_buffer.blocks():
            digest.update(block)
        self._etag = digest.hexdigest()
    return f'"{self._etag}"'


def _state(self: FakeKey) -> dict[str, Any]:
    return {name: value for name, value in self.__dict__.items() if name != "lock"}


def _set_state(self: FakeKey, state: dict[str, Any]) -> None:
    self.__dict__.update({name: value for name, value in state.items() if name != "value"})
    self.lock = threading.Lock()
    if "value" in state:  # the form of earlier versions of this program
        self._value_buffer = _Body(b"")
        self.value = state["value"]
