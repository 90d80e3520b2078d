"""Sampling methods: how many samples, which, and that scipy's and SALib's are the same where they can be."""

import json
from typing import Any

import numpy as np
import pytest
from SALib.analyze import sobol as salib_sobol
from SALib.sample import sobol as salib_sample
from scipy.stats import kstest, qmc, spearmanr

from epsm.errors import StudyRejected
from epsm.study.parsing import parse_study
from epsm.study.sampling import METHODS
from epsm.study.sampling.sobol import sequence
from epsm.study.schema import Study
from epsm.study.values import MAX_PARAMETERS
from epsm.study.variants import expand
from tests.conftest import study_document

UNIT = {"kind": "uniform", "low": 0, "high": 1}


def parameter(name: str, **levels: Any) -> dict[str, Any]:
    return {"name": name, "class": "Material", "object": name, "field": "Thickness", **levels}


def study(sampling: dict[str, Any], *levels: dict[str, Any], **changes: Any) -> Study:
    """A study whose parameters a, b, c, ... have these levels."""
    parameters = [parameter(chr(97 + number), **each) for number, each in enumerate(levels)]
    return parse_study(json.dumps(study_document(parameters=parameters, sampling=sampling, **changes)))


def correlated(*pairs: tuple[str, str, float]) -> dict[str, Any]:
    named = [{"parameters": [one, other], "rank_correlation": number} for one, other, number in pairs]
    return {"correlations": named}


def units(sampling: dict[str, Any], dimensions: int) -> np.ndarray:
    design = study(sampling, *[{"distribution": UNIT}] * dimensions).design
    assert design.unit_row is not None
    return np.array([design.unit_row(index) for index in range(design.count)])


SAMPLED: list[dict[str, Any]] = [
    {"method": "latin_hypercube", "samples": 16, "seed": 7},
    {"method": "random", "samples": 16, "seed": 7},
    {"method": "sobol", "samples": 16, "seed": 7},
    {"method": "sobol", "samples": 16, "seed": 7, "second_order": True},
    {"method": "morris", "trajectories": 8, "seed": 7},
]
NAMES = ["latin_hypercube", "random", "sobol", "second_order", "morris"]


@pytest.mark.parametrize(
    ("sampling", "count"), list(zip(SAMPLED, [16, 16, 16 * 5, 16 * 8, 8 * 4], strict=True)), ids=NAMES
)
def test_the_number_of_variants_is_that_of_the_method(sampling: dict[str, Any], count: int) -> None:
    three = study(sampling, *[{"distribution": UNIT}] * 3, models=["a.idf", "b.idf"], weather=["x.epw"])
    assert three.variant_count == 2 * (1 + count)
    variants = list(expand(three))
    assert [each.index for each in variants] == list(range(2 * (1 + count)))
    assert [each.index for each in variants if each.is_baseline] == [0, 1 + count]
    assert [each.values for each in variants[: 1 + count]] == [each.values for each in variants[1 + count :]]


