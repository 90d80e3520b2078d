"""Functions that take a study, or the folder of one."""

from pathlib import Path
from typing import TYPE_CHECKING

from epsm.client.check import Check
from epsm.client.connection import Connection
from epsm.client.local import LOCAL
from epsm.client.study import Study

if TYPE_CHECKING:
    from epsm.client.run import Run

_File = str | Path


def load(folder: _File) -> Study:
    """The study in a folder with a ``study.json``; see `Study.from_folder`.

    Raises:
        StudyRejected: If the folder has none, or it is invalid.
    """
    return Study.from_folder(folder)


def check(study: Study | _File, **limits: int) -> Check:
    """Check a study, or the one in a folder; see `Study.check`.

    Raises:
        StudyRejected: With every problem.
    """
    return (study if isinstance(study, Study) else load(study)).check(**limits)


def run(study: Study | _File, stack: str | Connection = LOCAL, **limits: int) -> "Run":
    """Start a study, or the one in a folder; see `Study.run`.

    Raises:
        StudyRejected, NoStack, EngineMissing, StackError: As `Study.run` does.
    """
    return (study if isinstance(study, Study) else load(study)).run(stack, **limits)


def submit(study: Study | _File, stack: str | Connection = LOCAL, **limits: int) -> "Run":
    """Start a study, or the one in a folder, on a stack that keeps running when this program ends; see `Study.submit`.

    Raises:
        StudyRejected, NoStack, EngineMissing, StackError: As `Study.submit` does.
    """
    return (study if isinstance(study, Study) else load(study)).submit(stack, **limits)
