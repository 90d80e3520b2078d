"""Whether a local stack is running: epsm_local.running; files left by killed ones: epsm_local.aws.temporary_folders."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from epsm.client.connection import connect
from epsm.errors import NoStack
from epsm_local import running
from epsm_local.aws import temporary_folders
from epsm_local.aws.temporary_folders import TemporaryFolder, remove_leftovers
from epsm_local.running import AlreadyRunning, announced, claimed, running_local_endpoint, state_file

ENDPOINT = "http://127.0.0.1:5005"
STAYS = "print('there', flush=True); import time; time.sleep(600)"
"""What a process does once it has what it holds."""
STACK = f"""
from epsm_local.running import announced, claimed
with claimed(), announced({ENDPOINT!r}):
    {STAYS}
"""
FOLDER = f"""
from epsm_local.aws.temporary_folders import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "workers").mkdir()
{STAYS}
"""


@pytest.fixture(autouse=True)
def _folders_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(running, "_PATIENCE_S", 0.1)


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has run `code` to where it stays; killed at the end."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"there\n"
            yield other
        finally:
            other.kill()


def test_a_process_that_got_the_id_of_a_killed_stack_is_no_stack() -> None:
    state_file().parent.mkdir(parents=True)
    state_file().write_text(json.dumps({"endpoint": ENDPOINT, "pid": os.getppid()}), encoding="utf-8")
    assert running_local_endpoint() is None
    with pytest.raises(NoStack, match="no local stack is running"):
        connect("local")
    with claimed():
        # The new stack cannot be found before it is ready, least of all where the old one was.
        assert not state_file().exists()


def test_another_process_finds_a_stack_until_it_is_killed() -> None:
    with process(STACK) as stack:
        assert running_local_endpoint() == ENDPOINT
        with pytest.raises(AlreadyRunning, match=ENDPOINT), claimed():
            pass
        stack.kill()
        stack.wait()
        assert state_file().exists()
        assert running_local_endpoint() is None
        with claimed():
            pass


def test_a_stack_that_is_starting_is_not_found_and_lets_no_other_start() -> None:
    with process(STACK.replace(f", announced({ENDPOINT!r})", "")):
        assert running_local_endpoint() is None
        with pytest.raises(AlreadyRunning, match="just starting"), claimed():
            pass


def test_a_stack_that_stops_is_not_found() -> None:
    with claimed():
        with announced(ENDPOINT):
            assert running_local_endpoint() == ENDPOINT
        assert running_local_endpoint() is None


def test_asking_does_not_keep_a_stack_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PATIENCE_S", 30.0)
    asking = f"""
import fcntl, time
held = open({str(running.lock_file())!r}, "ab")
fcntl.flock(held, fcntl.LOCK_SH)
print("there", flush=True)
time.sleep(0.3)
"""
    state_file().parent.mkdir(parents=True)
    with process(asking), claimed():
        pass


def test_folders_of_a_killed_stack_are_removed_by_the_next(tmp_path: Path) -> None:
    with process(FOLDER) as stack:
        (folder,) = tmp_path.glob("epsm-local-*")
        remove_leftovers()
        assert folder.exists()
        stack.kill()
        stack.wait()
        # The id in its name belongs to another process by now.
        left = folder.rename(tmp_path / f"epsm-local-{os.getppid()}-x")
        own = TemporaryFolder()
        remove_leftovers()
        assert (left.exists(), own.path.exists()) == (False, True)
        own.remove()
        assert not own.path.exists()


def test_a_folder_that_is_taken_for_a_leftover_before_it_is_locked_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = temporary_folders._locked
    taken: list[Path] = []

    def late(folder: Path) -> int | None:
        if not taken:
            taken.append(folder)
            folder.rmdir()
        return locked(folder)

    monkeypatch.setattr(temporary_folders, "_locked", late)
    own = TemporaryFolder()
    assert own.path.exists()
    assert own.path != taken[0]
    own.remove()
