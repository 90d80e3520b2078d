"""Reading the series of one variant, of several, or of a whole study, from a folder or from S3."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from moto import mock_aws

import epsm
from epsm.results.series_parts import write_part
from epsm.store import ranged

INTERVAL = ["environment", "interval_start", "interval_end"]
METER, CORE, WEST = (
    "Electricity:Facility [kWh]",
    *(f"{zone}: Zone Mean Air Temperature [C]" for zone in ("CORE", "WEST")),
)
TEMPERATURE = "Zone Mean Air Temperature"


def series(environment: str, columns: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    starts = pd.to_datetime(["2025-01-01T00:00", "2025-01-01T01:00"]).as_unit("us")
    times = {"interval_start": starts, "interval_end": starts + pd.Timedelta(hours=1)}
    return pd.DataFrame({"environment": [environment] * 2, **times, **columns}).astype({"environment": "str"})


OF_BOTH = {
    3: series("RUN", {METER: [1.0, 2.0], CORE: [20.0, 21.0], WEST: [19.0, 18.0]}),
    11: series("SUMMER", {METER: [3.0, 4.0], CORE: [22.0, 23.0]}),
}


@pytest.fixture(params=["now", "0.2.0", "one of each"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Series as this version writes them, as version 0.2.0 did, and a study that was rerun after an update."""
    (tmp_path / "series").mkdir()
    for index, frame in OF_BOTH.items():
        (tmp_path / "variants" / str(index)).mkdir(parents=True)
        if request.param == "now" or (request.param == "one of each" and index == 3):
            write_part(frame, index, tmp_path / "series" / f"part-{index:07d}.parquet")
        else:
            frame.to_parquet(tmp_path / "variants" / str(index) / "series.parquet", index=False)
    return tmp_path


@pytest.fixture
def bucket(folder: Path) -> Iterator[str]:
    """The same in S3."""
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="results")
        for path in folder.rglob("*.parquet"):
            s3.upload_file(str(path), "results", f"runs/office-1/{path.relative_to(folder).as_posix()}")
        yield "s3://results/runs/office-1/"


def test_the_series_of_a_variant_are_as_they_were_in_version_0_2_0(folder: Path) -> None:
    for index, frame in OF_BOTH.items():
        pd.testing.assert_frame_equal(epsm.read_series(folder, index), frame)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("electricity:facility", [METER]),
        (TEMPERATURE, [CORE, WEST]),
        ("west: zone mean air temperature", [WEST]),
        ([TEMPERATURE, "Electricity:Facility"], [METER, CORE, WEST]),
    ],
)
def test_series_are_chosen_by_name(folder: Path, name: str | list[str], columns: list[str]) -> None:
    assert list(epsm.read_series(folder, 3, name).columns) == [*INTERVAL, *columns]
    assert list(epsm.read_series(folder, name=name).columns) == ["variant_index", *INTERVAL, *columns]


def test_a_study_is_one_frame_with_the_columns_of_all_variants(folder: Path) -> None:
    frame = epsm.read_series(folder)

    assert list(frame.columns) == ["variant_index", *INTERVAL, METER, CORE, WEST]
    assert frame["variant_index"].tolist() == [3, 3, 11, 11]
    assert frame["environment"].tolist() == ["RUN", "RUN", "SUMMER", "SUMMER"]
    assert frame[METER].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert frame[WEST].isna().tolist() == [False, False, True, True]
    assert [str(kind) for kind in frame.dtypes[:2]] == ["int32", "category"]
    pd.testing.assert_frame_equal(frame[INTERVAL[1:]].iloc[2:].reset_index(drop=True), OF_BOTH[11][INTERVAL[1:]])


def test_only_the_variants_that_are_wanted_are_in_the_frame(folder: Path) -> None:
    assert epsm.read_series(folder, [11, 11])["variant_index"].tolist() == [11, 11]
    assert epsm.read_series(folder, pd.Series([3, 11]))["variant_index"].tolist() == [3, 3, 11, 11]
    numpy_index: Any = np.int64(11)
    assert epsm.read_series(folder, numpy_index).equals(epsm.read_series(folder, 11))
    assert epsm.read_series(folder, (11, 3), "Electricity:Facility")[METER].tolist() == [3.0, 4.0, 1.0, 2.0]


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    for which in (3, None):
        with pytest.raises(epsm.NotFound, match="no series 'Electricity:Facilty'; there is 'Electricity:Facility'"):
            epsm.read_series(folder, which, "Electricity:Facilty")
    with pytest.raises(epsm.NotFound, match=r"part-0000004\.parquet does not exist"):
        epsm.read_series(folder, 4)
    with pytest.raises(epsm.NotFound, match="there are no series of variant 4, 5, 6, 7, 8 and 1 more"):
        epsm.read_series(folder, [3, 4, 5, 6, 7, 8, 9])
    with pytest.raises(epsm.NotFound, match="there are no series"):
        epsm.read_series(tmp_path / "variants")


def test_series_in_s3_are_those_on_disk(folder: Path, bucket: str) -> None:
    choices: list[dict[str, Any]] = [{}, {"variant": 3}, {"variant": 3, "name": TEMPERATURE}, {"name": [TEMPERATURE]}]
    for chosen in choices:
        pd.testing.assert_frame_equal(epsm.read_series(bucket, **chosen), epsm.read_series(folder, **chosen))
    with pytest.raises(epsm.NotFound):
        epsm.read_series(bucket, 4)
    with pytest.raises(epsm.NotFound):
        epsm.read_series("s3://results/runs/office-2")
    with pytest.raises(epsm.StackError):
        epsm.read_series("s3://nobodys/runs/office-1")


def test_of_a_large_part_only_the_named_series_is_transferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours, names = 8760, [f"N{number}: Node [C]" for number in range(40)]
    times = {name: pd.date_range("2025-01-01", periods=hours, freq="h", unit="us") for name in INTERVAL[1:]}
    values = np.random.default_rng(1).random((len(names), hours))
    large = pd.DataFrame({"environment": "RUN", **times, **dict(zip(names, values, strict=True))})
    write_part(large, 0, tmp_path / "part")
    content = (tmp_path / "part").read_bytes()
    transferred = 0

    class Counting:
        def __init__(self, s3: Any) -> None:
            self._s3 = s3

        def get_object(self, **given: Any) -> Any:
            nonlocal transferred
            answer = self._s3.get_object(**given)
            transferred += answer["ContentLength"]
            return answer

    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="results")
        s3.put_object(Bucket="results", Key="runs/a/series/part-0000000.parquet", Body=content)
        open_ranged = ranged.open_ranged
        monkeypatch.setattr(ranged, "open_ranged", lambda s3, *place: open_ranged(Counting(s3), *place))  # type: ignore[arg-type]

        found = epsm.read_series("s3://results/runs/a", 0, "N2: Node")

    assert found["N2: Node [C]"].tolist() == values[2].tolist()
    assert len(content) > 8 * transferred > 0
