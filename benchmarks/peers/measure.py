"""Wall time, CPU time, memory and disk of a command with everything that it starts or that works for it.

All of this is below the benchmark's own process, the running stack too. Its CPU time is what the living descendants
have used and what they have collected from children that ended. An orphan becomes a child of the benchmark's process,
so that nothing is lost.
"""

import contextlib
import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_TICKS = os.sysconf("SC_CLK_TCK")
_INTERVAL_S = 0.5
"""How often memory is looked at; more often would take time from the engines."""
_QUIET_INTERVALS = 3
_IDLE_CPU_S = 0.1


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a runner needed for a case.

    Attributes:
        wall_seconds: From the start of the command to its end, with the results on disk.
        cpu_seconds: User and system time of all processes.
        peak_memory_mb: Largest sum of the proportional set sizes of all processes, MB; memory that several share
            counts once. Sampled twice a second.
        disk_mb: Size of the files on disk at the end, MB.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    disk_mb: float


def adopt_orphans() -> None:
    """Make this process the parent of orphans among its descendants."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> tuple[float, float, float]:
    """Run a command; wall seconds, CPU seconds and peak memory in MB.

    Args:
        command: What to run.
        folder: Its working directory.
        environment: Its environment variables.
        log: File for what it prints.

    Raises:
        RuntimeError: If it fails; the message has the end of what it printed.
    """
    os.sync()  # what others wrote is not written back during this measurement
    with log.open("wb") as printed, _watched() as memory:
        before, started = _cpu_seconds(), time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT
        )
        try:
            code = process.wait()
        finally:
            process.terminate()  # if this process is being ended itself
        wall, cpu = time.monotonic() - started, _cpu_seconds() - before
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{log.read_text(errors='replace')[-3000:]}")
    return wall, cpu, max(memory)


def settle() -> float:
    """Wait until the descendants of this process have nothing to do any longer; the CPU seconds that they used."""
    first = before = _cpu_seconds()
    quiet = 0
    while quiet < _QUIET_INTERVALS:
        time.sleep(_INTERVAL_S)
        now = _cpu_seconds()
        quiet, before = (quiet + 1 if now - before < _IDLE_CPU_S else 0), now
    return before - first


@contextlib.contextmanager
def _watched() -> Iterator[list[float]]:
    done, sizes = threading.Event(), [0.0]

    def watch() -> None:
        while not done.wait(_INTERVAL_S):
            sizes.append(sum(map(_memory_mb, descendants(os.getpid()))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield sizes
    finally:
        done.set()
        thread.join()


def descendants(root: int) -> list[int]:
    """Ids of all living descendants of a process, zombies included."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, new = [], children.get(root, [])
    while new:
        found += new
        new = [child for parent in new for child in children.get(parent, [])]
    return found


def _cpu_seconds() -> float:
    """User and system time of this process's descendants, living or collected."""
    ticks = 0
    for process in (os.getpid(), *descendants(os.getpid())):
        if fields := _stat(process):
            # Of this process itself only what it has collected: it is not what is measured.
            ticks += sum(map(int, fields[13:15] if process == os.getpid() else fields[11:15]))
    return ticks / _TICKS


def _stat(process: int) -> list[str]:
    """Fields of /proc/<process>/stat from the state on; empty if it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text(encoding="latin-1").rpartition(")")[2].split()
    return []


def _memory_mb(process: int) -> float:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) * 1024 / 1e6
    return 0.0
