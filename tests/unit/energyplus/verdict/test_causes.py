"""Why a run failed: time, memory, the input, a crash."""

from pathlib import Path

import pytest

from epsm.energyplus.verdict import Verdict, judge
from tests.unit.energyplus.verdict.outputs import CALM, ended, severe


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
