"""The terminal that commands print to, which may close, have few letters, or be a pipe that nobody reads any more."""

import os
import sys

from rich.console import Console


class Terminal(Console):
    """A console whose end is not that of the command: `epsm run STUDY | head` runs the study to its end."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError:  # the terminal is gone, or the disk of a file is full
            self._buffer.clear()


console = Terminal()
