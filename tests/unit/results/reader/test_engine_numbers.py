"""What the engine itself writes: tables, numbers of a calculation by hand, maps, two years."""

from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import Diagnosis, Verdict, judge
from epsm.results.reader import Results, read_results
from epsm.study.schema import Study
from tests.conftest import study_document, with_run_period


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
