"""Distributions: each level is the quantile that scipy gives."""

import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from epsm.study.distributions import Distribution

READ: TypeAdapter[Any] = TypeAdapter(Distribution)
PLACES = [1e-6, 0.001, 0.1, 1 / 3, 0.5, 0.77, 0.999, 1 - 1e-6]


def truncated_lognormal(median: float, sigma: float, low: float, high: float) -> Any:
    ends = (math.log(end / median) / sigma for end in (low, high))
    normal = stats.truncnorm(*ends, loc=math.log(median), scale=sigma)
    return lambda u: math.exp(normal.ppf(u))


@pytest.mark.parametrize(
    ("written", "quantile"),
    [
        ({"kind": "uniform", "low": -1, "high": 3}, stats.uniform(-1, 4).ppf),
        ({"kind": "loguniform", "low": 0.01, "high": 10}, stats.loguniform(0.01, 10).ppf),
        ({"kind": "triangular", "low": -1, "mode": 0, "high": 2}, stats.triang(1 / 3, -1, 3).ppf),
        ({"kind": "triangular", "low": 0, "mode": 0, "high": 2}, stats.triang(0, 0, 2).ppf),
        ({"kind": "triangular", "low": 0, "mode": 2, "high": 2}, stats.triang(1, 0, 2).ppf),
        ({"kind": "normal", "mean": 20, "sd": 2, "truncate": [15, 22]}, stats.truncnorm(-2.5, 1, 20, 2).ppf),
        ({"kind": "normal", "mean": 0, "sd": 1, "truncate": [3, 4.5]}, stats.truncnorm(3, 4.5).ppf),
        ({"kind": "normal", "mean": 0, "sd": 1, "truncate": [-4.5, -3]}, stats.truncnorm(-4.5, -3).ppf),
        (
            {"kind": "lognormal", "median": 1.0, "sigma_log": 0.3, "truncate": [0.3, 3]},
            truncated_lognormal(1.0, 0.3, 0.3, 3),
        ),
    ],
)
def test_a_level_is_the_quantile(written: dict[str, Any], quantile: Any) -> None:
    distribution = READ.validate_python(written)
    assert [distribution.at(u) for u in PLACES] == pytest.approx([float(quantile(u)) for u in PLACES], rel=1e-9)


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ({"kind": "normal", "mean": 20, "sd": 2}, stats.norm(20, 2)),
        ({"kind": "lognormal", "median": 0.4, "sigma_log": 0.3}, stats.lognorm(0.3, scale=0.4)),
    ],
)
def test_distributions_without_ends_reach_to_a_millionth(written: dict[str, Any], reference: Any) -> None:
    distribution = READ.validate_python(written)
    assert [distribution.at(0.0), distribution.at(1.0)] == pytest.approx([*reference.ppf([1e-6, 1 - 1e-6])], rel=1e-6)
    assert distribution.bounds == (distribution.at(0.0), distribution.at(1.0))
    assert [distribution.at(u) for u in (0.1, 0.5, 0.9)] == pytest.approx([*reference.ppf([0.1, 0.5, 0.9])], rel=1e-5)


def test_no_level_is_outside_of_the_bounds() -> None:
    for written in (
        {"kind": "uniform", "low": 0.1, "high": 0.3},
        {"kind": "loguniform", "low": 0.1, "high": 0.3},
        {"kind": "lognormal", "median": 0.2, "sigma_log": 2, "truncate": [0.1, 0.3]},
        {"kind": "triangular", "low": 0.1, "mode": 0.1, "high": 0.3},
    ):
        distribution = READ.validate_python(written)
        assert [distribution.at(0.0), distribution.at(1.0)] == [0.1, 0.3] == [*distribution.bounds]


def test_whole_numbers_are_equally_likely() -> None:
    distribution = READ.validate_python({"kind": "integer", "low": 2, "high": 5})
    levels = [distribution.at((place + 0.5) / 400) for place in range(400)]
    assert [levels.count(float(number)) for number in range(2, 6)] == [100] * 4
    assert (distribution.at(0.0), distribution.at(1.0)) == (2.0, 5.0)


def test_discrete_values_have_their_weights() -> None:
    distribution = READ.validate_python({"kind": "discrete", "values": ["double", "triple", 0.5], "weights": [7, 2, 1]})
    levels = [distribution.at((place + 0.5) / 100) for place in range(100)]
    assert [levels.count(value) for value in ("double", "triple", 0.5)] == [70, 20, 10]
    assert distribution.at(1.0) == 0.5


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ({"kind": "uniform", "low": 1, "high": 1}, "'low' must be less than 'high'"),
        ({"kind": "triangular", "low": 0, "mode": 3, "high": 2}, "low <= mode <= high"),
        ({"kind": "normal", "mean": 0, "sd": 1, "truncate": [2, 1]}, "[smaller, larger]"),
        ({"kind": "normal", "mean": 0, "sd": 1, "truncate": [6, 7]}, "less than a millionth"),
        ({"kind": "discrete", "values": [1, 2], "weights": [1]}, "1 weights for 2 values"),
        ({"kind": "lognormal", "median": 1e308, "sigma_log": 9}, "beyond all numbers"),
    ],
)
def test_an_impossible_distribution_is_refused(written: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as error:
        READ.validate_python(written)
    assert what in str(error.value)
