"""Terminal output: tables and lines about studies. Results are in `show_results`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from epsm.problems import Problem
from epsm.study.records import StudyRecord, StudyStatus
from epsm.text import counted

if TYPE_CHECKING:
    from epsm.store.executions import RunCounts

_COLOUR = {
    StudyStatus.COMPLETED: "green",
    StudyStatus.PARTIAL: "yellow",
    StudyStatus.FAILED: "red",
    StudyStatus.REJECTED: "red",
    StudyStatus.CANCELLED: "yellow",
    StudyStatus.RUNNING: "cyan",
    StudyStatus.PENDING: "cyan",
}


def status_text(status: StudyStatus) -> Text:
    return Text(status.value, style=f"bold {_COLOUR[status]}")


def show_remarks(console: Console, about_inputs: Iterable[str]) -> None:
    """The remarks on an accepted study."""
    for remark in about_inputs:
        console.print(Text(remark, style="yellow"))


def show_problems(console: Console, problems: Sequence[Problem]) -> None:
    """The problems of a rejected study."""
    table = Table(
        title=f"This study cannot run: {counted(len(problems), 'problem')}", title_style="bold red", show_lines=True
    )
    for column in ("where", "what", "allowed, or similar"):
        table.add_column(column, overflow="fold")
    for problem in problems:
        table.add_row(Text(problem.where), Text(problem.what), Text(problem.allowed))
    console.print(table)


def show_studies(console: Console, records: Sequence[StudyRecord]) -> None:
    """A list of studies, one per line. The simulation's name is never cut, because other commands need it."""
    if not records:
        console.print("No studies yet.")
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("simulation", no_wrap=True, min_width=max(len(study.simulation_id) for study in records))
    for name in ("status", "variants", "failed", "created (UTC)"):
        table.add_column(name, no_wrap=True)
    for record in records:
        table.add_row(
            record.simulation_id,
            status_text(record.status),
            str(record.variants or ""),
            str(record.failed or ""),
            record.created_at[5:16].replace("T", " "),
        )
    console.print(table)


def show_study(console: Console, record: StudyRecord, counts: "RunCounts") -> None:
    """One study in full."""
    console.print(Text.assemble(f"{record.name}  ({record.simulation_id})  ", status_text(record.status)))
    if record.error:
        console.print(Text(record.error, style="red"))
    if record.is_waiting:
        console.print(Text(f"Waiting until {record.options['after']} has completed."))
    if record.problems:
        show_problems(console, record.problems)
    elif record.variants:
        console.print(
            f"{counts.succeeded} of {record.variants} variants succeeded, {counts.failed} failed, "
            f"{counts.running} running, {counts.not_run} {'not run' if record.status.final else 'not started'}"
        )
        if record.reused:
            console.print(f"{record.reused} of them reused results of earlier runs")
        if record.interruptions:
            interruptions = counted(record.interruptions, "interruption")
            console.print(f"{interruptions} by Fargate Spot; the variants that had not ended were repeated")
