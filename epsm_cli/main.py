"""The `epsm` command."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from epsm.checks.study import Accepted
from epsm.energyplus.engine import EngineMissing
from epsm.energyplus.versions import DEFAULT, RELEASES, SUPPORTED
from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.operations.cancel import cancel as cancel_study
from epsm.operations.rerun import rerun_missing
from epsm.problems import StudyRejected
from epsm.store import keys
from epsm.store.executions import RunCounts
from epsm.store.files import NotThere
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import MAX_FUNCTION_RUN_S, MAX_VARIANTS
from epsm_cli import faults
from epsm_cli.fetch import CannotWrite, FolderBusy, fetch, results_folder
from epsm_cli.folder import check_folder, upload
from epsm_cli.interrupts import Interrupted
from epsm_cli.running import running_local_endpoint, state_file
from epsm_cli.show import counted, show_problems, show_results, show_studies, show_study
from epsm_cli.target import LOCAL, NoStack, Target, find_target, local_target
from epsm_cli.terminal import console
from epsm_cli.watch import NotPickedUp, exit_code, follow
from epsm_local.aws.session import leave_user_settings

app = typer.Typer(
    help="EnergyPlus parametric studies, on AWS or on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_OTHER_WRITER_S = 600.0
"""How long to wait for another command that writes to the same results folder."""

StackOption = Annotated[
    str,
    typer.Option("--stack", envvar="EPSM_STACK", help="Name of a stack in your AWS account, or 'local'."),
]
StudyFolder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="Folder with study.json, models and weather.")
]
MaxVariants = Annotated[
    int, typer.Option(help="Largest study that the stack accepts, if it was deployed with another max_variants.")
]
MemoryMb = Annotated[
    int, typer.Option(help="Memory of the stack's functions in MB, if it was deployed with another memory_mb.")
]
ResultsFolder = Annotated[Path, typer.Option("--to", help="Folder that results are put into.")]


@app.command()
def run(
    folder: StudyFolder,
    stack: StackOption = LOCAL,
    to: ResultsFolder = Path("results"),
    variant_files: Annotated[
        bool | None,
        typer.Option(help="Bring every variant's own files too. Default: yes from a local stack, no from AWS."),
    ] = None,
    max_variants: MaxVariants = MAX_VARIANTS,
    memory_mb: MemoryMb = DEFAULT_MEMORY_MB,
) -> None:
    """Run a study to its end and bring the results.

    With 'local', a local stack that is running is used; if none is, one is started for this study.
    """
    accepted = _checked(folder, max_variants, memory_mb)
    own = stack == LOCAL and not running_local_endpoint()
    if stack == LOCAL:
        _bring_engine(accepted.energyplus)
    with _target_or_own_stack(stack) as target:
        simulation = _submit(folder, accepted, target)
        record = _follow(target, simulation, stack, own=own)
        place = to / (folder.resolve().name or "study")
        _bring(target, record, place, stack == LOCAL if variant_files is None else variant_files, stack)
    raise typer.Exit(exit_code(record.status))


@app.command()
def check(
    folder: StudyFolder, max_variants: MaxVariants = MAX_VARIANTS, memory_mb: MemoryMb = DEFAULT_MEMORY_MB
) -> None:
    """Check a study as the stack would, without sending anything."""
    accepted = _checked(folder, max_variants, memory_mb)
    study = accepted.study
    _show_remarks(accepted.remarks)
    console.print(
        f"{study.name or folder.resolve().name} can run: {counted(study.variant_count, 'variant')} of "
        f"{counted(len(study.models), 'model')}, {counted(len(study.weather), 'weather file')} and "
        f"{counted(len(study.parameters), 'parameter')}, with EnergyPlus {accepted.energyplus}"
    )
    options = study.options
    if options.timeout_s > MAX_FUNCTION_RUN_S:
        console.print(f"timeout_s {options.timeout_s} is only taken by a stack that was deployed with Fargate")
    if options.after:
        console.print(f"Whether it may follow {options.after} is for the stack to say")


@app.command()
def submit(
    folder: StudyFolder,
    stack: StackOption = LOCAL,
    max_variants: MaxVariants = MAX_VARIANTS,
    memory_mb: MemoryMb = DEFAULT_MEMORY_MB,
) -> None:
    """Upload a study and leave: prints the simulation's name."""
    accepted = _checked(folder, max_variants, memory_mb)
    if stack == LOCAL:
        _bring_engine(accepted.energyplus)
    simulation = _submit(folder, accepted, _found(stack))
    console.print(f"Follow it with: epsm status {simulation}")


