"""Checking a study in a second process, in programs of their own: a test process may have threads."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import StudyMaker

PROGRAM = """
import json, pickle, signal, sys
from pathlib import Path
from epsm_cli import check_aside
{before}
with check_aside.checking(Path(sys.argv[1]), None, None) as accepted:
    {within}
"""
SHOW = "study = accepted(); print(json.dumps([study.hashes, study.variants, 'epsm.checks' in sys.modules]))"
NO_ANSWER = {
    "it fails": "check_aside.pickle.dumps = None",
    "it is killed": "check_aside.pickle.dumps = lambda outcome: signal.raise_signal(signal.SIGKILL)",
    "its answer is cut off": "whole = pickle.dumps; check_aside.pickle.dumps = lambda found: whole(found)[:-9]",
}


def run(folder: Path, within: str, before: str = "") -> subprocess.CompletedProcess[str]:
    code = PROGRAM.format(before=before, within=within)
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "study.json"
    }


def test_a_study_is_checked_without_loading_the_checks(make_study: StudyMaker) -> None:
    folder = make_study()
    done = run(folder, SHOW)
    assert json.loads(done.stdout) == [hashes(folder), 3, False], done.stderr


@pytest.mark.parametrize("fault", NO_ANSWER.values(), ids=NO_ANSWER.keys())
def test_without_an_answer_the_study_is_checked_in_the_process_itself(make_study: StudyMaker, fault: str) -> None:
    folder = make_study()
    done = run(folder, SHOW, fault)
    assert json.loads(done.stdout) == [hashes(folder), 3, True], done.stderr
    assert not done.stderr


def test_a_rejected_study_ends_the_command_with_its_faults_shown_once(make_study: StudyMaker) -> None:
    folder = make_study(models=["missing.idf"])
    done = run(folder, "import typer\n    try: accepted()\n    except typer.Exit as end: print('exit', end.exit_code)")
    assert done.stdout.count("missing.idf") == 1
    assert done.stdout.endswith("exit 2\n")
    assert not done.stderr


def test_a_check_that_nobody_waits_for_is_ended(make_study: StudyMaker) -> None:
    done = run(make_study(), "print('left')", "check_aside._outcome = lambda *_: signal.pause()")
    assert (done.returncode, done.stdout) == (0, "left\n"), done.stderr


def test_the_second_process_is_gone_when_it_has_answered(make_study: StudyMaker) -> None:
    within = """accepted()
    try: print(os.waitpid(-1, 0))
    except ChildProcessError: print("no process left")"""
    done = run(make_study(), within, "import os")
    assert done.stdout == "no process left\n", done.stderr
