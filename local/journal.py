"""What a killed local stack must not lose, in one SQLite file that is written before an answer."""

import fcntl
import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from typing import Any


class InUse(Exception):
    """Another local stack keeps its data in the folder."""


class Journal:
    """Objects and items by where they belong, each pickled: written and read by this program only.

    Args:
        folder: Where to keep it; made if it is not there.
        fresh: Forget what is there.

    Raises:
        InUse: If another process has it open.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = (folder / "lock").open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._held.close()
            raise InUse(f"another local stack keeps its data in {folder}: stop it, or choose another folder") from None
        if fresh:
            for each in folder.glob("journal.sqlite*"):
                each.unlink()
        self.lock = RLock()
        self._rows = sqlite3.connect(folder / "journal.sqlite", check_same_thread=False, isolation_level=None)
        # Space of what is deleted goes back to the disk; a commit survives a loss of power.
        for pragma in ("auto_vacuum=FULL", "journal_mode=WAL", "synchronous=FULL"):
            self._rows.execute(f"PRAGMA {pragma}")
        self._rows.execute(
            "CREATE TABLE IF NOT EXISTS kept (owner TEXT, name TEXT, value BLOB, PRIMARY KEY (owner, name))"
        )

    def write(self, owner: str, name: str, value: Any) -> None:
        """Keep `value`; None forgets it. It is on the disk when this returns."""
        with self.lock:
            if value is None:
                self._rows.execute("DELETE FROM kept WHERE owner = ? AND name = ?", (owner, name))
            else:
                self._rows.execute("REPLACE INTO kept VALUES (?, ?, ?)", (owner, name, pickle.dumps(value)))

    def read(self, owner: str) -> Iterator[tuple[str, Any]]:
        """Everything of an owner: name and value."""
        with self.lock:
            names = [name for (name,) in self._rows.execute("SELECT name FROM kept WHERE owner = ?", (owner,))]
            for name in names:
                row = self._rows.execute("SELECT value FROM kept WHERE owner = ? AND name = ?", (owner, name))
                yield name, pickle.loads(row.fetchone()[0])  # noqa: S301 - our own file, readable by its owner only

    def close(self) -> None:
        """Let go of the folder."""
        with self.lock:
            self._rows.close()
            self._held.close()
