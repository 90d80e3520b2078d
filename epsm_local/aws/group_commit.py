"""Commits of an SQLite connection that several threads share: one for all writes that wait at the same time.

A commit waits for the disk, a few milliseconds. While one is under way, other threads queue; then all of them write,
and the first of them commits for all.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_YIELDS = 200
"""How often a thread lets others write before it commits, at most."""


class GroupCommit:
    """The commits of one connection.

    Args:
        lock: Held by each thread that uses the connection.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._committing = threading.Lock()
        self._counting = threading.Lock()
        self._queued = 0
        self._written = 0
        self._committed = 0
        self._lost: dict[range, BaseException] = {}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock for a write; a commit waits for the threads that are about to write."""
        with self._counting:
            self._queued += 1
        self._lock.acquire()
        with self._counting:
            self._queued -= 1
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def savepoint(self, rows: sqlite3.Connection) -> Iterator[int]:
        """Execute statements in the open transaction; either all of them take effect, or none.

        Yields:
            Number of the write, for `await_commit`.
        """
        if not rows.in_transaction:
            rows.execute("BEGIN IMMEDIATE")
        rows.execute("SAVEPOINT one_write")
        number = self._written + 1
        try:
            yield number
            rows.execute("RELEASE one_write")
        except BaseException as error:
            if rows.in_transaction:
                rows.execute("ROLLBACK TO one_write")
                rows.execute("RELEASE one_write")
            else:  # a full disk ends the transaction by itself, with the writes of other threads
                self._lose(error)
            raise
        self._written = number

    def await_commit(self, rows: sqlite3.Connection, numbers: Sequence[int]) -> None:
        """Wait until writes are on disk. Not while the lock is held: the thread that commits may wait for it.

        Args:
            rows: The connection.
            numbers: From `savepoint`, in their order.

        Raises:
            sqlite3.Error: If one of them is lost, because the disk is full.
        """
        if not numbers:
            return
        with self._committing:
            for _ in range(_YIELDS):
                if self._committed >= numbers[-1] or not self._queued:
                    break
                time.sleep(0)
            with self._lock:
                if self._committed < numbers[-1]:
                    self.commit(rows)
                for lost, error in self._lost.items():
                    if any(number in lost for number in numbers):
                        raise error

    def commit(self, rows: sqlite3.Connection) -> None:
        """Commit all writes so far."""
        if not rows.in_transaction:
            return
        try:
            rows.execute("COMMIT")
        except BaseException as error:
            if rows.in_transaction:
                rows.execute("ROLLBACK")
            self._lose(error)
        self._committed = self._written

    def _lose(self, error: BaseException) -> None:
        """Note that all writes since the last commit are lost."""
        if self._written > self._committed:
            self._lost[range(self._committed + 1, self._written + 1)] = error
        self._committed = self._written
