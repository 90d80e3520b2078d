"""Output of processes, kept in memory: with a file, a full disk would end a process that prints."""

import fcntl
import os


class Output:
    """Captures the output of a process; closed when it is no longer referenced.

    Attributes:
        number: File descriptor for a process's standard output.
    """

    def __init__(self) -> None:
        self.number = os.memfd_create("output", os.MFD_CLOEXEC)
        # Always at the end, also after `clear`.
        fcntl.fcntl(self.number, fcntl.F_SETFL, os.O_APPEND)

    def clear(self) -> None:
        """Discard the output so far."""
        os.ftruncate(self.number, 0)

    def read(self) -> str:
        """The output since the last `clear`."""
        return os.pread(self.number, os.fstat(self.number).st_size, 0).decode("utf-8", errors="replace")

    def __del__(self) -> None:
        os.close(self.number)
