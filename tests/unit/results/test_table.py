"""The results table: one row a variant whatever became of it, and the same in both files."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from epsm.checks.parameters import check_parameters
from epsm.results.metrics import METRICS, OPTIONAL_METRICS, PEAK_TIMES
from epsm.results.rows import CANCELLED, GIVEN_UP, rows
from epsm.results.table import OutcomeCounts, table_schema, write_table
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of


def study(*parameters: dict[str, Any], **changes: Any) -> Study:
    return Study.model_validate(study_document(parameters=parameters, **changes))


def parameter(name: str = "insulation_m", values: Sequence[float | str] = (0.1, 0.2)) -> dict[str, Any]:
    """A parameter; with two values a study has three variants."""
    return {"name": name, "class": "Material", "field": "Thickness", "values": values}


def succeeded(
    index: int, eui: float | None = 100.0, end_uses: dict[str, float] | None = None, **summary: Any
) -> VariantRecord:
    """The record of a variant with results, as the table gives it back."""
    metrics = dict.fromkeys(METRICS, 0.0) | ({} if eui is None else {"site_eui_kwh_m2": eui})
    missing = {}
    if eui is None:
        del metrics["site_eui_kwh_m2"]
        missing = {"site_eui_kwh_m2": "there is no such row"}
    return VariantRecord(
        index,
        VariantStatus.SUCCEEDED,
        verdict="ok",
        summary={
            "seconds": 2,
            "engine_seconds": 1.5,
            "engine_cpu_seconds": 1.25,
            "peak_memory_mb": 211,
            "warnings": 3,
            "severe_errors": 0,
            "note": "",
            "period": "annual",
            "period_days": 365,
            "zone_count": 1,
            "metrics": metrics,
            "missing": missing,
            "end_uses": end_uses or {},
            **summary,
        },
    )


def failed(index: int, error: str = "No such schedule.", stage: str = "engine") -> VariantRecord:
    summary = {"seconds": 2, "engine_seconds": 1.5, "warnings": 3, "severe_errors": 2, "errors": [error]}
    return VariantRecord(index, VariantStatus.FAILED, verdict="crashed", stage=stage, error=error, summary=summary)


def lost(index: int) -> VariantRecord:
    """The record of a variant whose worker never came back."""
    return VariantRecord(index, VariantStatus.RUNNING)


class Table:
    """A written table, read back."""

    def __init__(self, folder: Path, of: Study, records: Iterable[VariantRecord]) -> None:
        self.parquet, self.csv = folder / "results.parquet", folder / "results.csv"
        self.counts = write_table(manifest_of(of), records, self.parquet, self.csv)
        self.frame = pd.read_parquet(self.parquet)

    def row(self, index: int) -> dict[str, Any]:
        """One row; what is empty is None."""
        values: dict[str, Any] = pq.read_table(self.parquet).slice(index, 1).to_pylist()[0]
        return values


# -- rows --------------------------------------------------------------------------------------------------------


def test_every_variant_is_a_row_in_the_order_of_the_study(tmp_path: Path) -> None:
    both = study(parameter(), models=["a.idf", "b.idf"])

    table = Table(tmp_path, both, [succeeded(index) for index in range(6)])

    assert list(table.frame["variant_index"]) == [0, 1, 2, 3, 4, 5]
    assert list(table.frame["model"]) == ["a.idf"] * 3 + ["b.idf"] * 3
    assert list(table.frame["baseline"]) == [True, False, False] * 2


def test_a_row_says_what_was_varied(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(index) for index in range(3)])

    assert [table.row(index)["insulation_m"] for index in range(3)] == [None, 0.1, 0.2]


def test_a_row_holds_what_was_measured(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [succeeded(0, eui=123.456)]).row(0)

    expected = {
        "site_eui_kwh_m2": 123.456,
        "period": "annual",
        "period_days": 365,
        "zone_count": 1,
        "warnings": 3,
        "severe_errors": 0,
        "engine_seconds": 1.5,
        "engine_cpu_seconds": 1.25,
        "peak_memory_mb": 211.0,
        "status": "succeeded",
        "verdict": "ok",
        "error_stage": None,
        "error": None,
        "note": None,
        "missing": None,
    }
    assert {name: row[name] for name in expected} == expected


def test_a_failed_variant_is_a_row_with_its_reason(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [failed(0, "No such schedule.", stage="input")]).row(0)

    expected = {"status": "failed", "verdict": "crashed", "error_stage": "input", "error": "No such schedule."}
    assert {name: row[name] for name in expected} == expected


def test_a_failed_variant_has_no_numbers(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [failed(0)]).row(0)

    assert {row[name] for name in (*METRICS, "period", "period_days", "zone_count")} == {None}


def test_a_failed_variant_keeps_its_counts_and_times(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [failed(0)]).row(0)

    assert (row["warnings"], row["severe_errors"], row["engine_seconds"]) == (3, 2, 1.5)


def test_a_lost_variant_is_a_failed_row(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [lost(0)]).row(0)

    assert (row["status"], row["error_stage"], row["error"]) == (
        "failed",
        "worker",
        "The variant was started but has no result: its worker was lost or stopped.",
    )


@pytest.mark.parametrize("stopped", [GIVEN_UP, CANCELLED])
def test_a_variant_that_ran_when_its_study_was_stopped_has_not_failed(stopped: str) -> None:
    (row,) = rows(manifest_of(study()), [lost(0)], stopped=stopped)
    assert (row["status"], row["error"]) == ("not_run", f"{stopped} while this variant ran.")


def test_a_variant_that_was_not_started_is_a_row(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), []).row(0)

    assert (row["status"], row["error_stage"], row["error"]) == ("not_run", "worker", "The variant was not started.")


def test_the_rows_keep_their_places_when_some_are_not_there(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter(values=[1, 2, 3, 4])), [succeeded(1, eui=11.0), succeeded(3, eui=33.0)])

    assert list(table.frame["status"]) == ["not_run", "succeeded", "not_run", "succeeded", "not_run"]
    assert (table.row(1)["site_eui_kwh_m2"], table.row(3)["site_eui_kwh_m2"]) == (11.0, 33.0)


def test_records_of_no_variant_of_the_study_are_left_out(tmp_path: Path) -> None:
    assert Table(tmp_path, study(), [succeeded(0), succeeded(7)]).counts == OutcomeCounts(1, 0, 0)


def test_the_ends_are_counted(tmp_path: Path) -> None:
    records = [succeeded(0), failed(1), lost(2), succeeded(3)]

    assert Table(tmp_path, study(parameter(values=[1, 2, 3, 4, 5])), records).counts == OutcomeCounts(2, 2, 2)


def test_the_total_is_the_sum_of_the_ends() -> None:
    assert OutcomeCounts(succeeded=5, failed=3, not_run=2).total == 10


def test_a_value_that_is_missing_is_empty_and_says_why(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [succeeded(0, eui=None)]).row(0)

    assert (row["site_eui_kwh_m2"], row["missing"]) == (None, "there is no such row")


def test_what_is_doubtful_about_a_success_is_noted(tmp_path: Path) -> None:
    row = Table(tmp_path, study(), [succeeded(0, note="CheckWarmupConvergence: did not converge")]).row(0)

    assert (row["note"], row["error"]) == ("CheckWarmupConvergence: did not converge", None)


def test_a_reason_is_given_once(tmp_path: Path) -> None:
    reasons = {"heating_kwh": "no table", "cooling_kwh": "no table", "water_m3": "no column"}

    row = Table(tmp_path, study(), [succeeded(0, missing=reasons)]).row(0)

    assert row["missing"] == "no table; no column"


def test_a_study_of_which_nothing_was_started_is_a_table(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [])

    assert (table.counts, len(table.frame)) == (OutcomeCounts(0, 0, 3), 3)


# -- savings -----------------------------------------------------------------------------------------------------


def savings(table: Table, index: int) -> tuple[float | None, float | None]:
    row = table.row(index)
    return row["site_eui_saved_kwh_m2"], row["site_eui_saved_percent"]


def test_savings_are_against_the_baseline(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, 100.0), succeeded(1, 80.0), succeeded(2, 125.0)])

    assert [savings(table, index) for index in range(3)] == [(0.0, 0.0), (20.0, 20.0), (-25.0, -25.0)]


def test_every_model_and_weather_has_its_own_baseline(tmp_path: Path) -> None:
    four = study(parameter(values=[0.1]), models=["a.idf", "b.idf"], weather=["x.epw", "y.epw"])
    euis = [100.0, 50.0, 200.0, 150.0, 300.0, 225.0, 400.0, 400.0]

    table = Table(tmp_path, four, [succeeded(index, eui) for index, eui in enumerate(euis)])

    assert [savings(table, index)[1] for index in (1, 3, 5, 7)] == [50.0, 25.0, 25.0, 0.0]


def test_a_failed_baseline_leaves_no_savings(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [failed(0), succeeded(1), succeeded(2)])

    assert savings(table, 1) == (None, None)


def test_a_baseline_that_was_lost_leaves_no_savings(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [lost(0), succeeded(1)])

    assert savings(table, 1) == (None, None)


def test_a_lost_baseline_is_not_replaced_by_that_of_another_model(tmp_path: Path) -> None:
    both = study(parameter(values=[0.1]), models=["a.idf", "b.idf"])

    table = Table(tmp_path, both, [succeeded(0), succeeded(1), succeeded(3)])

    assert savings(table, 3) == (None, None)


def test_a_failed_variant_has_saved_nothing(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0), failed(1)])

    assert savings(table, 1) == (None, None)


def test_other_periods_are_not_compared(tmp_path: Path) -> None:
    january: dict[str, Any] = {"period": "31 days (01/01-01/31)", "period_days": 31}

    table = Table(tmp_path, study(parameter()), [succeeded(0), succeeded(1, **january)])

    assert savings(table, 1) == (None, None)


def test_a_baseline_that_uses_nothing_leaves_no_savings(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, 0.0), succeeded(1, 10.0)])

    assert savings(table, 1) == (None, None)


# -- end uses ----------------------------------------------------------------------------------------------------


def test_end_uses_are_columns_where_some_variant_has_them(tmp_path: Path) -> None:
    records = [
        succeeded(0, end_uses={"heating_natural_gas_kwh": 5.0}),
        succeeded(1, end_uses={"fans_electricity_kwh": 2.0}),
    ]

    frame = Table(tmp_path, study(parameter()), records).frame

    fuels = ("_electricity_kwh", "_natural_gas_kwh", "_district_cooling_kwh")
    assert [name for name in frame if str(name).endswith(fuels)] == ["fans_electricity_kwh", "heating_natural_gas_kwh"]


def test_an_end_use_that_a_variant_does_not_have_is_0(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, end_uses={"fans_electricity_kwh": 2.0}), succeeded(1)])

    assert [table.row(index)["fans_electricity_kwh"] for index in (0, 1)] == [2.0, 0.0]


def test_an_end_use_of_a_failed_variant_is_empty(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, end_uses={"fans_electricity_kwh": 2.0}), failed(1)])

    assert table.row(1)["fans_electricity_kwh"] is None


def test_an_end_use_of_a_lost_variant_is_empty(tmp_path: Path) -> None:
    table = Table(tmp_path, study(parameter()), [succeeded(0, end_uses={"fans_electricity_kwh": 2.0}), lost(1)])

    assert [table.row(index)["fans_electricity_kwh"] for index in (1, 2)] == [None, None]


def test_an_end_use_of_design_days_alone_is_empty(tmp_path: Path) -> None:
    design_days = succeeded(1, period="none", period_days=0)

    table = Table(tmp_path, study(parameter()), [succeeded(0, end_uses={"fans_electricity_kwh": 2.0}), design_days])

    assert table.row(1)["fans_electricity_kwh"] is None


# -- columns and types -------------------------------------------------------------------------------------------


def test_the_columns_are_those_of_the_contract() -> None:
    names = list(table_schema(study(parameter()), ["heating_electricity_kwh", "cooling_electricity_kwh"]))

    assert names[:5] == ["variant_index", "model", "weather", "baseline", "insulation_m"]
    assert names[5:8] == ["site_eui_kwh_m2", "site_eui_saved_kwh_m2", "site_eui_saved_percent"]
    assert names[8 : 8 + len(METRICS) - 1] == list(METRICS[1:])
    behind = names[7 + len(METRICS) :]
    assert behind[: len(OPTIONAL_METRICS)] == list(OPTIONAL_METRICS)
    assert behind[len(OPTIONAL_METRICS) :] == [
        "cooling_electricity_kwh",
        "heating_electricity_kwh",
        *PEAK_TIMES,
        "period",
        "period_days",
        "zone_count",
        "warnings",
        "severe_errors",
        "engine_seconds",
        "engine_cpu_seconds",
        "peak_memory_mb",
        "status",
        "verdict",
        "error_stage",
        "error",
        "note",
        "missing",
        "input_remarks",
        "measure_remarks",
        "cached_from",
    ]


def test_the_columns_have_their_types(tmp_path: Path) -> None:
    schema = pq.read_schema(Table(tmp_path, study(parameter()), [succeeded(0)]).parquet)

    assert {name: schema.field(name).type for name in ("variant_index", "baseline", "insulation_m", "period_days")} == {
        "variant_index": pa.int64(),
        "baseline": pa.bool_(),
        "insulation_m": pa.float64(),
        "period_days": pa.int64(),
    }


def test_the_types_do_not_depend_on_what_is_there(tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    empty = Table(tmp_path / "empty", study(parameter()), [])
    full = Table(tmp_path / "full", study(parameter()), [succeeded(index) for index in range(3)])

    assert pq.read_schema(empty.parquet).equals(pq.read_schema(full.parquet))


@pytest.mark.parametrize(
    ("values", "written"),
    [([1, 2], [1.0, 2.0]), (["Brick", "Concrete"], ["Brick", "Concrete"]), ([0.5, "autosize"], ["0.5", "autosize"])],
    ids=["numbers", "texts", "mixed"],
)
def test_the_levels_of_a_parameter_are_of_one_type(
    tmp_path: Path, values: list[float | str], written: list[float | str]
) -> None:
    table = Table(tmp_path, study(parameter(values=values)), [])

    assert [table.row(index)["insulation_m"] for index in range(3)] == [None, *written]


@pytest.mark.parametrize("name", ["heating_kwh", "warnings", "missing", "period_days", "error_stage"])
def test_no_parameter_takes_the_place_of_a_column(name: str) -> None:
    assert check_parameters(study(parameter(name=name)))


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
