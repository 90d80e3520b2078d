"""Columns and their types, end uses among them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from epsm.checks.parameters import check_parameters
from epsm.results.metrics import METRICS, OPTIONAL_METRICS, PEAK_TIMES
from epsm.results.table import table_schema
from tests.unit.results.result_tables import Table, failed, lost, parameter, study, succeeded


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
