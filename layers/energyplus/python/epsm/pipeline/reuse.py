"""Reusing the results of an earlier run with the same content: copied, never shared, so each study keeps its own."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from epsm.energyplus.verdict import Diagnosis, Verdict
from epsm.errors import NotFound
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.simulation import RunLimits
from epsm.pipeline.variant_documents import CACHED_FROM, Finished, identity, measures_of
from epsm.pipeline.variant_steps import PreparedVariant
from epsm.store import keys
from epsm.store.files import Files, json_bytes
from epsm.store.kept_results import KeptResult, KeptResults
from epsm.store.packs import RESULT, Pack
from epsm.store.records import Records
from epsm.study.records import VariantStatus

logger = logging.getLogger(__name__)

_MAX_WAIT_S = 300.0
_REPEAT_POLL_S = 1.0
"""Longest time, and interval, of waiting for an earlier variant with the same sample."""
_CONNECTIONS = 8
_DAMAGE = (NotFound, KeyError, TypeError, ValueError)
"""A file that is missing, or has not what a worker writes: such results are not reused, and the variant runs."""
_OpenPack = tuple[Pack, dict[int, dict[str, Any]]]
"""A pack, and the records in it."""


@dataclass(frozen=True, slots=True)
class _Source:
    """An earlier result.

    Attributes:
        kept: Where it is.
        verdict, summary: Of its variant's record.
        document: Its result.json.
        packed: Its other files that are in a pack, by name.
    """

    kept: KeptResult
    verdict: str
    summary: Mapping[str, Any]
    document: dict[str, Any]
    packed: Mapping[str, bytes]


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
        self, study: LoadedStudy, prepared: PreparedVariant, limits: RunLimits, repeats: int | None = None
    ) -> Finished | None:
        """The results of an earlier run with the content of a variant; large files are copied.

        Args:
            study: The variant's study.
            prepared: The variant.
            limits: Bounds of waiting.
            repeats: Index of an earlier variant with the same sample; its results are waited for, until it has ended.

        Returns:
            None if there is no such run, or any part of its results is missing or changed.
        """
        reused = self._take_one(study, prepared)
        if reused is not None or repeats is None:
            return reused
        # Half of the time: enough is left for a run if the other variant's worker was lost.
        deadline = time.monotonic() + min(_MAX_WAIT_S, limits.seconds_left() / 2)
        while not self._records.has_ended(study.simulation, repeats):
            if time.monotonic() > deadline or limits.should_stop():
                return None
            self._sleep(_REPEAT_POLL_S)
        return self._take_one(study, prepared)

    def _take_one(self, study: LoadedStudy, prepared: PreparedVariant) -> Finished | None:
        return dict(self.take_each(study, [prepared])).get(prepared.variant.index)

    def take_each(self, study: LoadedStudy, variants: Sequence[PreparedVariant]) -> Iterator[tuple[int, Finished]]:
        """The same of several variants, by index; those without an earlier run are left out.

        One pack after the other is in memory: they may have 16 MiB each, and each variant may need another one.
        """
        found = self._kept.find_all(
            study.owner, list({each.content_key: None for each in variants if each.content_key})
        )
        by_pack: dict[tuple[str, str, str], list[tuple[PreparedVariant, KeptResult]]] = {}
        for each in variants:
            kept = found.get(each.content_key)
            if kept and (kept.simulation_id, kept.index) != (study.simulation, each.variant.index):
                where = (kept.simulation_id, kept.pack, kept.pack_etag) if kept.pack else ("", "", "")
                by_pack.setdefault(where, []).append((each, kept))
        for where, matches in by_pack.items():
            yield from self._take_from(study, self._pack(*where), matches)

    def _take_from(
        self, study: LoadedStudy, pack: _OpenPack | None, matches: Sequence[tuple[PreparedVariant, KeptResult]]
    ) -> Iterator[tuple[int, Finished]]:
        def take(one: tuple[PreparedVariant, KeptResult]) -> Finished | None:
            prepared, kept = one
            try:
                source = _packed_source(kept, pack) if kept.pack else self._source(kept)
                if (source.document["simulation_id"], source.document["variant_index"]) != kept.variant:
                    raise NotFound(f"{kept.simulation_id}/{kept.index}: the results are those of another variant")
                return self._copy(study, prepared, source)
            except _DAMAGE:
                logger.warning("results of an earlier run are incomplete", extra={"simulation_id": kept.simulation_id})
                return None

        if sum(len(kept.etags) for _, kept in matches) == 0:  # nothing to wait for
            taken = [take(one) for one in matches]
        else:
            with ThreadPoolExecutor(_CONNECTIONS) as pool:
                taken = list(pool.map(take, matches))
        for (prepared, _), each in zip(matches, taken, strict=True):
            if each is not None:
                yield prepared.variant.index, each

    def _pack(self, simulation: str, name: str, etag: str) -> _OpenPack | None:
        """A pack of an earlier run that is as it was stored, with the records in it."""
        if not name:
            return None
        try:
            pack = Pack(io.BytesIO(self._files.read_unchanged(keys.run_key(simulation, name), etag)))
            return pack, pack.records()
        except _DAMAGE:
            logger.warning("a pack of an earlier run is missing or damaged", extra={"simulation_id": simulation})
            return None

    def _source(self, kept: KeptResult) -> _Source:
        record = self._records.variant(kept.simulation_id, kept.index)
        if record is None or record.status is not VariantStatus.SUCCEEDED or RESULT not in kept.etags:
            raise NotFound(f"{kept.simulation_id}/{kept.index}")
        key = keys.variant_key(kept.simulation_id, kept.index, RESULT)
        document = json.loads(self._files.read_unchanged(key, kept.etags[RESULT]))
        return _Source(kept, record.verdict, record.summary, document, {})

    def _copy(self, study: LoadedStudy, prepared: PreparedVariant, source: _Source) -> Finished:
        """A variant's results, from those of an earlier run. Its objects are copied; what is copied is overwritten, if
        the variant runs because one is missing."""
        variant, kept = prepared.variant, source.kept
        etags = {
            name: self._copy_object(kept, name, study.simulation, variant.index)
            for name in kept.etags
            if name != RESULT
        }
        # Results that were copied themselves name the run that they were computed in.
        origin = {CACHED_FROM: source.summary.get(CACHED_FROM) or f"{kept.simulation_id}/{kept.index}"}
        own = identity(study.manifest, variant) | measures_of(None, 0.0) | origin
        return Finished(
            Diagnosis(
                Verdict(source.verdict),
                source.summary["note"],
                tuple(source.document["errors"]),
                source.summary["warnings"],
                source.summary["severe_errors"],
                (),
            ),
            etags=etags,
            packed={**source.packed, RESULT: json_bytes(source.document | own)},
            content_key=prepared.content_key,
            reused={**source.summary, **origin},
            kept_until=kept.expires_at,
        )

    def _copy_object(self, kept: KeptResult, name: str, simulation: str, index: int) -> str:
        source = keys.variant_key(kept.simulation_id, kept.index, name)
        target = keys.variant_key(simulation, index, name)
        if name == keys.SERIES:
            part = self._files.read_unchanged(source, kept.etags[name])
            return self._files.put_bytes(target, _numbered(part, index))
        return self._files.copy_unchanged(source, kept.etags[name], target)

    def note(self, owner: str, finished: Finished, result: KeptResult) -> None:
        """Note the results of a variant; a copy unless its original is kept for longer."""
        if finished.content_key:
            self._kept.note(owner, finished.content_key, result, unless_longer=finished.reused is not None)

    def note_all(self, owner: str, results: Mapping[str, KeptResult]) -> None:
        """Note results by the content of their runs."""
        self._kept.note_all(owner, results)


def _packed_source(kept: KeptResult, opened: _OpenPack | None) -> _Source:
    if opened is None:
        raise NotFound(kept.pack)
    pack, records = opened
    packed = {name: pack.read(kept.index, name) for name in pack.names(kept.index)}
    if RESULT not in packed or kept.index not in records:
        raise NotFound(f"{kept.pack}: variant {kept.index}")
    record = records[kept.index]
    return _Source(kept, record["verdict"], record["summary"], json.loads(packed.pop(RESULT)), packed)


def _numbered(part: bytes, index: int) -> bytes:
    """Series as those of another variant: the index of the variant is in the file."""
    from epsm.results.series_parts import with_index  # pyarrow: only if there are series

    return with_index(part, index)
