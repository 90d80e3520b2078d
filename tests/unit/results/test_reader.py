"""Reading metrics: by name and unit, to the last digit, and None with a reason where there is nothing to read."""

import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import Diagnosis, Environment, Verdict, judge
from epsm.results.metrics import (
    CELLS,
    END_USES,
    ENVELOPE_AREAS,
    FUELS,
    INTENSITIES,
    METRICS,
    OPTIONAL_METRICS,
    SUMS,
    snake,
)
from epsm.results.reader import EndUse, ImpossibleResult, Results, read_results
from epsm.results.zones import Zone
from epsm.study.schema import Study
from tests.conftest import study_document, with_run_period

PERFORMANCE = "AnnualBuildingUtilityPerformanceSummary"
VERIFICATION = "InputVerificationandResultsSummary"
DEMAND = "DemandEndUseComponentsSummary"
TOTAL = "Total End Uses"

Place = tuple[str, str, str, str]  # report, table, row, column
Cells = dict[Place, tuple[str, str]]  # unit, value

SITE_EUI: Place = (PERFORMANCE, "Site and Source Energy", "Total Site Energy", "Energy Per Total Building Area")
SITE_ENERGY: Place = (PERFORMANCE, "Site and Source Energy", "Total Site Energy", "Total Energy")
AREA: Place = (PERFORMANCE, "Building Area", "Total Building Area", "Area")
ELECTRICITY: Place = (PERFORMANCE, "End Uses", TOTAL, "Electricity")
WATER: Place = (PERFORMANCE, "End Uses", TOTAL, "Water")
UNMET: Place = (
    PERFORMANCE,
    "Comfort and Setpoint Not Met Summary",
    "Time Setpoint Not Met During Occupied Heating",
    "Facility",
)
UNCONDITIONED: Place = (PERFORMANCE, "Building Area", "Unconditioned Building Area", "Area")
ELECTRICITY_PEAK: Place = (DEMAND, "End Uses", TOTAL, "Electricity")

YEAR = Environment("WHOLE YEAR", "WeatherFileRunPeriod", "01/01/2017", "12/31/2017", 365)
LEAP_YEAR = Environment("WHOLE YEAR", "WeatherFileRunPeriod", "01/01/2016", "12/31/2016", 366)
TWO_YEARS = Environment("TWO YEARS", "WeatherFileRunPeriod", "01/01/2017", "12/31/2018", 730)
JANUARY = Environment("JANUARY", "WeatherFileRunPeriod", "01/01/2017", "01/31/2017", 31)
NEW_YEAR = Environment("NEW YEAR", "WeatherFileRunPeriod", "01/01/2017", "01/01/2017", 1)
FIRST_HALF = Environment("FIRST HALF", "WeatherFileRunPeriod", "01/01/2017", "06/30/2017", 181)
SECOND_HALF = Environment("SECOND HALF", "WeatherFileRunPeriod", "07/01/2017", "12/31/2017", 184)
WINTER_DAY = Environment("WINTER DAY", "SizingPeriod:DesignDay", "01/21", "01/21", 1)


def end_use(row: str, fuel: str) -> Place:
    return (PERFORMANCE, "End Uses", row, fuel)


def of_zone(name: str, column: str) -> Place:
    return (VERIFICATION, "Zone Summary", name, column)


def building() -> Cells:
    """The tables of a building of 100 m2 that uses nothing, as the engine writes them."""
    units = {"kwh": "kWh", "kwh_m2": "kWh/m2", "m2": "m2", "m3": "m3", "w": "W", "hours": "Hours"}
    cells: Cells = {
        (each.report, each.table, each.row, each.column): (units[each.unit], "0") for each in CELLS.values()
    }
    cells |= {end_use(row, fuel): ("kWh", "0") for row in END_USES for fuel in FUELS}
    return cells | {AREA: ("m2", "100")}


def without(cells: Cells, unwanted: Callable[[Place], bool]) -> Cells:
    return {place: content for place, content in cells.items() if not unwanted(place)}


