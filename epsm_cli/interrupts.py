"""Signals that end a command: the first one ends it gracefully, a second one immediately."""

import os
import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal requests the command to end. It is not a KeyboardInterrupt, because some libraries handle that
    themselves."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number
        """Exit code as a shell reports it: 130 for Ctrl-C."""


_asked = False


def install() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise `Interrupted` in the main thread; a second one ends the process.

    SIGHUP stays ignored if it was ignored before (`nohup epsm up &`).
    """
    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _handle)


def _handle(number: int, frame: FrameType | None) -> None:
    global _asked  # noqa: PLW0603 - signals are the process's
    if _asked:
        os._exit(128 + number)  # processes of the stack end with this one
    _asked = True
    raise Interrupted(number)
