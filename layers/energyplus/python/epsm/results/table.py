"""The results table: one row per variant, failed ones too, written in batches to limit memory.

Two passes over the rows: the first spools them to disk and collects the end uses that occur, the second writes
Parquet and CSV with exactly those columns.
"""

import csv as csv_format
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from epsm.results.columns import BILLS, PERIOD, RUN, SAVINGS, VARIANT
from epsm.results.comparison import RANK, impact_columns, objectives, objectives_of
from epsm.results.metrics import METRICS, OPTIONAL_METRICS, PEAK_TIMES
from epsm.results.pareto import Ranking, Ranks, write_ranks
from epsm.results.result_files import PARETO_FILE, RANKS_FILE
from epsm.results.rows import NOT_RUN, NOT_STARTED, rows
from epsm.results.spool import Spool
from epsm.study.manifest import RunManifest
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study

_BATCH = 5_000
RUN_TIME_COLUMNS = ("model", "weather", "status", "engine_seconds")
"""The columns that `mean_run_times` and `weather_run_with` read."""
_WHOLE_NUMBERS = frozenset({"variant_index", "period_days", "zone_count", "warnings", "severe_errors", RANK})
_BILLS = frozenset(BILLS)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBERS = frozenset({"engine_seconds", "engine_cpu_seconds", "peak_memory_mb"})


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Numbers of variants by outcome; `reused` of the successful ones have results of earlier runs."""

    succeeded: int
    failed: int
    not_run: int
    reused: int = 0

    @property
    def total(self) -> int:
        return self.succeeded + self.failed + self.not_run


def table_schema(study: Study, end_uses: Iterable[str], bills: Collection[str] = ()) -> dict[str, pa.DataType]:
    """Names and types of the table's columns, in order."""
    names = [*VARIANT, *(parameter.name for parameter in study.parameters)]
    cells = study.outputs.cells
    numbers = (
        METRICS[0],
        *SAVINGS,
        *impact_columns(study),
        *_only(bills),
        *METRICS[1:],
        *OPTIONAL_METRICS,
        *study.outputs.named_numbers,
        *sorted(end_uses),
    )
    texts = (*PEAK_TIMES, *(cell.name for cell in cells if cell.kind == "text"))
    types = {name: _type_of(name) for name in names}
    for parameter in study.parameters:
        types[parameter.name] = pa.float64() if study.numeric(parameter) else pa.string()
    rank = {RANK: pa.int64()} if objectives(study) else {}
    types |= rank | dict.fromkeys(numbers, pa.float64()) | dict.fromkeys(texts, pa.string())
    return types | {name: _type_of(name) for name in (*PERIOD, *RUN)}


def _only(bills: Collection[str]) -> list[str]:
    """The columns of bills with a value in any row, in order."""
    return [name for name in BILLS if name in bills]


def _type_of(name: str) -> pa.DataType:
    if name in _WHOLE_NUMBERS:
        return pa.int64()
    if name in _NUMBERS:
        return pa.float64()
    return pa.bool_() if name == "baseline" else pa.string()


def write_table(
    manifest: RunManifest,
    records: Iterable[VariantRecord],
    parquet: Path,
    csv: Path,
    why_not_run: str = NOT_STARTED,
    *,
    stopped: str = "",
) -> OutcomeCounts:
    """Write the table as Parquet and as CSV.

    Args:
        manifest: The run's manifest.
        records: The variants' records, in the order of their index; read once and not kept in memory.
        parquet, csv: Files to write. During writing, a spool file is beside them.
        why_not_run: The error of a variant without a record.
        stopped: The reason if the study ended early; see `epsm.results.rows.rows`.

    Returns:
        Numbers of variants by outcome.
    """
    counted = dict.fromkeys((VariantStatus.SUCCEEDED.value, VariantStatus.FAILED.value, NOT_RUN), 0)
    reused = 0
    end_uses: set[str] = set()
    bills: set[str] = set()
    ranking = Ranking()
    with Spool(parquet.with_suffix(".rows")) as spool:
        for row in rows(manifest, records, why_not_run, stopped=stopped):
            counted[row["status"]] += 1
            reused += "cached_from" in row
            end_uses.update(row.get("end_uses", ()))
            bills |= row.keys() & _BILLS
            if (point := objectives_of(row, manifest.study)) is not None:
                ranking.add((row["model"], row["weather"], row["period"]), row["variant_index"], point)
            spool.add(row)
        ranks = ranking.ranks()
        types = table_schema(manifest.study, end_uses, bills)
        _write(spool, ranks, types, end_uses, parquet, csv)
    succeeded, failed, not_run = counted.values()
    if objectives(manifest.study):
        write_ranks(parquet.parent / PARETO_FILE, objectives(manifest.study), ranks)
        ranks.write(parquet.parent / RANKS_FILE)
    return OutcomeCounts(succeeded, failed, not_run, reused)