def zone_summary(name: str, **columns: str) -> Cells:
    """The row of a zone in the Zone Summary."""
    given = {"Area": "48", "Volume": "144", "Multipliers": "1", "Conditioned (Y/N)": "Yes"} | columns
    given = {"Part of Total Floor Area (Y/N)": "Yes"} | given
    units = {"Area": "m2", "Volume": "m3"}
    return {of_zone(name, column): (units.get(column, ""), value) for column, value in given.items()}


def write_database(path: Path, cells: Mapping[Place, tuple[str, str]], zones: Sequence[str | bytes] = ()) -> None:
    """The two tables of an eplusout.sql that results are read from."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # waiting for the disk is most of the time otherwise
        connection.execute(
            "CREATE TABLE TabularDataWithStrings (ReportName TEXT, TableName TEXT, RowName TEXT, ColumnName TEXT, "
            "Units TEXT, Value TEXT, ReportForString TEXT DEFAULT 'Entire Facility')"
        )
        connection.executemany(
            "INSERT INTO TabularDataWithStrings (ReportName, TableName, RowName, ColumnName, Units, Value) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(*place, *content) for place, content in cells.items()],
        )
        connection.execute("CREATE TABLE Simulations (NumTimestepsPerHour INTEGER)")
        connection.execute("INSERT INTO Simulations VALUES (4)")
        connection.execute(
            "CREATE TABLE Zones (ZoneIndex INTEGER PRIMARY KEY, ZoneName TEXT, Multiplier REAL, ListMultiplier REAL)"
        )
        connection.execute("CREATE TABLE Constructions (ConstructionIndex INTEGER, Name TEXT, TotalLayers INTEGER)")
        connection.execute(
            "CREATE TABLE Surfaces (SurfaceIndex INTEGER, SurfaceName TEXT, ConstructionIndex INTEGER, ClassName TEXT, "
            "Area REAL, GrossArea REAL, Azimuth REAL, Tilt REAL, HeatTransferSurf INTEGER, ZoneIndex INTEGER, "
            "ExtBoundCond INTEGER)"
        )
        connection.executemany("INSERT INTO Zones (ZoneName) VALUES (CAST(? AS TEXT))", [(name,) for name in zones])
        connection.commit()


Reader = Callable[..., Results]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Writes tables and reads the results of a run with them."""

    def read(cells: Cells, zones: Sequence[str | bytes] = (), environments: Sequence[Environment] = (YEAR,)) -> Results:
        write_database(tmp_path / "eplusout.sql", cells, zones)
        return read_results(tmp_path / "eplusout.sql", environments)

    return read


# -- values and units --------------------------------------------------------------------------------------------

BTU_IN_J = Fraction("1055.05585262")
SQUARE_FOOT_IN_M2 = Fraction("0.3048") ** 2
KWH = {
    "kWh": Fraction(1),
    "J": 1 / Fraction(3_600_000),
    "MJ": 1 / Fraction("3.6"),
    "GJ": 1000 / Fraction("3.6"),
    "kBtu": 1000 * BTU_IN_J / 3_600_000,
}
KWH_M2 = {
    **{f"{unit}/m2": factor for unit, factor in KWH.items()},
    "kBtu/ft2": KWH["kBtu"] / SQUARE_FOOT_IN_M2,
    "kWh/ft2": 1 / SQUARE_FOOT_IN_M2,
}


def exactly(value: str, factor: Fraction) -> float:
    """The number nearest to the product of both, computed without rounding in between."""
    return float(Fraction(value) * factor)


@pytest.mark.parametrize("unit", KWH)
def test_energy_is_converted_from_its_unit(read: Reader, unit: str) -> None:
    results = read(building() | {ELECTRICITY: (unit, "1234.5678901234")})

    assert results.metrics["electricity_kwh"] == exactly("1234.5678901234", KWH[unit])


@pytest.mark.parametrize("unit", KWH_M2)
def test_intensity_is_converted_from_its_unit(read: Reader, unit: str) -> None:
    results = read(building() | {SITE_EUI: (unit, "123.45678901234567")})

    assert results.metrics["site_eui_kwh_m2"] == exactly("123.45678901234567", KWH_M2[unit])


