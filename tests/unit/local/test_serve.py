"""A local stack for the program that starts it: `python -m epsm_local.serve`, with something else for the stack."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = """
import os, runpy, subprocess, sys, types

class LocalStack:
    endpoint = "http://127.0.0.1:1"
    def __init__(self):
        print("printed by a library")
        subprocess.run(["echo", "printed by a process"], check=True)
        assert not os.environ.get("AWS_PROFILE"), "the user's settings"
    def start_workers(self):
        pass
    def __enter__(self):
        return self
    def __exit__(self, *_):
        open(sys.argv[1], "w").write("closed")

stack = types.ModuleType("epsm_local.stack")
stack.LocalStack = LocalStack
sys.modules["epsm_local.stack"] = stack
runpy.run_module("epsm_local.serve", run_name="__main__")
"""
_ENDS_WITHIN_S = 30.0


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The file that is there when the stack was closed."""
    return tmp_path / "closed"


@pytest.fixture
def process(closed: Path) -> Iterator["subprocess.Popen[str]"]:
    started = subprocess.Popen(
        [sys.executable, "-c", CODE, closed],
        env={**os.environ, "AWS_PROFILE": "nobody"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        yield started
        started.kill()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_the_program_reads_the_endpoint_and_nothing_else(process: "subprocess.Popen[str]") -> None:
    assert json.loads(first_line(process)) == {"endpoint": "http://127.0.0.1:1"}
    rest, printed = process.communicate(timeout=_ENDS_WITHIN_S)
    assert rest == ""
    assert sorted(printed.splitlines()) == ["printed by a library", "printed by a process"]


def test_it_serves_until_its_input_is_closed(process: "subprocess.Popen[str]", closed: Path) -> None:
    first_line(process)
    assert process.stdin is not None
    process.stdin.write("input does not end it\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)
    assert not closed.exists()
    process.stdin.close()
    assert process.wait(_ENDS_WITHIN_S) == 0
    assert closed.read_text() == "closed"


def test_it_closes_the_stack_when_it_is_terminated(process: "subprocess.Popen[str]", closed: Path) -> None:
    first_line(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(_ENDS_WITHIN_S) == 0
    assert closed.read_text() == "closed"
