"""The `epsm` command as a modeller uses it, in a process of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pytest

from epsm.client.fetch import SUMMARY_FILES
from epsm.energyplus.engine import Engine
from infra.tools.packaging import ROOT
from tests.conftest import StudyMaker
from tests.e2e.html_report import comparable, read_html
from tests.support import wait_for

EPSM = Path(sys.executable).with_name("epsm")
EXAMPLE = ROOT / "examples" / "office-retrofit"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where the command keeps its state: apart from that of whoever runs the tests."""
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")), "COLUMNS": "120"}


def epsm(
    environment: Mapping[str, str], *arguments: str | Path, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EPSM, *arguments], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=150
    )


# --- epsm run, with a stack of its own


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example study with one value for each parameter: two weathers, baseline and one variant each."""
    folder = tmp_path_factory.mktemp("example") / "office-retrofit"
    shutil.copytree(EXAMPLE, folder)
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    for parameter in study["parameters"]:
        key = "values" if "values" in parameter else "multiply"
        parameter[key] = parameter[key][-1:]
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ran(environment: dict[str, str], example: Path) -> subprocess.CompletedProcess[str]:
    done = epsm(environment, "run", example, folder=example.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def results(ran: subprocess.CompletedProcess[str], example: Path) -> Path:
    return example.parent / "results" / "office-retrofit"


@pytest.fixture(scope="module")
def table(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "results.parquet")


def test_a_run_leaves_its_results_behind(results: Path) -> None:
    # Of rejected studies, of sampled ones, and of those that ask for more.
    only_of_others = {"errors.json", "design.parquet", "zones.parquet", "monthly.parquet", "pareto.json"}
    assert {*SUMMARY_FILES, "variants", "series"} - only_of_others == {path.name for path in results.iterdir()}


def test_a_run_leaves_every_variants_files_behind(results: Path) -> None:
    expected = {"result.json", "in.idf", "eplusout.err", "eplusout.sql.gz", "eplustbl.htm"}
    parts = {f"part-000000{index}.parquet" for index in range(4)}
    assert {path.name for path in (results / "series").iterdir()} == {*parts, "columns.parquet"}
    for index in range(4):
        assert {path.name for path in (results / "variants" / str(index)).iterdir()} == expected


def test_a_run_shows_eui_and_savings(ran: subprocess.CompletedProcess[str], table: pd.DataFrame) -> None:
    assert f"{table['site_eui_kwh_m2'][0]:.1f}" in ran.stdout
    assert f"{table['site_eui_saved_percent'][1]:.1f}" in ran.stdout
    assert "4 of 4 variants succeeded" in ran.stdout


def test_the_retrofit_saves_energy_in_both_climates(table: pd.DataFrame) -> None:
    assert (table.loc[~table["baseline"], "site_eui_saved_percent"] > 15).all()


def test_csv_and_parquet_hold_the_same(results: Path, table: pd.DataFrame) -> None:
    csv = pd.read_csv(results / "results.csv")
    assert list(csv.columns) == list(table.columns)
    assert csv["site_eui_kwh_m2"].tolist() == table["site_eui_kwh_m2"].tolist()


@pytest.mark.parametrize("index", [0, 2])
def test_the_model_of_a_baseline_is_unchanged(results: Path, index: int) -> None:
    assert values_after((results / "variants" / str(index) / "in.idf"), "Wall Insulation")[1] == "0.05"


@pytest.mark.parametrize("index", [1, 3])
def test_the_model_that_was_run_shows_every_edit(results: Path, index: int) -> None:
    model = results / "variants" / str(index) / "in.idf"
    assert values_after(model, "Wall Insulation")[1] == "0.2"
    assert values_after(model, "Office Glazing")[0] == "0.9"
    assert [values_after(model, f"{place} Lights")[4] for place in ("Core", "South", "West")] == ["7", "7", "7"]


@pytest.mark.parametrize(("index", "weather"), [(0, "chicago"), (2, "golden")])
def test_a_baseline_is_the_bare_engine_on_the_untouched_file(
    engine: Engine, example: Path, results: Path, table: pd.DataFrame, tmp_path: Path, index: int, weather: str
) -> None:
    paths = ["-w", str(example / f"{weather}.epw"), "-d", str(tmp_path), str(example / "office.idf")]
    subprocess.run([engine.executable, "-x", *paths], check=True, capture_output=True, timeout=120)
    bare, own = (
        comparable(read_html((folder / "eplustbl.htm").read_text(encoding="utf-8")))
        for folder in (tmp_path, results / "variants" / str(index))
    )
    assert bare
    assert own == bare


# --- what is refused before anything is sent


def test_a_study_that_cannot_run_is_refused_with_every_problem(
    environment: dict[str, str], make_study: StudyMaker, tmp_path: Path
) -> None:
    parameters = [{"name": "lighting", "class": "Lights", "field": "Watts per Zone Floor Area", "values": [1]}]
    folder = make_study("refused", parameters=parameters, weather=["boston.epw"])
    done = epsm(environment, "run", folder, folder=tmp_path)
    assert done.returncode == 2
    assert "2 problems" in done.stdout
    assert not (tmp_path / "results").exists()


def test_a_study_can_be_checked_without_sending_it(environment: dict[str, str], make_study: StudyMaker) -> None:
    done = epsm(environment, "check", make_study("Checked"))
    assert (done.returncode, "Checked can run: 3 variants" in done.stdout) == (0, True)


def test_a_folder_without_a_study_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    done = epsm(environment, "check", tmp_path)
    assert (done.returncode, "holds no study.json" in done.stdout) == (2, True)


def test_without_a_running_stack_status_says_how_to_start_one(environment: dict[str, str], tmp_path: Path) -> None:
    done = epsm({**environment, "XDG_STATE_HOME": str(tmp_path)}, "status")
    assert (done.returncode, "epsm up" in done.stdout) == (1, True)


# --- epsm up, and the other commands against it


@pytest.fixture(scope="module")
def up(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A local stack kept running by the command; its working folder."""
    folder = tmp_path_factory.mktemp("up")
    with (folder / "printed").open("w", encoding="utf-8") as printed:
        running = subprocess.Popen(
            [EPSM, "up", "--port", "0", "--api-port", "0"],
            env=environment,
            cwd=folder,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "Ctrl-C" in (folder / "printed").read_text(encoding="utf-8"), "epsm up", within_s=90)
        yield folder
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 0