@pytest.mark.parametrize(
    ("place", "metric", "unit", "factor"),
    [
        (AREA, "total_building_area_m2", "m2", Fraction(1)),
        (AREA, "total_building_area_m2", "ft2", SQUARE_FOOT_IN_M2),
        (WATER, "water_m3", "m3", Fraction(1)),
        (WATER, "water_m3", "gal", Fraction("0.003785411784")),
        (ELECTRICITY_PEAK, "electricity_peak_w", "W", Fraction(1)),
        (ELECTRICITY_PEAK, "electricity_peak_w", "kBtuh", 1000 * BTU_IN_J / 3600),
    ],
)
def test_other_quantities_are_converted_from_their_units(
    read: Reader, place: Place, metric: str, unit: str, factor: Fraction
) -> None:
    assert read(building() | {place: (unit, "511.18")}).metrics[metric] == exactly("511.18", factor)


def test_a_number_comes_back_to_the_last_digit(read: Reader) -> None:
    source = random.Random(25_2)
    written = {fuel: source.uniform(0, 10 ** source.randint(-3, 12)) for fuel in FUELS}

    results = read(building() | {end_use(TOTAL, fuel): ("kWh", repr(value)) for fuel, value in written.items()})

    assert {fuel: results.metrics[f"{snake(fuel)}_kwh"] for fuel in FUELS} == written


def test_the_spaces_that_pad_a_table_do_not_count(read: Reader) -> None:
    report, table, row, column = SITE_EUI

    results = read(without(building(), SITE_EUI.__eq__) | {(report, table, f"  {row}", column): (" kWh/m2 ", "  12.5")})

    assert results.metrics["site_eui_kwh_m2"] == 12.5


def test_a_negative_number_is_a_number(read: Reader) -> None:
    net = (PERFORMANCE, "Site and Source Energy", "Net Site Energy", "Total Energy")

    assert read(building() | {net: ("kWh", "-15.5")}).metrics["net_site_energy_kwh"] == -15.5


def test_0_is_a_number_and_not_a_missing_one(read: Reader) -> None:
    results = read(building())

    assert (results.metrics["natural_gas_kwh"], "natural_gas_kwh" in results.missing) == (0.0, False)


def test_tables_of_parts_of_the_building_are_left_alone(read: Reader, tmp_path: Path) -> None:
    write_database(tmp_path / "two.sql", building())
    with closing(sqlite3.connect(tmp_path / "two.sql")) as connection:
        insert = "INSERT INTO TabularDataWithStrings VALUES (?, ?, ?, ?, 'kWh/m2', '999', 'ZONE 1')"
        connection.execute(insert, SITE_EUI)
        connection.commit()

    assert read_results(tmp_path / "two.sql", [YEAR]).metrics["site_eui_kwh_m2"] == 0.0


def test_every_metric_is_there_in_the_order_of_the_table(read: Reader) -> None:
    assert tuple(read(building()).metrics) == (*METRICS, *OPTIONAL_METRICS)


def test_heating_is_not_read_from_cooling(read: Reader) -> None:
    cells = building() | {
        end_use("Heating", "Electricity"): ("kWh", "11"),
        end_use("Cooling", "Electricity"): ("kWh", "22"),
    }

    metrics = read(cells).metrics

    assert (metrics["heating_kwh"], metrics["cooling_kwh"]) == (11.0, 22.0)


# -- what is not there -------------------------------------------------------------------------------------------

WHERE = f"{PERFORMANCE}, Site and Source Energy, row 'Total Site Energy', column 'Energy Per Total Building Area'"


@pytest.mark.parametrize(
    ("unwanted", "reason"),
    [
        (
            lambda place: place[1] == "Site and Source Energy",
            f"the run has no table 'Site and Source Energy' in {PERFORMANCE}",
        ),
        (lambda place: place[2] == "Total Site Energy", f"there is no {WHERE}"),
        (lambda place: place[3] == "Energy Per Total Building Area", f"there is no {WHERE}"),
    ],
    ids=["table", "row", "column"],
)
def test_what_is_not_there_is_none_with_the_reason(
    read: Reader, unwanted: Callable[[Place], bool], reason: str
) -> None:
    results = read(without(building(), unwanted))

    assert (results.metrics["site_eui_kwh_m2"], results.missing["site_eui_kwh_m2"]) == (None, reason)


