"""Variants: every combination of model, weather and sample that a study asks for."""

import itertools
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
        weather: Path of the EPW in the study.
        values: For each parameter the value or factor; empty for the baseline.
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


def expand(study: Study) -> Iterator[Variant]:
    """All variants of a study, one at a time, in their fixed order.

    For each model and each weather file first the baseline, then the grid with the last parameter changing fastest.
    """
    index = itertools.count()
    names = [parameter.name for parameter in study.parameters]
    for model in study.models:
        for weather in study.weather:
            yield Variant(next(index), model, weather)
            if names:
                for levels in itertools.product(*(parameter.levels for parameter in study.parameters)):
                    yield Variant(next(index), model, weather, dict(zip(names, levels, strict=True)))
