"""Entry point of the `epsm` command: signals and the terminal first, then the rest."""

import os
import sys
from contextlib import suppress

from epsm_cli import interrupts

_INSTALL = (
    """Install the command with "pip install 'epsm[local]'" to run studies on this machine, """
    """or with "pip install 'epsm[cli]'" to run them on AWS only."""
)
_OWN = ("epsm", "epsm_cli", "epsm_local")


def main() -> None:
    """Run the command and leave with its exit code.

    Exit codes: that of the command; 128 and the signal's number if a signal ended it (130 for Ctrl-C); 1 for a fault.
    """
    interrupts.install()
    _open_closed_streams()
    try:
        code = _run()
    except interrupts.Interrupted as interrupted:
        code = interrupted.exit_code
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    # Threads of a state machine may sleep between two attempts; they are no longer needed.
    os._exit(code)


def _run() -> int:
    try:
        from epsm_cli.main import app

        app()
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] in _OWN:
            raise
        print(f"The Python package '{missing.name}' is not installed. {_INSTALL}", file=sys.stderr)
        return 1
    except SystemExit as end:
        if end.code is None:
            return 0
        return end.code if isinstance(end.code, int) else 1
    except Exception as error:
        from epsm_cli import faults

        return faults.report(error)
    return 0


def _open_closed_streams() -> None:
    """A stream that was closed (`epsm status >&-`) or whose encoding lacks a letter must not end a command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