def test_an_unknown_unit_is_none_with_the_reason(read: Reader) -> None:
    results = read(building() | {SITE_EUI: ("ton/m2", "12.5")})

    assert (results.metrics["site_eui_kwh_m2"], results.missing["site_eui_kwh_m2"]) == (
        None,
        f"{WHERE} is in 'ton/m2', which is not known here",
    )


@pytest.mark.parametrize("value", ["", "-", "N/A", "1,234.5", "12.5 (est.)", "nan", "inf", "-Infinity"])
def test_what_is_no_number_is_none_with_the_reason(read: Reader, value: str) -> None:
    results = read(building() | {SITE_EUI: ("kWh/m2", value)})

    assert (results.metrics["site_eui_kwh_m2"], results.missing["site_eui_kwh_m2"]) == (
        None,
        f"{WHERE} holds '{value}'",
    )


def test_nothing_at_all_gives_none_for_everything(read: Reader) -> None:
    results = read({})

    assert set(results.metrics.values()) == {None}


@pytest.mark.parametrize("cells", [building(), {}, without(building(), AREA.__eq__)], ids=["all", "nothing", "no area"])
def test_there_is_a_reason_for_every_none_and_for_nothing_else(read: Reader, cells: Cells) -> None:
    results = read(cells)

    without_value = {name for name, value in results.metrics.items() if value is None}
    reasons = results.missing | results.not_applicable
    assert {name for name, reason in reasons.items() if reason} == without_value
    assert set(results.not_applicable) <= set(OPTIONAL_METRICS)


def test_a_file_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        read_results(tmp_path / "eplusout.sql", [YEAR])

    assert not (tmp_path / "eplusout.sql").exists()


# -- end uses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fuel", FUELS)
def test_every_fuel_counts_for_an_end_use(read: Reader, fuel: str) -> None:
    cells = building() | {end_use("Cooling", fuel): ("kWh", "42.5")}

    assert read(cells).metrics["cooling_kwh"] == 42.5


@pytest.mark.parametrize("row", END_USES)
def test_every_end_use_is_summed_over_the_fuels(read: Reader, row: str) -> None:
    cells = building() | {end_use(row, fuel): ("GJ", str(number)) for number, fuel in enumerate(FUELS)}

    expected = exactly(str(sum(range(len(FUELS)))), KWH["GJ"])
    assert read(cells).metrics[f"{snake(row)}_kwh"] == expected


def test_a_sum_that_lacks_a_fuel_is_none(read: Reader) -> None:
    cells = building() | {end_use("Heating", "Electricity"): ("kWh", "11")}

    results = read(without(cells, end_use("Heating", "District Heating Steam").__eq__))

    assert (results.metrics["heating_kwh"], results.missing["heating_kwh"]) == (
        None,
        f"there is no {PERFORMANCE}, End Uses, row 'Heating', column 'District Heating Steam'",
    )


def test_end_uses_are_listed_where_they_are_not_zero(read: Reader) -> None:
    cells = building() | {
        end_use("Heating", "Natural Gas"): ("kWh", "11.5"),
        end_use("Cooling", "District Cooling"): ("kWh", "22.5"),
    }

    assert read(cells).end_uses == (
        EndUse("Heating", "Natural Gas", 11.5),
        EndUse("Cooling", "District Cooling", 22.5),
    )


def test_an_end_use_names_its_column() -> None:
    assert EndUse("Interior Lighting", "Fuel Oil No 1", 1.0).metric == "interior_lighting_fuel_oil_no_1_kwh"


@pytest.mark.parametrize("metric", INTENSITIES)
def test_an_intensity_is_the_end_use_over_the_area(read: Reader, metric: str) -> None:
    row = SUMS[INTENSITIES[metric]]

    assert read(building() | {end_use(row, "Natural Gas"): ("kWh", "250")}).metrics[metric] == 2.5


def test_a_building_without_area_has_no_intensity(read: Reader) -> None:
    results = read(building() | {AREA: ("m2", "0"), SITE_EUI: ("kWh/m2", "")})

    for name in ("heating_kwh_m2", "site_eui_kwh_m2"):
        assert (results.metrics[name], results.missing[name]) == (None, "the building has no floor area")


