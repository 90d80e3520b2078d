"""Collecting tables with several rows per variant from the results of the variants."""

import json
import logging
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

from epsm.results.detail_tables import DetailWriter
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.pack_index import PackIndex
from epsm.store.packs import RESULT, Pack
from epsm.study.limits import MAX_TABLES_VARIANTS
from epsm.study.schema import DetailTable

logger = logging.getLogger(__name__)

_CONNECTIONS = 16
_AT_A_TIME = 64
"""Variants whose results are in memory together."""


def write_detail(
    files: Files,
    simulation: str,
    variants: Sequence[int],
    packs: PackIndex,
    tables: Sequence[DetailTable],
    folder: Path,
) -> list[str]:
    """Write the tables that a study requests. If that fails, only they are left out.

    Args:
        files: The store.
        simulation: The study.
        variants: Indices of the variants that succeeded, in order.
        packs: The packs with their files.
        tables: Which tables.
        folder: Where to write them.

    Returns:
        Sections for the report, in HTML: the reason why they are missing, if they are.
    """
    if not tables:
        return []
    try:
        if len(variants) > MAX_TABLES_VARIANTS:  # of a study that an earlier release accepted
            raise ValueError(
                f"{len(variants):,} variants succeeded; at most {MAX_TABLES_VARIANTS:,} can be read in time"
            )
        writer = DetailWriter(folder, tables)
        try:
            for document in _documents(files, simulation, variants, packs):
                writer.add(document)
        finally:
            writer.close()
        return []
    except Exception as error:
        logger.exception("the tables of zones and months cannot be written", extra={"simulation_id": simulation})
        for table in tables:
            (folder / f"{table}.parquet").unlink(missing_ok=True)
        names = " and ".join(f"{table}.parquet" for table in tables)
        return [f"<p class='status failed'>{names} could not be written: {escape(repr(error))}</p>"]


def _documents(files: Files, simulation: str, variants: Sequence[int], packs: PackIndex) -> Iterator[dict[str, Any]]:
    """The documents of the variants in order. Each pack is read once: the documents of its other variants are kept,
    compressed, until it is their turn."""
    waiting: dict[int, bytes] = {}

    def read(index: int) -> bytes:
        with files.open_result(keys.variant_key(simulation, index, RESULT)) as stream:
            return stream.read()

    def read_pack(name: str) -> dict[int, bytes]:
        with files.open_ranged(keys.run_key(simulation, name)) as content:
            pack = Pack(content)
            return {
                index: zlib.compress(pack.read(index, RESULT), 1)
                for index in pack.variants
                if packs.pack_of(index) == name
            }

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for start in range(0, len(variants), _AT_A_TIME):
            part = variants[start : start + _AT_A_TIME]
            names = {packs.pack_of(index) for index in part if index not in waiting} - {""}
            for found in pool.map(read_pack, sorted(names)):
                waiting |= found
            alone = [index for index in part if not packs.pack_of(index)]
            contents = dict(zip(alone, pool.map(read, alone), strict=True))
            for index in part:
                yield json.loads(contents.pop(index) if index in contents else zlib.decompress(waiting.pop(index)))
