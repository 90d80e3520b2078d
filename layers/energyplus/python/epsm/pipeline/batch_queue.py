"""The open variants of a batch: some at a time are edited, and results of earlier runs are found for them together."""

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from epsm.pipeline.batch import Batch
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.packing import EndedVariant, Packing
from epsm.pipeline.run_variant import VariantRunner
from epsm.pipeline.variant_documents import Finished, measures_of
from epsm.pipeline.variant_steps import PreparedVariant
from epsm.study.records import now
from epsm.study.variants import expand

_MAX_PREPARED = 100
_MAX_PREPARED_BYTES = 4 * 2**20
"""Variants, and the text of their models, that are kept beside the engines."""


class BatchQueue:
    """Gives the engines of a batch one variant after the other.

    A variant for which there are results of an earlier run is stored without an engine. If variants have the same
    content, one of them runs, and the others come when nothing else is open or running, and take its results.

    Args:
        runner: Edits the variants.
        study: Their study.
        batch: The batch.
        indices: Its variants that have not ended.
        packing: Stores variants.
        memory_limit_mb: The memory limit of each engine, MiB, if any.
    """

    def __init__(
        self,
        runner: VariantRunner,
        study: LoadedStudy,
        batch: Batch,
        indices: Sequence[int],
        packing: Packing,
        memory_limit_mb: float | None,
    ) -> None:
        self._runner, self._study, self._batch, self._packing = runner, study, batch, packing
        self._memory_limit_mb = memory_limit_mb
        self._open = deque(indices)
        self._ready: deque[PreparedVariant] = deque()
        self._equal: list[int] = []
        self._contents: set[str] | None = set()
        self._running = 0
        self._lock = threading.Lock()
        self._reuse = runner.reuse if study.manifest.study.options.cache else None

    def next(self, must_end: Callable[[], bool]) -> PreparedVariant | None:
        """The next variant; `done` is to be called once it has ended.

        Args:
            must_end: Whether no further variant may start.

        Returns:
            None if none is open, or must start.
        """
        with self._lock:
            while not must_end():
                if self._ready:
                    self._running += 1
                    return self._ready.popleft()
                if not self._open and self._equal and not self._running:
                    self._packing.flush()  # the results of the variants that they equal can be found
                    self._open.extend(self._equal)
                    self._equal.clear()
                    self._contents = None
                if not self._open:
                    return None
                self._prepare()
        return None

    def done(self) -> None:
        """A variant has ended, or cannot run."""
        with self._lock:
            self._running -= 1

    def _prepare(self) -> None:
        started, started_at = time.monotonic(), now()
        prepared: dict[int, PreparedVariant] = {}
        size = 0
        while self._open and len(prepared) < _MAX_PREPARED and size < _MAX_PREPARED_BYTES:
            index = self._open.popleft()
            variant = next(expand(self._study.manifest.study, index, index + 1))
            one = self._runner.prepare(self._study, variant, self._memory_limit_mb)
            size += len(one.model.text) if one.model else 0
            prepared[index] = one
        number = len(prepared)
        for index, finished in self._earlier(list(prepared.values())):
            measures = measures_of(None, (time.monotonic() - started) / number)
            variant = prepared.pop(index).variant
            # Waits while too much is not stored yet; only then are more results read.
            self._packing.add(EndedVariant.of(variant, dataclasses.replace(finished, measures=measures), started_at))
        for index, one in prepared.items():
            if self._is_first(one):
                self._ready.append(one)
            else:
                self._equal.append(index)

    def _earlier(self, prepared: Sequence[PreparedVariant]) -> Iterator[tuple[int, Finished]]:
        if self._reuse is not None:
            yield from self._reuse.take_each(self._study, prepared)

    def _is_first(self, one: PreparedVariant) -> bool:
        """Whether no other variant of the batch with that content runs."""
        if self._reuse is None or not one.content_key or self._contents is None:
            return True
        first = one.content_key not in self._contents
        self._contents.add(one.content_key)
        return first
