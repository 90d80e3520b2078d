"""What is read of a results table without having it in memory: some of its rows, and a hash of each."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, groupby
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from epsm.results.metrics import METRICS

Complete = Callable[[pd.DataFrame, Iterable[str]], pd.DataFrame]
"""Gives some rows of a table with these columns too, as far as the results have them."""
_BATCH = 20_000


def as_they_are(rows: pd.DataFrame, _: Iterable[str]) -> pd.DataFrame:
    """A `Complete` for a table with all its columns."""
    return rows


def from_file(parquet: Path) -> Complete:
    """A `Complete` for a table of which only some columns have been read; the others are read for these rows alone.

    Args:
        parquet: The table, as `epsm.results.table.write_table` wrote it: a row for each variant, in order.
    """

    def complete(rows: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
        with pq.ParquetFile(parquet) as file:
            existing = set(file.schema_arrow.names)
            added = [name for name in dict.fromkeys(names) if name in existing and name not in rows]
            if not added or rows.empty:
                return rows
            groups = (file.metadata.row_group(number).num_rows for number in range(file.num_row_groups))
            starts = list(accumulate(groups, initial=0))
            found = []
            for group, indices in groupby(
                rows["variant_index"].tolist(), lambda index: bisect_right(starts, index) - 1
            ):
                content = file.read_row_group(group, columns=added)
                found += [content.slice(index - starts[group], 1) for index in indices]
        others: pd.DataFrame = pa.concat_tables(found).to_pandas().set_index(rows.index)
        return pd.concat([rows, others[added]], axis=1)

    return complete


def outcomes_of(results: pd.DataFrame) -> "pd.Series[int]":
    """A hash of each row's metrics, by which results that are the same in every digit are found."""
    return pd.util.hash_pandas_object(results[list(METRICS)], index=False)


def read_outcomes(parquet: Path) -> "pd.Series[int]":
    """The same of a whole table, whose metrics are not in memory together."""
    with pq.ParquetFile(parquet) as file:
        batches = file.iter_batches(_BATCH, columns=list(METRICS))
        outcomes = pd.concat([outcomes_of(batch.to_pandas()) for batch in batches], ignore_index=True)
    pa.default_memory_pool().release_unused()  # it keeps 100 MB otherwise
    return outcomes
