"""The series of a study: of one variant, of some, or of all, in one frame."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from epsm.client.frames import require_parquet
from epsm.client.sources import ResultsSource, source_of
from epsm.errors import NotFound
from epsm.store import keys
from epsm.text import fold_name, nearest

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_INDEX, ENVIRONMENT = "variant_index", "environment"
_INTERVAL = (ENVIRONMENT, "interval_start", "interval_end")
_CONNECTIONS = 8
_MAX_NAMED = 5


def read_series(
    source: str | Path, variant: int | Iterable[int] | None = None, name: str | Sequence[str] | None = None
) -> "pd.DataFrame":
    """The time series of a study: the meters and variables in its ``outputs``.

    Args:
        source: As for `read_results`; a folder must hold the files of the variants.
        variant: Index of a variant (``variant_index`` in the table), or several; all by default.
        name: A meter, or a variable for all its keys or with one (``ROOM: Zone Mean Air Temperature``), in any case; or
            several of them; all by default. Other columns are not read.

    Returns:
        One row per interval: ``environment``, ``interval_start`` and ``interval_end`` (local standard time), then a
        column for each series with its unit in brackets; energy in kWh. Unless `variant` is one index,
        ``variant_index`` comes first, ``environment`` is a category, and a series that a variant does not have is NaN.
        A million rows with five series take 61 MB.

    Raises:
        NotFound: If a variant has no series, or none has one of that name.
        StackError, MissingPackage: As for `read_results`.
    """
    return series_frame(source_of(source), variant, name)


def series_frame(
    source: ResultsSource, variant: int | Iterable[int] | None, name: str | Sequence[str] | None
) -> "pd.DataFrame":
    """See `read_series`."""
    require_parquet()
    with source.faults():
        return _series_frame(source, variant, name)


def _series_frame(
    source: ResultsSource, variant: int | Iterable[int] | None, name: str | Sequence[str] | None
) -> "pd.DataFrame":
    reader = _Reader(source, (name,) if isinstance(name, str) else name)
    if variant is None:
        names: Mapping[int, str] | None = source.series()
        indices = list(names or ())
        if not indices:
            raise NotFound("there are no series; a downloaded folder must hold the files of the variants")
    elif not isinstance(variant, Iterable):
        return reader.of_variant(variant)
    else:
        names, indices = None, list(dict.fromkeys(int(index) for index in variant))
    return reader.of_variants(indices, names)


class _Reader:
    """Reads variants as tables.

    Args:
        source: The results.
        names: The series, all for None.
    """

    def __init__(self, source: ResultsSource, names: Sequence[str] | None) -> None:
        self._source = source
        self._requested = None if names is None else {fold_name(name): name for name in names}
        self._labels: dict[str, None] = {}

    def of_variant(self, index: int) -> "pd.DataFrame":
        """One variant, with environments as text."""
        import pyarrow as pa

        table = self._read(index).drop_columns(_INDEX)
        self._check_names()
        place = table.column_names.index(ENVIRONMENT)
        frame: pd.DataFrame = table.set_column(place, ENVIRONMENT, table.column(place).cast(pa.string())).to_pandas()
        return frame

    def of_variants(self, indices: Sequence[int], names: Mapping[int, str] | None) -> "pd.DataFrame":
        """Several variants in one frame; `names` are those of their files, if they are known."""
        from epsm.client.stacked_rows import StackedRows

        def read(index: int) -> "pa.Table | None":
            try:
                return self._read(index) if names is None else self._read_file(names[index], index)
            except NotFound:
                return None

        rows, missing = StackedRows(len(indices)), []
        for index, table in zip(indices, _in_order(read, indices), strict=True):
            if table is None:
                missing.append(str(index))
            else:
                rows.append(table)
        if missing:
            more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
            raise NotFound(f"there are no series of variant {', '.join(missing[:_MAX_NAMED])}{more}")
        self._check_names()
        return rows.frame()

    def _read(self, index: int) -> "pa.Table":
        try:
            return self._read_file(keys.series_part(index), index)
        except NotFound as error:
            try:
                return self._read_file(keys.variant_file(index, keys.SERIES), index)  # of version 0.2.0
            except NotFound:
                raise error from None

    def _read_file(self, name: str, index: int) -> "pa.Table":
        import pyarrow.parquet as pq

        whole = self._requested is None
        with (
            self._source.open(name) if whole else self._source.open_partly(name) as content,
            pq.ParquetFile(content, pre_buffer=not whole) as file,
        ):
            columns = [column for column in file.schema_arrow.names if self._is_requested(column)]
            return _in_form(file.read(columns, use_threads=False), index)

    def _is_requested(self, column: str) -> bool:
        if column == _INDEX or column in _INTERVAL:
            return True
        label = column.rpartition(" [")[0]
        self._labels[label] = None
        return self._requested is None or not _names_of(label).isdisjoint(self._requested)

    def _check_names(self) -> None:
        """Raises `NotFound` if no file has a series of one of the names."""
        present = {name for label in self._labels for name in _names_of(label)}
        for folded, name in (self._requested or {}).items():
            if folded not in present:
                known = nearest(name, list(self._labels))
                raise NotFound(f"there is no series '{name}'" + (f"; there is {known}" if known else ""))


def _names_of(label: str) -> set[str]:
    """The names by which a series is found.

    >>> sorted(_names_of("ROOM: Zone Mean Air Temperature"))
    ['room: zone mean air temperature', 'zone mean air temperature']
    """
    return {fold_name(label), fold_name(label.rpartition(": ")[2])}


def _in_form(table: "pa.Table", index: int) -> "pa.Table":
    """A variant's table with the columns and types of this version: 0.2.0 had no index, and environments as text."""
    import pyarrow as pa

    if _INDEX not in table.column_names:
        table = table.add_column(0, _INDEX, pa.repeat(pa.scalar(index, pa.int32()), len(table)))
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        if name == ENVIRONMENT and not pa.types.is_dictionary(column.type):
            table = table.set_column(place, name, column.cast(pa.string()).dictionary_encode())
        elif name in _INTERVAL and pa.types.is_timestamp(column.type):
            table = table.set_column(place, name, column.cast(pa.timestamp("us")))
    return table


def _in_order(read: "Callable[[int], pa.Table | None]", indices: Iterable[int]) -> "Iterator[pa.Table | None]":
    """Results of `read` for each index, a few at a time ahead."""
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        ahead: deque[Future[pa.Table | None]] = deque()
        try:
            for index in indices:
                ahead.append(pool.submit(read, index))
                if len(ahead) > 2 * _CONNECTIONS:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
