"""What a run was worth: the rule of success on fabricated output folders, and bad inputs with the real engine."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, EngineRun, command, run
from epsm.energyplus.verdict import Diagnosis, Environment, Verdict, judge, read_environments, read_error_file
from tests.conftest import with_run_period

SUCCESS = "EnergyPlus Completed Successfully-- 3 Warning; 0 Severe Errors; Elapsed Time=00hr 00min  0.30sec\n"
TERMINATED = (
    "EnergyPlus Terminated--Fatal Error Detected. 1 Warning; 2 Severe Errors; Elapsed Time=00hr 00min  0.1sec\n"
)
WHOLE_YEAR = (
    "Environment,WHOLE YEAR,WeatherFileRunPeriod,01/01/2017,12/31/2017,Sunday,365,Use RunPeriod,No,No,No,Yes,Yes\n"
)
LEAP_YEAR = (
    "Environment,WHOLE YEAR,WeatherFileRunPeriod,01/01/2016,12/31/2016,Sunday,366,Use RunPeriod,No,No,No,Yes,Yes\n"
)
JANUARY = "Environment,JANUARY,WeatherFileRunPeriod,01/01/2017,01/31/2017,Sunday,31,Use RunPeriod,No,No,No,Yes,Yes\n"
WINTER_DAY = "Environment,WINTER DAY,SizingPeriod:DesignDay,01/21,01/21,WinterDesignDay,1,N/A,N/A,N/A,N/A,N/A,N/A\n"
OPENED = "SQLite3 message, out/sqlite.err open for processing!\n"
CALM = "Program Version,EnergyPlus, Version 25.2.0-cf7368216c\n   ** Warning ** Something small.\n"


def ended(exit_code: int = 0, *last_lines: str, timed_out: bool = False, out_of_memory: bool = False) -> EngineRun:
    """How a run looked from outside."""
    return EngineRun(exit_code, timed_out, out_of_memory, False, 12.3, 11.0, 210.4, last_lines)


def write_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # waiting for the disk is most of the time otherwise
        connection.execute("CREATE TABLE Simulations (SimulationIndex INTEGER)")
        connection.execute("CREATE TABLE TabularData (TabularDataIndex INTEGER, Value TEXT)")
        connection.executemany("INSERT INTO TabularData VALUES (?, ?)", [(i, "x" * 100) for i in range(500)])
        connection.commit()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output folder of a run of a whole year in which all went well."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "eplusout.end").write_text(SUCCESS)
    (folder / "eplusout.err").write_text(CALM)
    (folder / "eplusout.eio").write_text(WHOLE_YEAR)
    (folder / "sqlite.err").write_text(OPENED)
    write_database(folder / "eplusout.sql")
    return folder


def severe(*texts: str) -> str:
    return CALM + "".join(f"   ** Severe  ** {text}\n" for text in texts)


# -- the five parts of success -----------------------------------------------------------------------------------


@pytest.mark.parametrize("run_period", ["as_in_model", "annual"])
def test_a_run_in_which_all_went_well_is_ok(output: Path, run_period: str) -> None:
    diagnosis = judge(ended(), output, run_period)

    assert (diagnosis.verdict, diagnosis.message, diagnosis.messages) == (Verdict.OK, "", ())


@pytest.mark.parametrize("code", [1, 105, -6, -9, -11])
def test_another_exit_code_than_0_is_no_success(output: Path, code: int) -> None:
    assert judge(ended(code), output).verdict is Verdict.CRASHED


def test_an_end_file_that_says_otherwise_is_no_success(output: Path) -> None:
    (output / "eplusout.end").write_text(TERMINATED)

    diagnosis = judge(ended(), output)

    assert (diagnosis.verdict, diagnosis.message) == (Verdict.FAILED, TERMINATED.strip())


def test_no_end_file_is_no_success(output: Path) -> None:
    (output / "eplusout.end").unlink()

    assert judge(ended(), output).verdict is Verdict.CRASHED


def test_an_empty_end_file_is_a_full_disk(output: Path) -> None:
    (output / "eplusout.end").write_text("")

    diagnosis = judge(ended(), output)

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.DISK_FULL,
        "The disk was full; the output is incomplete.",
    )


@pytest.mark.parametrize(
    "said",
    [
        "SQLite3 message, sqlite3_step message: database or disk is full",
        "disk I/O errordatabase disk image is malformed",
        "SQLite3 message, can't get exclusive lock to edit database: disk I/O error",
    ],
)
def test_a_database_that_could_not_be_written_is_a_full_disk(output: Path, said: str) -> None:
    (output / "sqlite.err").write_text(f"{OPENED}{said}\n")

    assert judge(ended(), output).verdict is Verdict.DISK_FULL


def test_another_error_of_the_database_is_no_success(output: Path) -> None:
    (output / "sqlite.err").write_text(f"{OPENED}SQLite3 message, sqlite3_bind_int failed: 7\n")

    diagnosis = judge(ended(), output)

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.FAILED,
        "The results cannot be read: SQLite3 message, sqlite3_bind_int failed: 7",
    )


def test_an_illuminance_map_written_twice_loses_no_results(output: Path) -> None:
    said = "SQLite3 message, UNIQUE constraint failed: DaylightMaps.MapNumber"
    (output / "sqlite.err").write_text(f"{OPENED}{said}\n")
    reports = ("AnnualBuildingUtilityPerformanceSummary", "InputVerificationandResultsSummary")
    with closing(sqlite3.connect(output / "eplusout.sql")) as connection:
        connection.execute("CREATE TABLE TabularDataWithStrings (ReportName TEXT)")
        connection.executemany("INSERT INTO TabularDataWithStrings VALUES (?)", [(name,) for name in reports])
        connection.commit()

        not_whole = judge(ended(), output)
        connection.execute("INSERT INTO TabularDataWithStrings VALUES ('DemandEndUseComponentsSummary')")
        connection.commit()
        whole = judge(ended(), output)

    assert (not_whole.verdict, whole.verdict) == (Verdict.FAILED, Verdict.OK)
    assert "eplusout.sql has no DemandEndUseComponentsSummary" in not_whole.message
    assert "illuminance map" in whole.message


def test_a_key_of_another_table_that_is_there_twice_is_no_success(output: Path) -> None:
    said = "SQLite3 message, UNIQUE constraint failed: TabularData.TabularDataIndex"
    (output / "sqlite.err").write_text(f"{OPENED}{said}\n")

    assert judge(ended(), output).verdict is Verdict.FAILED


def test_a_database_that_nothing_was_said_of_is_judged_by_itself(output: Path) -> None:
    (output / "sqlite.err").unlink()

    assert judge(ended(), output).verdict is Verdict.OK


def test_no_database_is_no_success(output: Path) -> None:
    (output / "eplusout.sql").unlink()

    diagnosis = judge(ended(), output)

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.FAILED,
        "The results cannot be read: eplusout.sql is missing",
    )


@pytest.mark.parametrize("content", [b"", b"this is no database, whatever its name"], ids=["empty", "text"])
def test_a_database_that_is_none_is_no_success(output: Path, content: bytes) -> None:
    (output / "eplusout.sql").write_bytes(content)

    assert judge(ended(), output).verdict is Verdict.FAILED


def test_a_database_that_was_cut_off_is_a_full_disk(output: Path) -> None:
    content = (output / "eplusout.sql").read_bytes()
    (output / "eplusout.sql").write_bytes(content[: len(content) // 2])

    assert judge(ended(), output).verdict is Verdict.DISK_FULL


def test_judging_leaves_no_trace_in_the_folder(output: Path) -> None:
    before = sorted(path.name for path in output.iterdir())

    judge(ended(), output)

    assert sorted(path.name for path in output.iterdir()) == before


@pytest.mark.parametrize("folder", ["Büro 1", "50% #1", "what?"])
def test_the_database_is_found_whatever_the_folder_is_called(output: Path, folder: str) -> None:
    place = output.with_name(folder)
    output.rename(place)

    assert judge(ended(), place).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("run_period", "simulated", "message"),
    [
        ("as_in_model", "", "No run period of the weather file was simulated."),
        ("as_in_model", WINTER_DAY, "No run period of the weather file was simulated."),
        ("annual", WINTER_DAY, "No run period of the weather file was simulated."),
        ("annual", JANUARY, "A whole year was requested, 31 days were simulated."),
        ("annual", WHOLE_YEAR + JANUARY, "A whole year was requested, 365 + 31 days were simulated."),
        ("design_days", WHOLE_YEAR, "No design day was simulated."),
    ],
)
def test_other_periods_than_asked_for_are_no_success(
    output: Path, run_period: str, simulated: str, message: str
) -> None:
    (output / "eplusout.eio").write_text(simulated)

    diagnosis = judge(ended(), output, run_period)

    assert (diagnosis.verdict, diagnosis.message) == (Verdict.FAILED, message)


@pytest.mark.parametrize(
    ("run_period", "simulated"),
    [
        ("as_in_model", JANUARY),
        ("as_in_model", WINTER_DAY + WHOLE_YEAR + JANUARY),
        ("annual", WINTER_DAY + WHOLE_YEAR),
        ("annual", LEAP_YEAR),
        ("design_days", WINTER_DAY),
    ],
)
def test_the_periods_asked_for_are_a_success(output: Path, run_period: str, simulated: str) -> None:
    (output / "eplusout.eio").write_text(simulated)

    assert judge(ended(), output, run_period).verdict is Verdict.OK


def test_severe_errors_alone_do_not_fail_a_run(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("Node connection errors.", "And another."))

    diagnosis = judge(ended(), output)

    assert (diagnosis.verdict, diagnosis.message) == (Verdict.OK_WITH_SEVERE, "Node connection errors.")


@pytest.mark.parametrize(("verdict", "has"), [(each, each in (Verdict.OK, Verdict.OK_WITH_SEVERE)) for each in Verdict])
def test_only_a_success_has_results(verdict: Verdict, has: bool) -> None:
    assert verdict.has_results is has


# -- runs that were ended ----------------------------------------------------------------------------------------


def test_a_run_out_of_time_says_where_it_was(output: Path) -> None:
    lines = ("Continuing Simulation at 05/12/2017 for WHOLE YEAR", "Updating Shadowing Calculations")

    diagnosis = judge(ended(-9, *lines, timed_out=True), output)

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.TIMED_OUT,
        "The run was ended after 12 s; it was at: Continuing Simulation at 05/12/2017 for WHOLE YEAR",
    )


def test_a_run_out_of_time_may_not_have_begun(output: Path) -> None:
    assert "it had not reached its first day" in judge(ended(-9, "Warming up {1}", timed_out=True), output).message


def test_a_run_out_of_memory_says_how_much_it_used(output: Path) -> None:
    diagnosis = judge(ended(-9, out_of_memory=True), output)

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.OUT_OF_MEMORY,
        "The run was ended when it used 210 MB of memory.",
    )


def test_a_run_that_was_ended_is_not_called_a_full_disk(output: Path) -> None:
    (output / "eplusout.end").write_text("")

    assert judge(ended(-9, timed_out=True), output).verdict is Verdict.TIMED_OUT


# -- runs that ended themselves ----------------------------------------------------------------------------------


def test_a_fatal_error_before_the_first_period_is_the_inputs_fault(output: Path) -> None:
    (output / "eplusout.eio").write_text("")
    (output / "eplusout.err").write_text(severe("No such schedule.") + "   **  Fatal  ** Errors found.\n")

    diagnosis = judge(ended(1), output)

    assert (diagnosis.verdict, diagnosis.message) == (Verdict.BAD_INPUT, "No such schedule.")


def test_a_fatal_error_in_the_middle_of_a_simulation_is_a_failure(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("Temperature (high) out of bounds.") + "   **  Fatal  ** Stopped.\n")

    assert judge(ended(1), output).verdict is Verdict.FAILED


def test_a_fatal_error_over_the_weather_is_the_inputs_fault_whenever_it_comes(output: Path) -> None:
    (output / "eplusout.err").write_text(CALM + "   **  Fatal  ** Error in Reading Weather Data\n")

    diagnosis = judge(ended(1), output)

    assert (diagnosis.verdict, diagnosis.message) == (Verdict.BAD_INPUT, "Error in Reading Weather Data")


def test_a_crash_says_what_was_reported_last(output: Path) -> None:
    (output / "eplusout.end").unlink()
    (output / "eplusout.err").write_text(CALM + "   ************* Beginning Simulation\n")

    diagnosis = judge(ended(-11), output)

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.CRASHED,
        "EnergyPlus crashed (signal 11). Last message: ************* Beginning Simulation",
    )


def test_a_crash_without_any_file_says_what_was_printed_last(tmp_path: Path) -> None:
    diagnosis = judge(ended(-6, "EnergyPlus Starting", "terminate called", ""), tmp_path / "never-made")

    assert (diagnosis.verdict, diagnosis.message) == (
        Verdict.CRASHED,
        "EnergyPlus crashed (signal 6). Last message: terminate called",
    )


def test_a_crash_in_silence_says_so(tmp_path: Path) -> None:
    message = judge(ended(-9), tmp_path).message

    assert message == "EnergyPlus crashed (signal 9). Last message: nothing"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (127, "energyplus: error while loading shared libraries: libX11.so.6: cannot open shared object file"),
        (126, "sh: energyplus: Permission denied"),
    ],
)
def test_an_engine_that_cannot_be_started_is_not_the_inputs_fault(tmp_path: Path, code: int, said: str) -> None:
    assert judge(ended(code, said), tmp_path).verdict is not Verdict.BAD_INPUT


# -- what is told ------------------------------------------------------------------------------------------------


def test_the_message_is_the_first_severe_with_its_continuation(output: Path) -> None:
    first = "BuildingSurface:Detailed\n   **   ~~~   ** invalid Construction Name"
    (output / "eplusout.err").write_text(severe(first, "Second.") + "   **  Fatal  ** Stopped.\n")

    assert judge(ended(1), output).message == "BuildingSurface:Detailed invalid Construction Name"


def test_the_messages_are_the_severe_and_the_fatal_ones(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("First.", "Second.") + "   **  Fatal  ** Stopped.\n")

    assert judge(ended(1), output).messages == ("First.", "Second.", "Stopped.")


def test_no_more_messages_are_reported_than_a_reader_can_use(output: Path) -> None:
    (output / "eplusout.err").write_text(severe(*(f"Message {number}." for number in range(1000))))

    assert judge(ended(), output).messages == tuple(f"Message {number}." for number in range(5))


def test_an_endless_message_is_cut(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("x" * 100_000))

    diagnosis = judge(ended(), output)

    assert (diagnosis.message, diagnosis.messages) == (("x" * 497 + "...", ("x" * 497 + "...",)))


def test_the_counts_are_those_of_the_engine(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("Only one is printed, it came 41 times."))
    (output / "eplusout.end").write_text(SUCCESS.replace("0 Severe", "41 Severe"))

    diagnosis = judge(ended(), output)

    assert (diagnosis.warnings, diagnosis.severe_errors) == (3, 41)


def test_without_an_end_the_messages_are_counted(output: Path) -> None:
    (output / "eplusout.end").unlink()
    (output / "eplusout.err").write_text(severe("One.", "Two."))

    diagnosis = judge(ended(-11), output)

    assert (diagnosis.warnings, diagnosis.severe_errors) == (1, 2)


def test_the_periods_are_reported_with_their_days(output: Path) -> None:
    (output / "eplusout.eio").write_text(f"! <Environment>,Environment Name,\n{WINTER_DAY}{JANUARY}")

    assert judge(ended(), output).environments == (
        Environment("WINTER DAY", "SizingPeriod:DesignDay", "01/21", "01/21", 1),
        Environment("JANUARY", "WeatherFileRunPeriod", "01/01/2017", "01/31/2017", 31),
    )


def test_a_list_of_periods_that_is_written_again_counts_once(output: Path) -> None:
    (output / "eplusout.eio").write_text((WINTER_DAY + WHOLE_YEAR) * 3)

    assert judge(ended(), output, "annual").verdict is Verdict.OK


def test_other_lines_of_the_eio_are_no_periods(tmp_path: Path) -> None:
    lines = "Environment:Weather Station,10.000,0.140,270.000,1.500,1.586,9.750E-003\nEnvironment,CUT OFF,Weather"
    (tmp_path / "eplusout.eio").write_text(lines)

    assert read_environments(tmp_path / "eplusout.eio") == ()


def test_an_error_file_is_read_by_level(tmp_path: Path) -> None:
    (tmp_path / "eplusout.err").write_text(
        "Program Version,EnergyPlus\n"
        "   ** Warning ** A\n"
        "   **   ~~~   ** more of A\n"
        "   ** Severe  ** B\n"
        "   **  Fatal  ** C\n"
        "   ...Summary of Errors that led to program termination:\n"
    )

    errors = read_error_file(tmp_path / "eplusout.err")

    assert errors.messages == (("Warning", "A\nmore of A"), ("Severe", "B"), ("Fatal", "C"))


def test_an_error_file_may_be_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "eplusout.err").write_bytes("   ** Severe  ** Zone Büro\n".encode("latin-1"))

    assert read_error_file(tmp_path / "eplusout.err").of_level("Severe") == ["Zone B\N{REPLACEMENT CHARACTER}ro"]


def test_an_error_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_error_file(tmp_path / "eplusout.err").messages == ()


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
