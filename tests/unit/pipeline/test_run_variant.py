"""Running a variant against a store in this process: absurd results, full disks."""

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from epsm.energyplus.engine import Engine
from epsm.pipeline.run_variant import SimulationFailed, VariantRunner
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import VariantStatus
from epsm.study.schema import Study
from epsm.study.variants import Variant
from tests.conftest import study_document

SUN = "\nExterior:Lights,Sun,Always On,1e20,ScheduleNameOnly,Sun;\n"
"""Lights of 1e20 W, which heat nothing: the engine finds no fault with them."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """S3 with a bucket for inputs and one for results, and the table."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        for bucket in ("inputs", "results"):
            s3.create_bucket(Bucket=bucket)
        keys: Any = [("pk", "HASH"), ("sk", "RANGE")]
        table = boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName="studies",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
        yield s3, table


def uploaded(s3: Any, name: str, content: bytes) -> ObjectRef:
    s3.put_object(Bucket="inputs", Key=name, Body=content)
    digest = hashlib.sha256(content).hexdigest()
    return ObjectRef(bucket="inputs", key=name, version_id="null", sha256=digest, bytes=len(content))


def accepted(s3: Any, files: Files, simulation: str, model: bytes, weather: bytes) -> None:
    """Store the manifest of a run of one variant."""
    manifest = RunManifest(
        simulation_id=simulation,
        created_at=datetime.now(UTC),
        study=Study.model_validate(study_document(parameters=[])),
        source=Source(bucket="inputs", key="study.json", version_id="null"),
        inputs={"room.idf": uploaded(s3, "room.idf", model), "chicago.epw": uploaded(s3, "chicago.epw", weather)},
        external_files={},
        variants=1,
        engine_version="25.2.0",
        image_id="",
        code_version="",
        extraction_version=1,
    )
    files.put_text(f"runs/{simulation}/manifest.json", manifest.to_json(), "application/json")


def test_an_impossible_result_is_failed_in_the_record_and_in_result_json_alike(
    aws: tuple[Any, Any], engine: Engine, one_day: str, chicago: Path, tmp_path: Path
) -> None:
    s3, table = aws
    files, records = Files(s3, "results"), Records(table)
    accepted(s3, files, "sun", (one_day + SUN).encode(), chicago.read_bytes())
    runner = VariantRunner(files, records, tmp_path / "runs", engine)

    with pytest.raises(SimulationFailed, match="beyond what is physically possible"):
        runner.run("sun", Variant(0, "room.idf", "chicago.epw"), seconds_left=lambda: math.inf)

    record = records.variant("sun", 0)
    assert record is not None
    document = json.load(files.open_result("runs/sun/variants/0/result.json"))
    assert (record.status, record.verdict, record.error) == (VariantStatus.FAILED, "failed", document["message"])
    assert (document["verdict"], "metrics" in document) == ("failed", False)


def test_inputs_without_room_on_the_disk_are_a_full_disk(
    aws: tuple[Any, Any], engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, table = aws
    files, records = Files(s3, "results"), Records(table)
    accepted(s3, files, "full", b"Version,25.2;", b"")
    monkeypatch.setattr("epsm.pipeline.workspace._MIN_FREE_MB", 1e9)
    runner = VariantRunner(files, records, tmp_path / "runs", engine)

    trial = runner.try_pair("full", 0, seconds_left=lambda: math.inf)
    with pytest.raises(SimulationFailed, match="MB are free in"):
        runner.run("full", Variant(0, "room.idf", "chicago.epw"), seconds_left=lambda: math.inf)

    record = records.variant("full", 0)
    assert record is not None
    assert (record.status, record.verdict) == (VariantStatus.FAILED, "disk full")
    assert json.load(files.open_result("runs/full/variants/0/result.json"))["verdict"] == "disk full"
    assert (trial.outcome, trial.why[:9]) == ("not tried", "disk full")
