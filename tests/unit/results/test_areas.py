"""Areas of the envelope: worked out by hand, and equal to the engine's own reports."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pyenergyplus
import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.surfaces import orientation
from epsm.results.areas import EnvelopeSurface, area_metrics, read_surfaces, totals
from epsm.study.schema import Study
from tests.conftest import study_document

MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"
ENVELOPE, VERIFICATION = "EnvelopeSummary", "InputVerificationandResultsSummary"
STORE = """
Zone,Store,0,0,0,0,1,1;
ZoneList,Rooms,Room;
ZoneGroup,Floors,Rooms,2;
WindowProperty:FrameAndDivider,Frame,0.1,0,0,2.5;
BuildingSurface:Detailed,Store South,Wall,Wall,Store,,Surface,North Wall,NoSun,NoWind,0.5,4,
  8,6,3, 8,6,0, 0,6,0, 0,6,3;
BuildingSurface:Detailed,Store North,Wall,Wall,Store,,Adiabatic,,NoSun,NoWind,0.5,4,
  8,9,3, 8,9,0, 0,9,0, 0,9,3;
BuildingSurface:Detailed,Store East,Wall,Wall,Store,,Outdoors,,SunExposed,WindExposed,0.5,4,
  8,6,3, 8,6,0, 8,9,0, 8,9,3;
BuildingSurface:Detailed,Store West,Wall,Wall,Store,,Outdoors,,SunExposed,WindExposed,0.5,4,
  0,9,3, 0,9,0, 0,6,0, 0,6,3;
BuildingSurface:Detailed,Store Floor,Floor,Slab,Store,,Ground,,NoSun,NoWind,0,4,
  0,6,0, 0,9,0, 8,9,0, 8,6,0;
BuildingSurface:Detailed,Store Roof,Roof,Roof,Store,,Outdoors,,SunExposed,WindExposed,0,4,
  0,9,3, 0,6,3, 8,6,3, 8,9,3;
FenestrationSurface:Detailed,Store Skylight,Window,Window,Store Roof,,,,1,4,
  2,8,3, 2,7,3, 4,7,3, 4,8,3;
FenestrationSurface:Detailed,Store Door,Door,Wall,Store East,,,,1,4,
  8,7,2, 8,7,0, 8,8,0, 8,8,2;
"""


def simulated(engine: Engine, model: str, weather: Path, folder: Path) -> Path:
    """The database of a model that was run on its design days, or on the one day that it has."""
    run_period = "design_days" if "SizingPeriod:DesignDay" in model else "as_in_model"
    options = {"run_period": run_period}
    study = Study.model_validate(study_document(parameters=[], options=options))
    text = prepare(model.encode(), "room.idf", study, engine.idd).render({})
    (folder / "in.idf").write_text(text, encoding="utf-8")
    line = command(engine, folder / "in.idf", weather, folder, run_period=run_period)
    assert run(line, folder, timeout_s=120).exit_code == 0
    return folder / "eplusout.sql"


@pytest.fixture(scope="module")
def two_zones(engine: Engine, one_day: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Room, three of them on each of two floors, with two framed windows; Store behind it, with a skylight."""
    model = one_day.replace("  1;                       !- Multiplier", "  3;")
    model = model.replace("South Wall,,0.5,,1,4,", "South Wall,,0.5,Frame,2,4,")
    inner = "North Wall,Wall,Wall,Room,,Surface,Store South,NoSun,NoWind"
    model = model.replace("North Wall,Wall,Wall,Room,,Outdoors,,SunExposed,WindExposed", inner)
    assert model.count("Store South") == model.count("Frame,2") == 1
    return simulated(engine, model + STORE, chicago, tmp_path_factory.mktemp("two_zones"))


