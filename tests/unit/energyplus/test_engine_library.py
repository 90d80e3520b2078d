"""Engines of older versions, which are libraries: the launcher obeys what the program does. With the real engines."""

import json
import sys
from pathlib import Path

import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.engine import Engine, EngineRun, command, installed_engine_of, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import Diagnosis, Verdict, judge
from epsm.results.reader import Results, read_results
from epsm.study.schema import Study
from epsm_local.energyplus.engines import install
from tests.conftest import study_document
from tests.unit.checks.checked_models import as_epjson

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups and /proc")

DESIGN_DAY = """
SizingPeriod:DesignDay,Winter,1,21,WinterDesignDay,-20,0,,,Wetbulb,-20,,,,,98934,4.9,270,No,No,No,ASHRAEClearSky,,,,,0;
Site:Location,Chicago,41.98,-87.92,-6,201;
"""


@pytest.fixture(scope="module", params=["23.2", "25.1"])
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    install(chosen)
    return chosen


@pytest.fixture
def old(version: str) -> Engine:
    return installed_engine_of(version)


def of(version: str, model: str) -> str:
    return model.replace("Version,25.2", f"Version,{version}")


def read(
    version: str, model: str, weather: Path, folder: Path, run_period: str = "as_in_model"
) -> tuple[Diagnosis, Results]:
    """A model edited, run and read as in a study of its version."""
    source = "room.epJSON" if model.startswith("{") else "room.idf"
    study = Study.model_validate(study_document(models=[source], parameters=[], options={"run_period": run_period}))
    engine = installed_engine_of(version)
    folder.mkdir()
    with dictionary.of_version(version):
        prepared = prepare(model.encode(), source, study, engine.idd)
        (folder / prepared.file_name).write_text(prepared.render({}), encoding="utf-8")
    ended = run(
        command(engine, folder / prepared.file_name, weather, folder, run_period=run_period), folder, timeout_s=120
    )
    diagnosis = judge(ended, folder, run_period)
    return diagnosis, read_results(folder / "eplusout.sql", diagnosis.environments)


@pytest.fixture
def year(version: str, old: Engine, one_zone: str, chicago: Path, tmp_path: Path) -> list[str]:
    """The command line of a run that takes seconds."""
    (tmp_path / "in.idf").write_text(of(version, one_zone), encoding="utf-8")
    return command(old, tmp_path / "in.idf", chicago, tmp_path)


def ended_by(ended: EngineRun) -> tuple[bool, bool, bool]:
    assert ended.exit_code == -9
    return ended.timed_out, ended.out_of_memory, ended.stopped


def test_time_that_has_passed_ends_the_run(year: list[str], tmp_path: Path) -> None:
    assert ended_by(run(year, tmp_path, timeout_s=0.1)) == (True, False, False)


def test_too_much_memory_ends_the_run(year: list[str], tmp_path: Path) -> None:
    assert ended_by(run(year, tmp_path, timeout_s=120, memory_limit_mb=20)) == (False, True, False)


def test_a_cancelled_study_ends_the_run(year: list[str], tmp_path: Path) -> None:
    assert ended_by(run(year, tmp_path, timeout_s=120, should_stop=lambda: True)) == (False, False, True)


def test_annual_stretches_the_run_period(version: str, one_day: str, chicago: Path, tmp_path: Path) -> None:
    diagnosis, results = read(version, of(version, one_day), chicago, tmp_path / "run", "annual")
    assert (diagnosis.verdict, results.period, results.period_days) == (Verdict.OK, "annual", 365)


def test_design_days_alone_have_no_energy_use(version: str, one_day: str, chicago: Path, tmp_path: Path) -> None:
    diagnosis, results = read(version, of(version, one_day + DESIGN_DAY), chicago, tmp_path / "run", "design_days")
    assert (diagnosis.verdict, results.period) == (Verdict.OK, "none")
    assert results.metrics["total_building_area_m2"] == 48


def test_epjson_gives_the_numbers_of_the_same_idf(version: str, one_day: str, chicago: Path, tmp_path: Path) -> None:
    with dictionary.of_version(version):  # keys differ, as watts_per_zone_floor_area in 23.2
        document = as_epjson(one_day)
    document["Version"] = {"Version 1": {"version_identifier": version}}
    judged, of_epjson = read(version, json.dumps(document), chicago, tmp_path / "epjson")
    _, of_idf = read(version, of(version, one_day), chicago, tmp_path / "idf")
    assert judged.verdict is Verdict.OK
    assert of_epjson.metrics == of_idf.metrics
    assert of_idf.metrics["site_energy_kwh"]
