"""A batch of variants, and how it ended."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from epsm.pipeline.items import ATTEMPT, BATCH, INDEX, MAX_FAILURES, REPEATS
from epsm.study.records import VariantRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, from an item of items.json.

    Attributes:
        indices: Its variants.
        repeats: Variants with the same sample as an earlier one -> the index of the earlier one.
        attempt: The study's attempt.
        max_failures: Number of failed variants that the attempt tolerates; one more stops the study.
    """

    indices: tuple[int, ...]
    repeats: Mapping[int, int]
    attempt: int
    max_failures: int

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> "Batch":
        entries = item[BATCH]
        return cls(
            tuple(entry[INDEX] for entry in entries),
            {entry[INDEX]: entry[REPEATS] for entry in entries if REPEATS in entry},
            item[ATTEMPT],
            item[MAX_FAILURES],
        )


@dataclass(frozen=True, slots=True)
class BatchedVariant:
    """A variant of a batch that has ended.

    Attributes:
        index: Which one.
        status: ``succeeded`` or ``failed``.
        verdict: How the run of the engine ended.
        engine_seconds: Run time of EnergyPlus.
        site_eui_kwh_m2: Site EUI, if the variant succeeded.
    """

    index: int
    status: str
    verdict: str
    engine_seconds: float
    site_eui_kwh_m2: float | None

    @classmethod
    def of(cls, record: VariantRecord) -> "BatchedVariant":
        summary = record.summary
        eui = summary.get("metrics", {}).get("site_eui_kwh_m2")
        return cls(record.index, record.status.value, record.verdict, summary.get("engine_seconds", 0.0), eui)


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """How a batch ended, for the state machine.

    Attributes:
        variants: Those that have ended, by index.
        failed: Number of those that failed.
        left: Number of variants that have to run in a further invocation.
        alone: Whether each of these has to run alone: one needs more memory or disk than its share of the function's,
            or no variant ended in this invocation.
    """

    variants: tuple[BatchedVariant, ...]
    failed: int
    left: int
    alone: bool

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