def test_areas_by_hand(two_zones: Path) -> None:
    surfaces = {each.name: each for each in read_surfaces(two_zones)}
    # A window of 4 m x 1.4 m with a frame of 0.1 m around it, twice: 4.2 x 1.6 x 2 of a wall of 8 m x 3 m; times 3 x 2.
    window, wall = surfaces["SOUTH WINDOW"], surfaces["SOUTH WALL"]
    assert (window.kind, window.boundary, window.orientation) == ("window", "exterior", "S")
    assert window.net_area_m2 == pytest.approx(4.2 * 1.6 * 2 * 6, rel=1e-12)
    assert wall.gross_area_m2 == pytest.approx(24 * 6, rel=1e-12)
    assert wall.net_area_m2 == pytest.approx((24 - 4.2 * 1.6 * 2) * 6, rel=1e-12)
    # Between the zones: half of six walls and half of one.
    assert surfaces["NORTH WALL"].boundary == surfaces["STORE SOUTH"].boundary == "interior"
    assert surfaces["NORTH WALL"].net_area_m2 == pytest.approx(24 * 6 / 2, rel=1e-12)
    assert surfaces["STORE SOUTH"].net_area_m2 == pytest.approx(24 / 2, rel=1e-12)
    assert surfaces["STORE NORTH"].boundary == "adiabatic"
    assert surfaces["STORE SKYLIGHT"].kind == "skylight"
    assert surfaces["STORE SKYLIGHT"].net_area_m2 == pytest.approx(2, rel=1e-12)
    assert surfaces["STORE ROOF"].net_area_m2 == pytest.approx(24 - 2, rel=1e-12)


@pytest.mark.parametrize(
    ("class_area", "reported", "expected"),
    [
        (2.78892, "16.73", 16.73352),  # no frame: the exact area of the glass, times the zone's multiplier
        (2.78892, "17.40", 17.40),  # with a frame of 0.67 m2
        (2.78892, "16.73352", 16.73352),
        (2.78892, "", 16.73352),
    ],
)
def test_windows_of_engines_that_round(tmp_path: Path, class_area: float, reported: str, expected: float) -> None:
    database = tmp_path / "eplusout.sql"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "CREATE TABLE Zones (ZoneIndex, ZoneName, Multiplier, ListMultiplier);"
            "CREATE TABLE Constructions (ConstructionIndex, Name, TotalLayers);"
            "CREATE TABLE Surfaces (SurfaceIndex, SurfaceName, ConstructionIndex, ClassName, Area, GrossArea, Azimuth, "
            "Tilt, HeatTransferSurf, ZoneIndex, ExtBoundCond);"
            "CREATE TABLE TabularDataWithStrings (ReportName, ReportForString, TableName, RowName, ColumnName, Units, "
            "Value);"
            "INSERT INTO Zones VALUES (1, 'ROOM', 3, 2);"
            "INSERT INTO Constructions VALUES (1, 'GLASS', 1);"
        )
        surface = (1, "WINDOW", 1, "Window", class_area, class_area, 180, 90, 1, 1, 0)
        connection.execute("INSERT INTO Surfaces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", surface)
        cell = ("Entire Facility", "Exterior Fenestration", "WINDOW", "Area of Multiplied Openings", "m2", reported)
        connection.execute("INSERT INTO TabularDataWithStrings VALUES (?, ?, ?, ?, ?, ?, ?)", (ENVELOPE, *cell))
        connection.commit()

    (window,) = read_surfaces(database)

    assert window.net_area_m2 == pytest.approx(expected, rel=1e-12)


def test_metrics_add_up_net_areas(two_zones: Path) -> None:
    metrics = area_metrics(totals(read_surfaces(two_zones)))

    assert metrics == pytest.approx(
        {
            "exterior_wall_area_m2": (24 - 13.44) * 6 + 18 * 6 * 2 + (9 - 2) + 9,
            "ground_wall_area_m2": 0,
            "roof_area_m2": 48 * 6 + 22,
            "exterior_floor_area_m2": 0,
            "ground_floor_area_m2": 48 * 6 + 24,
            "window_area_m2": 13.44 * 6,
            "skylight_area_m2": 2,
            "exterior_door_area_m2": 2,
        },
        rel=1e-12,
    )


def test_coefficients_by_hand(two_zones: Path) -> None:
    surfaces = {each.name: each for each in read_surfaces(two_zones)}
    # Brick 0.12 m of 0.9 W/mK, insulation 0.05 m of 0.035 W/mK; films of ASHRAE 90.1, A9.4.1, in h-ft2-F/Btu.
    resistance = 0.12 / 0.9 + 0.05 / 0.035
    wall, films = surfaces["SOUTH WALL"], (0.17 + 0.68) * 0.17611
    assert wall.u_without_films_w_m2k == pytest.approx(1 / resistance, rel=1e-9)
    assert wall.u_w_m2k == pytest.approx(1 / (resistance + films), rel=1e-4)
    # Double glazing with a U-factor of 2.7 W/m2K, films included, and an SHGC of 0.6.
    window = surfaces["SOUTH WINDOW"]
    assert window.u_w_m2k == pytest.approx(2.7, rel=0.02)
    assert window.shgc == pytest.approx(0.6, rel=0.02)
    assert window.u_without_films_w_m2k is None
    assert wall.shgc is None


