"""Ends all processes of a local stack and removes its folder, however the stack's process ends (even by kill -9).

It is a separate process, run as a file: it holds the reading end of a pipe, which is closed when the stack's process
ends. Every process started for a function or a container has the stack's folder in its environment, down to
ExpandObjects, a child of the engine. The kernel's own mechanism (PR_SET_PDEATHSIG) is not suitable: it depends on the
thread that started a process.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_ROUNDS = 100
_QUIET_ROUNDS = 3
_INTERVAL_S = 0.05
_CLOSE_TIMEOUT_S = 15.0


class Janitor:
    """Starts the process that waits for the end of this one.

    Args:
        folder: The stack's folder.
    """

    def __init__(self, folder: Path) -> None:
        reading, self._writing = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(folder)],
            cwd="/",
            env={},
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(reading)

    def close(self) -> None:
        """Let it clean up now, and wait until it has finished."""
        with suppress(OSError):
            os.close(self._writing)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_CLOSE_TIMEOUT_S)


def end_processes_of(folder: Path) -> int:
    """Kill every process of this user with a path below `folder` in its environment; return their number."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{folder}/".encode() in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
        except OSError:
            continue  # another user's process, or one that has ended
    return killed


def _main(folder: Path) -> None:
    sys.stdin.buffer.read()
    quiet = 0
    for _ in range(_ROUNDS):
        # A process that was being started when the stack died appears a moment later.
        quiet = 0 if end_processes_of(folder) else quiet + 1
        if quiet == _QUIET_ROUNDS:
            break
        time.sleep(_INTERVAL_S)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
