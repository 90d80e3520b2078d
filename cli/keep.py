"""`epsm up`: a local stack that stays, and what to type at it."""

import json
import os
import signal
import threading
from collections.abc import Set
from pathlib import Path

from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from cli.fetch import fetch
from cli.target import Target, local_target, state_file
from epsm.store import keys
from epsm.store.records import StudyRecord
from local.journal import Journal

_LOOK_S = 1.0
_COPIED = "copied"


def keep_running(
    console: Console, port: int, api_port: int, engines: int | None, results: Path, data: Path, *, fresh: bool
) -> None:
    """Start the local stack, say how to use it, and stay until a signal to stop.

    Args:
        console: Where to print.
        port: Port on 127.0.0.1.
        api_port: Port of the HTTP API there.
        engines: Engines at a time; None for one a core.
        results: Folder that ended studies are copied to.
        data: Folder that buckets and table are kept in for the next start.
        fresh: Forget what is in `data`.
    """
    from local.carry_on import carry_on
    from local.journal import CannotKeep
    from local.stack import LocalStack, PortTaken

    with console.status("Starting the local stack ..."):
        try:
            stack = LocalStack(port=port, api_port=api_port, engines=engines, data=data, fresh=fresh)
        except CannotKeep as fault:
            console.print(Text(str(fault)))
            raise SystemExit(1) from None
        except PortTaken as fault:
            console.print(Text(f"{fault}. Choose others with --port and --api-port."))
            raise SystemExit(1) from None
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    with stack:
        target = local_target(stack.endpoint)
        # Before anybody can find the stack: what runs now was interrupted.
        carried_on = list(carry_on(stack, target.files, target.records))
        state = state_file()
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text(json.dumps({"endpoint": stack.endpoint, "pid": os.getpid()}), encoding="utf-8")
        # No frame and no line breaks: these lines are there to be copied.
        how_to = _how_to(target, stack.endpoint, stack.api_url or "", results, data)
        console.print(how_to, soft_wrap=True, highlight=False)
        for line in carried_on:
            console.print(Text(line))
        copied = {name for name, _ in stack.journal.read(_COPIED)} if stack.journal else set()
        try:
            while not stop.wait(_LOOK_S):
                _copy_ended(console, target, results, copied, stack.journal)
            console.print("Stopping ... what has not ended goes on at the next start")
            _copy_rest(console, target, results, copied)
        finally:
            state.unlink(missing_ok=True)


def _copy_ended(console: Console, target: Target, results: Path, copied: set[str], journal: Journal | None) -> None:
    for record in target.records.studies():
        if record.status.final and _is_to_copy(record, copied):
            folder = _copy(target, record, results)
            copied.add(_run(record))
            if journal is not None:
                journal.write(_COPIED, _run(record), True)
            console.print(Text(f"{record.name}: {record.status.value}, results in {folder}/"))


def _copy_rest(console: Console, target: Target, results: Path, copied: set[str]) -> None:
    """What studies that have not ended have produced so far; the rest comes into the same folder when they have."""
    for record in target.records.studies():
        if _is_to_copy(record, copied):
            folder = _copy(target, record, results)
            console.print(Text(f"{record.name}: stopped while {record.status.value}; what there is, is in {folder}/"))


def _run(record: StudyRecord) -> str:
    """A study that was run again is copied again."""
    return keys.execution_name(record.simulation_id, record.attempt)


def _is_to_copy(record: StudyRecord, copied: Set[str]) -> bool:
    """Whether a study's results are wanted: nobody wants those of a canary."""
    return _run(record) not in copied and not keys.is_canary(record.source["key"])


def _copy(target: Target, record: StudyRecord, results: Path) -> Path:
    folder = results / keys.study_folder(record.source["key"])
    try:
        return fetch(target, record.simulation_id, folder, with_variants=True, report=lambda done, total: None)
    except ClientError:
        return folder  # deleted while it was being copied


def _how_to(target: Target, endpoint: str, api: str, results: Path, data: Path) -> str:
    environment = (
        f"AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
        " AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1"
    )
    return f"""
The local stack is running at {endpoint}

In another terminal, after
  . .venv/bin/activate
Run a study           epsm run examples/office-retrofit
  or only send it     epsm submit examples/office-retrofit
See studies           epsm status
Stop one              epsm cancel SIMULATION
Results of one        epsm results SIMULATION        (ended ones are copied to {results}/ anyway)

With HTTP
Send models, weather  curl {api}/api/simulation/run/ -F idf_files=@office.idf -F weather_file=@chicago.epw
Where one is          curl {api}/api/simulation/SIMULATION/status/        (all paths: {api}/openapi.json)

With the AWS command line, where it is installed, after
  export {environment}
Upload a study        aws s3 cp --recursive examples/office-retrofit s3://{target.inputs_bucket}/office-retrofit/
See executions        aws stepfunctions list-executions --state-machine-arn {target.state_machine_arn}
Logs                  aws logs tail /aws/lambda/{target.name}-run-variant --follow

Stop                  Ctrl-C; the next 'epsm up' goes on with what has not ended
Forget all studies    epsm up --fresh                 (they are kept in {data}/)
"""
