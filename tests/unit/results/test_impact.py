"""Operational emissions and energy cost: every number worked out by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from epsm.checks.analysis import check_analysis
from epsm.errors import StudyRejected
from epsm.results.columns import RESERVED
from epsm.results.impact import COLUMNS
from epsm.results.metrics import FUELS, snake
from epsm.results.rows import page, rows
from epsm.results.table import write_table
from epsm.study.impact import Fuels
from epsm.study.parsing import parse_study
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of
from tests.unit.results.test_rows import Table

FACTORS = {
    "electricity": {"gwp_kgco2e_per_kwh": 0.4, "cost_per_kwh": 0.3, "source": "grid"},
    "natural_gas": {"gwp_kgco2e_per_kwh": 0.2, "cost_per_kwh": 0.1},
}


def study(fuels: Mapping[str, Any] = FACTORS, **changes: Any) -> Study:
    """A baseline and two samples."""
    return parse_study(json.dumps(study_document(impact={"fuels": fuels}, **changes)))


def used(index: int, electricity: float, gas: float, generated: float = 0.0, **metrics: float | None) -> VariantRecord:
    """A variant of 100 m2 with this energy in kWh."""
    energy: dict[str, float | None] = {f"{snake(fuel)}_kwh": 0.0 for fuel in FUELS}
    energy |= {"electricity_kwh": electricity, "natural_gas_kwh": gas, "total_building_area_m2": 100.0}
    site = electricity + gas
    energy |= {"site_energy_kwh": site, "net_site_energy_kwh": site - generated, "site_eui_kwh_m2": site / 100}
    known = {name: value for name, value in (energy | metrics).items() if value is not None}
    return VariantRecord(
        index,
        VariantStatus.SUCCEEDED,
        summary={"metrics": known, "period": "annual", "period_days": 365, "missing": {}},
    )


def test_energy_times_factor_by_fuel() -> None:
    baseline, sample, _ = rows(manifest_of(study()), [used(0, 1000, 2000), used(1, 900, 1000)])

    # 1000 x 0.4 + 2000 x 0.2 = 800; 1000 x 0.3 + 2000 x 0.1 = 500; of 100 m2
    assert [baseline[name] for name in COLUMNS] == pytest.approx([800, 8, 0, 500, 5, 0], rel=1e-12)
    # 900 x 0.4 + 1000 x 0.2 = 560; 900 x 0.3 + 1000 x 0.1 = 370
    assert [sample[name] for name in COLUMNS] == pytest.approx([560, 5.6, 240, 370, 3.7, 130], rel=1e-12)
    assert sample["missing"] is None


def test_electricity_generated_on_site_is_deducted() -> None:
    _, sample, _ = rows(manifest_of(study()), [used(0, 1000, 0), used(1, 1000, 0, generated=1200)])

    # (1000 - 1200) x 0.4 = -80: a surplus of 200 kWh is credited.
    assert sample["operational_gwp_kgco2e"] == pytest.approx(-80, rel=1e-12)
    assert sample["operational_gwp_saved_kgco2e"] == pytest.approx(480, rel=1e-12)


def test_a_surplus_is_credited_where_no_electricity_is_used() -> None:
    baseline, sold, _ = rows(manifest_of(study()), [used(0, 0, 2000), used(1, 0, 2000, generated=500)])

    # 2000 x 0.2 - 500 x 0.4; 2000 x 0.1 - 500 x 0.3
    assert (baseline["operational_gwp_kgco2e"], baseline["energy_cost"]) == (pytest.approx(400), pytest.approx(200))
    assert (sold["operational_gwp_kgco2e"], sold["energy_cost"]) == (pytest.approx(200), pytest.approx(50))


def test_a_fuel_without_a_factor_leaves_no_number() -> None:
    factors = {"electricity": {"gwp_kgco2e_per_kwh": 0.4, "cost_per_kwh": 0.3}, "natural_gas": {"cost_per_kwh": 0.1}}

    with_gas, without_gas, _ = rows(manifest_of(study(factors)), [used(0, 1000, 2000), used(1, 1000, 0)])

    assert with_gas["operational_gwp_kgco2e"] is None
    assert with_gas["missing"] == (
        "no operational_gwp_kgco2e: impact.fuels has no gwp_kgco2e_per_kwh of natural_gas, which the variant uses"
    )
    assert with_gas["energy_cost"] == pytest.approx(500, rel=1e-12)
    assert without_gas["operational_gwp_kgco2e"] == pytest.approx(400, rel=1e-12)
    assert without_gas["operational_gwp_saved_kgco2e"] is None
    assert without_gas["missing"] is None


def test_an_energy_that_is_missing_leaves_no_number() -> None:
    without_coal, without_net, _ = rows(
        manifest_of(study()), [used(0, 1000, 0, coal_kwh=None), used(1, 1000, 0, net_site_energy_kwh=None)]
    )

    assert without_coal["energy_cost"] is without_net["energy_cost"] is None
    assert "there is no coal_kwh" in without_coal["missing"]
    assert "without net_site_energy_kwh" in without_net["missing"]


def test_a_variant_without_floor_area_has_no_number_by_area() -> None:
    row = next(rows(manifest_of(study()), [used(0, 1000, 0, total_building_area_m2=0.0)]))

    assert (row["energy_cost"], row["energy_cost_m2"]) == (pytest.approx(300), None)


def test_nothing_is_saved_where_the_periods_differ() -> None:
    january = used(1, 100, 0)
    january.summary["period"] = "31 days (01/01-01/31)"

    _, sample, _ = rows(manifest_of(study()), [used(0, 1000, 0), january])

    assert (sample["energy_cost"], sample["energy_cost_saved"]) == (pytest.approx(30), None)


def test_what_did_not_run_has_no_number() -> None:
    (_, lost, _) = rows(manifest_of(study()), [used(0, 1000, 0)])

    assert lost.get("energy_cost") is None
    assert lost["energy_cost_saved"] is None


def test_a_page_has_the_same_numbers() -> None:
    records = [used(0, 1000, 2000), used(1, 900, 1000), used(2, 800, 500)]
    (alone,) = page(manifest_of(study()), Table(*records), 2, 1)

    assert {name: alone[name] for name in COLUMNS} == {
        name: [*rows(manifest_of(study()), records)][2][name] for name in COLUMNS
    }


def test_the_table_has_the_columns_of_the_factors_given(tmp_path: Path) -> None:
    only_gwp = study({"electricity": {"gwp_kgco2e_per_kwh": 0.4}})
    parquet, csv = tmp_path / "results.parquet", tmp_path / "results.csv"
    write_table(manifest_of(only_gwp), [used(0, 1000, 0), used(1, 500, 0), used(2, 250, 0)], parquet, csv)
    table = pd.read_parquet(parquet)

    assert list(table["operational_gwp_saved_kgco2e"]) == pytest.approx([0, 200, 300], rel=1e-12)
    assert not {"energy_cost", "energy_cost_m2", "energy_cost_saved"} & set(table.columns)


def test_without_factors_there_are_no_columns() -> None:
    plain = parse_study(json.dumps(study_document()))

    assert not set(COLUMNS) & next(rows(manifest_of(plain), [used(0, 1000, 2000)])).keys()


def test_fuels_are_those_of_the_results() -> None:
    assert list(Fuels.model_fields) == [snake(fuel) for fuel in FUELS]


def test_the_columns_are_reserved_and_can_be_analysed() -> None:
    analysis = {"metrics": ["energy_cost", "operational_gwp_saved_kgco2e"]}

    assert set(COLUMNS) <= RESERVED
    assert not list(check_analysis(study(analysis=analysis)))
    (problem,) = check_analysis(study({"electricity": {"cost_per_kwh": 0.3}}, analysis=analysis))
    assert problem.where == "study.json: analysis.metrics[1]"


@pytest.mark.parametrize(
    ("impact", "where", "what", "allowed"),
    [
        ({}, "impact", "is empty; give 'fuels'", ""),
        ({"fuels": {}}, "impact.fuels", "has no fuel; give 'electricity', 'natural_gas' or another", ""),
        (
            {"fuels": {"naturalgas": {"cost_per_kwh": 1}}},
            "impact.fuels.naturalgas",
            "is not a key that a study knows",
            "natural_gas",
        ),
        ({"fuels": {"coal": {"cost_kwh": 1}}}, "impact.fuels.coal.cost_kwh", "is not a key", "cost_per_kwh"),
        ({"fuels": {"coal": {"source": "x"}}}, "impact.fuels.coal", "has no factor", ""),
        ({"fuels": {"coal": {"cost_per_kwh": -1}}}, "impact.fuels.coal.cost_per_kwh", "-1 is too small", ">= 0"),
        ({"fuels": {"coal": {"cost_per_kwh": "1"}}}, "impact.fuels.coal.cost_per_kwh", '"1" is not a value', "number"),
        ({"fuels": {"coal": {"cost_per_kwh": 2000}}}, "impact.fuels.coal.cost_per_kwh", "too large", "<= 1000"),
        ([], "impact", "[] is not an object", "{ }"),
    ],
)
def test_faults_are_reported(impact: Any, where: str, what: str, allowed: str) -> None:
    with pytest.raises(StudyRejected) as rejection:
        parse_study(json.dumps(study_document(impact=impact)))

    problem = next(each for each in rejection.value.problems if each.where == f"study.json: {where}")
    assert what in problem.what
    assert allowed in problem.allowed
