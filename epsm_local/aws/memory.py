"""Memory of processes, counted as Lambda and the kernel's limits count it."""

import re
from pathlib import Path

_HELD = re.compile(r"^Rss(?:Anon|Shmem):\s*(\d+) kB", re.MULTILINE)


def held_mb(pid: int) -> float:
    """Memory of a process and all its descendants, MiB; 0 where the system does not report it.

    File-backed pages (programs, libraries) are not counted: the kernel drops them before it kills a process for its
    memory, and pages shared by two processes would count twice. Reserved address space is not counted either, which is
    why RLIMIT_AS is not used: numpy, pyarrow and threads reserve gigabytes that they never touch.
    """
    kilobytes, waiting = 0, [pid]
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        try:
            status = (process / "status").read_text(encoding="ascii", errors="replace")
            tasks = list((process / "task").iterdir())
        except OSError:
            continue  # it has ended
        kilobytes += sum(map(int, _HELD.findall(status)))
        for task in tasks:
            try:
                waiting.extend(map(int, (task / "children").read_text(encoding="ascii").split()))
            except OSError:
                continue  # the thread has ended, or the kernel does not list children
    return kilobytes / 1024