def test_up_says_what_to_type(up: Path) -> None:
    printed = (up / "printed").read_text(encoding="utf-8")
    assert "aws s3 cp --recursive" in printed
    assert "aws stepfunctions list-executions" in printed


def test_a_second_up_says_that_one_is_running(environment: dict[str, str], up: Path) -> None:
    done = epsm(environment, "up")
    assert (done.returncode, "is already running" in done.stdout) == (1, True)


@pytest.mark.parametrize("option", ["--port", "--api-port"])
def test_a_port_that_another_program_has_is_named(environment: dict[str, str], tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        free = "--api-port" if option == "--port" else "--port"
        done = epsm({**environment, "XDG_STATE_HOME": str(tmp_path)}, "up", option, port, free, "0")
    assert (done.returncode, f"Port {port}" in done.stdout, "--api-port" in done.stdout) == (1, True, True)


def test_a_study_is_submitted_followed_and_fetched(
    environment: dict[str, str], up: Path, make_study: StudyMaker, tmp_path: Path
) -> None:
    submitted = epsm(environment, "submit", make_study("steps"))
    (simulation,) = re.findall(r"Simulation (steps-\w+)", submitted.stdout)
    assert epsm(environment, "status", simulation, "--watch").returncode == 0
    assert simulation[:20] in epsm(environment, "status").stdout
    fetched = epsm(environment, "results", simulation, "--to", tmp_path)
    assert (fetched.returncode, (tmp_path / "steps" / "results.csv").is_file()) == (0, True)


def test_a_study_is_cancelled(environment: dict[str, str], up: Path, make_study: StudyMaker, one_zone: str) -> None:
    slow = one_zone.replace("Timestep,4;", "Timestep,60;")
    submitted = epsm(environment, "submit", make_study("cancelled", files={"room.idf": slow}))
    (simulation,) = re.findall(r"Simulation (cancelled-\w+)", submitted.stdout)
    wait_for(lambda: "running" in epsm(environment, "status", simulation).stdout, "the study")
    assert epsm(environment, "cancel", simulation).returncode == 0
    assert "cancelled" in epsm(environment, "status", simulation).stdout


def test_what_did_not_succeed_is_run_again(environment: dict[str, str], up: Path, make_study: StudyMaker) -> None:
    layer = {"name": "layer", "class": "Construction", "object": "Wall", "field": "Outside Layer", "values": ["Room"]}
    submitted = epsm(environment, "submit", make_study("again", parameters=[layer]))
    (simulation,) = re.findall(r"Simulation (again-\w+)", submitted.stdout)
    assert epsm(environment, "status", simulation, "--watch").returncode == 1
    assert "Running 1 variant again" in epsm(environment, "rerun", simulation).stdout
    assert "1 of 2 variants succeeded, 1 failed" in epsm(environment, "status", simulation, "--watch").stdout


def test_a_completed_study_has_nothing_to_run_again(
    environment: dict[str, str], up: Path, make_study: StudyMaker
) -> None:
    submitted = epsm(environment, "submit", make_study("done", parameters=[]))
    (simulation,) = re.findall(r"Simulation (done-\w+)", submitted.stdout)
    epsm(environment, "status", simulation, "--watch")
    done = epsm(environment, "rerun", simulation)
    assert (done.returncode, "nothing to rerun" in done.stdout) == (1, True)


def test_studies_that_end_are_copied_to_the_results_folder(
    environment: dict[str, str], up: Path, make_study: StudyMaker
) -> None:
    epsm(environment, "submit", make_study("copied", parameters=[]))
    wait_for((up / "results" / "copied" / "variants" / "0" / "in.idf").is_file, "the copied results")


def test_a_study_that_waits_for_another_says_for_which(
    environment: dict[str, str], up: Path, make_study: StudyMaker, one_zone: str
) -> None:
    slow = one_zone.replace("Timestep,4;", "Timestep,60;")
    submitted = epsm(environment, "submit", make_study("first", files={"room.idf": slow}))
    (first,) = re.findall(r"Simulation (first-\w+)", submitted.stdout)
    wait_for(lambda: "running" in epsm(environment, "status", first).stdout, "the first study")
    submitted = epsm(environment, "submit", make_study("second", parameters=[], options={"after": first}))
    (second,) = re.findall(r"Simulation (second-\w+)", submitted.stdout)
    waiting = f"Waiting until {first} has completed."
    wait_for(lambda: waiting in epsm(environment, "status", second).stdout, "the second study")
    epsm(environment, "cancel", second)
    assert waiting not in epsm(environment, "status", second).stdout
    epsm(environment, "cancel", first)


def test_an_unknown_simulation_is_said_to_be_unknown(environment: dict[str, str], up: Path) -> None:
    done = epsm(environment, "status", "nothing-like-that")
    assert (done.returncode, "no simulation 'nothing-like-that'" in done.stdout) == (1, True)


def test_a_study_with_failures_shows_the_reason_and_ends_with_1(
    environment: dict[str, str], up: Path, make_study: StudyMaker, tmp_path: Path
) -> None:
    layer = {"name": "layer", "class": "Construction", "object": "Wall", "field": "Outside Layer", "values": ["Room"]}
    done = epsm(environment, "run", make_study("partly", parameters=[layer]), folder=tmp_path)
    assert done.returncode == 1
    assert "Failed" in done.stdout
    assert "Construction = ROOM Name = ROOM, item not found" in " ".join(done.stdout.split())


def test_a_parameter_that_changes_nothing_and_a_meter_that_is_not_there_are_reported(
    environment: dict[str, str], up: Path, make_study: StudyMaker, tmp_path: Path
) -> None:
    # The room's lights are given in W/m2: the level is not used.
    level = {"name": "level", "class": "Lights", "field": "Lighting Level", "values": [100, 200]}
    folder = make_study("nothing", parameters=[level], outputs={"meters": ["Electricty:Facility"]})
    told = " ".join(epsm(environment, "run", folder, folder=tmp_path).stdout.split())
    assert "level had no effect" in told
    assert "Missing: the model has no 'Electricty:Facility'" in told


def test_a_second_run_does_not_overwrite_the_first(
    environment: dict[str, str], up: Path, make_study: StudyMaker, tmp_path: Path
) -> None:
    folder = make_study("twice", parameters=[])
    for _ in range(2):
        assert epsm(environment, "run", folder, folder=tmp_path).returncode == 0
    kept = [path for path in (tmp_path / "results").iterdir() if (path / "results.csv").is_file()]
    assert len(kept) == 2


def values_after(model: Path, name: str) -> list[str]:
    """The values behind an object's name in an IDF without comments."""
    text = model.read_text(encoding="utf-8")
    found = re.search(rf",\s*{name},([^;]*);", text)
    assert found, f"{name} is not in {model}"
    return [value.strip() for value in found.group(1).split(",")]
