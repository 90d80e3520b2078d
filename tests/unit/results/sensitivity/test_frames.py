"""The analysis of a results table that was read again, with its design: epsm.results.sensitivity.frames."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from epsm.results.sensitivity.analysis import analyse
from epsm.results.sensitivity.frames import analyse_frame
from epsm.results.sensitivity.tables import MetricAnalysis
from tests.unit.results.sensitivity import designs
from tests.unit.results.sensitivity.test_given_data import found, reasons

SAMPLES = 40
LEVELS = np.random.default_rng(7).random(SAMPLES)


@pytest.fixture
def design() -> pd.DataFrame:
    frame = pd.DataFrame({"sample": range(1, SAMPLES + 1), "a": LEVELS})
    frame.attrs["sampling"] = {"method": "random", "seed": 3, "correlated": False}
    return frame


@pytest.fixture
def results() -> pd.DataFrame:
    """Heating that rises with `a` in the cold and cooling in its place in the heat, each with its baseline first."""
    places = [("room.idf", "cold.epw", 3.0), ("room.idf", "hot.epw", -2.0)]
    rows: list[dict[str, Any]] = []
    for model, weather, slope in places:
        for a in (None, *LEVELS):
            metric = 1e6 if a is None else slope * a
            rows.append({"model": model, "weather": weather, "baseline": a is None, "a": a, "kwh": metric})
    return pd.DataFrame(rows).rename_axis("variant_index").reset_index()


def analysed(results: pd.DataFrame, design: pd.DataFrame | None) -> list[MetricAnalysis]:
    return analyse_frame(results, design, ["kwh"], ["a"], 0.95, None)


def effects(analyses: list[MetricAnalysis]) -> list[tuple[str, float, str]]:
    return [
        (each.weather, round(index.value or 0, 6), str(index.basis))
        for each in analyses
        for index in each.analysis.indices
        if index.name == "SRC"
    ]


def test_each_place_has_its_own_samples(results: pd.DataFrame, design: pd.DataFrame) -> None:
    whole = [("cold.epw", 1.0, "40 of 40 runs"), ("hot.epw", -1.0, "40 of 40 runs")]
    assert effects(analysed(results, design)) == whole
    assert effects(analysed(results, None)) == whole
    assert effects(analysed(results.sample(frac=1, random_state=1), design)) == whole
    assert effects(analysed(results[results["weather"] == "hot.epw"], design)) == whole[1:]


def test_rows_that_were_taken_out_are_runs_without_a_value(results: pd.DataFrame, design: pd.DataFrame) -> None:
    last = results["variant_index"].isin([SAMPLES, 2 * SAMPLES + 1, SAMPLES + 1])
    assert effects(analysed(results[~last], design)) == [
        ("cold.epw", 1.0, "39 of 40 runs"),
        ("hot.epw", -1.0, "39 of 40 runs"),
    ]


@pytest.mark.parametrize("difference", [-0.5, 0.5])
def test_a_design_with_other_values_is_refused(results: pd.DataFrame, design: pd.DataFrame, difference: float) -> None:
    design["a"] = [*LEVELS[:-1], LEVELS[-1] + difference]
    with pytest.raises(ValueError, match="do not match this design: a has other values"):
        analysed(results, design)


def test_a_design_of_another_size_is_refused(results: pd.DataFrame, design: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="do not match this design, which has 39 samples"):
        analysed(results, design.iloc[:-1])


def test_a_wider_interval_has_a_higher_probability() -> None:
    unit = np.random.default_rng(2).random((200, 2))
    design = designs.of_unit("random", ("a", "b"), unit)

    def width(confidence: float) -> float:
        index = found(analyse(design, unit[:, 0] + 0.2 * unit[:, 1], confidence), "PAWN")["a"]
        assert 0 < index.low < index.value < index.high < 1
        return float(index.high - index.low)

    # The same bootstrap, so that the widths are as the quantiles of the normal distribution.
    ratio = NormalDist().inv_cdf(0.975) / NormalDist().inv_cdf(0.75)
    assert width(0.95) / width(0.5) == pytest.approx(ratio, rel=1e-9)


def test_the_reason_says_how_many_runs_go_with_a_missing_one() -> None:
    sobol, morris = designs.saltelli(("a", "b"), 16), designs.trajectories(("a", "b"), 8)
    for design, method, what in ((sobol, "sobol", "4 of its block"), (morris, "morris", "3 of its trajectory")):
        nothing = np.full(len(designs.unit_of(design)), np.nan)
        assert reasons(analyse(design, nothing))[method].endswith(f"one missing run spoils the {what}")