def test_an_intensity_without_a_known_area_says_what_is_missing(read: Reader) -> None:
    results = read(without(building(), AREA.__eq__))

    assert results.missing["heating_kwh_m2"] == results.missing["total_building_area_m2"]


# -- periods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environments", "period", "days"),
    [
        ([YEAR], "annual", 365),
        ([LEAP_YEAR], "annual", 366),
        ([WINTER_DAY, YEAR], "annual", 365),
        ([JANUARY], "31 days (01/01-01/31)", 31),
        ([YEAR, JANUARY], "396 days (01/01-12/31, 01/01-01/31)", 396),
        ([FIRST_HALF, SECOND_HALF], "365 days (01/01-06/30, 07/01-12/31)", 365),
        ([YEAR, YEAR], "730 days (01/01-12/31, 01/01-12/31)", 730),
        ([TWO_YEARS], "365 days (the last 365 of 730 days simulated, to 12/31/2018)", 365),
        (
            [JANUARY, TWO_YEARS, NEW_YEAR],
            "366 days (the last 365 of 730 days simulated, to 12/31/2018, 01/01-01/01)",
            366,
        ),
        ([WINTER_DAY], "none", 0),
        pytest.param([NEW_YEAR], "1 day (01/01-01/01)", 1),
    ],
)
def test_the_period_says_what_the_numbers_cover(
    read: Reader, environments: list[Environment], period: str, days: int
) -> None:
    results = read(building(), environments=environments)

    assert (results.period, results.period_days) == (period, days)


DESIGN_DAYS_ONLY = "no run period of the weather file was simulated"
NO_SURFACES = "the run has no surfaces"
AREAS = {"total_building_area_m2", "conditioned_area_m2", "unconditioned_area_m2"}


def test_design_days_alone_give_no_energy(read: Reader) -> None:
    results = read(building(), environments=[WINTER_DAY])

    energy = [name for name in METRICS if name not in {*AREAS, *ENVELOPE_AREAS}]
    assert results.missing == dict.fromkeys(energy, DESIGN_DAYS_ONLY) | dict.fromkeys(ENVELOPE_AREAS, NO_SURFACES)


def test_design_days_alone_give_the_areas(read: Reader) -> None:
    results = read(building(), environments=[WINTER_DAY])

    assert {name for name, value in results.metrics.items() if value is not None} == AREAS


def test_design_days_alone_give_no_end_uses(read: Reader) -> None:
    cells = building() | {end_use("Heating", "Natural Gas"): ("kWh", "11.5")}

    assert read(cells, environments=[WINTER_DAY]).end_uses == ()


# -- zones -------------------------------------------------------------------------------------------------------


def test_a_zone_has_the_area_and_volume_of_one(read: Reader) -> None:
    cells = building() | zone_summary("ROOM", Area="48.5", Volume="145.5", Multipliers="3")

    assert read(cells, zones=["ROOM"]).zones == (
        Zone("ROOM", area_m2=48.5, volume_m3=145.5, multiplier=3.0, conditioned=True, part_of_total_area=True),
    )


def test_a_zone_that_is_not_conditioned_is_reported(read: Reader) -> None:
    columns = {"Conditioned (Y/N)": "No", "Part of Total Floor Area (Y/N)": "No"}

    (zone,) = read(building() | zone_summary("ATTIC", **columns), zones=["ATTIC"]).zones

    assert (zone.conditioned, zone.part_of_total_area) == (False, False)


def test_zones_come_in_the_order_of_the_model(read: Reader) -> None:
    cells = building() | zone_summary("B") | zone_summary("A") | zone_summary("C")

    assert [zone.name for zone in read(cells, zones=["B", "A", "C"]).zones] == ["B", "A", "C"]


def test_a_zone_in_feet_is_converted(read: Reader) -> None:
    cells = building() | zone_summary("ROOM")
    cells |= {of_zone("ROOM", "Area"): ("ft2", "500"), of_zone("ROOM", "Volume"): ("ft3", "5000")}

    (zone,) = read(cells, zones=["ROOM"]).zones

    assert (zone.area_m2, zone.volume_m3) == (
        exactly("500", SQUARE_FOOT_IN_M2),
        exactly("5000", Fraction("0.3048") ** 3),
    )


