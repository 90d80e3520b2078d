"""Allocation of the concurrency (functions at a time) among studies that together request more than is available.

Step Functions allows the concurrency of a running map run to be changed; shares are allocated by priority whenever a
study starts or ends. A share is never 0: for Step Functions that means no limit, and a study must not stand still for
days.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from epsm.store.executions import Executions
from epsm.store.functions import Functions
from epsm.study.records import StudyRecord, functions_for
from epsm.study.schema import Options, Priority

logger = logging.getLogger(__name__)

WEIGHTS: Mapping[Priority, int] = {"high": 4, "normal": 2, "low": 1}
_FOR_OTHERS, _MAX_FOR_OTHERS = 0.1, 50
"""Part of the account's limit that variants leave to submit, aggregate and other functions, and its maximum: what these
need does not grow with the limit."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A study's request for concurrency.

    Attributes:
        name: Name of its simulation.
        weight: Its weight if there is not enough for all.
        most: Maximum number of functions at a time.
    """

    name: str
    weight: int
    most: int


def shares(claims: Sequence[Claim], capacity: int) -> dict[str, int]:
    """Functions at a time for each claim: by weight, at most its maximum, at least one.

    What a claim does not need is divided among the others by their weights.

    >>> shares([Claim("a", 4, 100), Claim("b", 2, 100), Claim("c", 2, 5)], capacity=65)
    {'c': 5, 'a': 40, 'b': 20}
    """
    allocated: dict[str, int] = {}
    open_claims, left = list(claims), capacity
    while open_claims:
        weights = sum(claim.weight for claim in open_claims)
        content = [claim for claim in open_claims if claim.most * weights <= left * claim.weight]
        if not content:
            return allocated | {claim.name: max(1, left * claim.weight // weights) for claim in open_claims}
        allocated |= {claim.name: claim.most for claim in content}
        left -= sum(claim.most for claim in content)
        open_claims = [claim for claim in open_claims if claim not in content]
    return allocated


def share(executions: Executions, studies: Sequence[StudyRecord], capacity: int) -> dict[str, int]:
    """Allocate the concurrency to the studies that run variants.

    Args:
        executions: The executions of studies.
        studies: The studies that have not ended.
        capacity: Functions that can run at a time.

    Returns:
        The shares that were changed.
    """
    runs = _map_runs(executions, studies)
    allocated = shares([_claim(study) for study in studies if study.simulation_id in runs], capacity)
    changed = {}
    for name, number in allocated.items():
        try:
            if executions.running_concurrency(runs[name]) not in (None, number):
                executions.set_concurrency(runs[name], number)
                changed[name] = number
        except ClientError:
            # It has ended in the meantime, or Step Functions is throttling: the next start or end of a study allocates
            # again.
            logger.warning("a share could not be changed", exc_info=True, extra={"simulation_id": name})
    return changed


def _map_runs(executions: Executions, studies: Sequence[StudyRecord]) -> dict[str, str]:
    found = {}
    for study in studies:
        try:
            if arn := executions.map_run(study):
                found[study.simulation_id] = arn
        except ClientError:
            # A study that is left out keeps its share until the next start or end of a study.
            logger.warning("a map run was not found", exc_info=True, extra={"simulation_id": study.simulation_id})
    return found


def requested_concurrency(studies: Iterable[StudyRecord]) -> int:
    """Total of the functions at a time that studies request."""
    return sum(_claim(study).most for study in studies)


def _claim(study: StudyRecord) -> Claim:
    defaults = Options()
    priority = study.options.get("priority", defaults.priority)
    variants_at_a_time = int(study.options.get("max_concurrency", defaults.max_concurrency))
    return Claim(study.simulation_id, WEIGHTS[priority], functions_for(variants_at_a_time, study.engines))


def capacity_of(functions: Functions, reserved: int) -> int | None:
    """Functions that can run at a time: the reserved concurrency, else most of the account's unreserved concurrency.

    Args:
        functions: Source of the account's limits.
        reserved: Reserved concurrency; 0 for none.

    Returns:
        None if Lambda does not report it.
    """
    if reserved:
        return reserved
    unreserved = functions.account_limit("UnreservedConcurrentExecutions")
    return (
        None if unreserved is None else max(1, unreserved - min(_MAX_FOR_OTHERS, math.ceil(_FOR_OTHERS * unreserved)))
    )
