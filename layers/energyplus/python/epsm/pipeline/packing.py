"""Storing the variants of a batch that have ended: the small files of several in one pack, then their records.

A record is written after the files that it names. A worker that is killed loses the variants that it has not stored,
which are run again.
"""

import dataclasses
import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from epsm.footprint import PACK_BYTES, PACK_SECONDS, PACK_VARIANTS
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.reuse import Reuse
from epsm.pipeline.variant_documents import Finished, record_of
from epsm.pipeline.variant_files import without_room
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.kept_results import KeptResult
from epsm.store.packs import pack
from epsm.store.records import Records
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

_FAULTS_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class EndedVariant:
    """A variant that has ended and is not stored yet.

    Attributes:
        variant: The variant.
        finished: Its run, with its small files.
        record: Its record.
    """

    variant: Variant
    finished: Finished
    record: VariantRecord

    @classmethod
    def of(cls, variant: Variant, finished: Finished, started_at: str) -> "EndedVariant":
        """A variant that has ended just now.

        Args:
            variant: The variant.
            finished: Its run.
            started_at: When it started, ISO 8601.
        """
        record = record_of(variant, finished, started_at)
        # Its results are in its files; they would take much memory until they are stored.
        return cls(variant, dataclasses.replace(finished, results=None, run=None, files=None, series=None), record)

    @property
    def bytes(self) -> int:
        return sum(map(len, self.finished.packed.values()))

    @property
    def succeeded(self) -> bool:
        return self.record.status is VariantStatus.SUCCEEDED


