"""Energy delivered to zones, demand intensities, design and adaptive comfort: by hand, and against the engine."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import judge
from epsm.results.metrics import DELIVERED, DESIGN_SUMS, PERFORMANCE_METRICS
from epsm.results.reader import Results, read_results
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.results.reader.databases import (
    TOTAL,
    WINTER_DAY,
    YEAR,
    Cells,
    building,
    end_use,
    write_database,
    zone_summary,
)

GAINS, METERS = "SensibleHeatGainSummary", "EnergyMeters"
ANNUAL = "Annual Building Sensible Heat Gain Components"
LIMITS = "Time Not Meeting the Adaptive Comfort Models during Occupied Hours"
PEOPLE = """
People,Staff,Room,Office Hours,People,4,,,0.3,,Activity,,No,EnclosureAveraged,,Work,ClothingInsulationSchedule,,
  Clothing,Air Speed,AdaptiveASH55;
Schedule:Constant,Activity,,120;
Schedule:Constant,Work,,0;
Schedule:Constant,Clothing,,0.7;
Schedule:Constant,Air Speed,,0.1;
Output:Meter,Heating:EnergyTransfer,RunPeriod;
Output:Meter,DistrictHeatingWater:Facility,RunPeriod;
Output:Variable,*,Zone Thermal Comfort ASHRAE 55 Adaptive Model 90% Acceptability Status,Timestep;
"""


def gains(row: str, *, heating: tuple[str, str, str], cooling: tuple[str, str, str]) -> Cells:
    """A row of the heat gains: of zone equipment, terminal units and surfaces."""
    columns = [column for _, part in DELIVERED.values() for column in part]
    values = (*heating, *cooling)
    return {(GAINS, ANNUAL, row, column): ("kWh", value) for column, value in zip(columns, values, strict=True)}


def served() -> Cells:
    """The tables of a building of 100 m2 with two zones, coils, a boiler, and ideal loads in one of the zones."""
    cells = building() | zone_summary("ROOM", Multipliers="2") | zone_summary("STORE")
    cells |= gains("ROOM", heating=("100", "20", "3"), cooling=("-7", "-30", "0"))
    cells |= gains("Total Facility", heating=("1000", "200", "30"), cooling=("-70", "-300", "0"))
    for meter, value in (
        ("HeatingCoils:EnergyTransfer", "1500"),
        ("Heating:EnergyTransfer", "1200"),
        ("CoolingCoils:EnergyTransfer", "700"),
    ):
        cells[METERS, "Annual and Peak Values - Other", meter, "Annual Value"] = ("kWh", value)
    district = "Annual and Peak Values - Cooling"
    cells[METERS, district, "DistrictCooling:HVAC", "Cooling Annual Value"] = ("kWh", "40")
    cells[METERS, district, "DistrictCooling:Plant", "Cooling Annual Value"] = ("kWh", "900")
    sizing = "HVACSizingSummary"
    for zone, load in (("ROOM", "4000"), ("STORE", "500")):
        cells[sizing, "Zone Sensible Heating", zone, "Calculated Design Load"] = ("W", load)
    for name, kind, capacity in (
        ("Boiler 1", "Boiler:HotWater", "6000"),
        ("Boiler 2", "Boiler:Steam", "1000"),
        ("Tower", "CoolingTower:SingleSpeed", "9999"),
    ):
        cells["EquipmentSummary", "Central Plant", name, "Type"] = ("", kind)
        cells["EquipmentSummary", "Central Plant", name, "Reference Capacity"] = ("W", capacity)
    cells["EquipmentSummary", "Cooling Coils", "None", "Nominal Total Capacity"] = ("W", "")
    for people, hours in (("STAFF", "12.5"), ("VISITORS", "80")):
        cells["AdaptiveComfortSummary", LIMITS, people, "ASHRAE55 80% Acceptability Limits "] = ("Hours", hours)
    cells["SystemSummary", "Time Setpoint Not Met", "ROOM", "During Occupied Heating"] = ("hr", "3.25")
    return cells


@pytest.fixture
def of_year(tmp_path: Path) -> Results:
    write_database(tmp_path / "eplusout.sql", served(), ["ROOM", "STORE"])
    return read_results(tmp_path / "eplusout.sql", [YEAR])


def test_energy_delivered_to_zones_is_the_sum_of_all_equipment(of_year: Results) -> None:
    metrics = of_year.metrics
    assert (metrics["zone_heating_kwh"], metrics["zone_heating_kwh_m2"]) == (1230, 12.3)
    assert (metrics["zone_cooling_kwh"], metrics["zone_cooling_kwh_m2"]) == (370, 3.7)


def test_demand_intensities_count_the_output_of_coils_and_ideal_loads(of_year: Results) -> None:
    """Not district energy that a plant takes: its coils have been counted."""
    assert (of_year.metrics["tedi_kwh_m2"], of_year.metrics["cedi_kwh_m2"]) == (15, 7.4)


def test_meters_that_count_sizing_simulations_are_not_taken(tmp_path: Path) -> None:
    """RefBldgLargeOffice has them: 5 % more gas in this report than in the end uses."""
    cells = served()
    cells[end_use(TOTAL, "Natural Gas")] = ("kWh", "1000")
    metered = (METERS, "Annual and Peak Values - Natural Gas", "NaturalGas:Facility", "Natural Gas Annual Value")
    for value, expected in (("1000.0008", 15), ("1050", None)):
        path = tmp_path / f"{value}.sql"
        write_database(path, cells | {metered: ("kWh", value)}, ["ROOM", "STORE"])
        results = read_results(path, [YEAR])
        assert results.metrics["tedi_kwh_m2"] == expected
    assert "counts the HVAC sizing simulation" in results.not_applicable["cedi_kwh_m2"]


def test_loads_and_capacities_at_design_are_sums(of_year: Results) -> None:
    found = {name: of_year.metrics[name] for name in DESIGN_SUMS}
    assert found == {
        "zone_heating_design_load_w": 4500,
        "zone_cooling_design_load_w": None,
        "heating_coil_capacity_w": None,
        "cooling_coil_capacity_w": None,
        "boiler_capacity_w": 7000,
        "chiller_capacity_w": None,
    }
    assert of_year.not_applicable["zone_cooling_design_load_w"] == "no zone was sized for cooling"
    assert of_year.not_applicable["cooling_coil_capacity_w"] == "the model has no cooling coils"


def test_adaptive_comfort_is_that_of_the_people_with_most_hours_outside(of_year: Results) -> None:
    assert of_year.metrics["adaptive_ashrae55_80_hours"] == 80
    assert of_year.metrics["adaptive_en15251_category_2_hours"] is None
    assert "no People object" in of_year.not_applicable["adaptive_en15251_category_2_hours"]


def test_zones_have_their_own(of_year: Results) -> None:
    room, store = of_year.zones
    assert (room.heating_kwh, room.cooling_kwh, room.heating_design_load_w) == (123, 37, 4000)
    assert (room.unmet_heating_hours, room.unmet_cooling_hours, room.cooling_design_load_w) == (3.25, None, None)
    assert (store.heating_kwh, store.heating_design_load_w) == (None, 500)


def test_a_run_of_design_days_has_its_design_alone(tmp_path: Path) -> None:
    write_database(tmp_path / "eplusout.sql", served(), ["ROOM", "STORE"])
    results = read_results(tmp_path / "eplusout.sql", [WINTER_DAY])

    known = {name for name in PERFORMANCE_METRICS if results.metrics[name] is not None}
    assert known == {"zone_heating_design_load_w", "boiler_capacity_w"}
    assert results.not_applicable["tedi_kwh_m2"] == "no run period of the weather file was simulated"
    assert (results.zones[0].heating_kwh, results.zones[0].heating_design_load_w) == (None, 4000)


def test_a_zone_called_like_the_row_of_the_whole_building_is_not_taken_for_it(tmp_path: Path) -> None:
    write_database(tmp_path / "eplusout.sql", served(), ["TOTAL FACILITY"])
    results = read_results(tmp_path / "eplusout.sql", [YEAR])
    assert results.metrics["zone_heating_kwh"] is None
    assert "a zone is named 'Total Facility'" in results.not_applicable["zone_heating_kwh"]


def test_the_engines_numbers(engine: Engine, one_zone: str, chicago: Path, tmp_path: Path) -> None:
    """Ideal loads for a year: what they give is what the zone gets, and what they take from the district."""
    own = one_zone.replace("AllSummary;", "AnnualBuildingUtilityPerformanceSummary;")  # the rest has to be asked for
    of = Study.model_validate(study_document(parameters=[]))
    text = prepare((own + PEOPLE).encode(), "room.idf", of, engine.idd).render({})
    (tmp_path / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, tmp_path / "in.idf", chicago, tmp_path), tmp_path, timeout_s=60)
    results = read_results(tmp_path / "eplusout.sql", judge(ended, tmp_path).environments)

    with closing(sqlite3.connect(tmp_path / "eplusout.sql")) as connection:
        meters = dict(
            connection.execute(
                "SELECT Name, sum(Value) / 3.6e6 FROM ReportData JOIN ReportDataDictionary "
                "USING (ReportDataDictionaryIndex) WHERE IsMeter = 1 GROUP BY Name"
            )
        )
        (outside,) = connection.execute(
            "SELECT count(*) / 4.0 FROM ReportData JOIN ReportDataDictionary USING (ReportDataDictionaryIndex) "
            "WHERE Name LIKE '%90%% Acceptability%' AND Value = 0"
        ).fetchone()
    metrics = results.metrics
    assert metrics["zone_heating_kwh"] == pytest.approx(meters["Heating:EnergyTransfer"], rel=1e-4)
    assert metrics["tedi_kwh_m2"] == pytest.approx(meters["DistrictHeatingWater:Facility"] / 48, rel=1e-5)
    assert metrics["tedi_kwh_m2"] == pytest.approx(metrics["heating_kwh_m2"], rel=1e-5)
    assert metrics["cedi_kwh_m2"] == pytest.approx(metrics["cooling_kwh_m2"], rel=1e-5)
    assert metrics["adaptive_ashrae55_90_hours"] == outside > 0
    assert results.zones[0].heating_kwh == metrics["zone_heating_kwh"]
    assert results.missing == {}
