"""What a stack asks of a study beside what its files say: limits, the order of studies, what runs have cost before."""

from collections.abc import Callable
from dataclasses import dataclass, field

from epsm.study.records import StudyRecord
from epsm.study.schema import Limits


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules; those that need a stack's records are left out where there is none.

    Attributes:
        limits: What the stack accepts at most.
        owner: Who submits the study.
        find_study: Returns the record of a simulation, None if there is none; without it `after` is not checked.
        run_time: Returns the measured engine seconds of a model by the hash of its file, None if it has never run;
            without it every run time is assumed.
    """

    limits: Limits = field(default_factory=Limits)
    owner: str = ""
    find_study: Callable[[str], StudyRecord | None] | None = None
    run_time: Callable[[str], float | None] | None = None
