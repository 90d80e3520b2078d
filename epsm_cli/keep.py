"""`epsm up`: a local stack that keeps running, and the commands to use it."""

import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from epsm.client.connection import Connection
from epsm.store.stack import Stack
from epsm_cli.copies import Copies
from epsm_cli.interrupts import Interrupted
from epsm_local.downloads import forget_downloads
from epsm_local.provider import connection as local_connection
from epsm_local.running import AlreadyRunning, announced, claimed

if TYPE_CHECKING:
    from epsm_local.stack import LocalStack

_POLL_INTERVAL_S = 1.0


def keep_running(
    console: Console, port: int, api_port: int, engines: int | None, results: Path, data: Path, *, fresh: bool
) -> None:
    """Start the local stack, print how to use it, and run until a signal stops it.

    Args:
        console: Where to print.
        port: Port of the local AWS on 127.0.0.1.
        api_port: Port of the HTTP API on 127.0.0.1.
        engines: Engines at a time; None for one per core.
        results: Folder that ended studies are copied to.
        data: Folder in which buckets and table are persisted.
        fresh: Discard the content of `data`.
    """
    try:
        with ExitStack() as entered:
            try:
                entered.enter_context(claimed())
            except AlreadyRunning as fault:
                console.print(Text(str(fault)))
                raise SystemExit(1) from None
            except OSError as fault:
                raise _not_to_be_found(console, fault) from None
            _start_and_stay(console, port, api_port, engines, results, data, fresh=fresh)
    except Interrupted as interrupted:
        # Ctrl-C and `kill` stop it normally; after the terminal has closed, the exit code is not read.
        raise SystemExit(0) from interrupted


def _start_and_stay(
    console: Console, port: int, api_port: int, engines: int | None, results: Path, data: Path, *, fresh: bool
) -> None:
    from epsm_local.aws.journal import CannotKeep
    from epsm_local.resume import resume_studies
    from epsm_local.stack import LocalStack, PortTaken

    with console.status("Starting the local stack ..."):
        try:
            stack = LocalStack(port=port, api_port=api_port, engines=engines, data=data, fresh=fresh)
        except CannotKeep as fault:
            console.print(Text(str(fault)))
            raise SystemExit(1) from None
        except PortTaken as fault:
            console.print(Text(f"{fault}. Choose others with --port and --api-port."))
            raise SystemExit(1) from None
        except (OSError, sqlite3.Error) as fault:
            console.print(Text(f"The local stack cannot be started on the data in {data}: {fault}", style="red"))
            if isinstance(fault, sqlite3.DatabaseError) and not isinstance(fault, sqlite3.OperationalError):
                console.print("It is damaged: restore a copy of the folder, or discard all studies with --fresh.")
            console.print("Choose another data folder with --data, and another folder for temporary files with TMPDIR.")
            raise SystemExit(1) from None
    with stack:
        _stay(console, stack, results, data, resume_studies)


def _stay(
    console: Console,
    stack: "LocalStack",
    results: Path,
    data: Path,
    resume: "Callable[[LocalStack, Stack], Iterable[str]]",
) -> None:
    from epsm_local.moto_patches.status_wait import last_write_of_a_study

    target = local_connection(stack.endpoint)
    # Before other processes can find the stack: studies recorded as running were interrupted.
    resumed = list(resume(stack, target.stack))
    with ExitStack() as entered:
        try:
            entered.enter_context(announced(stack.endpoint, target.stack.settings.model_dump()))
        except OSError as fault:
            raise _not_to_be_found(console, fault) from None
        # No frame and no line breaks: these lines are meant to be copied.
        how_to = _how_to(target, stack.endpoint, stack.api_url or "", results, data)
        console.print(how_to, soft_wrap=True, highlight=False)
        for line in resumed:
            console.print(Text(line))
        stack.start_workers()
        forget_downloads()
        copies = Copies(console, target, results, stack.journal, last_write_of_a_study)
        try:
            while True:
                copies.copy_ended()
                time.sleep(_POLL_INTERVAL_S)
        except Interrupted:
            console.print("Stopping ... unfinished studies resume at the next start. Ctrl-C again to stop immediately")
            copies.copy_rest()
            raise


def _not_to_be_found(console: Console, fault: OSError) -> SystemExit:
    console.print(Text(f"{fault.filename}: {fault.strerror}: other commands could not find this stack"), style="red")
    console.print("Set XDG_STATE_HOME to a writable folder.")
    return SystemExit(1)


def _how_to(target: Connection, endpoint: str, api: str, results: Path, data: Path) -> str:
    environment = (
        f"AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
        " AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1"
    )
    return f"""
The local stack is running at {endpoint}

In another terminal, after
  . .venv/bin/activate
Run a study           epsm run examples/office-retrofit
  or only submit it   epsm submit examples/office-retrofit
See studies           epsm status
Cancel a study        epsm cancel SIMULATION
Get results           epsm results SIMULATION        (also copied to {results}/ when a study ends)

With HTTP
Submit files          curl {api}/api/simulation/run/ -F idf_files=@office.idf -F weather_file=@chicago.epw
Get the status        curl {api}/api/simulation/SIMULATION/status/        (all paths: {api}/openapi.json)

With the AWS command line, if it is installed, after
  export {environment}
Upload a study        aws s3 cp --recursive examples/office-retrofit s3://{target.stack.settings.inputs_bucket}/office-retrofit/
See executions        aws stepfunctions list-executions --state-machine-arn {target.stack.settings.state_machine_arn}
Logs                  aws logs tail /aws/lambda/{target.name}-run-variant --follow

Stop                  Ctrl-C; the next 'epsm up' resumes unfinished studies
Discard all studies   epsm up --fresh                 (stored in {data}/)
"""
