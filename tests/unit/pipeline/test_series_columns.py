"""The columns of a whole study's series: one part is read for each distinct set of columns."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from epsm.pipeline.series_columns import VariantsByColumns, write_series_columns
from epsm.results.series_parts import write_part
from epsm.store import keys
from epsm.store.files import Files
from epsm.study.records import VariantRecord, VariantStatus
from tests.unit.fakes import MemoryS3, fake


def record(index: int, columns: str, status: VariantStatus = VariantStatus.SUCCEEDED) -> VariantRecord:
    summary: dict[str, Any] = {"series_columns": columns} if columns else {}
    return VariantRecord(index, status, summary=summary)


def test_the_first_successful_variant_with_each_set_of_columns_is_read() -> None:
    records = [record(0, "a", VariantStatus.FAILED), record(1, "b"), record(2, "a"), record(3, "b"), record(4, "")]
    by_columns = VariantsByColumns()

    assert list(by_columns.noting(records)) == records

    assert by_columns.indices == [1, 2]


def test_the_stored_table_has_the_columns_of_all_these_variants(tmp_path: Path) -> None:
    files = Files(fake(MemoryS3()), "results")
    for index, column in ((1, "ROOM: T [C]"), (70, "HALL: T [C]")):
        times = pd.to_datetime(["2017-01-01"])
        frame = pd.DataFrame({"environment": "R", "interval_start": times, "interval_end": times, column: [1.0]})
        write_part(frame, index, tmp_path / "part")
        files.put_file(keys.variant_key("x-1", index, keys.SERIES), tmp_path / "part")

    assert write_series_columns(files, "x-1", [1, 70], tmp_path, 1) == []

    (tmp_path / "all").write_bytes(files.open_result("runs/x-1/series/columns.parquet").read())
    stored = pq.read_table(tmp_path / "all")
    assert stored.column_names[4:] == ["ROOM: T [C]", "HALL: T [C]"]
    assert len(stored) == 0


def test_without_series_nothing_is_written_and_a_lost_part_is_reported(tmp_path: Path) -> None:
    files = Files(fake(MemoryS3()), "results")

    assert write_series_columns(files, "x-1", [], tmp_path, 1) == []
    (section,) = write_series_columns(files, "x-1", [0], tmp_path, 1)

    assert "series/columns.parquet could not be written: NotFound" in section
