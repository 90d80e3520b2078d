"""Limits of a stack for the studies that it accepts."""

from dataclasses import dataclass

from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.study.schema import MAX_CONTAINER_RUN_S, MAX_RETENTION_DAYS, MAX_VARIANTS

MAX_TABLES_VARIANTS = 250_000
"""Variants of a study with tables of zones or months: about 500 are read in a second, and the aggregate function has 15
minutes, of which the results table of a million takes several."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a stack for studies.

    Attributes:
        max_variants: Maximum number of variants of a study.
        longest_run_s: Maximum time limit of a run, seconds.
        longest_retention_days: Maximum retention of a study, days.
        variant_memory_mb: Memory of the function that runs a variant, MiB; it limits the size of models.
        containers: Whether it runs variants in containers.
    """

    max_variants: int = MAX_VARIANTS
    longest_run_s: int = MAX_CONTAINER_RUN_S
    longest_retention_days: int = MAX_RETENTION_DAYS
    variant_memory_mb: int = DEFAULT_MEMORY_MB
    containers: bool = True
