"""The table as Parquet and CSV."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from epsm.results.rows import rows
from epsm.results.table import write_table
from epsm.study.records import VariantRecord
from epsm.study.schema import Study
from tests.unit.manifests import manifest_of
from tests.unit.results.result_tables import Table, failed, lost, parameter, study, succeeded


# -- files -------------------------------------------------------------------------------------------------------
def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def as_text(value: Any) -> str:
    return "" if value is None else str(value)


NASTY = 'Zone "Büro, Süd":\nno schedule; 东\r\n=1+1'


def nasty_study() -> Study:
    return study(parameter(name="layer", values=["Beton 20 cm", 'a "quoted" name', "墙体"]), models=["Büro, 1/ä.idf"])


def test_parquet_and_csv_hold_the_same(tmp_path: Path) -> None:
    table = Table(tmp_path, nasty_study(), [succeeded(0, 1 / 3), succeeded(1, 1e-17), lost(2)])

    from_parquet = [
        {name: as_text(value) for name, value in row.items()} for row in pq.read_table(table.parquet).to_pylist()
    ]
    assert csv_rows(table.csv) == from_parquet


@pytest.mark.parametrize("read", [pd.read_parquet, pd.read_csv], ids=["parquet", "csv"])
def test_any_text_survives(tmp_path: Path, read: Any) -> None:
    table = Table(tmp_path, nasty_study(), [failed(0, NASTY)])

    frame = read(table.parquet if read is pd.read_parquet else table.csv)

    assert (frame["error"][0], frame["model"][0], frame["layer"][1]) == (NASTY, "Büro, 1/ä.idf", "Beton 20 cm")


def test_names_survive(tmp_path: Path) -> None:
    table = Table(tmp_path, nasty_study(), [])

    written = [(row["model"], row["layer"]) for row in csv_rows(table.csv)]
    names = ["", "Beton 20 cm", 'a "quoted" name', "墙体"]
    assert written == [("Büro, 1/ä.idf", name) for name in names]


def test_a_number_is_written_to_the_last_digit(tmp_path: Path) -> None:
    table = Table(tmp_path, study(), [succeeded(0, 0.1 + 0.2)])

    assert (table.row(0)["site_eui_kwh_m2"], csv_rows(table.csv)[0]["site_eui_kwh_m2"]) == (
        0.30000000000000004,
        "0.30000000000000004",
    )


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    Table(tmp_path, study(), [succeeded(0)])

    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.csv", "results.parquet"]


def test_writing_again_gives_the_same(tmp_path: Path) -> None:
    records = [succeeded(0), succeeded(1)]
    first = Table(tmp_path, study(parameter()), records)
    csv_before, parquet_before = first.csv.read_bytes(), first.frame

    again = Table(tmp_path, study(parameter()), records)

    assert again.csv.read_bytes() == csv_before
    pd.testing.assert_frame_equal(again.frame, parquet_before)


def test_a_table_of_more_than_one_piece_has_one_header(tmp_path: Path) -> None:
    many = study(parameter(values=list(range(6_000))))
    last = succeeded(6_000, 1.0, end_uses={"fans_electricity_kwh": 2.0})

    table = Table(tmp_path, many, [succeeded(0), last])

    assert [row["variant_index"] for row in csv_rows(table.csv)] == [str(index) for index in range(6_001)]
    assert (len(table.frame), table.row(6_000)["fans_electricity_kwh"]) == (6_001, 2.0)


def test_records_are_read_once_and_one_at_a_time() -> None:
    taken: list[int] = []

    def records() -> Iterable[VariantRecord]:
        for index in range(1000):
            taken.append(index)
            yield succeeded(index)

    first = next(iter(rows(manifest_of(study(parameter(values=list(range(999))))), records())))

    assert (first["variant_index"], len(taken)) == (0, 1)


@pytest.mark.parametrize("level", ["=1+1", "+cmd", "-x", "@sum", "=HYPERLINK(9)"])
def test_a_text_that_a_spreadsheet_would_run_is_defused_in_the_csv_alone(tmp_path: Path, level: str) -> None:
    table = Table(tmp_path, study(parameter(values=[level])), [succeeded(0), succeeded(1)])

    assert (csv_rows(table.csv)[1]["insulation_m"], table.row(1)["insulation_m"]) == (f"'{level}", level)


@pytest.mark.parametrize("level", ["-5", "+1.5e3", "a=b", "Wall-1"])
def test_a_number_written_as_text_and_a_harmless_text_stay_in_the_csv(tmp_path: Path, level: str) -> None:
    table = Table(tmp_path, study(parameter(values=[level, "x"])), [succeeded(0), succeeded(1)])

    assert csv_rows(table.csv)[1]["insulation_m"] == level


def test_a_spreadsheet_sees_that_the_csv_is_utf_8(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter(values=["Büro"])), [succeeded(0), succeeded(1)])

    assert table.csv.read_bytes().startswith(b"\xef\xbb\xbfvariant_index,")
    assert next(iter(pd.read_csv(table.csv).columns)) == "variant_index"


def test_a_baseline_shows_the_models_own_value(tmp_path: Path) -> None:
    own = {"room.idf": {"insulation_m": 0.15}}
    parquet, csv_file = tmp_path / "results.parquet", tmp_path / "results.csv"
    manifest = manifest_of(study(parameter(values=[0.1])), baseline_values=own)
    write_table(manifest, [succeeded(0), succeeded(1)], parquet, csv_file)

    assert pd.read_parquet(parquet)["insulation_m"].tolist() == [0.15, 0.1]


def test_remarks_about_the_weather_are_in_both_files(tmp_path: Path) -> None:
    parquet, csv_file = tmp_path / "results.parquet", tmp_path / "results.csv"
    about = {"chicago.epw": ("chicago.epw: dry bulb is missing in 2 of 8,760 records.",)}
    manifest = manifest_of(study(parameter(values=[0.1])), input_remarks=about)
    write_table(manifest, [succeeded(0)], parquet, csv_file)

    assert pd.read_parquet(parquet)["input_remarks"].tolist() == [*about["chicago.epw"] * 2]
    assert [row["input_remarks"] for row in csv_rows(csv_file)] == [*about["chicago.epw"] * 2]
