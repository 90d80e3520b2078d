"""The steps that commands share: upload a study, follow it to its end, download its results."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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

from epsm.client.aws_faults import line
from epsm.client.connection import Connection
from epsm.client.early_download import downloading_early
from epsm.client.fetch import Download
from epsm.client.follow import follow
from epsm.client.local import LOCAL
from epsm.energyplus.versions import DEFAULT
from epsm.errors import CannotWrite, DamagedResults, FolderBusy, NotPickedUp, StudyRejected
from epsm.results.result_files import MANIFEST
from epsm.store import keys
from epsm.store.executions import RunCounts, counts_of_ended
from epsm.study.compute import Compute
from epsm.study.manifest import RunManifest
from epsm.study.records import StudyRecord, StudyStatus
from epsm.text import counted
from epsm_cli.check_aside import Accepted
from epsm_cli.interrupts import Interrupted
from epsm_cli.show import show_problems, show_remarks, show_study
from epsm_cli.terminal import console
from epsm_local.downloads import note_download

_NOTICED_WITHIN_S = 15.0
_OTHER_WRITER_S = 600.0
"""Maximum time to wait for another command that writes to the same results folder."""


def _with_engine(accepted: Accepted) -> str:
    """The EnergyPlus version, unless it is the default one."""
    return "" if accepted.energyplus == DEFAULT else f" with EnergyPlus {accepted.energyplus}"


def submit(
    folder: Path, accepted: Accepted, target: Connection, *, cache: bool = True, compute: Compute | None = None
) -> str:
    """Upload a checked study; without `cache`, every variant is run; `compute` replaces the study's option.

    Returns:
        The simulation's name.

    Raises:
        typer.Exit: If the stack rejects the study; the reasons have been shown.
    """
    from epsm.client.upload import upload

    total = sum((folder / name).stat().st_size for name in accepted.hashes if (folder / name).exists())
    columns = TextColumn("Uploading"), BarColumn(), TextColumn("{task.fields[file]}", markup=False)
    with Progress(*columns, console=console, auto_refresh=console.is_terminal) as progress:
        task = progress.add_task("upload", total=total, file="")
        try:
            source = upload(
                folder,
                accepted.hashes,
                target,
                lambda name, sent: progress.update(task, advance=sent, file=name),
                cache=cache,
                compute=compute,
            )
        except Interrupted:
            progress.stop()
            console.print("Interrupted before study.json, the last file, was uploaded: nothing has started.")
            raise
        except StudyRejected as rejection:
            show_problems(console, rejection.problems)
            raise typer.Exit(2) from None
    simulation = keys.simulation_id(source.bucket, source.key, source.version_id)
    show_remarks(console, accepted.remarks)
    variants = f", {counted(accepted.variants, 'variant')}{_with_engine(accepted)}"
    console.print(Text.assemble("Simulation ", (simulation, "bold"), variants))
    return simulation


def follow_to_end(
    target: Connection, simulation: str, stack: str, *, own: bool = False, download: Download | None = None
) -> StudyRecord:
    """Show a study's progress until it has ended.

    Args:
        target: The stack.
        simulation: The study.
        stack: The stack's name as the user typed it.
        own: Whether this command has started the stack, which then ends with it.
        download: Downloads files of variants that have ended while the others run.

    Raises:
        typer.Exit: If the stack does not start the study, or does not answer; the reason has been printed.
    """
    last_counts = RunCounts()
    with (
        _telling_how_to_go_on(simulation, stack, lambda: _lost(last_counts) if own else None),
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=console.is_terminal,  # elsewhere, only the last state is printed
        ) as progress,
        downloading_early(download) as note,
    ):
        task = progress.add_task("waiting", total=None, counts="")

        def show(record: StudyRecord | None, counts: RunCounts) -> None:
            nonlocal last_counts
            last_counts = counts
            note(counts)
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
                lambda: progress.update(task, description="no answer from the stack, retrying"),
            )
        except NotPickedUp as error:
            console.print(Text(f"{error}: see the logs of {target.name}-submit", style="red"))
            raise typer.Exit(1) from None


def await_record(target: Connection, simulation: str) -> None:
    """Wait a moment until the stack has noticed an upload: other commands find the study from then on."""
    deadline = time.monotonic() + _NOTICED_WITHIN_S
    with suppress(BotoCoreError, ClientError):  # the study is uploaded, whether the stack answers now or not
        while target.stack.records.study(simulation) is None and time.monotonic() < deadline:
            target.wait(simulation, None, target.poll_s)


@contextmanager
def _telling_how_to_go_on(
    simulation: str, stack: str, lost: Callable[[], str | None] = lambda: None, *, ended: bool = False
) -> Iterator[None]:
    """Print a message if the command ends early: the reason, and the effect on the study."""
    where = "" if stack == LOCAL else f" --stack {stack}"
    try:
        yield
    except (Interrupted, BotoCoreError, ClientError, Boto3Error, CannotWrite, FolderBusy) as error:
        if isinstance(error, Interrupted):
            console.print("Interrupted.")
        else:
            console.print(Text(line(error) or str(error), style="red"), soft_wrap=True)
        if ended:
            text = f"The study has ended. Download its results with: epsm results {simulation}{where}"
        else:
            text = lost() or (
                f"The study continues without this command{' while its stack runs' if stack == LOCAL else ''}.\n"
                f"Follow it with: epsm status {simulation} --watch{where}\n"
                f"Cancel it with: epsm cancel {simulation}{where}"
            )
        console.print(Text(text), soft_wrap=True)
        if isinstance(error, Interrupted):
            raise
        raise typer.Exit(1) from None


def _lost(counts: RunCounts) -> str:
    return (
        "The study ran on a stack that this command had started, and has ended with it: "
        f"{counts.succeeded} of {counts.total or 'its'} variants had succeeded, and their results are lost.\n"
        "To interrupt a study and resume it later, start 'epsm up' in another terminal before 'epsm run'."
    )


def show_state(target: Connection, record: StudyRecord) -> None:
    """Print a study in full, with its counts."""
    # A client of Step Functions is only made if it is needed.
    show_study(console, record, counts_of_ended(record) or target.stack.executions.counts(record))


def prepare_to_show() -> None:
    """Load what shows results while the stack checks the study, so that nothing waits for it at the end."""
    import epsm_cli.show_results  # noqa: F401

    RunManifest.model_rebuild()


def bring(target: Connection, record: StudyRecord, download: Download, stack: str) -> None:
    """Download the results of a study that has ended, and show them."""
    with (
        _telling_how_to_go_on(record.simulation_id, stack, ended=True),
        console.status("Downloading results ...") as waiting,
    ):
        damaged: DamagedResults | None = None
        try:
            folder = download.finish(
                lambda done, total: waiting.update(f"Downloading results ... {done} of {total} files"), _OTHER_WRITER_S
            )
        except DamagedResults as error:
            damaged, folder = error, error.folder
        else:
            if stack == LOCAL and download.with_variants and record.status.final:
                note_download(keys.execution_name(record.simulation_id, record.attempt), folder)
    if record.status is StudyStatus.REJECTED:
        show_problems(console, record.problems)
        return
    from epsm_cli.show_results import show_results

    parquet = folder / "results.parquet"
    if parquet.is_file():
        manifest = RunManifest.model_validate_json((folder / MANIFEST).read_bytes())
        show_remarks(console, manifest.remarks)
        show_results(console, parquet, manifest.study, manifest.model_version)
    show_state(target, record)
    console.print(Text(f"Results: {folder}/  (report.html, results.csv, results.parquet, manifest.json)"))
    if damaged is not None:
        console.print(Text(str(damaged), style="red"), soft_wrap=True)
        raise typer.Exit(1)
