"""How a program gets a local stack of its own: epsm_local.provider, without the stack."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import epsm
from epsm.settings import Settings
from epsm_local import provider
from tests.support import wait_for
from tests.unit.client.test_run import study

__all__ = ["study"]

SERVES = """#!/bin/sh
echo $$ >> {folder}/started
echo '{{"endpoint": "http://127.0.0.1:1"}}'
cat > /dev/null
echo $$ >> {folder}/ended
"""
FAILS = """#!/bin/sh
echo 'a warning' >&2
echo 'OSError: no room' >&2
exit 1
"""


@pytest.fixture(autouse=True)
def no_stack_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has not started a stack; one that a test has started ends with the test."""
    monkeypatch.setattr(provider, "_own", None)
    yield
    if provider._own is not None:
        provider._close(provider._own[0])


def python_that(text: str, folder: Path) -> str:
    """A program in place of the interpreter that serves the stack."""
    program = folder / "python"
    program.write_text(text.format(folder=folder), encoding="utf-8")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder where processes that stand for stacks write that they were started and have ended."""
    monkeypatch.setattr(sys, "executable", python_that(SERVES, tmp_path))
    monkeypatch.setattr(provider, "connection", lambda endpoint: SimpleNamespace(endpoint=endpoint))
    return tmp_path


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def endpoint_of(connection: Any) -> str:
    return str(connection.endpoint)


def test_a_study_says_what_to_install_where_there_is_no_local_stack(
    study: epsm.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "find_spec", lambda name: None if name in ("moto", "scipy") else object())
    with pytest.raises(epsm.NoStack, match=r"moto, scipy missing.*pip install 'epsm\[local\]'"):
        study.run()
    with pytest.raises(epsm.NoStack, match="not installed"):
        provider.start()


def test_a_program_has_one_stack_however_often_it_asks(served: Path) -> None:
    first, second = provider.start(), provider.start()
    assert endpoint_of(first) == "http://127.0.0.1:1"
    assert second is first
    assert len(lines(served / "started")) == 1


def test_a_stack_that_was_killed_is_started_again(served: Path) -> None:
    provider.start()
    assert provider._own is not None
    os.kill(provider._own[0].pid, signal.SIGKILL)
    provider._own[0].wait()
    provider.start()
    assert len(lines(served / "started")) == 2


def test_a_stack_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", python_that(FAILS, tmp_path))
    with pytest.raises(epsm.NoStack, match=r"^the local stack did not start: OSError: no room$"):
        provider.start()


def test_a_stack_that_cannot_be_used_is_ended(served: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was left running beside the one that the next call started."""

    def connection(endpoint: str) -> None:
        raise epsm.NoStack("no such stack")

    monkeypatch.setattr(provider, "connection", connection)
    with pytest.raises(epsm.NoStack, match="no such stack"):
        provider.start()
    assert lines(served / "ended") == lines(served / "started") != []


def test_a_stack_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from epsm_local import provider\n"
        "provider.connection = lambda endpoint: endpoint\n"
        f"sys.executable = {python_that(SERVES, tmp_path)!r}\n"
        "print(provider.start())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "http://127.0.0.1:1\n"
    assert lines(tmp_path / "ended") == lines(tmp_path / "started") != []


def test_a_stack_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from epsm_local import provider\n"
        "provider.connection = lambda endpoint: endpoint\n"
        f"sys.executable = {python_that(SERVES, tmp_path)!r}\n"
        "provider.start()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert len(lines(tmp_path / "started")) == 1
    wait_for(lambda: lines(tmp_path / "ended") == lines(tmp_path / "started"), "the end of the stack")


@pytest.mark.parametrize(("endpoint", "found"), [(None, None), ("http://127.0.0.1:5005", "http://127.0.0.1:5005")])
def test_the_stack_that_is_kept_running_is_found(
    endpoint: str | None, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "running_local_state", lambda: {"endpoint": endpoint} if endpoint else {})
    monkeypatch.setattr(provider, "connection", lambda endpoint: endpoint)
    assert provider.running() == found  # type: ignore[comparison-overlap]


def test_a_stack_that_has_published_its_settings_is_not_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(inputs_bucket="in", results_bucket="out", table_name="records", state_machine_arn="arn")
    nobody_there = "http://127.0.0.1:1"
    state = {"endpoint": nobody_there, "pid": 1, "settings": settings.model_dump(mode="json")}
    monkeypatch.setattr(provider, "running_local_state", lambda: state)
    found = provider.running()
    assert found is not None
    assert found.stack.settings == settings
    assert found.client("s3").meta.endpoint_url == nobody_there
    assert found.client("s3") is found.client("s3")


def test_a_stack_that_has_published_no_settings_that_fit_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "connection", lambda endpoint: endpoint)
    for settings in (None, {"inputs_bucket": "in"}):
        state = {"endpoint": "http://127.0.0.1:5005", "settings": settings}
        monkeypatch.setattr(provider, "running_local_state", lambda state=state: state)
        assert provider.running() == "http://127.0.0.1:5005"  # type: ignore[comparison-overlap]
