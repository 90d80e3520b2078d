"""One parameter at a time."""

import math

import numpy as np
import pytest

from epsm.results.sensitivity.analysis import analyse
from epsm.results.sensitivity.design import Design

DESIGN = Design(
    "one_at_a_time",
    ("a", "b"),
    (np.array([1.0, 2.0, 3.0, 9.0, 9.0]), np.array([5.0, 5.0, 5.0, 6.0, 7.0])),
    varied=np.array([0, 0, 0, 1, 1]),
)
RESULTS = np.array([100.0, 110.0, 120.0, 91.0, 97.0])


def test_the_range_over_the_levels_and_the_baseline() -> None:
    analysis = analyse(DESIGN, RESULTS, baseline=99.0)

    found = {index.parameter: index for index in analysis.indices}
    assert {name: index.value for name, index in found.items()} == {"a": 21.0, "b": 8.0}
    assert {name: str(index.basis) for name, index in found.items()} == {"a": "3 of 3 runs", "b": "2 of 2 runs"}
    assert analysis.refusals == ()


def test_a_missing_run_is_left_out_and_counted() -> None:
    results = RESULTS.copy()
    results[2] = np.nan

    analysis = analyse(DESIGN, results, baseline=99.0)

    assert analysis.indices[0].value == 11.0
    assert str(analysis.indices[0].basis) == "2 of 3 runs"
    rates = {(rate.parameter, rate.part): (rate.missing, rate.runs) for rate in analysis.failure_rates}
    assert rates == {("a", "1"): (0, 1), ("a", "2"): (0, 1), ("a", "3"): (1, 1), ("b", "6"): (0, 1), ("b", "7"): (0, 1)}


@pytest.mark.parametrize(
    ("missing", "baseline", "reason"),
    [
        ([3, 4], 99.0, "none of its levels has a result"),
        ([4], math.nan, "the baseline has no result, and only one level has one"),
    ],
)
def test_too_little_is_a_reason(missing: list[int], baseline: float, reason: str) -> None:
    results = RESULTS.copy()
    results[missing] = np.nan

    index = analyse(DESIGN, results, baseline=baseline).indices[1]

    assert (index.value, index.reason) == (None, reason)
