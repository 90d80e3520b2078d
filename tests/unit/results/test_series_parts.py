"""The parts of a study's series: the same types in each, an index inside, and one table of all columns."""

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from epsm.results.series_parts import with_index, write_columns, write_part

HOURS = 48
TIMES, MOMENT = ("interval_start", "interval_end"), "datetime64[us]"


def series(*columns: str, environment: str = "WHOLE YEAR", hours: int = HOURS) -> pd.DataFrame:
    ends = pd.date_range("2017-01-01T01:00", periods=hours, freq="h", unit="us")
    return pd.DataFrame(
        {
            "environment": [environment] * hours,
            "interval_start": ends - pd.Timedelta(hours=1),
            "interval_end": ends,
            **{name: [float(hour) for hour in range(hours)] for name in columns},
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "series").mkdir()
    return tmp_path / "series"


def part(folder: Path, index: int) -> Path:
    return folder / f"part-{index:07d}.parquet"


WITHOUT_INTERVALS = pd.DataFrame(
    {"environment": [], "interval_start": pd.DatetimeIndex([]), "interval_end": pd.DatetimeIndex([]), "A [kWh]": []}
)


@pytest.mark.parametrize("frame", [series("A [kWh]"), WITHOUT_INTERVALS], ids=["hours", "none"])
def test_every_part_has_the_same_types_even_without_rows(folder: Path, frame: pd.DataFrame) -> None:
    write_part(frame, 7, part(folder, 7))

    table = pq.read_table(part(folder, 7))
    assert [str(kind) for kind in table.schema.types] == [
        "int32",
        "dictionary<values=string, indices=int32, ordered=0>",
        *["timestamp[us]"] * 2,
        "double",
    ]
    assert table.schema.metadata is None
    stored = table.drop_columns("variant_index").to_pandas().astype({"environment": "str"})
    pd.testing.assert_frame_equal(stored, frame.astype({"environment": "str", **dict.fromkeys(TIMES, MOMENT)}))


def test_an_interval_without_dates_has_none(folder: Path) -> None:
    without = pd.DataFrame(
        {
            "environment": ["RUN"],
            "interval_start": pd.DatetimeIndex([None]),
            "interval_end": pd.DatetimeIndex([None]),
            "A [kWh]": [float("nan")],
        }
    )

    write_part(without, 0, part(folder, 0))

    (row,) = pq.read_table(part(folder, 0)).to_pylist()
    assert (row["interval_start"], row["A [kWh]"]) == (None, None)


def test_a_part_of_another_variant_is_as_if_it_had_been_written_for_it(folder: Path) -> None:
    for index in (3, 1_000_000):
        write_part(series("A [kWh]", "B [C]"), index, part(folder, index))

    assert with_index(part(folder, 3).read_bytes(), 1_000_000) == part(folder, 1_000_000).read_bytes()


def test_parts_with_the_same_columns_have_the_same_hash(folder: Path) -> None:
    frames = (series("A [kWh]"), series("A [kWh]", environment="B", hours=3), series("A [C]"), series("A", "B"))
    hashes = [write_part(frame, index, part(folder, index)) for index, frame in enumerate(frames)]

    assert hashes[0] == hashes[1]
    assert len({*hashes}) == 3


def test_the_table_of_columns_makes_one_dataset_of_variants_with_different_ones(folder: Path) -> None:
    write_part(series("A [kWh]", "ROOM: T [C]"), 0, part(folder, 0))
    write_part(series("A [kWh]", "HALL: T [C]", environment="SUMMER"), 1, part(folder, 1))
    write_columns([part(folder, index).open("rb") for index in (0, 1)], folder / "columns.parquet")

    frame = pd.read_parquet(folder)

    assert list(frame.columns[4:]) == ["A [kWh]", "ROOM: T [C]", "HALL: T [C]"]
    assert frame["variant_index"].tolist() == [0] * HOURS + [1] * HOURS
    assert frame.groupby("variant_index")[["A [kWh]", "ROOM: T [C]", "HALL: T [C]"]].count().values.tolist() == [
        [HOURS, HOURS, 0],
        [HOURS, 0, HOURS],
    ]
    assert frame["environment"].unique().tolist() == ["WHOLE YEAR", "SUMMER"]


def test_one_variant_is_found_by_its_index_without_the_rows_of_others(folder: Path) -> None:
    for index in range(3):
        write_part(series("A [kWh]"), index, part(folder, index))

    wanted = pc.field("variant_index") == 1
    fragments = ds.dataset(folder).get_fragments()

    read = [group for fragment in fragments for group in fragment.split_by_row_group(wanted)]
    assert [Path(group.path).name for group in read] == ["part-0000001.parquet"]