def test_coefficients_of_several_surfaces_are_weighted_by_area() -> None:
    def roof(name: str, area: float, u: float | None) -> EnvelopeSurface:
        return EnvelopeSurface(name, "roof", "exterior", "", "ROOM", "ROOF", area, area, u)

    (both,) = totals([roof("A", 30, 0.2), roof("B", 10, 0.4)])
    (unknown,) = totals([roof("A", 30, 0.2), roof("B", 10, None)])

    assert both.u_w_m2k == pytest.approx((30 * 0.2 + 10 * 0.4) / 40, rel=1e-12)
    assert (both.net_area_m2, unknown.u_w_m2k, both.shgc) == (40, None, None)


def test_two_zones_are_as_the_engine_reports_them(two_zones: Path) -> None:
    assert compared(two_zones) >= 18


@pytest.mark.parametrize("name", ["RefBldgWarehouseNew2004_Chicago", "ASHRAE901_RetailStandalone_STD2019_Denver"])
def test_real_models_are_as_the_engine_reports_them(engine: Engine, name: str, chicago: Path, tmp_path: Path) -> None:
    """Warehouse: doors, interior floors. Retail: windows with frames, skylights. 32 models were compared so once."""
    model = (MODELS / f"{name}.idf").read_text(encoding="utf-8", errors="replace")

    assert compared(simulated(engine, model, chicago, tmp_path)) > 50


def compared(database: Path) -> int:
    """Compare every area and direction with the Envelope Summary and the totals; how many areas there were."""
    surfaces = {each.name.upper(): each for each in read_surfaces(database)}
    with closing(sqlite3.connect(database)) as connection:
        cells = connection.execute(
            "SELECT ReportName, TableName, RowName, ColumnName, Value FROM TabularDataWithStrings "
            "WHERE ReportName IN (?, ?)",
            (ENVELOPE, VERIFICATION),
        ).fetchall()
    areas = {(table, row.upper(), column): value.strip() for report, table, row, column, value in cells}
    count = 0
    for (_, row, column), value in areas.items():
        if row not in surfaces or not value:
            continue
        both = 2 if surfaces[row].boundary == "interior" else 1
        if column == "Cardinal Direction":
            assert value == surfaces[row].orientation, row
        elif column in ("Gross Area", "Net Area"):
            own = surfaces[row].gross_area_m2 if column == "Gross Area" else surfaces[row].net_area_m2
            assert own * both == pytest.approx(float(value), rel=1e-6), (row, column)
            count += 1
    walls = sum_of(surfaces, "wall", "gross_area_m2")
    windows = sum_of(surfaces, "window", "net_area_m2")
    total = "Window-Wall Ratio"
    assert walls == pytest.approx(float(areas[total, "GROSS WALL AREA", "Total"]), rel=1e-6)
    assert windows == pytest.approx(float(areas[total, "WINDOW OPENING AREA", "Total"]), rel=1e-6)
    return count


def sum_of(surfaces: dict[str, EnvelopeSurface], kind: str, area: str) -> float:
    outside = ("exterior", "ground")
    return sum(
        float(getattr(each, area)) for each in surfaces.values() if each.kind == kind and each.boundary in outside
    )


@pytest.mark.parametrize(
    ("azimuth", "tilt", "letter"),
    [
        (0, 90, "N"),
        (314.996, 90, "N"),
        (314.99, 90, "W"),
        (45, 60, "E"),
        (134.99, 90, "E"),
        (225, 90, "W"),
        (0, 180, ""),
    ],
)
def test_orientation(azimuth: float, tilt: float, letter: str) -> None:
    assert orientation(azimuth, tilt) == letter


def test_a_wall_that_is_all_window_has_no_coefficient() -> None:
    def wall(net_area: float) -> EnvelopeSurface:
        return EnvelopeSurface("W", "wall", "exterior", "S", "ROOM", "WALL", 10.0, net_area, 0.3)

    (glazed,) = totals([wall(0.0)])
    assert (glazed.gross_area_m2, glazed.net_area_m2, glazed.u_w_m2k) == (10.0, 0.0, None)
    (small,) = totals([wall(0.5)])
    assert small.u_w_m2k == pytest.approx(0.3)
