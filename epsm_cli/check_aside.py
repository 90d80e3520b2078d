"""Checking a study in a second process while this one loads what uploads it: each takes 0.15 s of one core.

The second process only saves time. If it ends without an answer, for any reason, this one checks the study.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from epsm.errors import StudyRejected

if TYPE_CHECKING:
    from epsm.problems import Problem


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is needed to upload a study that can run; reading it back loads none of the checks.

    Attributes:
        hashes: SHA-256, hexadecimal, of each input besides study.json as it was checked.
        remarks: Remarks on dubious inputs that can be run.
        variants: Number of variants.
        energyplus: EnergyPlus version that it runs with, e.g. ``25.2``.
    """

    hashes: Mapping[str, str]
    remarks: tuple[str, ...]
    variants: int
    energyplus: str


@contextmanager
def checking(folder: Path, max_variants: int | None, memory_mb: int | None) -> Iterator[Callable[[], Accepted]]:
    """Check the study in a folder during the block; the arguments are those of `epsm_cli.check.check_or_exit`.

    The second process is a fork: the block must be entered before this process has threads.

    Yields:
        A function to be called once, within the block, for the accepted study. It raises `typer.Exit` if the study is
        rejected; the reasons have been shown.
    """

    def here() -> "Accepted | tuple[Problem, ...]":
        return _outcome(folder, max_variants, memory_mb)

    if sys.platform != "linux":  # elsewhere, libraries of the system may fail in a fork
        yield lambda: _accepted_or_exit(here())
        return
    import epsm.study.schema  # noqa: F401 - both processes need it

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(here, writing)
    os.close(writing)
    with open(reading, "rb") as answer, ExitStack() as second_process:  # noqa: PTH123 - a descriptor
        second_process.callback(_end, child)

        def accepted() -> Accepted:
            found = answer.read()
            second_process.close()  # not only at the end of the block, hours later
            return _accepted_or_exit(_read(found) or here())

        yield accepted


def _end(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _answer(outcome: "Callable[[], Accepted | tuple[Problem, ...]]", writing: int) -> None:
    """Write the outcome to a pipe and end this process without the clean-up of its parent, which meets faults again and
    reports them."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        with open(writing, "wb") as answer:
            answer.write(pickle.dumps(outcome()))
    finally:
        os._exit(0)


def _read(answer: bytes) -> "Accepted | tuple[Problem, ...] | None":
    """The answer of the second process; None if it is missing or incomplete."""
    try:
        found: Accepted | tuple[Problem, ...] = pickle.loads(answer)  # noqa: S301 - of a fork
    except (EOFError, pickle.UnpicklingError):
        return None
    return found


def _outcome(folder: Path, max_variants: int | None, memory_mb: int | None) -> "Accepted | tuple[Problem, ...]":
    from epsm_cli.check import checked

    try:
        study = checked(folder, max_variants, memory_mb)
    except StudyRejected as rejection:
        return rejection.problems
    return Accepted(study.hashes, study.remarks, study.study.variant_count, study.energyplus)


def _accepted_or_exit(outcome: "Accepted | tuple[Problem, ...]") -> Accepted:
    if isinstance(outcome, Accepted):
        return outcome
    import typer

    from epsm_cli.show import show_problems
    from epsm_cli.terminal import console

    show_problems(console, outcome)
    raise typer.Exit(2)
