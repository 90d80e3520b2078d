"""Monitoring a child process: its memory, its end, and requests to stop it."""

import ctypes
import os
import re
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)
_QUICK_ANSWER_S = 0.05
_MARGIN = 1.02
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Runs in the child: lets the kernel kill it when this process dies, so a killed worker leaves no engine behind."""
    assert LIBC is not None
    LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before this call
        os._exit(1)


class StopWatch:
    """Polls for a stop request without blocking: at most one call is in progress."""

    def __init__(self, should_stop: Callable[[], bool] | None) -> None:
        self._should_stop = should_stop
        self._asking: threading.Thread | None = None
        self._answered_yes = False
        self._fault: BaseException | None = None

    def asked_to_stop(self) -> bool:
        """Whether any call so far returned True; starts another call if the last one has returned. Raises:
        BaseException: The exception of the last call.
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


class PeakMemory:
    """The largest resident size of a child that has just been started.

    The kernel's own figure for a child starts at the size of the process that forked it, and this process, with eppy
    and a parsed model, may be larger than the engine. So the child is also sampled while it runs: at its start, several
    times a second, and with every line of its output, of which the last comes at its very end. The kernel's figure is
    used only if it exceeds this process's own peak by a margin: the kernel sums sizes per processor and is off by a few
    pages.
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
        """The peak, given the kernel's figure."""
        return counted_mb if counted_mb > _MARGIN * self._own_peak_mb else self.peak_mb


def has_ended(pid: int) -> bool:
    """Whether a child has ended; its status is not collected."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
