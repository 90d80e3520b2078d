"""Which runs succeeded: exit code, end file, database and the requested periods."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from epsm.energyplus.verdict import Verdict, judge
from tests.unit.energyplus.verdict.outputs import JANUARY, OPENED, WHOLE_YEAR, WINTER_DAY, ended, severe

TERMINATED = (
    "EnergyPlus Terminated--Fatal Error Detected. 1 Warning; 2 Severe Errors; Elapsed Time=00hr 00min  0.1sec\n"
)
LEAP_YEAR = (
    "Environment,WHOLE YEAR,WeatherFileRunPeriod,01/01/2016,12/31/2016,Sunday,366,Use RunPeriod,No,No,No,Yes,Yes\n"
)


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
