"""The command as a shell starts it: help, version and completion answer without loading what runs studies."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import epsm
from tests.conftest import StudyMaker

COMMAND = Path(sys.executable).with_name("epsm")
SLOW = {"boto3", "botocore", "moto", "numpy", "pandas", "pyarrow", "eppy", "rich"}
"""Packages that take a tenth of a second and more to import."""


def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", str(COMMAND), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **variables})


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    return set(re.findall(r"(?m)^import time:.*\| +(\w+)", done.stderr))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("run", "--help")], ids=" ".join)
def test_help_and_version_load_nothing_slow(arguments: tuple[str, ...]) -> None:
    modules = imported(start(*arguments))
    assert "typer" in modules  # else the list is not what it seems
    assert not modules & SLOW


def test_a_study_is_checked_without_what_runs_it_and_shows_its_results(make_study: StudyMaker) -> None:
    modules = imported(start("check", str(make_study())))
    assert "pydantic" in modules
    assert not modules & {"boto3", "botocore", "moto", "numpy", "pandas", "pyarrow"}


def test_commands_that_check_no_study_do_not_load_the_checks() -> None:
    code = "import sys, epsm_cli.commands; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "epsm_cli.commands" in modules
    assert not modules & {"epsm.checks", "epsm.pipeline", "moto", "numpy", "pandas", "pyarrow"}


def test_the_version_is_that_of_the_package() -> None:
    assert start("--version").stdout == f"epsm {epsm.__version__}\n"


def test_help_names_every_command() -> None:
    _, listed = start("--help").stdout.split("Commands:\n")
    names = {line.split()[0] for line in listed.splitlines()}
    assert {"run", "check", "submit", "status", "results", "cancel", "rerun", "engine", "up"} <= names
    assert "..." not in listed, "a summary is cut off"


def test_a_shell_can_complete_commands() -> None:
    done = start(_EPSM_COMPLETE="complete_bash", COMP_WORDS="epsm re", COMP_CWORD="1")
    assert done.stdout.split() == ["results", "rerun"]
    assert not imported(done) & SLOW


def test_completion_is_offered_for_installation() -> None:
    # `--show-completion` asks which shell it was started from, and a test may be started from none.
    assert "complete -o default -F _epsm_completion epsm" in start(_EPSM_COMPLETE="source_bash").stdout


@pytest.mark.parametrize("package", ["typer", "moto"])
def test_a_command_without_its_packages_says_what_to_install(package: str, make_study: StudyMaker) -> None:
    """`pip install epsm` installs the library; the command comes with it, but not the packages that it needs."""
    code = f"import sys; sys.modules[{package!r}] = None; from epsm_cli.entry import main; main()"
    arguments = ["run", str(make_study())]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"package '{package}" in done.stderr
    assert "pip install 'epsm[local]'" in done.stderr
    assert "Traceback" not in done.stderr
