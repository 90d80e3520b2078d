"""The implementations of the commands, except `epsm_cli.check`. `epsm_cli.main` declares them and imports this lazily:
it takes half a second to load. What checks studies is only loaded by commands that upload one.

A command with an exit code other than 0 raises `typer.Exit`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import typer
from rich.text import Text

from epsm.client.connection import Connection, connect
from epsm.client.fetch import Download
from epsm.client.local import LOCAL, NOT_RUNNING
from epsm.client.matches import matches
from epsm.client.results_place import results_folder
from epsm.energyplus.versions import RELEASES, SUPPORTED
from epsm.errors import EngineMissing, NoStack, NotFound
from epsm.operations.cancel import cancel as cancel_study
from epsm.study.compute import Compute
from epsm.study.records import StudyRecord, StudyStatus
from epsm.text import counted
from epsm_cli import steps
from epsm_cli.check_aside import Accepted
from epsm_cli.show import show_studies
from epsm_cli.terminal import console
from epsm_local.aws.session import leave_user_settings
from epsm_local.provider import connection as local_connection
from epsm_local.provider import running as running_local_stack
from epsm_local.running import state_file


def run(
    checked: Callable[[], Accepted],
    folder: Path,
    stack: str,
    to: Path,
    variant_files: bool | None,
    *,
    cache: bool,
    compute: Compute | None = None,
) -> None:
    """Run a study to its end and download the results; `checked` is of `epsm_cli.check_aside.checking`."""
    running = _prepared(stack)
    accepted = checked()
    own = stack == LOCAL and not running
    if stack == LOCAL:
        _bring_engine(accepted.energyplus)
    with _own_stack() if own else nullcontext(running or _found(stack)) as target:
        simulation = steps.submit(folder, accepted, target, cache=cache, compute=compute)
        steps.prepare_to_show()
        place = to / (folder.resolve().name or "study")
        with_variants = stack == LOCAL if variant_files is None else variant_files
        download = Download(target, simulation, place, with_variants=with_variants)
        record = steps.follow_to_end(target, simulation, stack, own=own, download=download)
        steps.bring(target, record, download, stack)
    raise typer.Exit(_exit_code(record.status))


def submit(
    checked: Callable[[], Accepted],
    folder: Path,
    stack: str,
    *,
    cache: bool,
    compute: Compute | None = None,
) -> None:
    """Upload a study; `checked` is of `epsm_cli.check_aside.checking`."""
    running = _prepared(stack)
    accepted = checked()
    if stack == LOCAL:
        _bring_engine(accepted.energyplus)
    target = running or _found(stack)
    simulation = steps.submit(folder, accepted, target, cache=cache, compute=compute)
    steps.await_record(target, simulation)
    console.print(f"Follow it with: epsm status {simulation}")


def status(simulation: str | None, stack: str, *, watch: bool) -> None:
    """Show a study, or list the newest ones."""
    target = _found(stack)
    if simulation is None:
        show_studies(console, target.stack.records.studies())
        return
    record = _known(target, simulation)
    if watch:
        record = steps.follow_to_end(target, record.simulation_id, stack)
    steps.show_state(target, record)
    raise typer.Exit(_exit_code(record.status) if record.status.final else 0)


def results(simulation: str, stack: str, to: Path, *, variant_files: bool) -> None:
    """Download and show the results of a study that has ended."""
    target = _found(stack)
    record = _known(target, simulation)
    if not record.status.final:
        steps.show_state(target, record)
        console.print(f"It has not ended yet. Follow it with: epsm status {record.simulation_id} --watch")
        raise typer.Exit(1)
    place = results_folder(to, record.source["key"], record.simulation_id)
    steps.bring(target, record, Download(target, record.simulation_id, place, with_variants=variant_files), stack)
    raise typer.Exit(_exit_code(record.status))


def cancel(simulation: str, stack: str) -> None:
    """Cancel a study."""
    target = _found(stack)
    record = _known(target, simulation)
    if not cancel_study(target.stack, record, "Cancelled by command."):
        status = _known(target, record.simulation_id).status.value
        console.print(Text(f"{record.simulation_id} has already ended: {status}", style="red"))
        raise typer.Exit(1)
    console.print(f"{record.simulation_id} is cancelled; results so far are being collected")


def rerun(simulation: str, stack: str) -> None:
    """Rerun the variants that have not succeeded."""
    from epsm.operations.rerun import rerun_missing

    target = _found(stack)
    record = _known(target, simulation)
    try:
        number = (
            rerun_missing(target.stack, record)
            if record.status.final and record.status is not StudyStatus.REJECTED
            else 0
        )
    except NotFound:
        console.print(Text(f"{record.simulation_id}: the study's input files have been deleted", style="red"))
        raise typer.Exit(1) from None
    if not number:
        console.print(Text(f"{record.simulation_id} is {record.status.value}: there is nothing to rerun", style="red"))
        raise typer.Exit(1)
    console.print(
        f"Running {counted(number, 'variant')} again. Follow it with: epsm status {record.simulation_id} --watch"
    )


def engine(version: str) -> None:
    """Install the EnergyPlus of a version."""
    if version not in RELEASES:
        console.print(Text(f"EnergyPlus {version} is not supported; allowed: {SUPPORTED}", style="red"))
        raise typer.Exit(2)
    _bring_engine(version)
    console.print(f"EnergyPlus {version} is installed")


def up(port: int, api_port: int, engines: int | None, to: Path, data: Path | None, *, fresh: bool) -> None:
    """Keep the local stack running."""
    from epsm_cli.keep import keep_running

    leave_user_settings()
    keep_running(console, port, api_port, engines, to, data or state_file().parent / "data", fresh=fresh)


def _exit_code(status: StudyStatus) -> int:
    """Exit code of a command: 0 all variants succeeded, 1 some or all failed, 2 the study was rejected."""
    if status is StudyStatus.COMPLETED:
        return 0
    return 2 if status is StudyStatus.REJECTED else 1


def _bring_engine(version: str) -> None:
    """Download the EnergyPlus of a study's version when it is first needed on this machine."""
    from epsm_local.energyplus.engines import DOWNLOAD_MB, install, is_installed

    if is_installed(version):
        return
    console.print(f"Downloading EnergyPlus {version} from PyPI (pyenergyplus-lbnl, {DOWNLOAD_MB} MB, once)")
    try:
        install(version)
    except EngineMissing as error:
        console.print(Text(str(error), style="red"))
        raise typer.Exit(1) from None


