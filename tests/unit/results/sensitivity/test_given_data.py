"""Regression and PAWN: for any design."""

import itertools
from typing import Any

import numpy as np
import pytest
from SALib.analyze import pawn as salib_pawn
from scipy.stats import ks_2samp, qmc

from epsm.results.sensitivity.analysis import Analysis, analyse
from epsm.results.sensitivity.design import Design, Floats
from tests.unit.results.sensitivity import designs

CUBE = qmc.LatinHypercube(3, rng=np.random.default_rng(2)).random(1000)


def found(analysis: Analysis, name: str) -> dict[str, Any]:
    return {index.parameter: index for index in analysis.indices if index.name == name}


def reasons(analysis: Analysis) -> dict[str, str]:
    return {refusal.method: refusal.reason for refusal in analysis.refusals}


def grid(*levels: list[Any]) -> Design:
    """A full factorial design."""
    rows = list(itertools.product(*levels))
    columns = tuple(
        np.array([row[place] for row in rows], dtype=object if isinstance(own[0], str) else float)
        for place, own in enumerate(levels)
    )
    return Design("grid", tuple("abcdefg"[: len(levels)]), columns)


def numbers(design: Design, place: int) -> Floats:
    return design.values[place].astype(float)


# -- regression --------------------------------------------------------------------------------------------------


def test_coefficients_of_a_linear_function() -> None:
    design = grid([1.0, 2.0, 3.0], [10.0, 20.0, 30.0])
    results = 4 * numbers(design, 0) - 0.3 * numbers(design, 1) + 7

    analysis = analyse(design, results)

    # By hand: the standard deviations of a, b are 1 : 10, those of the terms 4 : 3, of the sum 5.
    src = found(analysis, "SRC")
    assert [src[name].value for name in "ab"] == pytest.approx([0.8, -0.6])
    assert analysis.r2 == pytest.approx(1)
    assert str(src["a"].basis) == "9 of 9 runs"


def test_the_intervals_are_those_of_least_squares() -> None:
    design = grid([0.0, 1.0, 2.0, 3.0, 4.0])
    results = np.array([0.1, 0.9, 2.2, 2.8, 4.0])

    index = found(analyse(design, results), "SRC")["a"]

    # One regressor: the coefficient is Pearson's r, its error sqrt((1 - r^2) / 3), and Student's t of 3 degrees 3.182.
    r = np.corrcoef(design.values[0].astype(float), results)[0, 1]
    assert index.value == pytest.approx(r)
    assert index.high - index.low == pytest.approx(2 * 3.18245 * np.sqrt((1 - r**2) / 3), rel=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.3])
def test_missing_runs_leave_coefficients_right(share: float) -> None:
    results = 4 * CUBE[:, 0] + 3 * CUBE[:, 1]

    analysis = analyse(
        designs.of_unit("latin_hypercube", ("a", "b", "c"), CUBE), designs.lost_at_random(results, share)
    )

    src = found(analysis, "SRC")
    assert [src[name].value for name in "abc"] == pytest.approx([0.8, 0.6, 0], abs=0.04)
    assert str(src["a"].basis) == f"{1000 - round(1000 * share)} of 1000 runs"


def test_a_low_r2_is_refused_with_the_number() -> None:
    design = designs.of_unit("random", designs.ISHIGAMI, CUBE)

    analysis = analyse(design, designs.ishigami(CUBE))

    assert found(analysis, "SRC") == {}
    assert analysis.r2 is None
    assert reasons(analysis)["regression"].startswith("R2 is 0.")
    assert set(found(analysis, "PAWN")) == set(designs.ISHIGAMI)


def test_too_few_runs_are_refused_with_the_number() -> None:
    design = grid([1.0, 2.0], [1.0, 2.0])

    analysis = analyse(design, np.array([1.0, 2.0, 3.0, 4.5]))

    assert analysis.indices == ()
    assert reasons(analysis)["regression"] == "4 runs with a result are too few for 2 terms; at least 6 are needed"
    assert reasons(analysis)["pawn"] == "4 runs with a result are too few; at least 30 are needed"


def test_no_run_at_all_is_refused() -> None:
    design = grid([1.0, 2.0], [1.0, 2.0, 3.0])
    assert set(reasons(analyse(design, np.full(6, np.nan)))) == {"regression", "pawn"}


def test_parameters_that_change_together_cannot_be_distinguished() -> None:
    x = np.linspace(0, 1, 20)
    analysis = analyse(Design("list", ("a", "b"), (x, 2 * x)), x)
    assert "change only together" in reasons(analysis)["regression"]


