"""The series of a study as one Parquet dataset: a part for each variant, and a table of all columns.

All parts have the same types, so that pandas, polars and DuckDB read them together; see docs/decisions, 27.
"""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import pandas as pd

VARIANT_INDEX, ENVIRONMENT = "variant_index", "environment"
_TIMES = ("interval_start", "interval_end")
_MOMENT = pa.timestamp("us")
_NAMES = pa.dictionary(pa.int32(), pa.string())


def write_part(series: "pd.DataFrame", index: int, path: Path) -> str:
    """Write the series of a variant.

    Args:
        series: From `epsm.results.series.read_series`.
        index: Index of the variant.
        path: The file to write.

    Returns:
        A hash of the columns: parts with the same hash have the same.

    Raises:
        OSError: If it cannot be written.
    """
    columns: dict[str, pa.Array] = {}
    for name in series.columns:
        kind = pa.string() if name == ENVIRONMENT else _MOMENT if name in _TIMES else pa.float64()
        columns[name] = pa.array(series[name], kind, from_pandas=True)
    columns[ENVIRONMENT] = columns[ENVIRONMENT].dictionary_encode()
    with path.open("wb") as target:
        _write(_numbered(pa.table(columns), index), target)
    return hashlib.sha256(json.dumps(list(columns)).encode()).hexdigest()[:16]


def with_index(part: bytes, index: int) -> bytes:
    """A part as that of another variant with the same series."""
    target = io.BytesIO()
    _write(_numbered(read_part(io.BytesIO(part)).drop_columns(VARIANT_INDEX), index), target)
    return target.getvalue()


def read_part(source: IO[bytes]) -> pa.Table:
    """A part, in one thread: the caller may be one of several."""
    return pq.ParquetFile(source).read(use_threads=False)


def write_columns(parts: Iterable[IO[bytes]], path: Path) -> None:
    """Write a table without rows that has every column of the parts, in the order in which they occur first."""
    schema = pa.unify_schemas([pq.read_schema(part) for part in parts])
    pq.write_table(schema.empty_table(), path)


def _numbered(table: pa.Table, index: int) -> pa.Table:
    numbers = pa.repeat(pa.scalar(index, pa.int32()), len(table))
    return table.add_column(0, VARIANT_INDEX, numbers).replace_schema_metadata(None)


def _write(table: pa.Table, target: IO[bytes]) -> None:
    # Regular times as differences take 100 bytes, and values hardly repeat: of a dictionary for each, five hourly
    # series of a year take 334 kB, and 143 kB like this.
    pq.write_table(
        table,
        target,
        compression="zstd",
        compression_level=1,
        use_dictionary=[VARIANT_INDEX, ENVIRONMENT],
        column_encoding=dict.fromkeys(_TIMES, "DELTA_BINARY_PACKED"),
    )