def _prepared(stack: str) -> Connection | None:
    """The running local stack, if `stack` is that, with its client for uploads: made while the study is checked.
    Requests to AWS, which may fail, wait for the outcome of the check."""
    running = running_local_stack() if stack == LOCAL else None
    if running is not None:
        running.client("s3")
    return running


def _found(stack: str) -> Connection:
    try:
        # The library looks for the package that offers local stacks: 20 ms, and it is this one.
        found = running_local_stack() if stack == LOCAL else connect(stack)
        if found is None:
            raise NoStack(NOT_RUNNING)
        return found
    except NoStack as error:
        console.print(Text(str(error), style="red"))
        raise typer.Exit(1) from None


def _known(target: Connection, simulation: str) -> StudyRecord:
    begun = matches(target, simulation)
    if len(begun) == 1:
        return begun[0]
    several = f"Several simulations on {target.name} have the prefix '{simulation}':"
    none = f"There is no simulation '{simulation}' on {target.name}"
    console.print(Text(several if begun else none, style="red"))
    for record in begun:
        console.print(f"  {record.simulation_id}")
    raise typer.Exit(1)


@contextmanager
def _own_stack() -> Iterator[Connection]:
    """A local stack that is started for this command."""
    from epsm_local.stack import LocalStack

    leave_user_settings()
    with console.status("Starting the local stack ..."):
        own = LocalStack()
    with own:
        own.start_workers()
        yield local_connection(own.endpoint)
