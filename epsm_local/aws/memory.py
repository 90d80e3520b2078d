"""What processes hold in memory, counted as the system does that ends them for it: Lambda, and the kernel's limits."""

import re
from pathlib import Path

_HELD = re.compile(r"^Rss(?:Anon|Shmem):\s*(\d+) kB", re.MULTILINE)


def held_mb(pid: int) -> float:
    """Memory of a process and all its descendants, MiB; 0 where the system does not report it.

    Pages of files (programs, libraries) are left out: the kernel drops them before it ends a process for its memory,
    and those that two processes share would count twice. Address space that is only reserved does not count, which is
    why RLIMIT_AS is of no use here: numpy, pyarrow and threads reserve gigabytes that they never touch.
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
