"""The sensitivity of a results frame against what the aggregate function writes of the same study."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import epsm
from epsm.client.sensitivity import stored_sensitivity
from epsm.results.design import write_design
from epsm.results.sensitivity.tables import analyses, analysis_columns, write_csv, write_json
from epsm.results.table import write_table
from epsm.study.schema import Study
from epsm.study.variants import Variant
from tests.unit.manifests import manifest_of
from tests.unit.results.sensitivity.test_tables import HEATING, records, sampled, study

PLACES = {"models": ["a.idf", "b.idf"], "weather": ["x.epw", "y.epw"]}
TOGETHER = [{"parameters": ["lighting", "insulation_m"], "rank_correlation": 0.8}]


def metric(variant: Variant) -> float:
    return 100 - sum(float(value) for value in variant.values.values()) ** 2 if variant.values else 90.0


def aggregated(folder: Path, of: Study, seed: int | None = None) -> pd.DataFrame:
    """Writes the results of a study as the aggregate function does; every eleventh variant has failed."""
    found = records(of, lambda variant: variant.index % 11 == 5, metric)
    write_table(manifest_of(of), found, folder / "results.parquet", folder / "results.csv")
    write_design(of, folder / "design.parquet")
    table = pd.read_parquet(folder / "results.parquet")
    analysed = analyses(of, table[analysis_columns(of)], seed)
    write_csv(folder / "sensitivity.csv", analysed)
    write_json(folder / "sensitivity.json", "office-1", of, analysed)
    return stored_sensitivity((folder / "sensitivity.json").read_bytes())


@pytest.mark.parametrize(
    "sampling",
    [
        {"method": "sobol", "samples": 64},
        {"method": "sobol", "samples": 64, "second_order": True},
        {"method": "morris", "trajectories": 20},
        {"method": "latin_hypercube", "samples": 40},
        {"method": "random", "samples": 40, "correlations": TOGETHER},
    ],
    ids=lambda sampling: "-".join(sampling)[:40],
)
def test_samples_have_the_numbers_of_the_study(tmp_path: Path, sampling: dict[str, Any]) -> None:
    expected = aggregated(tmp_path, sampled(**sampling), seed=5)
    results, design = epsm.read_results(tmp_path), epsm.read_design(tmp_path)
    found = epsm.sensitivity(results, design, metrics=["heating_kwh"])
    pd.testing.assert_frame_equal(found, expected)
    assert found["value"].notna().any()


def test_the_csv_holds_the_same(tmp_path: Path) -> None:
    expected = aggregated(tmp_path, sampled(method="morris", trajectories=20), seed=5)
    written = pd.read_csv(tmp_path / "sensitivity.csv")
    assert written["value"].tolist() == pytest.approx(expected["value"].tolist(), nan_ok=True)
    assert list(written.columns) == list(expected.columns)


def test_one_at_a_time_and_several_models(tmp_path: Path) -> None:
    expected = aggregated(tmp_path, study(sampling={"method": "one_at_a_time"}, **HEATING, **PLACES))
    found = epsm.sensitivity(epsm.read_results(tmp_path), epsm.read_design(tmp_path), metrics=["heating_kwh"])
    pd.testing.assert_frame_equal(found, expected)
    assert found.groupby(["model", "weather"], sort=False).ngroups == 4


def test_a_grid_needs_the_names_of_its_parameters(tmp_path: Path) -> None:
    expected = aggregated(tmp_path, study(**HEATING, **PLACES))
    names = ["lighting", "insulation_m"]
    found = epsm.sensitivity(epsm.read_results(tmp_path), metrics=["heating_kwh"], parameters=names)
    pd.testing.assert_frame_equal(found, expected)


def test_variants_that_were_taken_out_count_as_runs_without_a_value(tmp_path: Path) -> None:
    expected = aggregated(tmp_path, sampled(method="morris", trajectories=20), seed=5)
    results, design = epsm.read_results(tmp_path), epsm.read_design(tmp_path)
    succeeded = results[results["status"] == "succeeded"].sample(frac=1, random_state=1)
    found = epsm.sensitivity(succeeded, design, metrics=["heating_kwh"])
    pd.testing.assert_frame_equal(found, expected)
    assert 0 < found["used"].iloc[0] < found["of"].iloc[0]


def test_results_of_another_design_are_refused(tmp_path: Path) -> None:
    aggregated(tmp_path, sampled(method="morris", trajectories=20), seed=5)
    results, design = epsm.read_results(tmp_path), epsm.read_design(tmp_path)
    write_design(sampled(method="morris", trajectories=20, seed=6), tmp_path / "design.parquet")
    with pytest.raises(ValueError, match="lighting has other values"):
        epsm.sensitivity(results, epsm.read_design(tmp_path), metrics=["heating_kwh"])
    with pytest.raises(ValueError, match="lacks samples"):
        epsm.sensitivity(results, design.iloc[1:], metrics=["heating_kwh"])
    design.attrs.clear()
    with pytest.raises(ValueError, match="read_design"):
        epsm.sensitivity(results, design, metrics=["heating_kwh"])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    aggregated(tmp_path, study(**HEATING))
    results = epsm.read_results(tmp_path)
    with pytest.raises(epsm.NotFound, match="'heating_kwh'"):
        epsm.sensitivity(results, metrics=["heating_kwhh"], parameters=["lighting"])
    with pytest.raises(epsm.NotFound, match="'lighting'"):
        epsm.sensitivity(results, parameters=["lightning"])
    with pytest.raises(ValueError, match="give the design"):
        epsm.sensitivity(results)
    with pytest.raises(TypeError, match="list"):
        epsm.sensitivity(results, metrics="heating_kwh", parameters=["lighting"])


def test_a_seed_of_ones_own_and_another_confidence(tmp_path: Path) -> None:
    aggregated(tmp_path, sampled(method="sobol", samples=512), seed=5)
    results, design = epsm.read_results(tmp_path), epsm.read_design(tmp_path)
    usual, other, wide = (
        epsm.sensitivity(results, design, metrics=["heating_kwh"], **options)
        for options in ({}, {"seed": 6}, {"confidence": 0.99})
    )
    assert usual["value"].tolist() == other["value"].tolist() == wide["value"].tolist()
    assert usual["low"].tolist() != other["low"].tolist()
    assert (wide["low"] < usual["low"]).all()


def test_the_design_says_how_its_samples_were_chosen(tmp_path: Path) -> None:
    write_design(sampled(method="morris", trajectories=4), tmp_path / "design.parquet")
    assert epsm.read_design(tmp_path).attrs == {"sampling": {"method": "morris", "seed": 5, "correlated": False}}
