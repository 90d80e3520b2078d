"""Downloading the files of variants that have ended while the other variants of a study run.

So that the end of a study is not followed by the download of all its files, during which no engine runs.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from epsm.client.fetch import Download
from epsm.errors import CannotWrite, FolderBusy, NotFound
from epsm.store.executions import RunCounts

logger = logging.getLogger(__name__)

_ROUNDS = 10
"""Rounds per study at most: each lists all files."""
_MIN_INTERVAL_S = 2.0


@contextmanager
def downloading_early(download: Download | None) -> Iterator[Callable[[RunCounts], None]]:
    """Download in rounds, in the background, for the duration of the block.

    A failed round is not reported, and is the last one: `Download.finish` reports the fault if it persists.

    Args:
        download: The download of the study; None to download nothing.

    Yields:
        A function to be called with the counts of the study, several times a minute.
    """
    if download is None or not download.with_variants:
        yield lambda counts: None
        return
    rounds = _Rounds(download)
    try:
        yield rounds.note
    except Exception:
        rounds.end()
        raise
    except BaseException:
        download.stop()  # an interrupt does not wait for large files on a slow line
        raise
    rounds.end()


class _Rounds:
    """The thread that downloads."""

    def __init__(self, download: Download) -> None:
        self._download = download
        self._due = threading.Event()
        self._ended_before = 0
        self._earliest = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="early download", daemon=True)
        self._thread.start()

    def note(self, counts: RunCounts) -> None:
        """Start a round if enough variants have ended since the last one."""
        ended = counts.ended - self._ended_before
        if ended >= max(1, counts.total // _ROUNDS) and time.monotonic() >= self._earliest:
            self._ended_before = counts.ended
            self._due.set()

    def end(self) -> None:
        """End after the files that are being downloaded."""
        self._closed = True
        self._download.stop()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while self._due.wait() and not self._closed:
            self._due.clear()
            try:
                if not self._download.download_early():
                    return
            except FolderBusy:
                pass  # another command downloads to the same folder; the next round tries again
            except (CannotWrite, NotFound, BotoCoreError, ClientError) as error:
                logger.debug("no further files are downloaded before the end: %s", error)
                return
            finally:
                self._earliest = time.monotonic() + _MIN_INTERVAL_S
