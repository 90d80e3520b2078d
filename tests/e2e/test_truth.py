"""The numbers in the results table against two other readings of the same simulations.

Real reference models with different fuels and HVAC, and rooms that use district energy and every fuel, run through the
stack. Their metrics are compared with what is printed in the HTML report of the same run, and the reports with those
of the bare engine on the very files that were uploaded.
"""

import json
import re
import subprocess
from pathlib import Path

import pandas as pd
import pyenergyplus
import pytest

from epsm.energyplus.engine import Engine
from epsm.study.records import StudyStatus
from epsm_local.stack import LocalStack
from tests.conftest import study_document
from tests.e2e.html_report import Cells, comparable, read_html
from tests.support import result_file, result_json, results_table, run_study

MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"
REAL = {
    "warehouse.idf": "RefBldgWarehouseNew2004_Chicago.idf",
    "restaurant.idf": "RefBldgQuickServiceRestaurantNew2004_Chicago.idf",
    "supermarket.idf": "RefBldgSuperMarketNew2004_Chicago.idf",
    "small-office.idf": "RefBldgSmallOfficeNew2004_Chicago.idf",
    "medium-office.idf": "RefBldgMediumOfficeNew2004_Chicago.idf",
    "large-office.idf": "RefBldgLargeOfficeNew2004_Chicago.idf",
}
OWN = ("district.idf", "fuels.idf", "megajoules.idf")
NAMES = (*REAL, *OWN)

FUELS = {
    "NaturalGas": "natural_gas",
    "Propane": "propane",
    "FuelOilNo1": "fuel_oil_no_1",
    "FuelOilNo2": "fuel_oil_no_2",
    "Diesel": "diesel",
    "Gasoline": "gasoline",
    "Coal": "coal",
    "OtherFuel1": "other_fuel_1",
    "OtherFuel2": "other_fuel_2",
}
"""Fuels of OtherEquipment, and how they are called in our metrics."""

PERFORMANCE = "Annual Building Utility Performance Summary"
KWH_PER_GJ = 1000 / 3.6
KWH_PER_MJ = 1 / 3.6


def in_three_winter_and_three_summer_days(model: str) -> str:
    """A reference model with two short run periods in place of its first, and with them switched on."""
    days = (
        "RunPeriod,\n  Winter Days,1,1,,1,3,,Sunday,No,No,No,Yes,Yes;\n"
        "RunPeriod,\n  Summer Days,7,1,,7,3,,Monday,No,No,No,Yes,Yes;\n"
    )
    shortened = re.sub(r"(?ims)^\s*RunPeriod,.*?;[^\n]*\n", lambda _: days, model, count=1)
    return re.sub(r"(?is)(SimulationControl,(?:[^,;]*,){4})[^,;]*([,;])", r"\1Yes\2", shortened, count=1)


def with_html(model: str, unit_conversion: str = "None") -> str:
    return f"{model}\nOutputControl:Table:Style,HTML,{unit_conversion};\n"


def with_every_fuel(model: str) -> str:
    """The room with one piece of equipment for each fuel that OtherEquipment knows."""
    equipment = [
        f"OtherEquipment,{fuel} Burner,{fuel},Room,Office Hours,EquipmentLevel,{100 + 10 * number};"
        for number, fuel in enumerate(FUELS)
    ]
    return "\n".join([model, *equipment])


@pytest.fixture(scope="module")
def models(one_zone: str) -> dict[str, str]:
    """Text of every model by its name in the study."""
    texts = {
        name: in_three_winter_and_three_summer_days((MODELS / file).read_text(encoding="latin-1"))
        for name, file in REAL.items()
    }
    return texts | {
        "district.idf": with_html(one_zone),
        "fuels.idf": with_html(with_every_fuel(one_zone)),
        # A model whose own reports are in another unit must give the same numbers.
        "megajoules.idf": with_html(one_zone, "JtoMJ"),
    }


@pytest.fixture(scope="module")
def simulation(
    stack: LocalStack, models: dict[str, str], chicago: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """All models run through the stack, as baselines."""
    folder = tmp_path_factory.mktemp("truth")
    for name, text in models.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "chicago.epw").write_bytes(chicago.read_bytes())
    (folder / "chicago.stat").write_bytes(chicago.with_suffix(".stat").read_bytes())
    document = study_document(models=list(NAMES), parameters=[], outputs={"keep": ["err", "htm"]})
    (folder / "study.json").write_text(json.dumps(document), encoding="utf-8")
    record = run_study(stack, folder, within_s=170)
    assert record.status is StudyStatus.COMPLETED, record
    return record.simulation_id


@pytest.fixture(scope="module")
def table(stack: LocalStack, simulation: str) -> pd.DataFrame:
    return results_table(stack, simulation).set_index("model")


