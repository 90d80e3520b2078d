"""Sections of the report: emissions and costs with the Pareto chart, demand and peaks, zones and months."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from epsm.results.report_detail import detail_section
from epsm.results.report_impact import impact_section, impact_section_columns
from epsm.results.report_metrics import METRICS_SHOWN, metrics_section
from epsm.results.table import read_columns, write_table
from epsm.study.schema import Study
from tests.unit.manifests import manifest_of
from tests.unit.results.test_impact import used
from tests.unit.results.test_measure_impact import LED, PRICES, study

THREE = {
    "cheap": {**LED, "gwp": {"kgco2e": 100}, "cost": {"one_off": 1000}},
    "worse": {**LED, "gwp": {"kgco2e": 200}, "cost": {"one_off": 1500}},
    "d<ear>": {**LED, "gwp": {"kgco2e": 500}, "cost": {"one_off": 9000}},
}


def table_of(own: Study, folder: Path, *energy: float) -> pd.DataFrame:
    records = [used(index, kwh, 0, electricity_peak_w=2 * kwh) for index, kwh in enumerate(energy)]
    write_table(manifest_of(own), records, folder / "results.parquet", folder / "results.csv")
    return pd.read_parquet(folder / "results.parquet")


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", html)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_the_front_is_marked_and_its_numbers_stand_beside_it(tmp_path: Path) -> None:
    own = study(THREE, {"currency": "EUR", "fuels": PRICES})
    table = table_of(own, tmp_path, 2000, 1200, 1200, 800)

    html = impact_section(table, own, [])

    assert html.count("<circle") == 4
    # 0 at the origin of costs; front of three points: baseline, cheap, dear
    assert html.count("fill='#c8553d'") == 3
    assert html.count("<polyline") == 1
    head, *rows = cells(html)
    assert head[:3] == ["variant", "Pareto rank", "Site EUI [kWh/m2]"]
    assert [row[0] for row in rows] == [
        "0: baseline",
        "3: shell d&lt;ear&gt;",
        "1: shell cheap",
        "2: shell worse",
    ]
    by_name = dict(zip(head, rows[2], strict=True))
    assert by_name["Measure cost [EUR]"] == "1,000"
    assert by_name["Simple payback [years]"] == "5.0"
    assert by_name["Embodied GWP [kg CO2e]"] == "100.0"


def test_columns_that_the_section_reads_are_read_back(tmp_path: Path) -> None:
    own = study(THREE, {"currency": "EUR", "fuels": PRICES, "study_period_years": 50})
    whole = table_of(own, tmp_path, 2000, 1200, 1200, 800)
    more = ["variant_index", "model", "weather", "baseline", "status", "shell", "site_eui_kwh_m2"]
    more += ["site_eui_saved_percent"]
    read = read_columns(tmp_path / "results.parquet", [*more, *impact_section_columns(own), *METRICS_SHOWN])

    assert impact_section(read, own, []) == impact_section(whole, own, [])
    assert metrics_section(read, own, []) == metrics_section(whole, own, [])


def test_several_models_have_a_chart_each(tmp_path: Path) -> None:
    own = study(THREE, models=["a.idf", "b.idf"])
    html = impact_section(table_of(own, tmp_path, 2000, 1200, 1200, 800, 900, 800, 700, 600), own, ["model"])

    assert html.count("<svg") == 2
    assert "<h3>a.idf, chicago.epw</h3>" in html


def test_a_study_without_emissions_and_costs_has_no_such_section(tmp_path: Path) -> None:
    own = study({"LED": LED})

    assert impact_section(table_of(own, tmp_path, 2000, 1200), own, []) == ""


def test_one_point_alone_is_drawn(tmp_path: Path) -> None:
    own = study(THREE)

    assert impact_section(table_of(own, tmp_path, 0.0), own, []).count("<circle") == 1


def test_demand_and_peaks_are_tables(tmp_path: Path) -> None:
    own = study(THREE)
    html = metrics_section(table_of(own, tmp_path, 2000, 1200, 1200, 800), own, [])

    assert "<h3>Peak demand, with month, day and end of the time step</h3>" in html
    assert "Design loads" not in html, "no variant has any"
    head, *rows = cells(html)
    assert head == ["variant", "Electricity peak [W]"]
    assert rows[0] == ["0: baseline", "4,000"]


def test_zones_and_months_of_the_baseline(tmp_path: Path) -> None:
    own = study(THREE)
    variant: dict[str, Any] = {"variant_index": 0, "model": "room.idf", "weather": "chicago.epw"}
    pd.DataFrame(
        [{**variant, "zone": "ROOM <1>", "area_m2": 48.0, "heating_kwh": 6030.2, "cooling_kwh": None}]
    ).to_parquet(tmp_path / "zones.parquet")
    use = {**variant, "fuel": "electricity", "end_use": "total"}
    months = [
        {**use, "month": 1, "energy_kwh": 10.0, "peak_w": 100.0},
        {**use, "month": 1, "energy_kwh": 5.0, "peak_w": 120.0},
        {**use, "month": 7, "energy_kwh": 7.0, "peak_w": None},
        {**use, "month": 7, "end_use": "heating", "energy_kwh": 99.0, "peak_w": None},
        {**use, "variant_index": 1, "month": 8, "energy_kwh": 7.0, "peak_w": None},
    ]
    pd.DataFrame(months).to_parquet(tmp_path / "monthly.parquet")

    html = detail_section(tmp_path, own)

    assert cells(html) == [
        ["zone", "Area [m2]", "Heating [kWh]"],
        ["ROOM &lt;1&gt;", "48.0", "6,030"],
        ["month", "Electricity [kWh]", "Electricity peak [W]"],
        ["Jan", "15.0", "120.0"],
        ["Jul", "7.0", "\N{EN DASH}"],
    ]


def test_without_such_files_there_is_no_section(tmp_path: Path) -> None:
    assert detail_section(tmp_path, study(THREE)) == ""
