"""What the comparison with other tools computes: tables of results, whether they agree, CPU time, ratios."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from benchmarks.peers import cases, measure, report
from benchmarks.peers.measure import Measurement
from benchmarks.peers.results import Disagreement, check_equal, read_table
from benchmarks.peers.runners import BARE_EDITED, BARE_OWNER
from benchmarks.peers.scripts import collect

REPORTED = {
    "Site and Source Energy": [
        ["", "Total Energy [GJ]", "Energy Per Total Building Area [MJ/m2]"],
        ["Total Site Energy", "36.00", "720.00"],
        ["Net Site Energy", "18.00", "360.00"],
    ],
    "Building Area": [["", "Area [m2]"], ["Total Building Area", "50.00"]],
    "End Uses": [
        ["", "Electricity [GJ]", "District Heating Water [GJ]", "Water [m3]"],
        ["Heating", "0.00", "28.80", "0.00"],
        ["Interior Lighting", "7.20", "0.00", "0.00"],
        ["Water Systems", "0.00", "0.00", "5.00"],
        ["", "", "", ""],
        ["Total End Uses", "7.20", "28.80", "5.00"],
    ],
}
"""As the owner's reports have it."""
EXPECTED = {
    "site_eui_kwh_m2": 200.0,
    "area_m2": 50.0,
    "heating_district_heating_water_kwh": 8000.0,
    "interior_lighting_electricity_kwh": 2000.0,
}


def _text() -> str:
    tables = (
        f"{name}\n\n" + "".join(f",{','.join(row)}\n" for row in table) + "\n" for name, table in REPORTED.items()
    )
    return f"REPORT:,Annual Building Utility Performance Summary\n{''.join(tables)}"


def _page() -> str:
    body = "<p>Report:<b> Annual Building Utility Performance Summary</b></p>"
    for name, table in REPORTED.items():
        lines = ["".join(f"<td align='right'>{cell or '&nbsp;'}</td>" for cell in row) for row in table]
        body += f"<b>{name}</b><br><br>\n<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
    return body


def _database(path: Path) -> None:
    """Of a run whose model asks for kWh, as this project's do."""
    rows = [
        ("Site and Source Energy", "Total Site Energy", "Energy Per Total Building Area", "kWh/m2", "  200.0"),
        ("Building Area", "Total Building Area", "Area", "m2", "50"),
        ("End Uses", "Heating", "District Heating Water", "kWh", "8000.0"),
        ("End Uses", "Interior Lighting", "Electricity", "kWh", "2000.0"),
        ("End Uses", "Total End Uses", "Electricity", "kWh", "2000.0"),
        ("End Uses", "Water Systems", "Water", "m3", "5"),
    ]
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create table TabularDataWithStrings (ReportName, TableName, RowName, ColumnName, Units, Value)"
        )
        report_name = "AnnualBuildingUtilityPerformanceSummary"
        insert = "insert into TabularDataWithStrings values (?, ?, ?, ?, ?, ?)"
        connection.executemany(insert, [(report_name, *row) for row in rows])


@pytest.mark.parametrize("kind", ["csv", "htm", "sql"])
def test_the_same_cells_are_read_from_each_kind_of_report(tmp_path: Path, kind: str) -> None:
    (tmp_path / "eplusout.end").write_text("EnergyPlus Completed Successfully-- 0 Warning; 0 Severe Errors")
    if kind == "sql":
        _database(tmp_path / "eplusout.sql")
    else:
        (tmp_path / f"eplustbl.{kind}").write_text(_text() if kind == "csv" else _page())
        sqlite3.connect(tmp_path / "eplusout.sql").close()  # without tables, as with Output:SQLite,Simple
    assert collect.results_of(tmp_path) == pytest.approx(EXPECTED)


def test_a_run_that_did_not_complete_has_no_results(tmp_path: Path) -> None:
    (tmp_path / "eplustbl.csv").write_text(_text())
    with pytest.raises(ValueError, match="did not complete"):
        collect.results_of(tmp_path)


def test_a_written_table_is_read_in_the_order_of_the_variants(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    collect.write_table(path, [EXPECTED, {"site_eui_kwh_m2": 1.0, "fans_electricity_kwh": 3.0}])
    first, second = read_table(path)
    assert first == {name: value for name, value in EXPECTED.items() if name != "area_m2"}
    assert second == {"site_eui_kwh_m2": 1.0, "fans_electricity_kwh": 3.0}


ROW = {"site_eui_kwh_m2": 200.0, "heating_natural_gas_kwh": 8000.0}


def test_results_that_differ_by_rounding_agree() -> None:
    check_equal({"bare": [ROW], "other": [{"site_eui_kwh_m2": 200.0013, "heating_natural_gas_kwh": 8001.3}]})


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{**ROW, "site_eui_kwh_m2": 200.2}], "other, variant 0: site_eui_kwh_m2 is 200.2000; bare has 200.0000"),
        ([{"site_eui_kwh_m2": 200.0}], "heating_natural_gas_kwh is 0.0000"),
        ([{**ROW, "fans_electricity_kwh": 9.0}], "fans_electricity_kwh is 9.0000; bare has 0.0000"),
        ([ROW, ROW], "2 variants, not 1"),
    ],
)
def test_other_results_void_the_comparison(rows: list[dict[str, float]], words: str) -> None:
    with pytest.raises(Disagreement, match="void") as caught:
        check_equal({"bare": [ROW], "other": rows})
    assert words in str(caught.value)


def _measured(wall: float, cpu: float, memory: float = 100.0) -> Measurement:
    return Measurement(wall, cpu, memory, disk_mb=5.0)


def test_ratios_are_medians_of_the_ratios_of_rounds() -> None:
    # The machine is twice as slow in the second round; the ratio of medians would be 1.33, not 1.5.
    rounds = [
        {BARE_OWNER: _measured(10, 20), BARE_EDITED: _measured(8, 16), "x": _measured(15, 30, 300)},
        {BARE_OWNER: _measured(20, 40), BARE_EDITED: _measured(20, 32), "x": _measured(30, 20, 200)},
        {BARE_OWNER: _measured(10, 20), BARE_EDITED: _measured(10, 20), "x": _measured(20, 20)},
    ]
    found = report.summary(rounds, variants=10)["x"]
    assert found == pytest.approx(
        {
            "wall_seconds": 20.0,
            "ratio": 1.5,
            "ratio_edited": 1.875,
            "cpu_seconds": 20.0,
            "cpu_ratio": 1.0,
            "overhead_ms": 1000.0,
            "peak_memory_mb": 300.0,
            "disk_mb": 5.0,
        }
    )
    assert report.summary(rounds, variants=10)[BARE_OWNER]["ratio"] == 1.0


def test_cpu_time_counts_processes_that_a_child_has_collected(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    _, cpu_seconds, _ = measure.run([sys.executable, "-c", start], tmp_path, os.environ, tmp_path / "log")
    assert cpu_seconds >= 0.3


def test_a_failed_command_is_reported_with_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3:\nno engine"):
        measure.run(["sh", "-c", "echo no engine; exit 3"], tmp_path, os.environ, tmp_path / "log")


def test_no_variant_is_equal_to_another_of_any_round() -> None:
    rows = [row for number in range(5) for row in cases.factors_of(20, number)[1:]]
    assert len(set(rows)) == 95
    assert all(0.5 < factor < 1.5 and factor != 1 for row in rows for factor in row)
