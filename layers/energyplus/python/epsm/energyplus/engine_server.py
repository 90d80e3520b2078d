"""Processes of the engine that start with its library loaded: `start`.

An EnergyPlus process first relocates a library of 50 MB, parses the schema of all classes that is compiled into it, and
at its end frees them: 0.1 s of 0.6 for a year of a single zone. A server process, one for each engine and process of
ours, does that once and forks for every run. It computes the same numbers, and a crash ends one run only. A process's
first run of an engine is started without it, because starting the server takes as long as it saves in two runs.
"""

import atexit
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAUNCHER = Path(__file__).with_name("engine_launcher.py")
_START_TIMEOUT_S = 20.0
_ANSWER_TIMEOUT_S = 60.0
_MAX_ANSWER_BYTES = 10_000
_KILLED = 9

logger = logging.getLogger(__name__)


def launch(library: Path, *serve: str) -> list[str]:
    """The command line that runs a library, to which arguments can be added.

    Args:
        library: The engine's `libenergyplusapi.so.*`.
        serve: ``--serve`` and a file descriptor, for a server.
    """
    # Isolated: nothing of this process's Python, and no file of the model's folder, is imported.
    return [sys.executable, "-I", "-S", str(LAUNCHER), *serve, str(library)]


class NoServer(Exception):
    """A run cannot be started by a server; the engine can be started as a program instead."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run's process: its exit status as `os.wait4` gives it, CPU seconds, peak memory, MiB, and whether
    the server had ended, which ends its runs."""

    status: int
    cpu_seconds: float
    peak_mb: float
    lost: bool = False


class EngineServer:
    """A process that has loaded the engine's library and forks for each run.

    Args:
        library: The engine's `libenergyplusapi.so.*`.
        environment: Environment variables of the server.

    Raises:
        NoServer, OSError: If it does not start.
    """

    def __init__(self, library: Path, environment: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # No PR_SET_PDEATHSIG: the kernel would send it at the end of the thread that happens to start the server.
            self._process = subprocess.Popen(
                launch(library, "--serve", str(theirs.fileno())),
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        try:
            self._answer(_START_TIMEOUT_S)
        except (NoServer, OSError):
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End the server; the kernel kills its runs."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def start(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], output: int) -> int:
        """Start a run; returns the number of its process.

        Args:
            arguments: Arguments of the engine's command line.
            folder: Working directory.
            environment: All of its environment variables.
            output: File descriptor for what it prints.

        Raises:
            NoServer: If the server has ended, or cannot fork.
        """
        request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        if pid := int(self._ask({"do": "run", **request}, [output])["pid"]):
            return pid
        raise NoServer("the engine's server cannot fork")

    def has_ended(self, pid: int) -> bool:
        """Whether a run has ended; also if the server has, and with it its runs."""
        try:
            return bool(self._ask({"do": "look", "pid": pid})["ended"])
        except NoServer:
            return True

    def collect(self, pid: int) -> Ended:
        """Collect a run that has ended or was killed; waiting for a longer run would time out."""
        try:
            answer = self._ask({"do": "collect", "pid": pid})
        except NoServer:
            return Ended(_KILLED, 0.0, 0.0, lost=True)
        return Ended(answer["status"], answer["cpu_seconds"], answer["peak_kb"] / 1024)

    def _ask(self, request: Mapping[str, Any], files: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], files)
                return self._answer(_ANSWER_TIMEOUT_S)
            except OSError as error:
                self.close()
                raise NoServer(f"the engine's server has ended: {error}") from error
            except NoServer:
                self.close()  # an answer that comes late would be taken for the next one's
                raise

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        self._socket.settimeout(timeout_s)
        message = self._socket.recv(_MAX_ANSWER_BYTES)
        if not message:
            raise NoServer("the engine's server has ended")
        answer: dict[str, Any] = json.loads(message)
        return answer


class EngineServers:
    """The servers of this process, one for each engine."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)
        atexit.register(self.close)

    def forget(self) -> None:
        """A process that is forked has no servers: those of its parent would mix up the answers."""
        self._lock = threading.Lock()
        self._seen: set[Path] = set()
        self._known: dict[Path, EngineServer | None] = {}

    def get(self, library: Path, environment: Mapping[str, str]) -> EngineServer | None:
        """The server of an engine, started for its second run; None for the first, and if it does not work.

        Args:
            library: The engine's library.
            environment: Environment variables of the server, if it is started.
        """
        with self._lock:
            if library not in self._seen:
                self._seen.add(library)
                return None
            if library not in self._known:
                try:
                    self._known[library] = EngineServer(library, environment)
                except (NoServer, OSError) as error:
                    self.drop(library, error)
            return self._known[library]

    def drop(self, library: Path, error: Exception) -> None:
        """Start the runs of an engine without a server from now on, because the server failed."""
        logger.warning("EnergyPlus is started without its server", extra={"library": str(library), "why": str(error)})
        self._known[library] = None

    def close(self) -> None:
        """End all servers."""
        with self._lock:
            servers = [server for server in self._known.values() if server is not None]
            self._known.clear()
        for server in servers:
            server.close()
