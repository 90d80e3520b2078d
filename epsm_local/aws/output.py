"""What a process prints, in memory: with a file, a full disk would end a process that prints."""

import fcntl
import os


class Output:
    """Captures the output of a process; closed when it is no longer referenced.

    Attributes:
        number: Descriptor to give a process as its standard output.
    """

    def __init__(self) -> None:
        self.number = os.memfd_create("output", os.MFD_CLOEXEC)
        # At its end, wherever that is after `clear`.
        fcntl.fcntl(self.number, fcntl.F_SETFL, os.O_APPEND)

    def clear(self) -> None:
        """Forget what was printed so far."""
        os.ftruncate(self.number, 0)

    def read(self) -> str:
        """What was printed since the last `clear`."""
        return os.pread(self.number, os.fstat(self.number).st_size, 0).decode("utf-8", errors="replace")

    def __del__(self) -> None:
        os.close(self.number)