def totals() -> Cells:
    """The rows behind the zones in the Zone Summary."""
    blank = {"Multipliers": "", "Conditioned (Y/N)": "", "Part of Total Floor Area (Y/N)": ""}
    names = ("Total", "Conditioned Total", "Unconditioned Total", "Not Part of Total")
    return {
        place: content
        for name in names
        for place, content in zone_summary(name, Area="1000", Volume="3000", **blank).items()
    }


def test_the_totals_are_no_zones(read: Reader) -> None:
    cells = building() | zone_summary("ROOM") | totals()

    assert [zone.name for zone in read(cells, zones=["ROOM"]).zones] == ["ROOM"]


@pytest.mark.parametrize("name", ["TOTAL", "CONDITIONED TOTAL"])
def test_a_zone_may_be_called_like_a_total(read: Reader, name: str) -> None:
    cells = building() | zone_summary(name) | totals()

    assert read(cells, zones=[name]).zones == (Zone(name, 48.0, 144.0, 1.0, True, True),)


def test_a_zone_name_may_be_in_any_encoding(tmp_path: Path) -> None:
    name = "BÜRO".encode("latin-1")
    write_database(tmp_path / "eplusout.sql", building() | zone_summary("PLACEHOLDER"), zones=[name])
    with closing(sqlite3.connect(tmp_path / "eplusout.sql")) as connection:
        rename = "UPDATE TabularDataWithStrings SET RowName = CAST(? AS TEXT) WHERE RowName = 'PLACEHOLDER'"
        connection.execute(rename, (name,))
        connection.commit()

    (zone,) = read_results(tmp_path / "eplusout.sql", [YEAR]).zones

    assert (zone.name, zone.area_m2) == ("B\N{REPLACEMENT CHARACTER}RO", 48.0)


def test_a_chinese_zone_name_is_read(read: Reader) -> None:
    (zone,) = read(building() | zone_summary("办公室"), zones=["办公室"]).zones

    assert (zone.name, zone.area_m2) == ("办公室", 48.0)


def test_a_zone_is_not_taken_for_another_that_only_python_finds_the_same(read: Reader) -> None:
    cells = building() | zone_summary("STRASSE", Area="48") | zone_summary("STRAßE", Area="60")

    assert [zone.area_m2 for zone in read(cells, zones=["STRASSE", "STRAßE"]).zones] == [48.0, 60.0]


GENERATED: Place = (PERFORMANCE, "Electric Loads Satisfied", "Total On-Site Electric Sources", "Electricity")
NET_SITE: Place = (PERFORMANCE, "Site and Source Energy", "Net Site Energy", "Total Energy")


def test_net_energy_that_leaves_out_purchased_electricity_is_none_with_the_reason(read: Reader) -> None:
    results = read(building() | {SITE_ENERGY: ("kWh", "862"), NET_SITE: ("kWh", "0"), GENERATED: ("kWh", "0")})

    assert (results.metrics["net_site_energy_kwh"], results.metrics["net_site_eui_kwh_m2"]) == (None, None)
    assert "leaves out purchased electricity" in results.missing["net_site_energy_kwh"]


def test_net_energy_below_site_energy_is_true_where_electricity_is_generated(read: Reader) -> None:
    results = read(building() | {SITE_ENERGY: ("kWh", "862"), NET_SITE: ("kWh", "-5"), GENERATED: ("kWh", "867")})

    assert results.metrics["net_site_energy_kwh"] == -5


@pytest.mark.parametrize(
    ("place", "unit", "value"),
    [
        (ELECTRICITY, "kWh", "1e38"),
        (SITE_EUI, "kWh/m2", "-4.9e274"),
        (AREA, "m2", "-1"),
        (UNMET, "Hours", "-1"),
        (UNMET, "Hours", "8761"),
        (ELECTRICITY_PEAK, "W", "1e16"),
    ],
)
def test_what_no_building_can_have_is_no_result(read: Reader, place: Place, unit: str, value: str) -> None:
    with pytest.raises(ImpossibleResult, match="is"):
        read(building() | {place: (unit, value)})


