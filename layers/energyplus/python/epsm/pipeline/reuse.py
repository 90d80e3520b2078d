"""Reusing the results of an earlier run with the same content: copied, never shared, so each study keeps its own."""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.errors import NotFound
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.variant_documents import CACHED_FROM, RESULT, Finished, identity, measures_of
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.kept_results import KeptResult, KeptResults
from epsm.store.records import Records
from epsm.study.records import VariantStatus
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

_MAX_WAIT_S = 300.0
_REPEAT_POLL_S = 1.0
"""Longest time, and interval, of waiting for an earlier variant with the same sample."""


class Reuse:
    """Finds and copies results of an owner's earlier runs.

    Args:
        files, records: The store.
        kept_results: Where results are noted.
        sleep: Waits between checks of a variant with the same sample.
    """

    def __init__(
        self, files: Files, records: Records, kept_results: KeptResults, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._sleep = sleep
        self._files = files
        self._records = records
        self._kept = kept_results

    def take(
        self, study: LoadedStudy, content_key: str, variant: Variant, limits: RunLimits, repeats: int | None = None
    ) -> Finished | None:
        """Copy the results of an earlier run with this content to a variant.

        Args:
            study: The variant's study.
            content_key: Content of the run.
            variant: The variant.
            limits: Bounds of waiting.
            repeats: Index of an earlier variant with the same sample; its results are waited for, until it has ended.

        Returns:
            None if there is no such run, or any part of its results is missing or changed.
        """
        reused = self._take(study, content_key, variant)
        if reused is not None or repeats is None:
            return reused
        # Half of the time: enough is left for a run if the other variant's worker was lost.
        deadline = time.monotonic() + min(_MAX_WAIT_S, limits.seconds_left() / 2)
        while not self._records.has_ended(study.simulation, repeats):
            if time.monotonic() > deadline or limits.should_stop():
                return None
            self._sleep(_REPEAT_POLL_S)
        return self._take(study, content_key, variant)

    def _take(self, study: LoadedStudy, content_key: str, variant: Variant) -> Finished | None:
        simulation = study.simulation
        found = self._kept.find(study.owner, content_key)
        if found is None or (found.simulation_id, found.index) == (simulation, variant.index):
            return None
        source = self._records.variant(found.simulation_id, found.index)
        document = self._document(found)
        if source is None or source.status is not VariantStatus.SUCCEEDED or document is None:
            return None
        etags = self._copies(found, simulation, variant.index)
        if etags is None:
            return None
        # Results that were copied themselves name the run that they were computed in.
        origin = {CACHED_FROM: source.summary.get(CACHED_FROM) or f"{found.simulation_id}/{found.index}"}
        own = identity(study.manifest, variant) | measures_of(None, 0.0) | origin
        etags[RESULT] = self._files.put_json(keys.variant_key(simulation, variant.index, RESULT), document | own)
        diagnosis = Diagnosis(
            Verdict(source.verdict),
            source.summary["note"],
            tuple(document["errors"]),
            source.summary["warnings"],
            source.summary["severe_errors"],
            (),
        )
        return Finished(diagnosis, etags=etags, content_key=content_key, reused=source.summary | origin)

    def note(self, owner: str, finished: Finished, result: KeptResult) -> None:
        """Note the results of a variant; a copy unless its original is kept for longer."""
        if finished.content_key:
            self._kept.note(owner, finished.content_key, result, unless_longer=finished.reused is not None)

    def _document(self, found: KeptResult) -> dict[str, Any] | None:
        """result.json of an earlier run, if it is as it was written."""
        if RESULT not in found.etags:
            return None
        try:
            content = self._files.read_unchanged(
                keys.variant_key(found.simulation_id, found.index, RESULT), found.etags[RESULT]
            )
        except NotFound:
            return None
        document: dict[str, Any] = json.loads(content)
        return document

    def _copies(self, found: KeptResult, simulation: str, index: int) -> dict[str, str] | None:
        names = [name for name in found.etags if name != RESULT]

        def copy(name: str) -> str:
            source = keys.variant_key(found.simulation_id, found.index, name)
            target = keys.variant_key(simulation, index, name)
            if name == keys.SERIES:
                return self._files.put_bytes(
                    target, _numbered(self._files.read_unchanged(source, found.etags[name]), index)
                )
            return self._files.copy_unchanged(source, found.etags[name], target)

        try:
            with ThreadPoolExecutor(max_workers=4) as pool:
                return dict(zip(names, pool.map(copy, names), strict=True))
        except NotFound:
            # What was copied is overwritten by the run that follows.
            logger.warning("results of an earlier run are incomplete", extra={"simulation_id": found.simulation_id})
            return None


def _numbered(part: bytes, index: int) -> bytes:
    """Series as those of another variant: the index of the variant is in the file."""
    from epsm.results.series_parts import with_index  # pyarrow: only if there are series

    return with_index(part, index)
