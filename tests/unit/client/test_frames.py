"""Reading results and series from a folder."""

from pathlib import Path

import pandas as pd
import pytest

import epsm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "variants" / "3").mkdir(parents=True)
    times = pd.to_datetime(["2025-01-01T00:00", "2025-01-01T01:00"])
    pd.DataFrame({"variant_index": [0, 3], "site_eui_kwh_m2": [120.0, 90.0]}).to_parquet(tmp_path / "results.parquet")
    pd.DataFrame({"sample": [1]}).to_parquet(tmp_path / "design.parquet")
    pd.DataFrame({"zone": ["ROOM"]}).to_parquet(tmp_path / "zones.parquet")
    pd.DataFrame({"month": [1]}).to_parquet(tmp_path / "monthly.parquet")
    pd.DataFrame(
        {
            "environment": ["RUN", "RUN"],
            "interval_start": times,
            "interval_end": times + pd.Timedelta(hours=1),
            "Electricity:Facility [kWh]": [1.0, 2.0],
            "CORE: Zone Mean Air Temperature [C]": [20.0, 21.0],
            "WEST: Zone Mean Air Temperature [C]": [19.0, 18.0],
        }
    ).to_parquet(tmp_path / "variants" / "3" / "series.parquet")
    return tmp_path


def test_results_are_read_from_the_folder_or_the_file(folder: Path) -> None:
    for source in (folder, str(folder), folder / "results.parquet"):
        assert epsm.read_results(source)["site_eui_kwh_m2"].tolist() == [120.0, 90.0]
    assert epsm.read_design(folder)["sample"].tolist() == [1]
    assert epsm.read_zones(folder)["zone"].tolist() == ["ROOM"]
    assert epsm.read_monthly(folder)["month"].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("electricity:facility", ["Electricity:Facility [kWh]"]),
        (
            "Zone Mean Air Temperature",
            ["CORE: Zone Mean Air Temperature [C]", "WEST: Zone Mean Air Temperature [C]"],
        ),
        ("west: zone mean air temperature", ["WEST: Zone Mean Air Temperature [C]"]),
    ],
)
def test_series_are_chosen_by_name(folder: Path, name: str, columns: list[str]) -> None:
    series = epsm.read_series(folder, 3, name)
    assert list(series.columns) == ["environment", "interval_start", "interval_end", *columns]


def test_every_series_without_a_name(folder: Path) -> None:
    assert epsm.read_series(folder, 3).shape == (2, 6)


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(epsm.NotFound, match="'Electricity:Facility'"):
        epsm.read_series(folder, 3, "Electricity:Facilty")
    with pytest.raises(epsm.NotFound, match=r"results\.parquet"):
        epsm.read_results(folder / "nowhere")


def test_results_in_s3_are_read_from_the_run_s_folder(folder: Path) -> None:
    import boto3
    from moto import mock_aws

    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="results")
        s3.upload_file(str(folder / "results.parquet"), "results", "runs/office-1/results.parquet")
        for url in ("s3://results/runs/office-1/", "s3://results/runs/office-1/results.parquet"):
            assert len(epsm.read_results(url)) == 2
        with pytest.raises(epsm.NotFound, match="office-2"):
            epsm.read_results("s3://results/runs/office-2")
        with pytest.raises(epsm.StackError):
            epsm.read_results("s3://nobodys/runs/office-2")
