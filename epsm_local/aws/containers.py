"""Containers of ECS tasks as processes: the container's command and variables, with the code of its image.

If the program of a command is Python, this process's own Python is used: its environment has the packages that the
image installs, from the same lock file.
"""

import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from epsm_local.aws.processes import IsolatedProcess, Stopped

_POLL_INTERVAL_S = 0.1
STOP_TIMEOUT_S = 30.0
"""From SIGTERM to SIGKILL when a task is stopped, unless its container has its own; ECS's default."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended.

    Attributes:
        exit_code: As a shell reports it: 137 for a killed container.
        log: Its output.
        interrupted: Whether Fargate Spot ended it.
    """

    exit_code: int
    log: str
    interrupted: bool = False


class Containers:
    """Runs containers; they end with the local stack.

    Args:
        folder: Folder for the containers' own folders.
        endpoint: The local AWS.
    """

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._running: set[IsolatedProcess] = set()
        self._interrupted: set[IsolatedProcess] = set()
        self._closed = False

    def run(
        self,
        command: Sequence[str],
        code: Sequence[Path],
        variables: Mapping[str, str],
        keep_running: Callable[[], bool],
        stop_timeout_s: float | None = None,
    ) -> Ended:
        """Run a container to its end.

        Args:
            command: Entry point and command.
            code: Folders with its code, first the working directory.
            variables: The container's own environment variables.
            keep_running: Polled several times a second; the container is stopped when it returns False.
            stop_timeout_s: Time from the signal to its end, seconds; None for ECS's default.

        Raises:
            Stopped: If the local stack has been stopped.
            OSError: If the disk is full, or its program cannot be started.
        """
        with self._lock:
            if self._closed:
                raise Stopped("the local stack is being stopped")
            folder = self._folder / uuid.uuid4().hex[:12]
            process = IsolatedProcess(_on_this_machine(command), code, variables, folder, self._endpoint)
            self._running.add(process)
        try:
            _await_end(
                process,
                lambda: keep_running() and not self._is_interrupted(process),
                STOP_TIMEOUT_S if stop_timeout_s is None else stop_timeout_s,
            )
        finally:
            process.end()
            with self._lock:
                self._running.discard(process)
        status, interrupted = process.wait(), self._is_interrupted(process)
        with self._lock:
            self._interrupted.discard(process)
        return Ended(status if status >= 0 else 128 - status, process.output.read(), interrupted)

    def interrupt(self, *, notice: bool = True) -> int:
        """End the running containers as Fargate Spot does: with the signal, and at the end of their time by force.

        Args:
            notice: False to end them at once, as if a host were lost.

        Returns:
            The number of containers.
        """
        with self._lock:
            running = list(self._running)
            self._interrupted.update(running)
        if not notice:
            for process in running:
                process.signal(signal.SIGKILL)
        return len(running)

    def _is_interrupted(self, process: IsolatedProcess) -> bool:
        with self._lock:
            return process in self._interrupted

    def running(self) -> list[int]:
        """Process ids of the running containers."""
        with self._lock:
            return [process.pid for process in self._running]

    def close(self) -> None:
        """Kill every container."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.signal(signal.SIGKILL)


def _on_this_machine(command: Sequence[str]) -> list[str]:
    program, *arguments = command
    return [sys.executable if PurePosixPath(program).name.startswith("python") else program, *arguments]


def _await_end(process: IsolatedProcess, keep_running: Callable[[], bool], stop_timeout_s: float) -> None:
    """Wait until the process has ended, at most `stop_timeout_s` after it was signalled to stop."""
    deadline = None
    while process.alive and (deadline is None or time.monotonic() < deadline):
        if deadline is None and not keep_running():
            process.terminate()
            deadline = time.monotonic() + stop_timeout_s
        time.sleep(_POLL_INTERVAL_S)
