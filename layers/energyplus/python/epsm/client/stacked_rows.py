"""The series of several variants, one below another, in arrays that are allocated once.

Concatenating tables and converting the result to a frame takes two to three times the memory of the frame.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

ENVIRONMENT = "environment"
_NO_CATEGORY = -1


class StackedRows:
    """Appends tables of series, whose columns may differ.

    Args:
        variants: Number of tables that follow; if all have as many rows as the first, nothing is copied.
    """

    def __init__(self, variants: int) -> None:
        self._variants = variants
        self._rows = 0
        self._capacity = 0
        self._columns: dict[str, np.ndarray[Any, Any]] = {}
        self._categories: dict[str, int] = {}

    def append(self, table: "pa.Table") -> None:
        """Append a table whose environments are a dictionary; a column that it does not have is null in its rows."""
        start, end = self._rows, self._rows + len(table)
        if end > self._capacity:
            self._grow(max(end * self._variants if start == 0 else 2 * self._capacity, end))
        for name in table.column_names:
            column = table.column(name)
            values = self._codes(column) if name == ENVIRONMENT else column.to_numpy()
            if name not in self._columns:
                self._columns[name] = np.empty(self._capacity, values.dtype)
                self._columns[name][:start] = _missing(values.dtype)
            self._columns[name][start:end] = values
        for name in self._columns.keys() - set(table.column_names):
            self._columns[name][start:end] = _missing(self._columns[name].dtype)
        self._rows = end

    def frame(self) -> pd.DataFrame:
        """All rows; environments are a category."""
        columns: dict[str, Any] = {name: values[: self._rows] for name, values in self._columns.items()}
        if ENVIRONMENT in columns:
            columns[ENVIRONMENT] = pd.Categorical.from_codes(
                columns[ENVIRONMENT], pd.Index([*self._categories], dtype=str)
            )
        return pd.DataFrame(columns, copy=False)

    def _grow(self, capacity: int) -> None:
        # Memory that is allocated but not written to takes no room.
        for name, values in self._columns.items():
            grown = np.empty(capacity, values.dtype)
            grown[: self._rows] = values[: self._rows]
            self._columns[name] = grown
        self._capacity = capacity

    def _codes(self, column: "pa.ChunkedArray") -> "np.ndarray[Any, Any]":
        found = column.combine_chunks()
        own = [self._categories.setdefault(name, len(self._categories)) for name in found.dictionary.to_pylist()]
        codes = np.array([*own, _NO_CATEGORY], np.int16)
        rows: np.ndarray[Any, Any] = codes[found.indices.fill_null(_NO_CATEGORY).to_numpy()]
        return rows


def _missing(kind: "np.dtype[Any]") -> Any:
    if kind.kind == "M":
        return np.datetime64("NaT")
    return np.nan if kind.kind == "f" else _NO_CATEGORY