@pytest.mark.parametrize(
    ("place", "unit", "value"),
    [
        (UNCONDITIONED, "m2", "-0.05"),
        (UNMET, "Hours", "-1e-7"),
        (UNMET, "Hours", "8760.0000001"),
    ],
)
def test_what_rounding_has_caused_is_no_fault(read: Reader, place: Place, unit: str, value: str) -> None:
    """An area of a building of 100,000 m2 that is off by its seventh digit, say."""
    cells = building() | {AREA: ("m2", "100000"), place: (unit, value)}

    assert read(cells).metrics["total_building_area_m2"] == 100_000


@pytest.mark.parametrize("column", ["Area", "Volume", "Multipliers"])
def test_a_zone_that_no_building_can_have_is_no_result(read: Reader, column: str) -> None:
    with pytest.raises(ImpossibleResult, match="zone ROOM"):
        read(building() | zone_summary("ROOM", **{column: "1e400"}), zones=["ROOM"])


@pytest.mark.parametrize(
    ("zone", "row"), [("ROOM [A]", "ROOM"), ("ROOM[A] B", "ROO"), ("[ROOM]", "[ROOM]"), ("A]B[", "A]B[")]
)
def test_a_zone_with_brackets_in_its_name_is_found_as_the_engine_writes_it(read: Reader, zone: str, row: str) -> None:
    (found,) = read(building() | zone_summary(row), zones=[zone]).zones

    assert found == Zone(zone, 48.0, 144.0, 1.0, conditioned=True, part_of_total_area=True)


def test_zones_that_the_engine_gives_one_name_have_no_numbers(read: Reader) -> None:
    first, second = read(building() | zone_summary("ROOM"), zones=["ROOM [A]", "ROOM [B]"]).zones

    assert (first.area_m2, first.conditioned, second.area_m2, second.conditioned) == (None, None, None, None)
    assert "2 zones are 'ROOM'" in first.missing


def test_a_plant_with_hardly_any_floor_area_is_possible(read: Reader) -> None:
    assert read(building() | {SITE_EUI: ("kWh/m2", "1e9")}).metrics["site_eui_kwh_m2"] == 1e9


def test_a_zone_without_a_row_has_no_numbers(read: Reader) -> None:
    (zone,) = read(building(), zones=["ROOM"]).zones

    assert (zone.area_m2, zone.volume_m3, zone.multiplier, zone.conditioned) == (None, None, None, None)
    assert zone.missing == f"there is no {VERIFICATION}, Zone Summary, row 'ROOM'"


@pytest.mark.parametrize(
    "value",
    ["", "-"],
)
def test_a_multiplier_that_is_no_number_is_none(read: Reader, value: str) -> None:
    (zone,) = read(building() | zone_summary("ROOM", Multipliers=value), zones=["ROOM"]).zones

    assert zone.multiplier is None


# -- with the engine ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new_year(engine: Engine, one_day: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The results of a room on 1 January, a Sunday, with three rooms of its kind; its model asks for IP units."""
    folder = tmp_path_factory.mktemp("new-year")
    changed = one_day.replace("  1;                       !- Multiplier", "  3;")
    changed += "\nOutputControl:Table:Style,HTML,InchPound;\n"
    study = Study.model_validate(study_document(parameters=[]))
    text = prepare(changed.encode(), "room.idf", study, engine.idd).render({})
    (folder / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, folder / "in.idf", chicago, folder), folder, timeout_s=60)
    return read_results(folder / "eplusout.sql", judge(ended, folder).environments)


def test_the_engine_writes_every_table_that_is_read(new_year: Results) -> None:
    assert new_year.missing == {}


def test_the_engines_numbers_are_those_of_a_calculation_by_hand(new_year: Results) -> None:
    rooms, area = 3, 8 * 6
    lights = rooms * area * 10 * 0.1 * 24 / 1000  # W/m2, the schedule's fraction on a Sunday, hours
    equipment = rooms * 400 * 0.1 * 24 / 1000

    metrics = new_year.metrics

    assert [
        metrics["total_building_area_m2"],
        metrics["interior_lighting_kwh"],
        metrics["interior_equipment_kwh"],
        metrics["electricity_kwh"],
    ] == pytest.approx([rooms * area, lights, equipment, lights + equipment], rel=1e-12)


