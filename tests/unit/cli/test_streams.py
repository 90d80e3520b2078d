"""Output of the command that cannot be written: epsm_cli.streams."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import StudyMaker
from tests.unit.cli.test_entry import COMMAND

FULL = Path("/dev/full")
LOST = "epsm: standard output cannot be written: No space left on device\n"


def shell(line: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `$0` is the command and `$1` the first argument."""
    return subprocess.run(
        ["bash", "-c", line, COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("arguments", ["--version", "--help", "run --help", "--show-completion bash"])
def test_lost_output_is_a_fault(arguments: str) -> None:
    done = shell(f"$0 {arguments} > {FULL}")
    assert (done.returncode, done.stderr) == (1, LOST)


def test_a_command_that_prints_tables_reports_lost_output(make_study: StudyMaker) -> None:
    """It went through rich, and exited with 0."""
    done = shell(f"$0 check $1 > {FULL}", make_study())
    assert (done.returncode, done.stderr) == (1, LOST)


def test_the_exit_code_of_the_command_goes_before_that_of_its_output(make_study: StudyMaker) -> None:
    folder = make_study()
    (folder / "study.json").write_text("{}", encoding="utf-8")
    done = shell(f"$0 check $1 > {FULL}", folder)
    assert (done.returncode, done.stderr) == (2, LOST)


def test_no_place_for_the_message_changes_nothing() -> None:
    assert shell(f"$0 --version > {FULL} 2>&1").returncode == 1
    assert shell(f"$0 --version > {FULL} 2>&-").returncode == 1
    assert shell(f"$0 --version 2> {FULL}").returncode == 0


@pytest.mark.parametrize("arguments", ["--help", "check $1"])
def test_a_pipe_that_is_no_longer_read_is_no_fault(arguments: str, make_study: StudyMaker) -> None:
    done = shell(f"$0 {arguments} | true; echo ${{PIPESTATUS[0]}}", make_study())
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_closed_output_is_no_fault() -> None:
    done = shell("$0 --version >&-")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_letter_that_the_encoding_lacks_is_replaced(make_study: StudyMaker) -> None:
    folder = make_study(name="Büro 国")
    done = shell("PYTHONIOENCODING=latin-1 $0 check $1 | iconv -f latin1 -t utf-8", folder)
    assert "Büro ?" in done.stdout
