"""Standard output and standard error of the command, which may be closed, full, or a pipe that is no longer read.

None of that ends a command: `epsm run STUDY | head` and `epsm run STUDY > /dev/full` run the study to its end. That
a pipe's reader has ended is not a fault. Output that is lost because of one (a full disk, a terminal that is gone) is
reported on standard error when it happens, and the command does not exit with 0.
"""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

EXIT_CODE = 1
"""Of a command that completed its work but lost output."""


class _Output(io.FileIO):
    """An open descriptor; what cannot be written to it is dropped.

    Attributes:
        lost: Whether output was lost because of a fault.
    """

    def __init__(self, descriptor: int, *, report: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.lost = False
        self._report = report

    def write(self, data: "ReadableBuffer", /) -> int | None:  # type: ignore[override] # the stubs contradict themselves
        try:
            return super().write(data)
        except BrokenPipeError:
            pass
        except OSError as fault:
            if not self.lost and self._report:
                print(f"epsm: standard output cannot be written: {fault.strerror}", file=sys.stderr)
            self.lost = True
        return memoryview(data).nbytes


def install() -> None:
    """Let nothing that is printed end the command: not a fault of its output, not a letter that its encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed, as in `epsm status >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process
        else:
            stream.flush()
            setattr(sys, name, _tolerant(stream, _Output(stream.fileno(), report=name == "stdout")))


def exit_code(code: int) -> int:
    """Write what is still to be written; return what a command exits with whose work has ended with `code`."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    output = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return code or (EXIT_CODE if isinstance(output, _Output) and output.lost else 0)


def _tolerant(stream: io.TextIOWrapper, output: _Output) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