class Packing:
    """Stores variants in a thread of its own, so that engines do not wait. The end of its context stores the rest.

    Args:
        files, records, reuse: The store.
        study: The study.
        attempt: The study's attempt, for which failed variants are counted.
        on_stored: Called in that thread with the record of each variant that has been stored.

    Attributes:
        fault: An error by which a variant could not be stored; None if there was none.
    """

    def __init__(
        self,
        files: Files,
        records: Records,
        reuse: Reuse | None,
        study: LoadedStudy,
        attempt: int,
        on_stored: Callable[[VariantRecord], None],
    ) -> None:
        self._files, self._records, self._reuse = files, records, reuse
        self._study, self._attempt = study, attempt
        self._on_stored = on_stored
        self._changed = threading.Condition()
        self._waiting: list[EndedVariant] = []
        self._bytes = 0
        self._stored_at = time.monotonic()
        self._added = self._done = self._requested = 0
        self._closed = False
        self._thread = threading.Thread(target=self._store_until_closed, name="packing", daemon=True)
        self.fault: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def add(self, ended: EndedVariant) -> None:
        """Add a variant. One that failed is stored at once, and waited for: it may be the last that the study
        tolerates."""
        with self._changed:
            self._waiting.append(ended)
            self._bytes += ended.bytes
            self._added += 1
            self._changed.notify_all()
            # Engines that are faster than the store wait for it.
            self._changed.wait_for(lambda: self._bytes < 2 * PACK_BYTES or not self._thread.is_alive())
        if not ended.succeeded:
            self.flush()

    def flush(self) -> None:
        """Store the variants that have been added, and wait for that."""
        with self._changed:
            number = self._requested = self._added
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done >= number or not self._thread.is_alive())

    def _store_until_closed(self) -> None:
        while group := self._next_group():
            self._store(group)
            with self._changed:
                self._done += len(group)
                self._bytes -= sum(ended.bytes for ended in group)
                self._stored_at = time.monotonic()
                self._changed.notify_all()

    def _next_group(self) -> list[EndedVariant]:
        """The next variants to store, once that is due; none at the end."""
        with self._changed:
            while not self._closed and not self._is_due():
                due_in = self._stored_at + PACK_SECONDS - time.monotonic()
                self._changed.wait(max(0.0, due_in) if self._waiting else None)
            group: list[EndedVariant] = []
            size = 0
            while self._waiting and len(group) < PACK_VARIANTS and size < PACK_BYTES:
                group.append(self._waiting.pop(0))
                size += group[-1].bytes
            return group

    def _is_due(self) -> bool:
        return bool(self._waiting) and (
            self._done < self._requested
            or len(self._waiting) >= PACK_VARIANTS
            or self._bytes >= PACK_BYTES
            or time.monotonic() - self._stored_at >= PACK_SECONDS
        )

    def _store(self, group: Sequence[EndedVariant]) -> None:
        try:
            if self._records.is_removed(self._study.simulation):
                # A worker that was thought to be lost may outlive its study: nothing would remove its files.
                logger.warning("the study was removed: variants are not stored", extra={"variants": len(group)})
                return
            self._store_together(group)
            return
        except Exception as error:
            logger.exception("variants could not be stored", extra={"variants": len(group)})
            if len(group) == 1:
                self.fault = error
                return
        # One may be the cause; if it is the store, all fail.
        failed_in_a_row = 0
        for ended in group:
            try:
                self._store_together([ended])
                failed_in_a_row = 0
            except Exception as error:
                logger.exception("variant could not be stored", extra={"variant_index": ended.variant.index})
                self.fault = error
                failed_in_a_row += 1
                if failed_in_a_row == _FAULTS_IN_A_ROW:
                    return

    def _store_together(self, group: Sequence[EndedVariant]) -> None:
        group, name, etag = self._put_pack(group)
        simulation, expires_at = self._study.simulation, self._study.expires_at
        records = [dataclasses.replace(ended.record, pack=name) for ended in group]
        succeeded = [record for record in records if record.status is VariantStatus.SUCCEEDED]
        self._records.finish_successes(simulation, succeeded, expires_at)
        for record in records:
            if record.status is not VariantStatus.SUCCEEDED:
                self._records.finish_variant(simulation, record, expires_at, self._attempt)
        try:  # the records are written: without these, only progress is late, and results are not found again
            if succeeded:
                self._records.count_successes(simulation, len(succeeded))
            if self._reuse:
                self._reuse.note_all(self._study.owner, self._kept_results(group, name, etag))
        except (BotoCoreError, ClientError):
            logger.warning("progress and kept results could not be written", exc_info=True)
        for record in records:
            try:
                self._on_stored(record)
            except Exception as error:  # they are stored: storing them again would count them twice
                logger.exception("the end of a variant was not reported", extra={"variant_index": record.index})
                self.fault = error

    def _put_pack(self, group: Sequence[EndedVariant]) -> tuple[Sequence[EndedVariant], str, str]:
        """Store a pack; returns its variants, its name and its ETag. If S3, on this machine, has no room for it, its
        variants have failed, and their other files are stored if there is room for them."""
        try:
            return (group, *self._put(group))
        except ClientError as error:
            group = self._without_room(group, error)
        try:
            return (group, *self._put(group))
        except ClientError as error:
            group = self._without_room(group, error)
            logger.warning("no room for any file of the variants", extra={"variants": len(group)})
        return group, "", ""

    def _without_room(self, group: Sequence[EndedVariant], error: ClientError) -> list[EndedVariant]:
        manifest = self._study.manifest
        return [
            EndedVariant.of(
                each.variant, without_room(manifest, each.variant, each.finished, error), each.record.started_at
            )
            for each in group
        ]

    def _put(self, group: Sequence[EndedVariant]) -> tuple[str, str]:
        name = keys.pack_name(min(ended.variant.index for ended in group), uuid.uuid4().hex[:12])
        records = {
            ended.record.index: {"verdict": ended.record.verdict, "summary": ended.record.summary}
            for ended in group
            if ended.succeeded
        }
        content = pack({ended.variant.index: ended.finished.packed for ended in group}, records)
        return name, self._files.put_bytes(keys.run_key(self._study.simulation, name), content, "application/zip")

    def _kept_results(self, group: Sequence[EndedVariant], name: str, etag: str) -> dict[str, KeptResult]:
        """By content; copies whose originals are kept for longer are left out."""
        expires_at = self._study.expires_at
        return {
            finished.content_key: KeptResult(
                self._study.simulation, ended.variant.index, finished.etags, expires_at, name, etag
            )
            for ended in group
            if (finished := ended.finished).content_key and finished.kept_until <= expires_at
        }