def test_the_engines_total_is_the_sum_of_its_end_uses(new_year: Results) -> None:
    total = sum(each.energy_kwh for each in new_year.end_uses)

    assert total == pytest.approx(new_year.metrics["site_energy_kwh"], rel=1e-12)


def test_the_engines_zone_is_one_of_three(new_year: Results) -> None:
    (zone,) = new_year.zones

    assert (zone.name, zone.multiplier) == ("ROOM", 3.0)
    assert [zone.area_m2, zone.volume_m3] == pytest.approx([48.0, 144.0], rel=1e-12)


def simulated(engine: Engine, model: str, weather: Path, folder: Path) -> tuple[Diagnosis, Results]:
    """A model that was edited, run and read as in a study."""
    study = Study.model_validate(study_document(parameters=[]))
    text = prepare(model.encode(), "room.idf", study, engine.idd).render({})
    (folder / "in.idf").write_text(text, encoding="utf-8")
    ended = run(command(engine, folder / "in.idf", weather, folder), folder, timeout_s=60)
    diagnosis = judge(ended, folder)
    return diagnosis, read_results(folder / "eplusout.sql", diagnosis.environments)


def test_the_engines_zone_with_brackets_has_its_numbers(
    engine: Engine, one_day: str, chicago: Path, tmp_path: Path
) -> None:
    model = one_day.replace("  Room,  ", "  Room [A],").replace(",Room,", ",Room [A],")

    (zone,) = simulated(engine, model, chicago, tmp_path)[1].zones

    assert (zone.name, zone.multiplier, zone.conditioned, zone.missing) == ("ROOM [A]", 1.0, True, "")


MAP = """
Daylighting:Controls,Daylight,Room,SplitFlux,,Continuous,0.3,0.2,1,1,Desk,0,20,0.5,Desk,1,500;
Daylighting:ReferencePoint,Desk,Room,4,2,0.8;
Output:IlluminanceMap,Map,Room,0.8,1,7,4,1,5,4;
"""


def test_an_illuminance_map_of_several_days_loses_no_results(
    engine: Engine, one_zone: str, chicago: Path, tmp_path: Path
) -> None:
    """The engine says that a key of the maps is there already; everything else is in the database."""
    three_days = with_run_period(one_zone, end=(1, 3))
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()

    diagnosis, results = simulated(engine, three_days + MAP, chicago, tmp_path / "with")
    _, expected = simulated(engine, three_days + MAP[: MAP.index("Output:")], chicago, tmp_path / "without")

    assert "UNIQUE constraint failed: DaylightMaps.MapNumber" in (tmp_path / "with" / "sqlite.err").read_text()
    assert (diagnosis.verdict, diagnosis.message[:38]) == (Verdict.OK, "eplusout.sql names each illuminance map"[:38])
    assert results == expected


def test_the_tables_of_two_years_cover_the_last(engine: Engine, one_zone: str, chicago: Path, tmp_path: Path) -> None:
    """EnergyPlus resets its tables when the last year begins; 2018 begins on a Monday."""

    def from_year(begin: int, weekday: str) -> str:
        changed = one_zone.replace("  ,                        !- Begin Year", f"  {begin},")
        changed = changed.replace("  ,                        !- End Year", "  2018,")
        return changed.replace("  Sunday,                  !- Day of Week", f"  {weekday},  !- Day of Week")

    (tmp_path / "two").mkdir()
    (tmp_path / "one").mkdir()

    _, two = simulated(engine, from_year(2017, "Sunday"), chicago, tmp_path / "two")
    _, one = simulated(engine, from_year(2018, "Monday"), chicago, tmp_path / "one")

    assert (two.period, two.period_days) == ("365 days (the last 365 of 730 days simulated, to 12/31/2018)", 365)
    assert two.metrics["electricity_kwh"] == pytest.approx(one.metrics["electricity_kwh"], rel=1e-9)
