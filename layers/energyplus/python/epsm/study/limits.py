"""Limits of a stack for the studies that it accepts."""

from dataclasses import dataclass

from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.study.schema import MAX_CONTAINER_RUN_S, MAX_RETENTION_DAYS, MAX_VARIANTS


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a stack for studies.

    Attributes:
        max_variants: Largest study.
        longest_run_s: Longest time limit of a run, seconds.
        longest_retention_days: Longest that a study is kept, days.
        variant_memory_mb: Memory of the function that runs a variant, MiB; the largest model follows from it.
    """

    max_variants: int = MAX_VARIANTS
    longest_run_s: int = MAX_CONTAINER_RUN_S
    longest_retention_days: int = MAX_RETENTION_DAYS
    variant_memory_mb: int = DEFAULT_MEMORY_MB
