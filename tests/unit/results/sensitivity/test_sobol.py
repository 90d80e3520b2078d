"""Sobol indices of functions whose indices are known, with and without missing runs."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from SALib.analyze import sobol as salib
from scipy.stats import sobol_indices, uniform

from epsm.results.sensitivity import sobol as sobol_module
from epsm.results.sensitivity.analysis import Analysis, analyse
from epsm.results.sensitivity.design import Design, Floats
from tests.unit.results.sensitivity import designs

SAMPLES = 1024
ISHIGAMI = (designs.ISHIGAMI, designs.ishigami, designs.ISHIGAMI_S1, designs.ISHIGAMI_ST)
G = (designs.G, designs.g_function, designs.G_S1, designs.G_ST)
FUNCTIONS = pytest.mark.parametrize(("names", "function", "first", "total"), [ISHIGAMI, G], ids=["ishigami", "g"])
Function = Callable[[Floats], Floats]


@cache
def run(names: tuple[str, ...], function: Function, *, second_order: bool = False) -> tuple[Design, Floats]:
    design = designs.saltelli(names, SAMPLES, second_order=second_order)
    return design, function(designs.unit_of(design))


def values(analysis: Analysis, name: str) -> dict[str, float]:
    return {
        index.parameter: index.value for index in analysis.indices if index.name == name and index.value is not None
    }


@FUNCTIONS
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_few_runs_missing_at_random_leave_the_indices_right(
    names: tuple[str, ...], function: Function, first: Any, total: Any, share: float
) -> None:
    design, results = run(names, function)

    analysis = analyse(design, designs.lost_at_random(results, share))

    assert list(values(analysis, "S1").values()) == pytest.approx(first, abs=0.08)
    assert list(values(analysis, "ST").values()) == pytest.approx(total, abs=0.08)
    assert analysis.refusals == ()
    assert analysis.remarks == ()


@FUNCTIONS
@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_the_intervals_hold_the_truth(
    names: tuple[str, ...], function: Function, first: Any, total: Any, share: float
) -> None:
    design, results = run(names, function)

    analysis = analyse(design, designs.lost_at_random(results, share), confidence=0.999)

    truth = {("S1", name): value for name, value in zip(names, first, strict=True)}
    truth |= {("ST", name): value for name, value in zip(names, total, strict=True)}
    for index in analysis.indices:
        assert index.low is not None
        assert index.high is not None
        assert index.low - 0.005 <= truth[index.name, index.parameter] <= index.high + 0.005


@FUNCTIONS
def test_every_index_says_how_many_blocks_it_was_computed_from(
    names: tuple[str, ...], function: Function, first: Any, total: Any
) -> None:
    design, results = run(names, function)
    missing = designs.lost_at_random(results, 0.05)
    complete = sum(not np.isnan(block).any() for block in missing.reshape(SAMPLES, -1))

    analysis = analyse(design, missing)

    assert SAMPLES / 2 < complete < SAMPLES
    assert {str(index.basis) for index in analysis.indices} == {f"{complete} of {SAMPLES} blocks"}


def test_a_single_missing_run_drops_its_block_and_nothing_else() -> None:
    design, results = run(*ISHIGAMI[:2])
    one = results.copy()
    one[7] = np.nan

    analysis = analyse(design, one)

    # SALib itself gives zeros for all indices here, without a word.
    assert str(analysis.indices[0].basis) == f"{SAMPLES - 1} of {SAMPLES} blocks"
    assert list(values(analysis, "ST").values()) == pytest.approx(designs.ISHIGAMI_ST, abs=0.05)


@FUNCTIONS
def test_too_many_runs_missing_give_a_reason_and_another_method(
    names: tuple[str, ...], function: Function, first: Any, total: Any
) -> None:
    design, results = run(names, function)

    analysis = analyse(design, designs.lost_at_random(results, 0.3))

    refusal = analysis.refusals[0]
    assert (refusal.method, refusal.basis.of, refusal.basis.counted) == ("sobol", SAMPLES, "blocks")
    assert refusal.reason.startswith(f"only {refusal.basis.used} of {SAMPLES} blocks are complete")
    pawn = values(analysis, "PAWN")
    assert max(pawn, key=lambda name: pawn[name]) in ("x1", "x2")
    assert {index.basis.used for index in analysis.indices} == {design.samples - round(0.3 * design.samples)}


@FUNCTIONS
@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_runs_missing_where_a_parameter_is_high_are_reported_as_bias(
    names: tuple[str, ...], function: Function, first: Any, total: Any, share: float
) -> None:
    design, results = run(names, function)

    analysis = analyse(design, designs.lost_where_high(results, design.values[0], share))

    assert any(
        remark.startswith("Runs without a value depend on x1: ") and "biased" in remark for remark in analysis.remarks
    )
    rates = [rate for rate in analysis.failure_rates if rate.parameter == "x1"]
    assert len(rates) == 4
    assert rates[-1].missing >= 0.7 * sum(rate.missing for rate in rates)
    assert rates[0].missing == 0


def test_failure_rates_by_quartile_add_up() -> None:
    design, results = run(*ISHIGAMI[:2])

    analysis = analyse(design, designs.lost_at_random(results, 0.05))

    for name in design.names:
        rates = [rate for rate in analysis.failure_rates if rate.parameter == name]
        assert sum(rate.runs for rate in rates) == design.samples
        assert sum(rate.missing for rate in rates) == round(0.05 * design.samples)


def test_nothing_is_said_of_failures_where_there_are_none() -> None:
    assert analyse(*run(*ISHIGAMI[:2])).failure_rates == ()


def test_second_order_indices() -> None:
    design, results = run(*ISHIGAMI[:2], second_order=True)

    analysis = analyse(design, designs.lost_at_random(results, 0.01))

    found = {(index.parameter, index.other): index.value for index in analysis.indices if index.name == "S2"}
    assert found[("x1", "x3")] == pytest.approx(0.2437, abs=0.08)
    assert [found[pair] for pair in (("x1", "x2"), ("x2", "x3"))] == pytest.approx([0, 0], abs=0.08)


@FUNCTIONS
def test_scipy_comes_to_the_same(names: tuple[str, ...], function: Function, first: Any, total: Any) -> None:
    oracle = sobol_indices(
        func=lambda x: function(x.T), n=SAMPLES, dists=[uniform()] * len(names), rng=np.random.default_rng(5)
    )

    analysis = analyse(*run(names, function))

    assert list(values(analysis, "S1").values()) == pytest.approx(oracle.first_order, abs=0.05)
    assert list(values(analysis, "ST").values()) == pytest.approx(oracle.total_order, abs=0.05)


def test_intervals_that_say_nothing_are_no_indices() -> None:
    design = designs.saltelli(designs.ISHIGAMI, 32)

    analysis = analyse(design, designs.ishigami(designs.unit_of(design)))

    assert values(analysis, "S1") == {}
    assert "the widest confidence interval is +/- " in analysis.refusals[0].reason


def test_samples_in_another_order_are_refused() -> None:
    design, results = run(*ISHIGAMI[:2])
    turned = designs.of_unit("sobol", design.names, designs.unit_of(design)[::-1])

    analysis = analyse(turned, results)

    assert values(analysis, "S1") == {}
    assert analysis.refusals[0].reason == "the samples are not in the order of Saltelli blocks"


def test_a_metric_that_never_changes_has_no_indices() -> None:
    design, results = run(*ISHIGAMI[:2])

    analysis = analyse(design, np.full_like(results, 17.0))

    assert analysis.indices == ()
    assert {refusal.method for refusal in analysis.refusals} == {"sobol", "regression", "pawn"}
    assert all("no parameter changes it" in refusal.reason for refusal in analysis.refusals)


def test_the_same_results_give_the_same_numbers() -> None:
    design, results = run(*ISHIGAMI[:2])
    assert analyse(design, results) == analyse(design, results)


def test_results_of_another_design_are_an_error() -> None:
    design, results = run(*ISHIGAMI[:2])
    with pytest.raises(ValueError, match="were given for"):
        analyse(design, results[:-1])


@pytest.mark.parametrize("cells", [10**6, 3 * SAMPLES])
@pytest.mark.parametrize("second_order", [False, True])
def test_the_indices_are_salibs_in_every_digit(cells: int, second_order: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    names, function, *_ = ISHIGAMI
    design, results = run(names, function, second_order=second_order)
    monkeypatch.setattr(sobol_module, "_MAX_CELLS", cells)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}
    expected = salib.analyze(
        problem, results, calc_second_order=second_order, num_resamples=200, conf_level=0.9, seed=11
    )

    found = sobol_module.sobol_indices(
        results.reshape(-1, design.group_size), confidence=0.9, seed=11, second_order=second_order
    )

    for name, values, widths in (
        ("S1", found.first, found.first_widths),
        ("ST", found.total, found.total_widths),
    ):
        assert (list(values), list(widths)) == (list(expected[name]), list(expected[f"{name}_conf"]))
    if second_order:
        above = np.triu_indices(len(names), 1)
        assert list(found.second) == list(expected["S2"][above])
        assert list(found.second_widths) == list(expected["S2_conf"][above])