@app.command()
def status(
    simulation: Annotated[
        str | None, typer.Argument(help="Name of a simulation, or how it begins; without it, all are listed.")
    ] = None,
    stack: StackOption = LOCAL,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until it has ended.")] = False,
) -> None:
    """Show where a study is, or list the newest ones."""
    target = _found(stack)
    if simulation is None:
        show_studies(console, target.stack.records.studies())
        return
    record = _known(target, simulation)
    if watch:
        record = _follow(target, record.simulation_id, stack)
    _show(target, record)
    raise typer.Exit(exit_code(record.status) if record.status.final else 0)


@app.command()
def results(
    simulation: Annotated[str, typer.Argument(help="Name of a simulation, or how it begins.")],
    stack: StackOption = LOCAL,
    to: ResultsFolder = Path("results"),
    variant_files: Annotated[bool, typer.Option(help="Bring every variant's own files too.")] = False,
) -> None:
    """Bring the results of a study that has ended, and show them."""
    target = _found(stack)
    record = _known(target, simulation)
    if not record.status.final:
        _show(target, record)
        console.print(f"It has not ended yet. Follow it with: epsm status {record.simulation_id} --watch")
        raise typer.Exit(1)
    _bring(target, record, results_folder(to, record.source["key"], record.simulation_id), variant_files, stack)
    raise typer.Exit(exit_code(record.status))


@app.command()
def cancel(
    simulation: Annotated[str, typer.Argument(help="Name of a simulation, or how it begins.")],
    stack: StackOption = LOCAL,
) -> None:
    """Cancel a study: running engines are ended, and what has succeeded is kept."""
    target = _found(stack)
    record = _known(target, simulation)
    if not cancel_study(target.stack, record, "Cancelled by command."):
        status = _known(target, record.simulation_id).status.value
        console.print(Text(f"{record.simulation_id} has ended already: {status}", style="red"))
        raise typer.Exit(1)
    console.print(f"{record.simulation_id} is cancelled; what has succeeded is being collected")


@app.command()
def rerun(
    simulation: Annotated[str, typer.Argument(help="Name of a simulation, or how it begins.")],
    stack: StackOption = LOCAL,
) -> None:
    """Run again what has not succeeded of a study that has ended; what has succeeded is kept."""
    target = _found(stack)
    record = _known(target, simulation)
    try:
        number = (
            rerun_missing(target.stack, record)
            if record.status.final and record.status is not StudyStatus.REJECTED
            else 0
        )
    except NotThere:
        console.print(Text(f"{record.simulation_id}: what it was made of has been removed", style="red"))
        raise typer.Exit(1) from None
    if not number:
        console.print(
            Text(f"{record.simulation_id} is {record.status.value}: there is nothing to run again", style="red")
        )
        raise typer.Exit(1)
    console.print(
        f"Running {counted(number, 'variant')} again. Follow with: epsm status {record.simulation_id} --watch"
    )


