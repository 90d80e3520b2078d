"""Bad inputs of every kind, and full disks, with the real engine."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.verdict import Diagnosis, Verdict, judge
from tests.conftest import with_run_period


# -- bad inputs, with the engine ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class BadInput:
    """An input that the engine does not take, and what must come of it.

    Attributes:
        verdict: The verdict.
        says: What the message must hold.
        model, weather: What is done to the text of each.
        no_model, no_weather: Whether the file is not there at all.
        run_period: The study's option.
    """

    verdict: Verdict
    says: str
    model: Callable[[str], str] = str
    weather: Callable[[str], str] | None = None
    no_model: bool = False
    no_weather: bool = False
    run_period: str = "as_in_model"


def replacing(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text, f"'{old}' is not there to be replaced"
        return text.replace(old, new, 1)

    return change


def adding(more: str) -> Callable[[str], str]:
    return lambda text: f"{text}\n{more}\n"


def first_lines(count: int) -> Callable[[str], str]:
    return lambda text: "".join(text.splitlines(keepends=True)[:count])


BAD_INPUTS = {
    "no model": BadInput(Verdict.BAD_INPUT, "File does not exist", no_model=True),
    "no weather": BadInput(Verdict.BAD_INPUT, "Could not find weather file", no_weather=True),
    "empty model": BadInput(Verdict.CRASHED, "EnergyPlus crashed (signal 11)", model=lambda text: ""),
    "unknown object": BadInput(
        Verdict.BAD_INPUT, '"Foo:Bar" is not a valid Object Type.', model=adding("Foo:Bar,\n  a,\n  b;")
    ),
    "too many fields": BadInput(
        Verdict.BAD_INPUT,
        "Object contains more field values than maximum",
        model=replacing("Timestep,4;", "Timestep,4,4,4;"),
    ),
    "no semicolon": BadInput(
        Verdict.BAD_INPUT,
        "Object contains more field values than maximum",
        model=replacing("  1;                       !- Hourly Value", "  1"),
    ),
    "text for a number": BadInput(
        Verdict.BAD_INPUT,
        '<root>[Zone][Room][multiplier] - Value type "string" for input "many"',
        model=replacing("  1;                       !- Multiplier", "  many;"),
    ),
    "number out of range": BadInput(
        Verdict.BAD_INPUT,
        '<root>[Material][Brick][thickness] - "-0.120000" - Expected number greater than',
        model=replacing("  0.12,  ", "  -0.12,  "),
    ),
    "no such construction": BadInput(
        Verdict.BAD_INPUT,
        'BuildingSurface:Detailed="SOUTH WALL", invalid Construction Name="NO WALL".',
        model=replacing("South Wall,Wall,Wall", "South Wall,Wall,No Wall"),
    ),
    "no such schedule, and a crash over it": BadInput(
        Verdict.CRASHED,
        "GetInternalHeatGains: Lights = ROOM LIGHTS Schedule Name = NO SUCH, item not found.",
        model=replacing("  Office Hours,            !- Schedule Name\n  Watts/Area", "  No Such,\n  Watts/Area"),
    ),
    "no such control schedule": BadInput(
        Verdict.BAD_INPUT,
        "ZoneControl:Thermostat = ROOM THERMOSTAT Control Type Schedule Name = NO SUCH, item not found.",
        model=replacing("  Dual Setpoint,           !- Control Type", "  No Such,  !- Control Type"),
    ),
    "template not expanded": BadInput(
        Verdict.BAD_INPUT,
        "HVACTemplate:* objects found. These objects are not supported directly by EnergyPlus. You must run the",
        model=adding("HVACTemplate:Thermostat,T,,20,,26;"),
    ),
    "ground preprocessor": BadInput(
        Verdict.BAD_INPUT, "GroundHeatTransfer:* objects found.", model=adding("GroundHeatTransfer:Control,C,Yes,No;")
    ),
    "schedule file missing": BadInput(
        Verdict.BAD_INPUT,
        'Schedule:File="S", File Name: "../data/hours.csv" not found.',
        model=adding("Schedule:File,S,Any Number,../data/hours.csv,1,0,8760,Comma,No,60;"),
    ),
    "nothing to simulate": BadInput(
        Verdict.BAD_INPUT,
        'All elements of SimulationControl are set to "No".',
        model=replacing("  Yes;                     !- Run Simulation for Weather", "  No;  !- Run"),
    ),
    "no design day": BadInput(
        Verdict.BAD_INPUT, "Requested Design Days only", model=lambda text: text, run_period="design_days"
    ),
    "weather cut off": BadInput(
        Verdict.BAD_INPUT, "Unexpected error condition in middle of reading EPW file", weather=first_lines(8 + 10)
    ),
    "weather with a bad number": BadInput(
        Verdict.BAD_INPUT, "Invalid Weather Line at date=1986/ 1/ 1", weather=replacing(",-11.1,", ",minus eleven,")
    ),
    "weather empty": BadInput(Verdict.BAD_INPUT, "looking for header=LOCATION", weather=lambda text: ""),
    "weather that is a web page": BadInput(
        Verdict.BAD_INPUT, "Unexpected End-of-File on EPW Weather file", weather=lambda text: "<html>404</html>\n"
    ),
    "warm-up that does not converge": BadInput(
        Verdict.OK_WITH_SEVERE,
        'CheckWarmupConvergence: Loads Initialization, Zone="ROOM" did not converge after 2 warmup days.',
        model=lambda text: replacing("  25,  ", "  2,  ")(replacing("  6;  ", "  1;  ")(impatient(text))),
    ),
    # That is why submit compares the version itself.
    "version of another engine": BadInput(Verdict.OK, "", model=replacing("Version,25.2;", "Version,9.2;")),
    "no version": BadInput(Verdict.OK, "", model=replacing("Version,25.2;", "")),
}


def impatient(model: str) -> str:
    """The model with a tolerance that the warm-up cannot reach."""
    return replacing("  0.4,                     !- Temperature Convergence", "  0.00001, !- Temperature")(model)


@pytest.fixture(scope="module")
def model(one_day: str) -> str:
    return f"{one_day}\nOutput:SQLite,SimpleAndTabular,JtoKWH,No;\n"


@pytest.fixture(scope="module")
def weather(chicago: Path) -> str:
    return chicago.read_text(encoding="latin-1")


@pytest.fixture(scope="module")
def diagnoses(
    engine: Engine, model: str, weather: str, chicago: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Diagnosis]]]:
    """What came of each bad input; two engines at a time, which halves the time of this file."""

    def simulate(bad: BadInput, folder: Path) -> Diagnosis:
        model_file, weather_file = folder / "room.idf", folder / "place.epw"
        if not bad.no_model:
            model_file.write_text(bad.model(model), encoding="utf-8")
        if bad.weather is not None:
            weather_file.write_text(bad.weather(weather), encoding="latin-1")
        elif not bad.no_weather:
            weather_file.symlink_to(chicago)
        line = command(engine, model_file, weather_file, folder / "out", run_period=bad.run_period)
        return judge(run(line, folder, timeout_s=60), folder / "out", bad.run_period)

    with ThreadPoolExecutor(max_workers=2) as pool:
        yield {name: pool.submit(simulate, bad, tmp_path_factory.mktemp("bad")) for name, bad in BAD_INPUTS.items()}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_a_bad_input_is_reported_as_such(diagnoses: dict[str, Future[Diagnosis]], name: str) -> None:
    diagnosis, bad = diagnoses[name].result(), BAD_INPUTS[name]

    assert diagnosis.verdict is bad.verdict
    assert bad.says in diagnosis.message


def test_the_engines_own_messages_are_kept(diagnoses: dict[str, Future[Diagnosis]]) -> None:
    assert diagnoses["unknown object"].result().messages[-1] == (
        "Errors occurred on processing input file. Preceding condition(s) cause termination."
    )


def test_the_engines_own_counts_are_kept(diagnoses: dict[str, Future[Diagnosis]]) -> None:
    diagnosis = diagnoses["too many fields"].result()

    assert (diagnosis.warnings, diagnosis.severe_errors) == (0, 4)


def test_an_output_folder_that_cannot_be_made_is_reported(
    engine: Engine, model: str, chicago: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.idf").write_text(model, encoding="utf-8")
    (tmp_path / "taken").write_text("a file stands where the folder should")
    output = tmp_path / "taken" / "out"

    diagnosis = judge(run(command(engine, tmp_path / "in.idf", chicago, output), tmp_path, timeout_s=60), output)

    assert diagnosis.verdict is Verdict.CRASHED
    assert "cannot create directories" in diagnosis.message


def test_the_engine_calls_a_full_disk_a_success(engine: Engine, model: str, chicago: Path, tmp_path: Path) -> None:
    # A limit on the size of files stands in for the disk: a write fails in the middle, and nothing ends the engine.
    limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 400; exec \"$@\"", "sh"]
    (tmp_path / "in.idf").write_text(model, encoding="utf-8")

    ending = run([*limited, *command(engine, tmp_path / "in.idf", chicago, tmp_path)], tmp_path, timeout_s=60)

    assert (ending.exit_code, ending.last_lines[-1]) == (0, "EnergyPlus Completed Successfully.")
    assert judge(ending, tmp_path).verdict is Verdict.DISK_FULL


def test_a_real_run_out_of_time_is_reported(engine: Engine, one_zone: str, chicago: Path, tmp_path: Path) -> None:
    slow = replacing("Timestep,4;", "Timestep,60;")(with_run_period(one_zone, end=(12, 31)))
    (tmp_path / "in.idf").write_text(slow, encoding="utf-8")

    ending = run(command(engine, tmp_path / "in.idf", chicago, tmp_path), tmp_path, timeout_s=1.5)

    assert judge(ending, tmp_path).verdict is Verdict.TIMED_OUT
