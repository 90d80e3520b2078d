"""Morris's elementary effects, with and without missing runs."""

import numpy as np
import pytest
from SALib.analyze import morris as salib

from epsm.results.sensitivity.analysis import Analysis, analyse
from epsm.results.sensitivity.design import Floats
from tests.unit.results.sensitivity import designs

TRAJECTORIES = 40
DESIGN = designs.trajectories(designs.G, TRAJECTORIES)
NAMES = ("a", "b", "c")


def values(analysis: Analysis, name: str) -> list[float | None]:
    return [index.value for index in analysis.indices if index.name == name]


def linear(unit: Floats) -> Floats:
    return np.asarray(10 * unit[:, 0] - 4 * unit[:, 1] + 100)


def test_the_effects_of_a_linear_function_are_its_coefficients() -> None:
    design = designs.trajectories(NAMES, 10)

    analysis = analyse(design, linear(designs.unit_of(design)))

    assert values(analysis, "mu") == pytest.approx([10, -4, 0], abs=1e-9)
    assert values(analysis, "mu_star") == pytest.approx([10, 4, 0], abs=1e-9)
    assert values(analysis, "sigma") == pytest.approx([0, 0, 0], abs=1e-9)


def test_salib_comes_to_the_same() -> None:
    results = designs.g_function(designs.unit_of(DESIGN))
    problem = {"num_vars": 8, "names": list(designs.G), "bounds": [[0, 1]] * 8}
    oracle = salib.analyze(problem, designs.unit_of(DESIGN), results, num_levels=4, seed=1)

    analysis = analyse(DESIGN, results)

    for name in ("mu", "mu_star", "sigma"):
        assert values(analysis, name) == pytest.approx(list(oracle[name]), rel=1e-9, abs=1e-12)
    widths = [
        (index.high - index.low) / 2
        for index in analysis.indices
        if index.name == "mu_star" and index.high is not None and index.low is not None
    ]
    assert widths[0] == pytest.approx(oracle["mu_star_conf"][0], rel=0.3)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_whole_trajectories_are_dropped(share: float) -> None:
    results = designs.lost_at_random(designs.g_function(designs.unit_of(DESIGN)), share)
    complete = ~np.isnan(results.reshape(TRAJECTORIES, -1)).any(axis=1)
    unit = designs.unit_of(DESIGN).reshape(TRAJECTORIES, 9, 8)[complete].reshape(-1, 8)
    oracle = salib.analyze(
        {"num_vars": 8, "names": list(designs.G), "bounds": [[0, 1]] * 8},
        unit,
        results.reshape(TRAJECTORIES, -1)[complete].ravel(),
        num_levels=4,
        seed=1,
    )

    analysis = analyse(DESIGN, results)

    assert {str(index.basis) for index in analysis.indices} == {f"{complete.sum()} of {TRAJECTORIES} trajectories"}
    assert values(analysis, "mu_star") == pytest.approx(list(oracle["mu_star"]), rel=1e-9, abs=1e-12)


def test_too_many_missing_give_a_reason_and_another_method() -> None:
    analysis = analyse(DESIGN, designs.lost_at_random(designs.g_function(designs.unit_of(DESIGN)), 0.3))

    assert values(analysis, "mu_star") == []
    assert analysis.refusals[0].method == "morris"
    assert "of 40 trajectories are complete" in analysis.refusals[0].reason
    pawn = values(analysis, "PAWN")
    assert pawn[0] == max(value for value in pawn if value is not None)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_runs_missing_where_a_parameter_is_high_are_reported_as_bias(share: float) -> None:
    results = designs.lost_where_high(designs.g_function(designs.unit_of(DESIGN)), DESIGN.values[0], share)

    analysis = analyse(DESIGN, results)

    assert any(remark.startswith("Runs without a value depend on x1: ") for remark in analysis.remarks)


def test_the_intervals_hold_the_index() -> None:
    for index in analyse(DESIGN, designs.g_function(designs.unit_of(DESIGN))).indices:
        assert index.low is not None
        assert index.high is not None
        assert index.value is not None
        assert index.low <= index.value * (1 + 1e-9)
        assert index.value <= index.high * (1 + 0.05) + 1e-9 or index.name == "sigma"


def test_samples_that_are_no_trajectories_are_refused() -> None:
    unit = np.random.default_rng(1).random((40, 3))

    analysis = analyse(designs.of_unit("morris", NAMES, unit), linear(unit))

    assert analysis.refusals[0].reason == "the samples are not in the order of Morris trajectories"
    assert values(analysis, "SRC") == pytest.approx([0.93, -0.36, 0], abs=0.1)
