"""How many variants of a study may fail before it is given up."""

from collections.abc import Mapping
from typing import Any

from epsm.study.schema import Options


def max_failures(options: Mapping[str, Any], variants: int) -> int:
    """Number of failed variants after which one more stops a study, as Step Functions counts items.

    Args:
        options: The study's options, those that were left out by their defaults.
        variants: Number of variants of this attempt.

    >>> max_failures({"tolerated_failure_percentage": 5}, 130), max_failures({"max_failures": 3}, 130)
    (6, 3)
    """
    defaults = Options()
    percentage = options.get("tolerated_failure_percentage", defaults.tolerated_failure_percentage)
    tolerated = int(variants * percentage / 100)
    most = options.get("max_failures")
    return tolerated if most is None else min(tolerated, int(most))
