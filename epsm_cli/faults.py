"""Messages for faults: one line for each known kind; any other is a bug of EPSM with a file to report."""

import logging
import os
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from epsm.client.aws_faults import line, one_line
from epsm_cli.terminal import console


def report(error: Exception) -> int:
    """Report a fault that was not handled elsewhere; return the command's exit code."""
    message = line(error)
    if message is not None:
        console.print(Text(message, style="red"))
        return 1
    where = _write_log(error)
    console.print(Text(f"This is a fault of EPSM: {type(error).__name__}: {one_line(error)}", style="red"))
    console.print(Text(f"Please report it{f' with {where}' if where else ''}."), soft_wrap=True)
    return 1


def _write_log(error: Exception) -> Path | None:
    name = f"epsm-fault-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log"
    text = "".join(traceback.format_exception(error))
    logging.getLogger(__name__).debug("fault", exc_info=error)
    try:
        path = Path(tempfile.gettempdir()) / name
        with path.open("x", encoding="utf-8", errors="replace") as log:
            log.write(text)
    except OSError:
        console.print(Text(text))
        return None
    return path
