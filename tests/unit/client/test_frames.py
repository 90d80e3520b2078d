"""Reading results from a folder, or from S3."""

from pathlib import Path

import pandas as pd
import pytest

import epsm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pd.DataFrame({"variant_index": [0, 3], "site_eui_kwh_m2": [120.0, 90.0]}).to_parquet(tmp_path / "results.parquet")
    pd.DataFrame({"sample": [1]}).to_parquet(tmp_path / "design.parquet")
    pd.DataFrame({"zone": ["ROOM"]}).to_parquet(tmp_path / "zones.parquet")
    pd.DataFrame({"month": [1]}).to_parquet(tmp_path / "monthly.parquet")
    return tmp_path


def test_results_are_read_from_the_folder_or_the_file(folder: Path) -> None:
    for source in (folder, str(folder), folder / "results.parquet"):
        assert epsm.read_results(source)["site_eui_kwh_m2"].tolist() == [120.0, 90.0]
    assert len(epsm.read_results((folder / "results.parquet").rename(folder / "office.parquet"))) == 2
    assert epsm.read_design(folder)["sample"].tolist() == [1]
    assert epsm.read_zones(folder)["zone"].tolist() == ["ROOM"]
    assert epsm.read_monthly(folder)["month"].tolist() == [1]


def test_what_is_missing_is_named(folder: Path) -> None:
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
