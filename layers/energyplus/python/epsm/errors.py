"""The exceptions that programs catch, in one tree.

```
EpsmError
├── StudyRejected       the study is invalid; `problems` has the reasons
│   └── OverLimit       it exceeds its owner's limits at present
├── StudyFailed         the study ended without usable results
├── NotEnded            results were requested before the study has ended
├── WaitTimeout         the study has not ended within the given time (also a TimeoutError)
├── NotFound            there is no such study, run, variant or object
│   └── DamagedResults  files of some variants are missing or damaged; the others were downloaded
├── NoStack             there is no such stack, or the local stack is not installed
├── StackError          AWS refused a request, or cannot be reached
│   └── NotPickedUp     the study was uploaded, and the stack did not react
├── EngineMissing       an EnergyPlus version is not installed on this machine
├── CannotWrite         a folder cannot be written
├── FolderBusy          another process is writing to the folder
└── MissingPackage      an optional package is needed (also an ImportError)
```

All are exported by `epsm`: `except epsm.EpsmError` catches every one of them.
"""

from collections.abc import Iterable
from pathlib import Path

from epsm.problems import Problem
from epsm.text import counted


class EpsmError(Exception):
    """Base of all exceptions of this package. The message says what to do."""


class StudyRejected(EpsmError):
    """The study is invalid. Has every fault that was found, not just the first.

    Attributes:
        problems: The faults, each with its place, what was found, and what is allowed.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(f"{counted(len(self.problems), 'problem')}: " + "; ".join(map(str, self.problems[:3])))


class OverLimit(StudyRejected):
    """The study exceeds its owner's limits for running studies or spending; it may be accepted later."""


class StudyFailed(EpsmError):
    """A study ended as failed: it was given up, or none of its variants succeeded."""


class NotEnded(EpsmError):
    """The study has not ended yet, so there are no results."""


class WaitTimeout(EpsmError, TimeoutError):
    """The study has not ended within the timeout; it continues."""


class NotFound(EpsmError):
    """A study, run, variant or object that should exist does not."""


class DamagedResults(NotFound):
    """Files of some variants are missing or damaged in S3. All other files were downloaded.

    Attributes:
        folder: The folder of the run.
        variants: The variants, as far as they are known.
    """

    def __init__(self, folder: Path, message: str, variants: Iterable[int]) -> None:
        self.folder = folder
        self.variants: tuple[int, ...] = tuple(variants)
        super().__init__(message)


class NoStack(EpsmError):
    """The requested stack does not exist or is not running; the message says what to do."""


class StackError(EpsmError):
    """A stack refused a request or cannot be reached: credentials, permissions, throttling, network."""


class NotPickedUp(StackError):
    """The upload was not followed by a record: nothing in the stack reacted to it."""


class EngineMissing(EpsmError):
    """A supported EnergyPlus version is not installed on this machine; the message says how to install it."""


class CannotWrite(EpsmError):
    """The results cannot be written to the folder; the message says where and why."""


class FolderBusy(EpsmError):
    """Another process is writing results to the folder."""


class MissingPackage(EpsmError, ImportError):
    """An optional package is needed for this; the message says what to install."""
