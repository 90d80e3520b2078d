"""Distributions of parameters: each turns a number of the unit interval into a value (its quantile function).

Pure Python, and rounded to 12 significant digits, so that `log` and `exp` of another machine, which may differ in the
last digit, give the same values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epsm.study.values import Number, Strict, Value

_TAIL = 1e-6
"""Distributions without an end reach from this quantile to 1 minus it: 4.75 standard deviations."""
_MIN_PROBABILITY = 1e-6
_STANDARD = NormalDist()
Bounds = Annotated[tuple[Number, Number], Field(description="Smallest and largest value.")]


def rounded(value: float) -> float:
    """A value with 12 significant digits.

    >>> rounded(0.1 + 0.2)
    0.3
    """
    return float(f"{value:.12g}")


def pick(levels: Sequence[Value], u: float) -> Value:
    """The level at `u` of the unit interval, each level having an equal part of it.

    >>> pick(["a", "b", "c"], 0.34), pick(["a", "b", "c"], 1.0)
    ('b', 'c')
    """
    # 1e-9: levels of a Morris design such as 2/3 stand on the border between two parts.
    return levels[min(int(u * len(levels) + 1e-9), len(levels) - 1)]


def _require(*rules: tuple[bool, str]) -> None:
    for holds, sentence in rules:
        if not holds:
            raise ValueError(sentence)


class _Between(Strict):
    """Values between two bounds."""

    kind: str
    low: Number
    high: Number

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _require((self.low < self.high, "'low' must be less than 'high'"))
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        return float(self.low), float(self.high)


class Uniform(_Between):
    """Every value between two bounds is equally likely."""

    kind: Literal["uniform"]

    def at(self, u: float) -> float:
        return rounded(self.low + u * (self.high - self.low))


class LogUniform(_Between):
    """The logarithm of the value is uniform."""

    kind: Literal["loguniform"]
    low: Annotated[Number, Field(gt=0)]
    high: Annotated[Number, Field(gt=0)]

    def at(self, u: float) -> float:
        value = rounded(self.low * (self.high / self.low) ** u)
        return min(max(value, self.low), self.high)


class _Truncated(Strict):
    """A distribution of the normal's family, cut off at two values if one likes."""

    truncate: Bounds | None = Field(
        default=None, description="Values outside do not occur; the others keep their proportions."
    )

    def _score(self, value: float) -> float:
        """Standard deviations between a value and the middle."""
        raise NotImplementedError

    def _value(self, score: float) -> float:
        raise NotImplementedError

    @cached_property
    def _part(self) -> "_Part":
        if self.truncate is None:
            return _Part.between(_STANDARD.inv_cdf(_TAIL), -_STANDARD.inv_cdf(_TAIL))
        low, high = self.truncate
        return _Part.between(self._score(low), self._score(high))

    @model_validator(mode="after")
    def _check_truncation(self) -> Self:
        if self.truncate is not None:
            low, high = self.truncate
            _require((low < high, "'truncate' must be [smaller, larger]"))
            enough = self._part.within >= _MIN_PROBABILITY
            _require((enough, "'truncate' leaves less than a millionth of the distribution"))
        return self

    @cached_property
    def bounds(self) -> tuple[float, float]:
        if self.truncate is not None:
            return self.truncate
        return rounded(self._value(self._part.low)), rounded(self._value(self._part.high))

    def at(self, u: float) -> float:
        least, most = self.bounds
        return min(max(rounded(self._value(self._part.score(u))), least), most)


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of the standard normal distribution between two scores.

    Attributes:
        low, high: The scores.
        mirrored: Whether the probabilities are those of the mirror image: in the upper tail, they would have no digits
            left beside 1.
        below, within: Probability below it, and within.
    """

    low: float
    high: float
    mirrored: bool
    below: float
    within: float

    @classmethod
    def between(cls, low: float, high: float) -> "_Part":
        mirrored = low > 0
        least, most = (-high, -low) if mirrored else (low, high)
        below = _cdf(least)
        return cls(low, high, mirrored, below, _cdf(most) - below)

    def score(self, u: float) -> float:
        """The quantile."""
        probability = self.below + (1 - u if self.mirrored else u) * self.within
        if not 0 < probability < 1:
            return self.low if u < 0.5 else self.high
        found = _STANDARD.inv_cdf(probability)
        return min(max(-found if self.mirrored else found, self.low), self.high)


def _cdf(score: float) -> float:
    """The normal's probability below a score; `NormalDist.cdf` has no digits left far below 0."""
    return math.erfc(-score / math.sqrt(2)) / 2


