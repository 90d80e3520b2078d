"""Requirements of a stack for the studies it runs: limits, the order of studies, budgets by earlier runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

from epsm.study.limits import Limits
from epsm.study.records import StudyRecord


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules; those that need a stack's records are None without a stack.

    Attributes:
        limits: The maxima of the stack.
        owner: The submitter of the study.
        find_study: Returns the record of a simulation, None if there is none; without it `after` is not checked.
        run_time: Returns the measured engine seconds of the owner's runs of a model by the hash of its file, None if
            there were none; without it every run time is assumed.
    """

    limits: Limits = field(default_factory=Limits)
    owner: str = ""
    find_study: Callable[[str], StudyRecord | None] | None = None
    run_time: Callable[[str], float | None] | None = None