@app.command()
def engine(version: Annotated[str, typer.Argument(help=f"One of {SUPPORTED}.")]) -> None:
    """Download the EnergyPlus of a version, for studies with models of that version on this machine."""
    if version not in RELEASES:
        console.print(Text(f"EnergyPlus {version} does not run here; allowed: {SUPPORTED}", style="red"))
        raise typer.Exit(2)
    _bring_engine(version)
    console.print(f"EnergyPlus {version} is installed")


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the local AWS on 127.0.0.1.")] = 5005,
    api_port: Annotated[int, typer.Option(help="Port of the HTTP API on 127.0.0.1.")] = 8000,
    engines: Annotated[int | None, typer.Option(help="Engines at a time; default: one a core.")] = None,
    to: ResultsFolder = Path("results"),
    data: Annotated[Path | None, typer.Option(help="Folder that studies are kept in between starts.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the studies of earlier starts.")] = False,
) -> None:
    """Keep the local stack running until Ctrl-C. Studies that end meanwhile are copied to the results folder."""
    from epsm_cli.keep import keep_running

    leave_user_settings()
    keep_running(console, port, api_port, engines, to, data or state_file().parent / "data", fresh=fresh)


def _bring_engine(version: str) -> None:
    """The EnergyPlus of a study's version, downloaded the first time that it is needed on this machine."""
    from epsm_local.engines import DOWNLOAD_MB, install, is_installed

    if is_installed(version):
        return
    console.print(f"Downloading EnergyPlus {version} from PyPI (pyenergyplus-lbnl, {DOWNLOAD_MB} MB, once)")
    try:
        install(version)
    except EngineMissing as error:
        console.print(Text(str(error), style="red"))
        raise typer.Exit(1) from None


def _checked(folder: Path, max_variants: int, memory_mb: int) -> Accepted:
    try:
        return check_folder(folder, max_variants, memory_mb)
    except StudyRejected as rejection:
        show_problems(console, rejection.problems)
        raise typer.Exit(2) from None


def _show_remarks(about_inputs: Iterable[str]) -> None:
    for remark in about_inputs:
        console.print(Text(remark, style="yellow"))


def _found(stack: str) -> Target:
    try:
        return find_target(stack)
    except NoStack as error:
        console.print(Text(str(error), style="red"))
        raise typer.Exit(1) from None


def _known(target: Target, simulation: str) -> StudyRecord:
    record = target.stack.records.study(simulation)
    if record is not None:
        return record
    begun = [each for each in target.stack.records.studies() if each.simulation_id.startswith(simulation)]
    if len(begun) == 1:
        return begun[0]
    several = f"Several simulations on {target.name} begin with '{simulation}':"
    none = f"There is no simulation '{simulation}' on {target.name}"
    console.print(Text(several if begun else none, style="red"))
    for each in begun:
        console.print(f"  {each.simulation_id}")
    raise typer.Exit(1)


@contextmanager
def _target_or_own_stack(stack: str) -> Iterator[Target]:
    """The stack that was asked for; for `local`, when none is running, one of this command's own."""
    if stack != LOCAL or running_local_endpoint():
        yield _found(stack)
        return
    from epsm_local.stack import LocalStack

    leave_user_settings()
    with console.status("Starting the local stack ..."):
        own = LocalStack()
    with own:
        yield local_target(own.endpoint)


def _with_engine(accepted: Accepted) -> str:
    """The EnergyPlus version, where it is not the usual one."""
    return "" if accepted.energyplus == DEFAULT else f" with EnergyPlus {accepted.energyplus}"


def _submit(folder: Path, accepted: Accepted, target: Target) -> str:
    total = sum((folder / name).stat().st_size for name in accepted.inputs if (folder / name).exists())
    columns = TextColumn("Uploading"), BarColumn(), TextColumn("{task.fields[file]}", markup=False)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("upload", total=total, file="")
        try:
            source = upload(folder, accepted, target, lambda name, sent: progress.update(task, advance=sent, file=name))
        except Interrupted:
            progress.stop()
            console.print("Interrupted before study.json, the last file, was uploaded: nothing has started.")
            raise
        except StudyRejected as rejection:
            show_problems(console, rejection.problems)
            raise typer.Exit(2) from None
    simulation = keys.simulation_id(source.bucket, source.key, source.version_id)
    _show_remarks(accepted.remarks)
    variants = f", {counted(accepted.study.variant_count, 'variant')}{_with_engine(accepted)}"
    console.print(Text.assemble("Simulation ", (simulation, "bold"), variants))
    return simulation