@pytest.mark.parametrize("sampling", SAMPLED, ids=NAMES)
def test_the_seed_makes_the_samples(sampling: dict[str, Any]) -> None:
    first, again, other = (units(sampling | {"seed": seed}, 3) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()
    assert ((first >= 0) & (first <= 1)).all()


# These numbers must never change: a stored study with its seed is expanded again whenever its table is written.
GOLDEN = {
    "latin_hypercube": [0.75901594271, 0.28056019378, 0.274434356446],
    "random": [0.81612635912, 0.180726379924, 0.581600163662],
    "sobol": [0.634860333288, 0.699026284507, 0.614607943688],
    "morris": [0.666666666667, 1.0, 0.666666666667],
}


@pytest.mark.parametrize("sampling", [each for each in SAMPLED if "second_order" not in each])
def test_samples_are_those_of_earlier_versions(sampling: dict[str, Any]) -> None:
    values = study(sampling, *[{"distribution": UNIT}] * 3).design.sample(9).values()
    assert list(values) == GOLDEN[sampling["method"]]


@pytest.mark.parametrize("sampling", SAMPLED, ids=NAMES)
def test_a_part_of_the_variants_is_that_of_all(sampling: dict[str, Any]) -> None:
    whole = study(sampling, {"distribution": UNIT}, {"values": ["x", "y", "z"]}, models=["a.idf", "b.idf"])
    variants = list(expand(whole))
    for first, end in ((0, 1), (3, 9), (len(variants) - 2, 10**6)):
        assert list(expand(whole, first, end)) == variants[first:end]


def test_a_study_without_a_seed_gets_one_from_its_simulation() -> None:
    without = study({"method": "random", "samples": 3}, {"distribution": UNIT})
    first, again, other = (without.with_seed(name) for name in ("office-1", "office-1", "office-2"))
    assert first == again != other
    given = study({"method": "random", "samples": 3, "seed": 5}, {"distribution": UNIT})
    assert given.with_seed("office-1") is given


def test_each_slice_of_a_latin_hypercube_has_one_sample() -> None:
    points = units({"method": "latin_hypercube", "samples": 50, "seed": 1}, 4)
    assert (np.sort(np.floor(points * 50), axis=0) == np.arange(50)[:, None]).all()
    correlations = np.corrcoef(points, rowvar=False)
    assert np.abs(correlations - np.eye(4)).max() < 0.5


def test_the_sobol_sequence_is_scipys() -> None:
    # So many that every initial number, and the polynomials behind them, take part.
    points = np.array(sequence(2048, 100, None)).reshape(2048, 100)
    assert (points == qmc.Sobol(100, scramble=False).random(2048)).all()


def test_a_scrambled_sobol_sequence_is_as_balanced_as_a_plain_one() -> None:
    points = units({"method": "sobol", "samples": 64, "seed": 3}, 5)[::7]
    assert (np.sort(np.floor(points * 64), axis=0) == np.arange(64)[:, None]).all()
    pairs = {tuple(pair) for pair in np.floor(points[:, :2] * 8).astype(int)}
    assert len(pairs) == 64  # a (0, 6, 2)-net: each of 8 x 8 squares has one point


@pytest.mark.parametrize("second_order", [False, True])
def test_the_arrangement_is_salibs(second_order: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epsm.study.sampling.sobol._random_bits", lambda chance: 0)
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    expected = salib_sample.sample(problem, 8, calc_second_order=second_order, scramble=False)
    assert (units({"method": "sobol", "samples": 8, "seed": 0, "second_order": second_order}, 3) == expected).all()


def test_salib_finds_the_indices_of_ishigamis_function() -> None:
    angle = {"distribution": {"kind": "uniform", "low": -np.pi, "high": np.pi}}
    design = study({"method": "sobol", "samples": 1024, "seed": 1}, angle, angle, angle).design
    x = np.array([list(sample.values()) for sample in design.samples()])
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[-np.pi, np.pi]] * 3}
    found = salib_sobol.analyze(problem, y, calc_second_order=False, seed=1)
    assert found["S1"] == pytest.approx([0.314, 0.442, 0.0], abs=0.03)
    assert found["ST"] == pytest.approx([0.558, 0.442, 0.244], abs=0.03)


def test_each_step_of_a_morris_trajectory_changes_one_parameter_by_the_same_amount() -> None:
    design = study({"method": "morris", "trajectories": 12, "seed": 2}, *[{"distribution": UNIT}] * 5).design
    points = units({"method": "morris", "trajectories": 12, "seed": 2}, 5).reshape(12, design.block, 5)
    steps = np.abs(np.diff(points, axis=1))
    assert design.block == 6
    assert (np.sort(steps, axis=2)[:, :, :4] == 0).all()
    assert steps.max(axis=2) == pytest.approx(2 / 3)
    assert ((steps > 0).sum(axis=1) == 1).all()


def test_morris_trajectories_start_from_every_level_equally_often() -> None:
    starts = units({"method": "morris", "trajectories": 12, "seed": 2}, 5).reshape(12, 6, 5)[:, 0]
    for level in range(4):
        assert (np.isclose(starts, level / 3).sum(axis=0) == 3).all()


def test_one_at_a_time_changes_one_parameter() -> None:
    varied = study({"method": "one_at_a_time"}, {"values": [1, 2]}, {"range": {"from": 0, "to": 1, "steps": 3}})
    assert [each.values for each in expand(varied)] == [
        {}, {"a": 1.0}, {"a": 2.0}, {"b": 0.0}, {"b": 0.5}, {"b": 1.0}
    ]  # fmt: skip
    assert varied.variant_count == 6


def test_a_list_gives_the_samples() -> None:
    rows = [{"b": "Rough", "a": 0.1}, {"a": 0.3, "b": "Smooth"}]
    listed = study({"method": "list", "rows": rows}, {}, {})
    assert [each.values for each in expand(listed)] == [{}, {"a": 0.1, "b": "Rough"}, {"a": 0.3, "b": "Smooth"}]
    assert [listed.numeric(each) for each in listed.parameters] == [True, False]
    assert Study.model_validate_json(listed.model_dump_json(by_alias=True)) == listed


def test_a_range_has_its_ends_and_even_steps() -> None:
    grid = study({}, {"range": {"from": 1, "to": -1, "steps": 5}})
    assert [each.values for each in expand(grid)][1:] == [{"a": level} for level in (1.0, 0.5, 0.0, -0.5, -1.0)]


