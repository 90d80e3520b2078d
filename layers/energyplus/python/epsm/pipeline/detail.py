"""Collecting tables with several rows per variant from the results of the variants."""

import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

from epsm.results.detail_tables import DetailWriter
from epsm.store import keys
from epsm.store.files import Files
from epsm.study.schema import DetailTable

logger = logging.getLogger(__name__)

_CONNECTIONS = 16
MAX_VARIANTS = 250_000
"""About 500 are read in a second, and the function has 15 minutes."""
_AT_A_TIME = 64
"""Variants whose results are in memory together."""


def write_detail(
    files: Files, simulation: str, variants: Sequence[int], tables: Sequence[DetailTable], folder: Path
) -> list[str]:
    """Write the tables that a study requests. If that fails, only they are left out.

    Args:
        files: The store.
        simulation: The study.
        variants: Indices of the variants that succeeded, in order.
        tables: Which tables.
        folder: Where to write them.

    Returns:
        Sections for the report, in HTML: the reason why they are missing, if they are.
    """
    if not tables:
        return []
    try:
        if len(variants) > MAX_VARIANTS:
            raise ValueError(f"{len(variants):,} variants succeeded; at most {MAX_VARIANTS:,} can be read in time")
        writer = DetailWriter(folder, tables)
        try:
            for document in _documents(files, simulation, variants):
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


def _documents(files: Files, simulation: str, variants: Sequence[int]) -> Iterator[dict[str, Any]]:
    def read(index: int) -> dict[str, Any]:
        with files.open_result(keys.variant_key(simulation, index, "result.json")) as stream:
            document: dict[str, Any] = json.load(stream)
        return document

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for start in range(0, len(variants), _AT_A_TIME):
            yield from pool.map(read, variants[start : start + _AT_A_TIME])
