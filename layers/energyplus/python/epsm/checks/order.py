"""Order of studies: whether a study can follow another one (`options.after`), and when it may start."""

from collections.abc import Callable
from enum import Enum, auto

from epsm.problems import Problem
from epsm.study.owners import owns
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import MANIFEST_NAME, Study


class StartDecision(Enum):
    """When a study may start."""

    NOW = auto()
    LATER = auto()
    NEVER = auto()


def start_decision(before: StudyRecord | None) -> StartDecision:
    """When a study that follows `before` may start; `before` is None if it has been removed."""
    if before is None:
        return StartDecision.NEVER
    if before.status is StudyStatus.COMPLETED:
        return StartDecision.NOW
    return StartDecision.NEVER if before.status.final else StartDecision.LATER


def check_order(study: Study, find_study: Callable[[str], StudyRecord | None], owner: str) -> list[Problem]:
    """Problems of `options.after`; another owner's simulation is treated as missing.

    Args:
        study: The study.
        find_study: Returns the record of a simulation.
        owner: The submitter of the study.
    """
    after = study.options.after
    if after is None:
        return []
    where = f"{MANIFEST_NAME}: options.after"
    before = find_study(after)
    if before is None or not (before.owner == owner or owns(owner, before.owner)):
        return [Problem(where, f"there is no simulation '{after}'", "the name of one of your simulations")]
    if start_decision(before) is StartDecision.NEVER:
        fault = f"'{after}' has ended as {before.status.value}, so nothing can follow it"
        return [Problem(where, fault, "one that has completed, or has not ended")]
    return []
