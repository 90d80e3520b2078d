"""Entry point of the `epsm` command: installs signal handlers and output streams before importing the rest."""

import gc
import os
import sys

from epsm_cli import interrupts, streams

_INSTALL = (
    """Install the command with "pip install 'epsm[local]'" to run studies on this machine, """
    """or with "pip install 'epsm[cli]'" to run them on AWS only."""
)
_OBJECTS_PER_COLLECTION = 100_000
"""With Python's default, 700, garbage is looked for hundreds of times during imports, which leave none: 5 % of their
time."""
_OWN = ("epsm", "epsm_cli", "epsm_local")


def main() -> None:
    """Run the command and leave with its exit code.

    Exit codes: that of the command; 128 plus the signal's number if a signal ended it (130 for Ctrl-C); 1 for a fault,
    including lost output.
    """
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    interrupts.install()
    streams.install()
    try:
        code = _run()
    except interrupts.Interrupted as interrupted:
        code = interrupted.exit_code
    # Threads of a state machine may be sleeping between two attempts; they are no longer needed.
    os._exit(streams.exit_code(code))


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
