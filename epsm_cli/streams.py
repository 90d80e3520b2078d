"""Standard output and standard error of the command, which may be closed, full, or a pipe that is no longer read.

None of these ends a command: `epsm run STUDY | head` and `epsm run STUDY > /dev/full` run the study to its end. A
closed pipe is not a fault. Output lost for another reason (a full disk, a closed terminal) is reported on standard
error, and the exit code is not 0.
"""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

EXIT_CODE = 1
"""Exit code of a command that completed its work but lost output."""


class _Output(io.FileIO):
    """A stream on an open descriptor; output that cannot be written is dropped.

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
    """Keep the command running when output fails: write errors, or characters that the encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed, as in `epsm status >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process
        else:
            stream.flush()
            setattr(sys, name, _tolerant(stream, _Output(stream.fileno(), report=name == "stdout")))


def exit_code(code: int) -> int:
    """Flush the streams; return the exit code of a command that ended with `code`."""
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