def _follow(target: Target, simulation: str, stack: str, *, own: bool = False) -> StudyRecord:
    seen = RunCounts()
    with (
        _telling_how_to_go_on(simulation, stack, lambda: _lost(seen) if own else None),
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        ) as progress,
    ):
        task = progress.add_task("waiting", total=None, counts="")

        def show(record: StudyRecord | None, counts: RunCounts) -> None:
            nonlocal seen
            seen = counts
            progress.update(
                task,
                description=record.status.value if record else "waiting for submit",
                total=counts.total or None,
                completed=counts.succeeded + counts.failed,
                counts=f"{counts.running} running, {counts.failed} failed",
            )

        try:
            return follow(
                target,
                simulation,
                show,
                lambda: progress.update(task, description="no answer from the stack, trying again"),
            )
        except NotPickedUp as error:
            console.print(Text(f"{error}: see the logs of {target.name}-submit", style="red"))
            raise typer.Exit(1) from None


@contextmanager
def _telling_how_to_go_on(
    simulation: str, stack: str, lost: Callable[[], str | None] = lambda: None, *, ended: bool = False
) -> Iterator[None]:
    """When the command ends before its work is done: say why, and what becomes of the study."""
    where = "" if stack == LOCAL else f" --stack {stack}"
    try:
        yield
    except (Interrupted, BotoCoreError, ClientError, Boto3Error, CannotWrite, FolderBusy) as error:
        if isinstance(error, Interrupted):
            console.print("Interrupted.")
        else:
            console.print(Text(faults.line(error) or str(error), style="red"), soft_wrap=True)
        if ended:
            told = f"The study has ended. Fetch its results with: epsm results {simulation}{where}"
        else:
            told = lost() or (
                f"The study goes on without this command{' while its stack runs' if stack == LOCAL else ''}.\n"
                f"Follow it with: epsm status {simulation} --watch{where}\n"
                f"Cancel it with: epsm cancel {simulation}{where}"
            )
        console.print(Text(told), soft_wrap=True)
        if isinstance(error, Interrupted):
            raise
        raise typer.Exit(1) from None


def _lost(counts: RunCounts) -> str:
    return (
        "The study ran on a stack of this command's own and ends with it: "
        f"{counts.succeeded} of {counts.total or 'its'} variants had succeeded, and their results are lost.\n"
        "To stop a study and go on later, start 'epsm up' in another terminal before 'epsm run'."
    )


def _show(target: Target, record: StudyRecord) -> None:
    show_study(console, record, target.stack.executions.counts(record))


def _bring(target: Target, record: StudyRecord, folder: Path, with_variants: bool, stack: str) -> None:
    with (
        _telling_how_to_go_on(record.simulation_id, stack, ended=True),
        console.status("Fetching results ...") as waiting,
    ):
        folder = fetch(
            target,
            record.simulation_id,
            folder,
            with_variants=with_variants,
            report=lambda done, total: waiting.update(f"Fetching results ... {done} of {total} files"),
            wait_s=_OTHER_WRITER_S,
        )
    if record.status is StudyStatus.REJECTED:
        show_problems(console, record.problems)
        return
    parquet = folder / "results.parquet"
    if parquet.is_file():
        manifest = target.stack.files.read_manifest(record.simulation_id)
        _show_remarks(manifest.remarks)
        show_results(console, parquet, manifest.study, manifest.model_version)
    _show(target, record)
    console.print(Text(f"Results: {folder}/  (report.html, results.csv, results.parquet, manifest.json)"))


def main() -> None:
    """Entry point of an installation from before `epsm_cli.entry`."""
    from epsm_cli import entry

    entry.main()


if __name__ == "__main__":
    main()
