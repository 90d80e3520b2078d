"""Processes of the engine: started as a program, or forked by a server that has loaded the engine's library."""

import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from epsm.energyplus.child_environment import child_environment
from epsm.energyplus.child_process import LIBC, PeakMemory, die_with_parent, has_ended
from epsm.energyplus.engine_server import LAUNCHER, EngineServer, EngineServers, NoServer

_LIBRARY = "libenergyplusapi.so.*"
_servers = EngineServers()


@dataclass(frozen=True, slots=True)
class End:
    """The end of a process: exit code, negative for a signal; CPU seconds with its children's; peak memory, MiB; and
    whether it ended because its server did."""

    exit_code: int
    cpu_seconds: float
    peak_memory_mb: float
    lost: bool = False


class EngineProcess(Protocol):
    """A running engine in a process group of its own, which has the number of the process.

    Attributes:
        output: The reading end of the pipe for what it prints.
        samples_needed: Whether its peak memory is only known if it is sampled until its very end.
    """

    @property
    def pid(self) -> int: ...
    @property
    def output(self) -> BinaryIO: ...
    @property
    def samples_needed(self) -> bool: ...
    def has_ended(self) -> bool: ...
    def collect(self, memory: PeakMemory) -> End: ...


def start(line: Sequence[str], folder: Path) -> EngineProcess:
    """Start the engine.

    Args:
        line: Command line.
        folder: Its working directory.

    Raises:
        OSError: If it cannot be started.
    """
    environment = child_environment(folder)
    served = served_command(line)
    if served is not None:
        library, arguments = served
        server = _servers.get(library, environment)
        if server is not None:
            try:
                return _Forked(server, arguments, folder, environment)
            except NoServer as error:
                _servers.drop(library, error)
    return _Program(line, folder, environment)


def served_command(line: Sequence[str]) -> tuple[Path, list[str]] | None:
    """Library and arguments of a command line, for a server; None if no server can run it.

    ExpandObjects is searched for beside the program that runs.
    """
    if sys.platform != "linux" or "--expandobjects" in line:
        return None
    if str(LAUNCHER) in line:
        library, *arguments = line[line.index(str(LAUNCHER)) + 1 :]
        return Path(library), arguments
    found = sorted(Path(line[0]).parent.glob(_LIBRARY)) if Path(line[0]).name == "energyplus" else []
    return (found[0], list(line[1:])) if found else None


class _Program:
    """The engine as a child process."""

    samples_needed = True

    def __init__(self, line: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            line,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=functools.partial(die_with_parent, os.getpid()) if LIBC else None,  # noqa: PLW1509 - no lock
            bufsize=0,
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        self.output: BinaryIO = self._process.stdout  # type: ignore[assignment]

    def has_ended(self) -> bool:
        return has_ended(self.pid)

    def collect(self, memory: PeakMemory) -> End:
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        cpu_seconds = usage.ru_utime + usage.ru_stime
        return End(self._process.returncode, cpu_seconds, memory.peak_at_end_mb(usage.ru_maxrss / 1024))


class _Forked:
    """The engine as a process of its server, which is smaller than any run: so the kernel's peak is the run's."""

    samples_needed = False

    def __init__(
        self, server: EngineServer, arguments: Sequence[str], folder: Path, environment: dict[str, str]
    ) -> None:
        self._server = server
        reading, writing = os.pipe()
        self.output: BinaryIO = os.fdopen(reading, "rb", buffering=0)
        try:
            self.pid = server.start(arguments, folder, environment, writing)
        except BaseException:
            self.output.close()
            raise
        finally:
            os.close(writing)

    def has_ended(self) -> bool:
        return self._server.has_ended(self.pid)

    def collect(self, memory: PeakMemory) -> End:
        ended = self._server.collect(self.pid)
        peak_mb = max(memory.peak_mb, ended.peak_mb)
        return End(os.waitstatus_to_exitcode(ended.status), ended.cpu_seconds, peak_mb, ended.lost)
