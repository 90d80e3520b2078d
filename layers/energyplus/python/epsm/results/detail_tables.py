"""Optional tables with several rows per variant: zones, and months by fuel and end use."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from epsm.study.schema import DetailTable

_VARIANT = MappingProxyType({"variant_index": pa.int64(), "model": pa.string(), "weather": pa.string()})
_COLUMNS: Mapping[DetailTable, Mapping[str, pa.DataType]] = {
    "zones": {
        "zone": pa.string(),
        **dict.fromkeys(("area_m2", "volume_m3", "multiplier"), pa.float64()),
        **dict.fromkeys(("conditioned", "part_of_total_area"), pa.bool_()),
        **dict.fromkeys(("heating_kwh", "cooling_kwh"), pa.float64()),
        **dict.fromkeys(("heating_design_load_w", "cooling_design_load_w"), pa.float64()),
        **dict.fromkeys(("unmet_heating_hours", "unmet_cooling_hours", "not_comfortable_hours"), pa.float64()),
        "missing": pa.string(),
    },
    "monthly": {
        **{"environment": pa.string(), "month": pa.int64(), "fuel": pa.string(), "end_use": pa.string()},
        **{"energy_kwh": pa.float64(), "peak_w": pa.float64()},
    },
}
_ROWS_AT_A_TIME = 100_000


class DetailWriter:
    """Writes the tables of a study incrementally, so memory use does not depend on the number of variants.

    Args:
        folder: Folder of the tables, each written as `<table>.parquet`.
        tables: The requested tables.
    """

    def __init__(self, folder: Path, tables: Iterable[DetailTable]) -> None:
        self._schemas = {table: pa.schema({**_VARIANT, **_COLUMNS[table]}.items()) for table in tables}
        self._writers = {
            table: pq.ParquetWriter(folder / f"{table}.parquet", schema) for table, schema in self._schemas.items()
        }
        self._rows: dict[DetailTable, list[dict[str, Any]]] = {table: [] for table in self._schemas}

    def add(self, document: Mapping[str, Any]) -> None:
        """Add the rows of a variant.

        Args:
            document: Its result.json.
        """
        variant = {name: document[name] for name in _VARIANT}
        for table, rows in self._rows.items():
            for entry in document.get(table, ()):
                zone_name = {"zone": entry["name"]} if table == "zones" else {}
                rows.append({**variant, **entry, **zone_name, "missing": entry.get("missing") or None})
            if len(rows) >= _ROWS_AT_A_TIME:
                self._write(table)

    def close(self) -> None:
        for table, writer in self._writers.items():
            self._write(table)
            writer.close()

    def _write(self, table: DetailTable) -> None:
        self._writers[table].write_table(pa.Table.from_pylist(self._rows[table], schema=self._schemas[table]))
        self._rows[table].clear()
