"""Variants: every combination of model, weather and sample that a study asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from epsm.study.schema import Study


@dataclass(frozen=True, slots=True)
class Variant:
    """One simulation of a study; also one item of items.json.

    Attributes:
        index: Position in the study, from 0; the order is models, then weather, then samples.
        model: Path of the model in the study.
        weather: Path of the EPW in the study; the level of the parameter that varies the weather, if there is one.
        values: For each parameter that is varied the value or factor; empty for the baseline.
    """

    index: int
    model: str
    weather: str
    values: dict[str, float | str] = field(default_factory=dict)

    @property
    def is_baseline(self) -> bool:
        return not self.values

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> "Variant":
        return cls(item["index"], item["model"], item["weather"], item["values"])


def expand(study: Study, first: int = 0, end: int | None = None) -> Iterator[Variant]:
    """The variants of a study, one at a time, in their fixed order: for each model and each weather file the baseline,
    then the samples of the design.

    Args:
        study: The study.
        first: Index of the first variant.
        end: Index after the last one; all without it. Variants outside are not made.
    """
    design, size, climate = study.design, study.sample_count, study.climate
    end = study.variant_count if end is None else min(end, study.variant_count)
    index = first
    while index < end:
        pair, sample = divmod(index, size)
        model, weather = divmod(pair, len(study.weather))
        values = design.sample(sample - 1) if sample else {}
        own = study.weather[weather] if climate is None else values.get(climate.name, study.weather[weather])
        yield Variant(index, study.models[model], str(own), values)
        index += 1
