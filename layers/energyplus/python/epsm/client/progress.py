"""Display of the progress of a run: a bar on a terminal and in a notebook, a few lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from epsm.store.executions import RunCounts
from epsm.study.records import StudyRecord

Show = Callable[[StudyRecord | None, RunCounts], None]
_WIDTH = 30
_PARTS_IN_A_LOG = 10


@contextmanager
def shown_progress(progress: bool | None, simulation_id: str) -> Iterator[Show]:
    """A function to call with each new state of a run.

    A notebook gets an updating line without widgets, so that it is kept in the file; a terminal gets a
    bar. Anything else is a log: a line whenever the status changes and for each tenth of the variants, so that a long
    study leaves some ten lines and no control characters.

    Args:
        progress: Whether to show anything; by default (None) on a terminal and in a notebook.
        simulation_id: The run.
    """
    notebook = _in_notebook()
    if not (notebook or sys.stderr.isatty() if progress is None else progress):
        yield lambda record, counts: None
    elif notebook:
        yield _in_one_line(_notebook_output())
    elif sys.stderr.isatty() and _has_rich():
        with _on_terminal() as show:
            yield show
    else:
        yield _as_log(sys.stderr, simulation_id)


def _in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel; IPython on a terminal has none."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _notebook_output() -> Callable[[str], None]:
    """Writes over one output of the cell that runs."""
    display: Any = sys.modules["IPython"].display
    handle: Any = None

    def write(text: str) -> None:
        nonlocal handle
        if handle is None:
            handle = display.display({"text/plain": text}, raw=True, display_id=True)
        else:
            handle.update({"text/plain": text}, raw=True)

    return write


def _in_one_line(write: Callable[[str], None]) -> Show:
    started, latest = time.monotonic(), ""

    def show(record: StudyRecord | None, counts: RunCounts) -> None:
        nonlocal latest
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        done = _WIDTH * counts.ended // counts.total if counts.total else 0
        text = f"{'━' * done}{'╌' * (_WIDTH - done)} {_state(record, counts)}, {minutes}:{seconds:02}"
        if text != latest:
            write(text)
        latest = text

    return show


def _as_log(stream: TextIO, simulation_id: str) -> Show:
    latest: tuple[str, int] | None = None

    def show(record: StudyRecord | None, counts: RunCounts) -> None:
        nonlocal latest
        part = _PARTS_IN_A_LOG * counts.ended // counts.total if counts.total else 0
        now = (_status(record), part)
        if now != latest:
            print(f"{simulation_id}: {_state(record, counts)}", file=stream, flush=True)
        latest = now

    return show


def _has_rich() -> bool:
    try:
        import rich.progress  # noqa: F401 - what draws the bar
    except ImportError:
        return False
    return True


@contextmanager
def _on_terminal() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("waiting", total=None)

        def show(record: StudyRecord | None, counts: RunCounts) -> None:
            failed = f", {counts.failed} failed" if counts.failed else ""
            progress.update(
                task, description=f"{_status(record)}{failed}", total=counts.total or None, completed=counts.ended
            )

        yield show


def _status(record: StudyRecord | None) -> str:
    return "waiting for submit" if record is None else record.status.value


def _state(record: StudyRecord | None, counts: RunCounts) -> str:
    """
    >>> _state(None, RunCounts())
    'waiting for submit'
    """
    if not counts.total:
        return _status(record)
    failed = f", {counts.failed} failed" if counts.failed else ""
    return f"{_status(record)}, {counts.ended} of {counts.total} variants{failed}"
