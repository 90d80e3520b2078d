"""Child processes in place of the engine."""

import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from epsm.energyplus.engine import EngineRun, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="process groups and /proc")
FOREVER = 60


def shell(script: str, folder: Path, timeout_s: float = 30, **more: object) -> EngineRun:
    return run(["sh", "-c", script], folder, timeout_s=timeout_s, **more)  # type: ignore[arg-type]


def python(program: str, folder: Path, **more: object) -> EngineRun:
    return run([sys.executable, "-c", textwrap.dedent(program)], folder, timeout_s=30, **more)  # type: ignore[arg-type]


def lives(pid: int) -> bool:
    """Whether a process runs; one that waits for its parent to notice its end does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def within_seconds(look: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def pid_in(path: Path) -> int:
    assert within_seconds(lambda: path.is_file() and path.read_text().endswith("\n")), f"{path.name} was not written"
    return int(path.read_text())