@pytest.fixture(scope="module")
def printed(stack: LocalStack, simulation: str) -> dict[str, Cells]:
    """The HTML report of each run, by model."""
    return {
        name: read_html(result_file(stack, simulation, f"variants/{index}/eplustbl.htm").decode("utf-8", "replace"))
        for index, name in enumerate(NAMES)
    }


@pytest.fixture(scope="module")
def bare(
    engine: Engine, models: dict[str, str], chicago: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Cells]:
    """The HTML report of the bare engine on the uploaded files, two at a time."""
    folder = tmp_path_factory.mktemp("bare")
    running: list[subprocess.Popen[bytes]] = []
    for name, text in models.items():
        (folder / name).write_text(text, encoding="utf-8")
        line: list[str | Path] = [engine.executable, "-w", chicago, "-d", folder / f"{name}.out", folder / name]
        running.append(subprocess.Popen(line, stdout=subprocess.DEVNULL))
        if len(running) == 2:
            assert running.pop(0).wait(timeout=120) == 0
    assert running.pop().wait(timeout=120) == 0
    return {
        name: read_html((folder / f"{name}.out" / "eplustbl.htm").read_text(encoding="utf-8", errors="replace"))
        for name in models
    }


def number(cells: Cells, table: str, row: str, column: str, report: str = PERFORMANCE) -> tuple[float, float]:
    """A printed number by its column's name without the unit, in the unit of our metrics, and half a digit of it."""
    (name,) = [key[3] for key in cells if key[:3] == (report, table, row) and key[3].split(" [")[0] == column]
    unit = name.split("[")[-1].rstrip("]")
    factor = {"GJ": KWH_PER_GJ, "MJ": KWH_PER_MJ, "MJ/m2": KWH_PER_MJ}.get(unit, 1.0)
    text = cells[report, table, row, name]
    digits = len(text.split(".")[1]) if "." in text else 0
    return float(text) * factor, 0.5000001 * 10**-digits * factor


SITE = "Site and Source Energy"
METRICS: dict[str, tuple[str, str, str]] = {
    "site_energy_kwh": (SITE, "Total Site Energy", "Total Energy"),
    "net_site_energy_kwh": (SITE, "Net Site Energy", "Total Energy"),
    "source_energy_kwh": (SITE, "Total Source Energy", "Total Energy"),
    "site_eui_kwh_m2": (SITE, "Total Site Energy", "Energy Per Total Building Area"),
    "source_eui_kwh_m2": (SITE, "Total Source Energy", "Energy Per Total Building Area"),
    "total_building_area_m2": ("Building Area", "Total Building Area", "Area"),
    "conditioned_area_m2": ("Building Area", "Net Conditioned Building Area", "Area"),
    "unconditioned_area_m2": ("Building Area", "Unconditioned Building Area", "Area"),
    "electricity_kwh": ("End Uses", "Total End Uses", "Electricity"),
    "natural_gas_kwh": ("End Uses", "Total End Uses", "Natural Gas"),
    "gasoline_kwh": ("End Uses", "Total End Uses", "Gasoline"),
    "diesel_kwh": ("End Uses", "Total End Uses", "Diesel"),
    "coal_kwh": ("End Uses", "Total End Uses", "Coal"),
    "fuel_oil_no_1_kwh": ("End Uses", "Total End Uses", "Fuel Oil No 1"),
    "fuel_oil_no_2_kwh": ("End Uses", "Total End Uses", "Fuel Oil No 2"),
    "propane_kwh": ("End Uses", "Total End Uses", "Propane"),
    "other_fuel_1_kwh": ("End Uses", "Total End Uses", "Other Fuel 1"),
    "other_fuel_2_kwh": ("End Uses", "Total End Uses", "Other Fuel 2"),
    "district_cooling_kwh": ("End Uses", "Total End Uses", "District Cooling"),
    "district_heating_water_kwh": ("End Uses", "Total End Uses", "District Heating Water"),
    "water_m3": ("End Uses", "Total End Uses", "Water"),
    "unmet_heating_hours": (
        "Comfort and Setpoint Not Met Summary",
        "Time Setpoint Not Met During Occupied Heating",
        "Facility",
    ),
    "unmet_cooling_hours": (
        "Comfort and Setpoint Not Met Summary",
        "Time Setpoint Not Met During Occupied Cooling",
        "Facility",
    ),
}
END_USES = {
    "heating_kwh": "Heating",
    "cooling_kwh": "Cooling",
    "interior_lighting_kwh": "Interior Lighting",
    "exterior_lighting_kwh": "Exterior Lighting",
    "interior_equipment_kwh": "Interior Equipment",
    "fans_kwh": "Fans",
    "pumps_kwh": "Pumps",
    "heat_rejection_kwh": "Heat Rejection",
    "water_systems_kwh": "Water Systems",
    "refrigeration_kwh": "Refrigeration",
}


