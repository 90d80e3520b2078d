"""The columns of a whole study's series: each variant has those of its own model.

One part is read for each distinct set of columns, so the work does not grow with the number of variants.
"""

import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from epsm.results.rows import SERIES_COLUMNS
from epsm.results.series_parts import write_columns
from epsm.store import keys
from epsm.store.files import Files
from epsm.study.records import VariantRecord, VariantStatus

logger = logging.getLogger(__name__)

_CONNECTIONS = 16


class VariantsByColumns:
    """Notes the first variant with each set of columns, while records are read for something else."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}

    def noting(self, records: Iterable[VariantRecord]) -> Iterator[VariantRecord]:
        """The records, unchanged."""
        for record in records:
            if record.status is VariantStatus.SUCCEEDED and (columns := record.summary.get(SERIES_COLUMNS)):
                self._first.setdefault(columns, record.index)
            yield record

    @property
    def indices(self) -> list[int]:
        """Indices of these variants, in order."""
        return sorted(self._first.values())


def write_series_columns(
    files: Files, simulation: str, variants: Sequence[int], folder: Path, attempt: int
) -> list[str]:
    """Write and store the table with the columns of all series. If that fails, only it is left out.

    Args:
        files: The store.
        simulation: The study.
        variants: Variants that have every column between them.
        folder: A temporary folder.
        attempt: The attempt of the study that has ended.

    Returns:
        Sections for the report, in HTML: the reason why it is missing, if it is.
    """
    if not variants:
        return []
    path = folder / "series-columns.parquet"

    def read(index: int) -> io.BytesIO:
        with files.open_result(keys.variant_key(simulation, index, keys.SERIES)) as stream:
            return io.BytesIO(stream.read())

    try:
        with ThreadPoolExecutor(min(_CONNECTIONS, len(variants))) as pool:
            write_columns(pool.map(read, variants), path)
        key = keys.run_key(simulation, keys.SERIES_COLUMNS)
        files.collected(attempt).put(key, path, "application/octet-stream")
    except Exception as error:
        logger.exception("the columns of the series cannot be written", extra={"simulation_id": simulation})
        return [f"<p class='status failed'>{keys.SERIES_COLUMNS} could not be written: {escape(repr(error))}</p>"]
    return []