def test_listed_levels_are_equally_likely_where_samples_are_drawn() -> None:
    drawn = study({"method": "latin_hypercube", "samples": 30, "seed": 4}, {"values": ["x", "y", "z"]})
    values = [each.values["a"] for each in expand(drawn) if not each.is_baseline]
    assert [values.count(value) for value in ("x", "y", "z")] == [10, 10, 10]


def test_values_have_twelve_digits() -> None:
    drawn = study(
        {"method": "random", "samples": 100, "seed": 4}, {"distribution": {"kind": "normal", "mean": 0, "sd": 3}}
    )
    assert all(value == float(f"{value:.12g}") for each in expand(drawn) for value in each.values.values())


# What is refused


def faults(sampling: Any, *levels: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        study(sampling, *levels)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


@pytest.mark.parametrize(
    ("sampling", "levels", "place", "said"),
    [
        ({"method": "lhs"}, {"values": [1]}, "sampling.method", "'latin_hypercube'"),
        ({"method": "latin_hypercube"}, {"values": [1]}, "sampling.samples", "is missing"),
        ({"method": "random", "samples": 0}, {"values": [1]}, "sampling.samples", ">= 1"),
        ({"method": "random", "sample": 5, "samples": 5}, {"values": [1]}, "sampling.sample", "'samples'"),
        ({"method": "random", "samples": 5, "seed": -1}, {"values": [1]}, "sampling.seed", ">= 0"),
        ({"method": "sobol", "samples": 100}, {"values": [1]}, "sampling.samples", "64 or 128"),
        ({"method": "morris", "trajectories": 4, "levels": 5}, {"values": [1]}, "sampling.levels", "4, 6, 8"),
        ({"method": "morris", "trajectories": 4}, {"distribution": {"kind": "normal", "mean": 0, "sd": 1}},
         "parameters[0].distribution", "'truncate'"),
        ({"method": "grid"}, {"distribution": UNIT}, "parameters[0]", "'range' with 'steps'"),
        ({"method": "grid"}, {"range": {"from": 0, "to": 1}}, "parameters[0]", "'range' with 'steps'"),
        ({"method": "grid"}, {"range": {"from": 1, "to": 1}}, "parameters[0].range", "are the same"),
        ({"method": "grid"}, {"range": {"from": 0, "to": 1, "step": 3}}, "parameters[0].range.step", "'steps'"),
        ({"method": "grid"}, {"distribution": {"kind": "discrete", "values": [1, 2], "weights": [1, 2]}},
         "parameters[0].distribution.weights", "no weights"),
        ({"method": "random", "samples": 5}, {"distribution": {"kind": "beta"}}, "parameters[0].distribution.kind",
         "'lognormal'"),
        ({"method": "random", "samples": 5}, {"distribution": {"low": 1}}, "parameters[0].distribution.kind",
         "'uniform'"),
        ({"method": "random", "samples": 5}, {"distribution": {"kind": "normal", "mean": 0, "sd": 0}},
         "parameters[0].distribution.sd", "> 0"),
        ({"method": "random", "samples": 5}, {"distribution": {"kind": "normal", "mean": 0, "sdev": 1, "sd": 1}},
         "parameters[0].distribution.sdev", "'sd'"),
        ({"method": "random", "samples": 5}, {}, "parameters[0]", "has no levels"),
        ({"method": "random", "samples": 5}, {"apply": "multiply", "values": ["x"]}, "parameters[0]", "only be set"),
        ({"method": "list"}, {}, "sampling", "'rows'"),
        ({"method": "list", "rows": [{"a": 1}], "file": "x.csv"}, {}, "sampling", "both"),
        ({"method": "list", "file": "x.xlsx"}, {}, "sampling.file", ".csv"),
        ({"method": "list", "file": "../x.csv"}, {}, "sampling.file", "leaves the study's folder"),
        ({"method": "list", "rows": [{"a": 1}]}, {"values": [1]}, "parameters[0]", "from its list"),
        ({"method": "list", "rows": [{"a": 1}, {}]}, {}, "sampling.rows[1].a", "is missing"),
        ({"method": "list", "rows": [{"a": 1, "A": 2}]}, {}, "sampling.rows[0].A", "'a'"),
        ({"method": "list", "rows": [{"a": None}]}, {}, "sampling.rows[0].a", "a number or text"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(sampling: Any, levels: dict[str, Any], place: str, said: str) -> None:
    found = faults(sampling, levels)
    assert list(found) == [place]
    assert said in found[place]


def test_sampling_without_parameters_is_refused() -> None:
    for sampling in SAMPLED:
        assert list(faults(sampling)) == ["sampling"]


def test_every_method_is_tested() -> None:
    assert set(METHODS) == {"grid", "one_at_a_time", "list", *(each["method"] for each in SAMPLED)}


# --- Correlated parameters


@pytest.mark.parametrize(("method", "samples", "tolerance"), [("latin_hypercube", 400, 0.03), ("random", 20_000, 0.02)])
def test_ranks_have_the_correlations_that_were_asked_for(method: str, samples: int, tolerance: float) -> None:
    sampling = {"method": method, "samples": samples, "seed": 7}
    points = units(sampling | correlated(("a", "b", 0.7), ("b", "c", -0.5)), 4)

    found = spearmanr(points).statistic

    wanted = np.eye(4)
    wanted[0, 1] = wanted[1, 0] = 0.7
    wanted[1, 2] = wanted[2, 1] = -0.5
    assert np.abs(found - wanted).max() < tolerance


def test_parameters_of_different_distributions_keep_them() -> None:
    sampling = {"method": "latin_hypercube", "samples": 1000, "seed": 7, **correlated(("a", "b", 0.9))}
    lognormal = {"kind": "lognormal", "median": 2.0, "sigma_log": 0.5, "truncate": [0.1, 50.0]}
    design = study(sampling, {"distribution": UNIT}, {"distribution": lognormal}).design
    rows = list(design.samples())

    assert kstest([row["a"] for row in rows], "uniform").pvalue > 0.9
    assert kstest([row["b"] for row in rows], "lognorm", args=(0.5, 0, 2.0)).pvalue > 0.9


def test_each_slice_of_a_correlated_hypercube_still_has_one_sample() -> None:
    points = units({"method": "latin_hypercube", "samples": 50, "seed": 3, **correlated(("a", "c", 0.99))}, 3)

    assert (np.sort(np.floor(points * 50), axis=0) == np.arange(50)[:, None]).all()


def test_a_hypercube_with_fewer_samples_than_parameters_can_be_correlated() -> None:
    points = units({"method": "latin_hypercube", "samples": 2, "seed": 3, **correlated(("a", "c", 0.9))}, 3)

    assert (np.argsort(points[:, 0]) == np.argsort(points[:, 2])).all()


CORRELATED_GOLDEN = [[0.75901594271, 0.59306019378], [0.577102948617, 0.482742222097]]


def test_correlated_samples_are_those_of_earlier_versions() -> None:
    sampling = {"samples": 16, "seed": 7, **correlated(("a", "b", 0.7))}
    points = [units(sampling | {"method": method}, 2)[9] for method in ("latin_hypercube", "random")]

    assert [list(np.round(point, 12)) for point in points] == CORRELATED_GOLDEN


@pytest.mark.parametrize(
    ("sampling", "where", "what"),
    [
        (
            {"method": "random", "samples": 9, **correlated(("a", "x", 0.5))},
            "sampling.correlations[0].parameters",
            "'x'",
        ),
        (
            {"method": "random", "samples": 9, **correlated(("a", "a", 0.5))},
            "sampling.correlations[0].parameters",
            "twice",
        ),
        ({"method": "random", "samples": 9, **correlated(("a", "b", 1.0))}, "rank_correlation", "too large"),
        (
            {"method": "random", "samples": 9, **correlated(("a", "b", 0.5), ("b", "a", 0.4))},
            "sampling.correlations[1]",
            "again",
        ),
        (
            {"method": "random", "samples": 9, **correlated(("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9))},
            "sampling.correlations",
            "contradict",
        ),
        ({"method": "sobol", "samples": 8, **correlated(("a", "b", 0.5))}, "sampling", "independent parameters only"),
        ({"method": "morris", "trajectories": 8, **correlated(("a", "b", 0.5))}, "sampling", "latin_hypercube"),
    ],
)
def test_correlations_that_cannot_be_are_refused(sampling: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(StudyRejected) as refused:
        study(sampling, *[{"distribution": UNIT}] * 3)

    (problem,) = refused.value.problems
    assert where in problem.where
    assert what in problem.what


@pytest.mark.parametrize("sampling", SAMPLED, ids=NAMES)
def test_as_many_parameters_as_a_study_may_have_can_be_sampled(sampling: dict[str, Any]) -> None:
    sampling = {"method": "sobol", "samples": 2, "seed": 1} if sampling["method"] == "sobol" else sampling
    parameters = [parameter(f"p{number}", distribution=UNIT) for number in range(MAX_PARAMETERS)]
    document = study_document(parameters=parameters, sampling=sampling)

    design = parse_study(json.dumps(document)).design

    assert len(design.sample(design.count - 1)) == MAX_PARAMETERS