class Normal(_Truncated):
    """The normal distribution."""

    kind: Literal["normal"]
    mean: Number
    sd: Annotated[Number, Field(gt=0, description="Standard deviation, before it is truncated.")]

    def _score(self, value: float) -> float:
        return (value - self.mean) / self.sd

    def _value(self, score: float) -> float:
        return self.mean + score * self.sd


class LogNormal(_Truncated):
    """The logarithm of the value is normal."""

    kind: Literal["lognormal"]
    median: Annotated[Number, Field(gt=0)]
    sigma_log: Annotated[
        Number, Field(gt=0, le=10, description="Standard deviation of the natural logarithm, before it is truncated.")
    ]

    @model_validator(mode="after")
    def _finite(self) -> Self:
        low, high = self.bounds
        _require((low > 0 and math.isfinite(high), "'median' and 'sigma_log' give values beyond all numbers"))
        return self

    def _score(self, value: float) -> float:
        return math.log(value / self.median) / self.sigma_log if value > 0 else -math.inf

    def _value(self, score: float) -> float:
        return self.median * math.exp(score * self.sigma_log)


class Triangular(Strict):
    """Rises from `low` to `mode`, falls to `high`."""

    kind: Literal["triangular"]
    low: Number
    mode: Number
    high: Number

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _require(
            (self.low <= self.mode <= self.high and self.low < self.high, "must be low <= mode <= high, low < high")
        )
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    def at(self, u: float) -> float:
        width, rise = self.high - self.low, self.mode - self.low
        if u * width < rise:
            value = self.low + math.sqrt(u * width * rise)
        else:
            value = self.high - math.sqrt((1 - u) * width * (width - rise))
        return min(max(rounded(value), self.low), self.high)


class WholeNumbers(_Between):
    """Every whole number from `low` to `high` is equally likely."""

    kind: Literal["integer"]
    low: int = Field(strict=True, ge=-1_000_000, le=1_000_000)
    high: int = Field(strict=True, ge=-1_000_000, le=1_000_000)

    def at(self, u: float) -> float:
        count = self.high - self.low + 1
        return float(self.low + min(int(u * count + 1e-9), count - 1))


class Discrete(Strict):
    """Values, each with its weight; equally likely without weights."""

    kind: Literal["discrete"]
    values: tuple[Value, ...] = Field(min_length=1)
    weights: tuple[Annotated[Number, Field(gt=0)], ...] | None = Field(
        default=None, description="One for each value; they need not add up to 1."
    )

    @model_validator(mode="after")
    def _one_weight_a_value(self) -> Self:
        if self.weights is not None:
            found, needed = len(self.weights), len(self.values)
            _require((found == needed, f"has {found} weights for {needed} values"))
        return self

    def at(self, u: float) -> Value:
        if self.weights is None:
            return pick(self.values, u)
        target, reached = u * math.fsum(self.weights), 0.0
        for value, weight in zip(self.values, self.weights, strict=True):
            reached += weight
            if target < reached:
                return value
        return self.values[-1]


AnyDistribution = Uniform | LogUniform | Normal | LogNormal | Triangular | WholeNumbers | Discrete
KINDS: dict[str, type[AnyDistribution]] = {
    "uniform": Uniform,
    "loguniform": LogUniform,
    "normal": Normal,
    "lognormal": LogNormal,
    "triangular": Triangular,
    "integer": WholeNumbers,
    "discrete": Discrete,
}
Distribution = Annotated[AnyDistribution, Field(discriminator="kind")]
