"""Utility bills of a model's own tariffs: worked out by hand from the energy that the same run reports."""

import json
from pathlib import Path

import pandas as pd
import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import judge
from epsm.results.columns import RESERVED
from epsm.results.metrics import UTILITY_BILLS
from epsm.results.reader import Results, read_results
from epsm.results.rows import rows
from epsm.results.table import write_table
from epsm.study.parsing import parse_study
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of

TARIFFS = """
UtilityCost:Tariff,Power,Electricity:Facility,kWh,,,,,,,,,12.5;
UtilityCost:Charge:Simple,PowerCharge,Power,totalEnergy,Annual,EnergyCharges,0.25;
UtilityCost:Tariff,Cold,DistrictCooling:Facility,kWh,,,,,,,,,0;
UtilityCost:Charge:Simple,ColdCharge,Cold,totalEnergy,Annual,EnergyCharges,0.1;
CurrencyType,EUR;
"""
KWH_OF_A_TARIFF = 2.778e-7 * 3_600_000
"""EnergyPlus converts J to kWh in its tariffs by four digits (EconomicTariff.cc)."""
AREA_M2 = 48


def simulated(engine: Engine, model: str, weather: Path, folder: Path) -> Results:
    study = Study.model_validate(study_document(parameters=[]))
    text = prepare(model.encode(), "room.idf", study, engine.idd).render({})
    (folder / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, folder / "in.idf", weather, folder), folder, timeout_s=60)
    return read_results(folder / "eplusout.sql", judge(ended, folder).environments)


def test_bills_of_a_year_by_hand(engine: Engine, one_zone: str, chicago: Path, tmp_path: Path) -> None:
    own_reports = "AnnualBuildingUtilityPerformanceSummary;"  # not all, so that the bills have to be asked for
    results = simulated(engine, one_zone.replace("AllSummary;", own_reports) + TARIFFS, chicago, tmp_path)

    electricity, cooling = results.metrics["electricity_kwh"], results.metrics["district_cooling_kwh"]
    assert electricity
    assert cooling
    power, cold = electricity * KWH_OF_A_TARIFF * 0.25, cooling * KWH_OF_A_TARIFF * 0.1
    assert results.utility_bills == pytest.approx(
        {
            "utility_bill": power + cold,
            "utility_bill_electricity": power,
            "utility_bill_natural_gas": 0,
            "utility_bill_other": cold,
            "utility_bill_m2": (power + cold) / AREA_M2,
        },
        rel=1e-9,
    )


def test_a_model_without_tariffs_has_no_bills(engine: Engine, one_day: str, chicago: Path, tmp_path: Path) -> None:
    results = simulated(engine, one_day, chicago, tmp_path)

    assert (results.utility_bills, results.missing) == ({}, {})


def billed(index: int, bills: dict[str, float], period: str = "annual") -> VariantRecord:
    summary = {"metrics": {"site_eui_kwh_m2": 100.0}, "period": period, "period_days": 365, "utility_bills": bills}
    return VariantRecord(index, VariantStatus.SUCCEEDED, summary=summary)


def test_the_table_has_bills_and_savings(tmp_path: Path) -> None:
    study = parse_study(json.dumps(study_document()))
    records = [billed(0, {"utility_bill": 900.0}), billed(1, {"utility_bill": 650.0}), billed(2, {})]
    write_table(manifest_of(study), records, tmp_path / "results.parquet", tmp_path / "results.csv")
    table = pd.read_parquet(tmp_path / "results.parquet")

    assert table["utility_bill"].fillna(-1).tolist() == [900, 650, -1]
    assert table["utility_bill_saved"].fillna(-1).tolist() == [0, 250, -1]
    assert "utility_bill_electricity" not in table


def test_the_table_of_models_without_tariffs_has_no_column_for_bills(tmp_path: Path) -> None:
    study = parse_study(json.dumps(study_document()))
    write_table(manifest_of(study), [billed(0, {})], tmp_path / "results.parquet", tmp_path / "results.csv")

    table = pd.read_parquet(tmp_path / "results.parquet")

    assert not {*UTILITY_BILLS, "utility_bill_saved"} & set(table.columns)


def test_bills_of_different_periods_are_not_compared() -> None:
    study = parse_study(json.dumps(study_document()))
    january = billed(1, {"utility_bill": 60.0}, "31 days (01/01-01/31)")

    _, sample, _ = rows(manifest_of(study), [billed(0, {"utility_bill": 900.0}), january])

    assert sample["utility_bill"] == 60
    assert sample.get("utility_bill_saved") is None


def test_no_parameter_can_be_called_like_a_bill() -> None:
    assert {*UTILITY_BILLS, "utility_bill_saved"} <= RESERVED
