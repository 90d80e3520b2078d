"""Copying the results of ended studies to a folder while the local stack runs. A failed copy does not stop the
stack."""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from epsm.client.aws_faults import line
from epsm.client.connection import Connection
from epsm.client.fetch import fetch
from epsm.client.results_place import results_folder, run_in
from epsm.errors import DamagedResults, FolderBusy
from epsm.store import keys
from epsm.study.records import StudyRecord
from epsm_local.aws.journal import Closed, Journal
from epsm_local.downloads import take_download

_COPIED = "copied"
_FIRST_RETRY_S = 5.0
_MAX_RETRY_S = 300.0
_BUSY_RETRY_S = 3.0
_OTHERS_FIRST_S = 2.0
"""Time after its end in which a study is left to `epsm run`, which downloads the same results and is waited for."""


class Copies:
    """The copies of a local stack's results.

    A failed copy (full disk, no permission, a file with the folder's name, concurrent deletion) is reported once, and
    retried later and at the next start.

    Args:
        console: Where to print.
        target: The local stack.
        results: Folder that ended studies are copied to.
        journal: Records the copied studies; None to keep this in memory only.
        last_write: Returns a number that is another one after each write of a study's record; None if that is not
            known, and the studies are listed each time.
    """

    def __init__(
        self,
        console: Console,
        target: Connection,
        results: Path,
        journal: Journal | None,
        last_write: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._console = console
        self._target = target
        self._results = results
        self._journal = journal
        self._copied = {name for name, _ in journal.read(_COPIED)} if journal else set()
        self._reported: dict[str, str] = {}
        self._retries: dict[str, tuple[float, float]] = {}
        self._last_write = last_write
        self._nothing_to_copy_at: int | None = None
        """The last write of a study's record when all ended studies were copied."""

    def copy_ended(self) -> None:
        """Copy the studies that have ended since the last call."""
        last_write = self._last_write()
        if last_write is not None and last_write == self._nothing_to_copy_at:
            return
        records = self._records()
        for record in records or ():
            if _has_settled(record) and time.monotonic() >= self._retries.get(_run(record), (0.0, 0.0))[0]:
                self._copy_whole(record)
        if records is not None and not any(
            record.status.final and _run(record) not in self._copied for record in records
        ):
            self._nothing_to_copy_at = last_write

    def copy_rest(self) -> None:
        """Copy the studies that ended a moment ago, and the partial results of those that have not ended; the rest of
        these follows when they have ended."""
        for record in self._records() or ():
            if record.status.final:
                self._copy_whole(record)
            elif (folder := self._copy(record)) is not None:
                message = f"{record.name}: interrupted while {record.status.value}; partial results are in {folder}/"
                self._console.print(Text(message))

    def _copy_whole(self, record: StudyRecord) -> None:
        folder = self._downloaded(record) or self._copy(record)
        if folder is not None:
            self._remember(_run(record))
            self._console.print(Text(f"{record.name}: {record.status.value}, results in {folder}/"))

    def _downloaded(self, record: StudyRecord) -> Path | None:
        """The folder of a study that a command has downloaded to the same place with all its files."""
        folder = take_download(_run(record))
        if folder is None or folder.parent != self._results.resolve() or run_in(folder) != record.simulation_id:
            return None
        return folder

    def _records(self) -> list[StudyRecord] | None:
        """The newest studies that have not been copied; None if they cannot be listed."""
        try:
            records = list(self._target.stack.records.studies())
        except Exception as error:
            self._report("", f"Studies cannot be listed, retrying: {line(error) or repr(error)}")
            return None
        # Results of canaries are not copied.
        return [
            record
            for record in records
            if _run(record) not in self._copied and not keys.is_canary(record.source["key"])
        ]

    def _copy(self, record: StudyRecord) -> Path | None:
        run = _run(record)
        try:
            folder = results_folder(self._results, record.source["key"], record.simulation_id)
            return fetch(
                self._target, record.simulation_id, folder, with_variants=True, report=lambda done, total: None
            )
        except DamagedResults as error:
            self._report(run, f"{record.name}: {error}")
            return error.folder  # a retry would find the same
        except FolderBusy:
            # Usually `epsm run`, which downloads the same results: each attempt lists all files of the study.
            self._retries[run] = (
                time.monotonic() + _BUSY_RETRY_S,
                self._retries.get(run, (0.0, _FIRST_RETRY_S / 2))[1],
            )
            return None
        except Exception as error:
            reason = line(error) or repr(error)
            self._report(run, f"{record.name}: results are not copied, retrying later: {reason}")
            wait_s = min(_MAX_RETRY_S, 2 * self._retries.get(run, (0.0, _FIRST_RETRY_S / 2))[1])
            self._retries[run] = (time.monotonic() + wait_s, wait_s)
            return None

    def _remember(self, run: str) -> None:
        self._copied.add(run)
        if self._journal is not None:
            try:
                self._journal.write(_COPIED, run, True)
            except (OSError, sqlite3.Error, Closed) as error:
                message = f"Copied results could not be recorded; the next start copies them again: {error}"
                self._report("", message)

    def _report(self, run: str, message: str) -> None:
        if self._reported.get(run) != message:
            self._reported[run] = message
            self._console.print(Text(message, style="red"))


def _has_settled(record: StudyRecord) -> bool:
    if not record.status.final:
        return False
    ended = datetime.fromisoformat(record.ended_at or record.created_at)
    # A clock that was set back says that a study ends in the future.
    return abs(datetime.now(UTC) - ended) > timedelta(seconds=_OTHERS_FIRST_S)


def _run(record: StudyRecord) -> str:
    """Key of a copy: a study that was rerun is copied again."""
    return keys.execution_name(record.simulation_id, record.attempt)