@pytest.mark.parametrize("model", NAMES)
def test_every_metric_is_what_the_report_of_the_same_run_says(
    table: pd.DataFrame, printed: dict[str, Cells], model: str
) -> None:
    wrong = {}
    for metric, place in METRICS.items():
        expected, half_a_digit = number(printed[model], *place)
        if abs(table[metric][model] - expected) > half_a_digit:
            wrong[metric] = (table[metric][model], expected)
    assert wrong == {}


@pytest.mark.parametrize("model", NAMES)
def test_every_end_use_adds_up_all_fuels(table: pd.DataFrame, printed: dict[str, Cells], model: str) -> None:
    cells = printed[model]
    wrong = {}
    for metric, end_use in END_USES.items():
        columns = {key[3].split(" [")[0] for key in cells if key[:3] == (PERFORMANCE, "End Uses", end_use)} - {"Water"}
        parts = [number(cells, "End Uses", end_use, column) for column in columns]
        expected, tolerance = sum(part[0] for part in parts), sum(part[1] for part in parts)
        if abs(table[metric][model] - expected) > tolerance:
            wrong[metric] = (table[metric][model], expected)
    assert wrong == {}


@pytest.mark.parametrize("model", NAMES)
def test_end_uses_add_up_to_the_site_energy(table: pd.DataFrame, model: str) -> None:
    row = table.loc[model]
    total = sum(value for name, value in row.items() if str(name).endswith("_kwh") and name in ALL_END_USES)
    assert total == pytest.approx(row["site_energy_kwh"], rel=1e-9)


ALL_END_USES = {*END_USES, "exterior_equipment_kwh", "humidification_kwh", "heat_recovery_kwh", "generators_kwh"}


@pytest.mark.parametrize("model", NAMES)
def test_the_baseline_is_the_bare_engine_on_the_uploaded_file_to_the_last_digit(
    printed: dict[str, Cells], bare: dict[str, Cells], model: str
) -> None:
    expected, own = comparable(bare[model]), comparable(printed[model])
    assert expected
    assert {key: own.get(key) for key in expected} == expected  # the run reports more than the file asks for


@pytest.mark.parametrize("model", NAMES)
def test_zones_are_listed_with_area_and_volume(
    stack: LocalStack, simulation: str, printed: dict[str, Cells], model: str
) -> None:
    zones = result_json(stack, simulation, f"variants/{NAMES.index(model)}/result.json")["zones"]
    report, summary = "Input Verification and Results Summary", "Zone Summary"
    totals = {"Total", "Conditioned Total", "Unconditioned Total", "Not Part of Total"}
    expected = {key[2] for key in printed[model] if key[:2] == (report, summary)} - totals
    assert {zone["name"] for zone in zones} == expected
    for zone in zones:
        for key, column in (("area_m2", "Area"), ("volume_m3", "Volume")):
            value, half_a_digit = number(printed[model], summary, zone["name"], column, report)
            assert zone[key] == pytest.approx(value, abs=half_a_digit)


@pytest.mark.parametrize("model", list(REAL))
def test_a_few_days_are_not_called_a_year(table: pd.DataFrame, model: str) -> None:
    row = table.loc[model]
    assert (row["period"], row["period_days"]) == ("6 days (01/01-01/03, 07/01-07/03)", 6)


@pytest.mark.parametrize("model", OWN)
def test_a_year_is_called_annual(table: pd.DataFrame, model: str) -> None:
    assert (table.loc[model, "period"], table.loc[model, "period_days"]) == ("annual", 365)


def test_cooling_and_heating_by_district_energy_are_not_lost(table: pd.DataFrame) -> None:
    row = table.loc["district.idf"]
    assert row["cooling_district_cooling_kwh"] == row["cooling_kwh"] > 0
    assert row["heating_district_heating_water_kwh"] == row["heating_kwh"] > 0


def test_the_unit_of_the_models_own_reports_does_not_matter(table: pd.DataFrame) -> None:
    metrics = [name for name in table.columns if name.endswith(("_kwh", "_kwh_m2", "_m2", "_w", "_hours", "_m3"))]
    rows = [table.loc[[name], metrics].reset_index(drop=True) for name in ("megajoules.idf", "district.idf")]
    assert rows[0].equals(rows[1])


def test_every_fuel_is_there(table: pd.DataFrame) -> None:
    row = table.loc["fuels.idf"]
    assert [fuel for fuel in FUELS.values() if not row[f"interior_equipment_{fuel}_kwh"] > 0] == []


def test_the_fixture_covers_different_fuels_and_equipment(table: pd.DataFrame) -> None:
    used = ("heat_rejection_kwh", "refrigeration_kwh", "pumps_kwh", "fans_kwh", "water_systems_kwh")
    assert all(table[name].max() > 0 for name in used)
