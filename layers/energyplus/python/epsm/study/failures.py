"""Why a study is given up: its budget, or how many variants may fail."""

from collections.abc import Callable, Mapping
from typing import Any

from epsm.study.records import StudyRecord
from epsm.study.schema import Options


def max_failures(options: Mapping[str, Any], variants: int) -> int:
    """Number of failed variants that a study tolerates, computed as Step Functions does for items; one more stops it.

    Args:
        options: The study's options; those that are left out have their defaults.
        variants: Number of variants of this attempt.

    >>> max_failures({"tolerated_failure_percentage": 5}, 130), max_failures({"max_failures": 3}, 130)
    (6, 3)
    """
    defaults = Options()
    percentage = options.get("tolerated_failure_percentage", defaults.tolerated_failure_percentage)
    tolerated = int(variants * percentage / 100)
    most = options.get("max_failures")
    return tolerated if most is None else min(tolerated, int(most))


BUDGET_SPENT = "BudgetSpent"
"""Error of an execution that was stopped because its study's budget is spent."""
TOO_MANY_FAILURES = "TooManyFailures"
"""Error of a batched study in which more variants have failed than it allows."""


def too_many_failures(record: StudyRecord, recount: Callable[[str, int], int]) -> str:
    """Message if more variants of a batched study have failed than it allows; otherwise, or without batches, empty.

    Args:
        record: The study, with the counter of variants that failed in this attempt, some of which may have succeeded
            since.
        recount: The number of those that are recorded as failed, of a simulation and an attempt; called only if the
            counter is too high.
    """
    allowed = max_failures(record.options, record.variants - record.succeeded)
    if not record.batched or record.failures <= allowed:
        return ""
    failed = recount(record.simulation_id, record.attempt)
    if failed <= allowed:
        return ""
    return f"{failed} of its variants have failed; it allows {allowed}."
