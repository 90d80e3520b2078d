"""The data that a killed local stack must not lose, in one SQLite file that is written before a request is answered."""

import fcntl
import pickle
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from threading import local as thread_local
from typing import Any

from epsm_local.aws.group_commit import GroupCommit

_OWN = "journal"
_MADE_BY = "made by"


class CannotKeep(Exception):
    """The folder cannot be used; the message has the reason and the remedy."""


class Closed(Exception):
    """The journal has been closed."""


class Journal:
    """Pickled values by owner and name, written and read by this program only.

    A name may have several versions, in order of arrival. Each is a separate row, so adding a version costs only its
    own size. Writes of several threads at a time are committed together, because a commit waits for the disk.

    Args:
        folder: Folder of the journal; created if missing.
        made_by: Software version that pickled the values; a journal of another version is not read.
        fresh: Discard existing data.

    Attributes:
        objects: Folder for files that values refer to.
        lock: Held during writes; callers hold it to read and write atomically.

    Raises:
        CannotKeep: If another process has it open, or another version wrote it.
    """

    def __init__(self, folder: Path, made_by: str, *, fresh: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = (folder / "lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._held.close()
            raise CannotKeep(
                f"another local stack uses the data in {folder}: stop it, or choose another folder with --data"
            ) from None
        if fresh:
            for path in folder.glob("journal.sqlite*"):
                path.unlink()
            shutil.rmtree(folder / "objects", ignore_errors=True)
        self.objects = folder / "objects"
        self.lock = RLock()
        self._commits = GroupCommit(self.lock)
        self._thread = thread_local()
        self._closed = False
        self._rows = sqlite3.connect(folder / "journal.sqlite", check_same_thread=False, isolation_level=None)
        # Deleted data frees disk space; a commit survives a power loss.
        for pragma in ("auto_vacuum=FULL", "journal_mode=WAL", "synchronous=FULL"):
            self._rows.execute(f"PRAGMA {pragma}")
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, owner TEXT, name TEXT, version TEXT, "
            "value BLOB, file TEXT NOT NULL DEFAULT '', UNIQUE (owner, name, version))"
        )
        self._rows.execute("CREATE TABLE IF NOT EXISTS bodies (name TEXT PRIMARY KEY, content BLOB)")
        if "file" not in {row[1] for row in self._rows.execute("PRAGMA table_info(kept)")}:
            self._rows.execute("ALTER TABLE kept ADD COLUMN file TEXT NOT NULL DEFAULT ''")
        maker = dict(self.read(_OWN)).get(_MADE_BY)
        if maker not in (None, made_by):
            self.close()
            raise CannotKeep(
                f"the data in {folder} was written with {maker}, this is {made_by}: discard it with --fresh, or choose "
                "another folder with --data"
            )
        self.write(_OWN, _MADE_BY, made_by)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write several values at once: they are on disk at the end of the block, not before.

        Callers that also hold `lock` enter this block first.

        Raises:
            sqlite3.Error: If one of them was lost because the disk is full. Either all writes of a write method are on
                disk, or none.
        """
        if getattr(self._thread, "in_block", False):
            yield
            return
        self._thread.in_block, self._thread.numbers = True, []
        try:
            yield
        finally:
            self._thread.in_block = False
            self._commits.await_commit(self._rows, self._thread.numbers)

    def write(self, owner: str, name: str, value: Any) -> None:
        """Store the only version of `name`; None deletes it. It is on disk when this returns.

        Raises:
            Closed: If the journal is closed.
        """
        self.write_versions(owner, name, {} if value is None else {"": value}, changed=("",))

    def write_versions(
        self,
        owner: str,
        name: str,
        versions: Mapping[str, Any],
        changed: Collection[str],
        files: Mapping[str, str] | None = None,
        bodies: Mapping[str, bytes] | None = None,
        before_removal: Callable[[str], None] = lambda name: None,
    ) -> list[str]:
        """Store exactly these versions of `name`, in this order. They are on disk when this returns.

        Args:
            owner, name: Key of the versions.
            versions: All versions.
            changed: Versions that are written even if the journal already has them.
            files: Name of the file or body that a version refers to, by version; empty if there is none.
            bodies: New bodies by name: contents that are not files of their own.
            before_removal: Called with the name of each body to which these rows no longer refer, before it is removed.

        Returns:
            Names of files and bodies that rows of this name referred to before and no longer refer to.

        Raises:
            Closed: If the journal is closed.
        """
        with self.together(), self._commits.writing():
            self.check_open()
            where = "owner = ? AND name = ?"
            files = files or {}
            rows = self._rows.execute(f"SELECT version, file FROM kept WHERE {where}", (owner, name))  # noqa: S608
            files_before = dict(rows.fetchall())
            written = [
                (owner, name, version, pickle.dumps(value), files.get(version, ""))
                for version, value in versions.items()
                if version in changed or version not in files_before
            ]
            removed = [(owner, name, version) for version in files_before.keys() - versions.keys()]
            dropped = list(set(filter(None, files_before.values())) - set(files.values()))
            for body in dropped:
                before_removal(body)
            with self._commits.savepoint(self._rows) as number:
                self._rows.executemany(f"DELETE FROM kept WHERE {where} AND version = ?", removed)  # noqa: S608
                self._rows.executemany(
                    "INSERT INTO kept (owner, name, version, value, file) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET value = excluded.value, file = excluded.file",
                    written,
                )
                self._rows.executemany("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (bodies or {}).items())
                self._rows.executemany("DELETE FROM bodies WHERE name = ?", [(body,) for body in dropped])
            self._thread.numbers.append(number)
            return dropped

    def body(self, name: str) -> bytes | None:
        """The content of a body; None if there is none of that name."""
        with self.lock:
            row = self._rows.execute("SELECT content FROM bodies WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def check_open(self) -> None:
        """Raise `Closed` if the journal is closed."""
        if self._closed:
            raise Closed

    def owners(self) -> list[str]:
        """The owners of values."""
        with self.lock:
            return [owner for (owner,) in self._rows.execute("SELECT DISTINCT owner FROM kept").fetchall()]

    def forget(self, owner: str) -> None:
        """Remove all values of an owner."""
        with self.lock:
            named = "SELECT file FROM kept WHERE owner = ?"
            self._rows.execute(f"DELETE FROM bodies WHERE name IN ({named})", (owner,))  # noqa: S608
            self._rows.execute("DELETE FROM kept WHERE owner = ?", (owner,))

    def read(self, owner: str) -> Iterator[tuple[str, Any]]:
        """All values of an owner as (name, value), in order of arrival; one pair per version.

        Raises:
            CannotKeep: If one is damaged.
        """
        with self.lock:
            numbers = self._rows.execute("SELECT number FROM kept WHERE owner = ? ORDER BY number", (owner,)).fetchall()
        for number in numbers:
            with self.lock:
                row = self._rows.execute("SELECT name, value FROM kept WHERE number = ?", number).fetchone()
            if row is not None:
                yield row[0], self._unpickled(row[0], row[1])

    def _unpickled(self, name: str, value: bytes) -> Any:
        try:
            return pickle.loads(value)  # noqa: S301 - our own file, readable by its owner only
        except CannotKeep:
            raise
        except Exception as error:  # a damaged pickle raises almost anything
            fault = f"{name} cannot be read ({type(error).__name__}: {error})"
            raise CannotKeep(
                f"the data in {self.objects.parent} is damaged: {fault}; "
                "restore a copy of the folder, discard it with --fresh, or choose another folder with --data"
            ) from error

    def close(self) -> None:
        """Close the journal and release the folder."""
        with self.lock:
            if not self._closed:
                self._commits.commit(self._rows)
            self._closed = True
            self._rows.close()
            self._held.close()