def _write(
    spool: Spool, ranks: Ranks, types: dict[str, pa.DataType], end_uses: set[str], parquet: Path, csv: Path
) -> None:
    schema = pa.schema(list(types.items()))
    with pq.ParquetWriter(parquet, schema) as writer, csv.open("w", encoding="utf-8-sig", newline="") as text:
        lines = csv_format.writer(text, lineterminator="\n")
        lines.writerow(types)
        for batch in spool.batches(_BATCH):
            for row in batch:
                row[RANK] = ranks.get(row["variant_index"])
            frame = _frame(batch, types, end_uses)
            writer.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
            lines.writerows(zip(*_cells(for_spreadsheets(frame)), strict=True))


def _cells(frame: pd.DataFrame) -> Iterator[list[Any]]:
    """The columns as lists of what `DataFrame.to_csv` writes, in a third of its time."""
    columns: Iterable[tuple[Any, Any]] = frame.items()
    for _, column in columns:
        yield column.to_numpy(dtype=object, na_value=None).tolist()


def _frame(batch: list[dict[str, Any]], types: dict[str, pa.DataType], end_uses: set[str]) -> pd.DataFrame:
    for row in batch:
        energy = row.pop("end_uses", {})
        if row.get("period_days"):
            # The engine reported the whole matrix; values missing in the summary are zero.
            row |= dict.fromkeys(end_uses, 0.0) | energy
    frame = pd.DataFrame(batch, columns=list(types))
    kinds = {pa.float64(): "float64", pa.int64(): "Int64", pa.string(): "string", pa.bool_(): "bool"}
    return frame.astype({name: kinds[kind] for name, kind in types.items()})


def for_spreadsheets(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before every text that a spreadsheet would evaluate as a formula."""
    texts: pd.DataFrame = frame.select_dtypes("string")
    # https://owasp.org/www-community/attacks/CSV_Injection
    formulas = {name: _is_formula(text) for name, text in texts.items()}
    marked = {name: texts[name].where(~which, "'" + texts[name]) for name, which in formulas.items() if which.any()}
    return frame.assign(**marked) if marked else frame


def _is_formula(text: "pd.Series[str]") -> "pd.Series[bool]":
    starts: pd.Series[bool] = text.str.startswith(_FORMULA_STARTS).fillna(False).astype(bool)
    return starts & pd.to_numeric(text, errors="coerce").isna() if starts.any() else starts


def read_columns(parquet: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read columns of a results table, in the order of the variants.

    Args:
        parquet: The table, as `write_table` wrote it.
        names: The columns; those that the table lacks are left out.
    """
    with pq.ParquetFile(parquet) as file:
        existing = set(file.schema_arrow.names)
        chosen = [name for name in dict.fromkeys(names) if name in existing]
        if file.metadata.num_rows <= _BATCH:
            small: pd.DataFrame = file.read(columns=chosen, use_threads=False).to_pandas()
            return small
        # One column at a time, and in one thread: all at once leave as much unused memory as the table takes.
        columns = [file.read(columns=[name], use_threads=False).to_pandas(self_destruct=True) for name in chosen]
    pa.default_memory_pool().release_unused()
    frame: pd.DataFrame = pd.concat(columns, axis=1)
    return frame


def mean_run_times(table: pd.DataFrame) -> dict[str, float]:
    """The mean engine seconds of each model's successful variants, for the models that have any; copied results have 0
    s and are not counted.

    Args:
        table: At least `RUN_TIME_COLUMNS`.
    """
    ran = (table["status"] == VariantStatus.SUCCEEDED.value) & (table["engine_seconds"] > 0)
    done = table[["model", "engine_seconds"]][ran]
    return {str(model): float(seconds) for model, seconds in done.groupby("model")["engine_seconds"].mean().items()}


def weather_run_with(table: pd.DataFrame) -> dict[str, list[str]]:
    """The weather files with which a variant of each model has succeeded, in the order of the study.

    Args:
        table: At least `RUN_TIME_COLUMNS`.
    """
    succeeded = table[["model", "weather"]][table["status"] == VariantStatus.SUCCEEDED.value]
    return {
        str(model): [str(file) for file in files.unique()] for model, files in succeeded.groupby("model")["weather"]
    }
