"""Reads the series of a study in one way, and prints time and memory as JSON.

A script without imports of this project, so that an environment with polars and DuckDB can run it.
`python series_reader.py WAY PLACE`; PLACE is the folder of a run, on disk or an s3:// URL.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

METER = "Electricity:Facility [kWh]"
_PARTS = "series/*.parquet"


def _epsm(place: str, **chosen: Any) -> Any:
    import epsm

    return len(epsm.read_series(place, **chosen))


def _pandas(place: str, **options: Any) -> Any:
    import pandas as pd

    return len(pd.read_parquet(f"{place}series", **options))


def _polars(place: str) -> Any:
    import polars as pl  # type: ignore[import-not-found]

    options = _polars_options() if place.startswith("s3://") else None
    return len(pl.read_parquet(place + _PARTS, missing_columns="insert", storage_options=options))


def _polars_sums(place: str) -> Any:
    import polars as pl

    options = _polars_options() if place.startswith("s3://") else None
    lazy = pl.scan_parquet(place + _PARTS, missing_columns="insert", storage_options=options)
    return len(lazy.group_by("variant_index").agg(pl.col(METER).sum()).collect())


def _polars_options() -> dict[str, str]:
    return {"aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"], "aws_allow_http": "true"}


def _duckdb(place: str, select: str, setting: str = "") -> Any:
    import duckdb  # type: ignore[import-not-found]

    duckdb.sql(setting)

    if place.startswith("s3://"):
        from duckdb_extensions import import_extension  # type: ignore[import-not-found]

        import_extension("httpfs")
        host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
        duckdb.sql(
            f"CREATE SECRET (TYPE s3, KEY_ID '{os.environ['AWS_ACCESS_KEY_ID']}', "
            f"SECRET '{os.environ['AWS_SECRET_ACCESS_KEY']}', ENDPOINT '{host}', USE_SSL false, URL_STYLE 'path')"
        )
    return len(duckdb.sql(select.format(f"read_parquet('{place}{_PARTS}', union_by_name = true)")).to_arrow_table())


WAYS: dict[str, Callable[[str], Any]] = {
    "epsm.read_series": _epsm,
    "epsm.read_series, one series": lambda place: _epsm(place, name="Electricity:Facility"),
    "epsm.read_series, 10 variants": lambda place: _epsm(place, variant=range(0, 1000, 100)),
    "pandas": lambda place: _pandas(place, dtype_backend="pyarrow"),
    "pandas, types of numpy": _pandas,
    "polars": _polars,
    "polars, one series, a sum for each variant": _polars_sums,
    "DuckDB, one thread": lambda place: _duckdb(place, "FROM {}", "SET threads = 1"),
    "DuckDB, one series, a sum for each variant": lambda place: _duckdb(
        place, f'SELECT variant_index, sum("{METER}") FROM {{}} GROUP BY ALL'
    ),
}


def _peak_memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not report the peak memory of a process")


def main(way: str, place: str) -> None:
    started = time.monotonic()
    rows = WAYS[way](place)
    measures = {"rows": rows, "wall": time.monotonic() - started, "cpu": time.process_time()}
    print(json.dumps(measures | {"memory": _peak_memory_mb()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