def test_a_parameter_that_does_not_vary_has_a_reason() -> None:
    design = grid([1.0, 2.0, 3.0, 4.0, 5.0], [7.0])

    src = found(analyse(design, numbers(design, 0)), "SRC")

    assert (src["b"].value, src["b"].reason) == (None, "it has the same value in all runs that have a result")
    assert src["a"].value == pytest.approx(1)


def test_texts_are_part_of_the_regression() -> None:
    design = grid([1.0, 2.0, 3.0], ["double", "triple"], ["x", "y", "z"])
    gain = {"x": 0.0, "y": 5.0, "z": 1.0}
    results = (
        numbers(design, 0) - 2 * (design.values[1] == "triple") + np.array([gain[text] for text in design.values[2]])
    )

    analysis = analyse(design, results)

    src = found(analysis, "SRC")
    assert analysis.r2 == pytest.approx(1)
    assert src["b"].value < 0
    assert src["c"].value is None
    assert "3 texts" in src["c"].reason


# -- PAWN --------------------------------------------------------------------------------------------------------


def test_salib_comes_to_the_same_on_a_continuous_sample() -> None:
    results = designs.ishigami(CUBE)
    problem = {"num_vars": 3, "names": list(designs.ISHIGAMI), "bounds": [[0, 1]] * 3}
    oracle = salib_pawn.analyze(problem, CUBE, results, S=10)

    pawn = found(analyse(designs.of_unit("random", designs.ISHIGAMI, CUBE), results), "PAWN")

    # SALib's last slide lacks the run with the highest value.
    assert [pawn[name].value for name in designs.ISHIGAMI] == pytest.approx(list(oracle["median"]), abs=0.01)


def test_levels_of_a_grid_are_slides_all_of_them() -> None:
    design = grid([1.0, 2.0], [float(level) for level in range(30)])
    results = 100 * numbers(design, 0) + numbers(design, 1)
    by_level = [results[numbers(design, 0) == level] for level in (1.0, 2.0)]
    expected = np.median([ks_2samp(own, results).statistic for own in by_level])

    pawn = found(analyse(design, results), "PAWN")

    assert pawn["a"].value == pytest.approx(expected)
    assert pawn["a"].value == pytest.approx(0.5)


def test_a_parameter_without_effect_stays_below_its_threshold() -> None:
    results = 10 * CUBE[:, 0] + CUBE[:, 1]

    pawn = found(analyse(designs.of_unit("random", ("a", "b", "c"), CUBE), results, confidence=0.99), "PAWN")

    assert pawn["c"].value < pawn["c"].threshold
    assert pawn["a"].value > 3 * pawn["a"].threshold
    assert pawn["a"].low <= pawn["a"].value <= pawn["a"].high


def test_texts_have_a_pawn_index() -> None:
    design = grid(["x", "y", "z"], [float(level) for level in range(20)])
    results = 50 * (design.values[0] == "y") + numbers(design, 1)

    pawn = found(analyse(design, results), "PAWN")

    # The runs at y are the upper third: 2/3 from all; those at x and at z are 1/3 from all. The median is 1/3.
    assert pawn["a"].value == pytest.approx(1 / 3)
    assert pawn["a"].value > pawn["a"].threshold


def test_equal_results_count_as_equal() -> None:
    design = grid([1.0, 2.0], [float(level) for level in range(30)])
    results = np.round(numbers(design, 1) / 10)
    assert found(analyse(design, results), "PAWN")["a"].value == pytest.approx(0)


# -- missing runs ------------------------------------------------------------------------------------------------


def test_failures_are_counted_by_level_where_there_are_few() -> None:
    design = grid([1.0, 2.0, 3.0], ["x", "y"], [float(level) for level in range(10)])
    results = numbers(design, 2).copy()
    results[design.values[1] == "y"] = np.nan

    analysis = analyse(design, results)

    rates = {(rate.parameter, rate.part): (rate.missing, rate.runs) for rate in analysis.failure_rates}
    assert rates[("b", "x")] == (0, 30)
    assert rates[("b", "y")] == (30, 30)
    assert rates[("a", "2")] == (10, 20)
    (remark,) = analysis.remarks
    assert remark.startswith("Runs without a value depend on b: 100 % of them at y, 0 % at x.")


def test_pawn_of_many_runs_uses_some_of_them_and_says_so() -> None:
    cube = qmc.LatinHypercube(2, rng=np.random.default_rng(3)).random(12_000)
    design = Design("latin_hypercube", ("a", "b"), (cube[:, 0], cube[:, 1]))

    pawn = found(analyse(design, np.sin(9 * cube[:, 0])), "PAWN")

    assert str(pawn["a"].basis) == "10000 of 12000 runs"
    assert pawn["a"].value > pawn["a"].threshold
    assert pawn["b"].value < pawn["a"].value / 4
