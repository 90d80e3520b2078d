"""What ResultWriter leaves in S3, in the form of the Step Functions developer guide ("ResultWriter (Map)").

The completion is stepfunctions/result_writer.py.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.moto_fixtures import Aws
from tests.support import wait_for

HANDLER = """
import time
from pathlib import Path

class Unlucky(Exception):
    pass

def handler(event, context):
    if event.get("fails"):
        raise Unlucky("it rains")
    if folder := event.get("folder"):
        Path(folder, "entered").touch()
        while not Path(folder, "go").exists():
            time.sleep(0.01)
    return {"was": event}
"""
ITEMS = [{"n": 0}, {"n": 1, "fails": True}, {"n": 2}, {"n": 3, "fails": True}, {"n": 4}]


@dataclass(frozen=True, slots=True)
class Written:
    """A map that has ended and what its writer left.

    Attributes:
        bucket: Where.
        output: Of the map state.
        manifest: The manifest.
    """

    bucket: str
    output: dict[str, Any]
    manifest: dict[str, Any]


@pytest.fixture(scope="module")
def work(aws: Aws) -> dict[str, Any]:
    """A state that hands its input to the function."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": aws.function(HANDLER), "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }


def map_state(work: Mapping[str, Any], writer: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """A Distributed Map with a writer."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": work},
    }
    return {
        "Type": "Map",
        "Label": "work",
        "ItemsPath": "$.items",
        "MaxConcurrency": 1,
        "ItemProcessor": processor,
        "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": writer},
        "End": True,
        **options,
    }


def machine_of(aws: Aws, state: Mapping[str, Any]) -> str:
    return aws.machine({"StartAt": "Map", "States": {"Map": state}})


def read(aws: Aws, written: Written, group: str) -> list[dict[str, Any]]:
    """The entries of the only file of a group."""
    (file,) = written.manifest["ResultFiles"][group]
    return list(aws.json_object(written.bucket, file["Key"]))


@pytest.fixture(scope="module")
def written(aws: Aws, work: dict[str, Any]) -> Written:
    """Three successes and two failures, below the prefix that the map's input names."""
    bucket = aws.bucket()
    writer = {"Bucket": bucket, "Prefix.$": "$.run.prefix"}
    machine = machine_of(aws, map_state(work, writer, ToleratedFailureCount=2))
    described = aws.run(machine, {"items": ITEMS, "run": {"prefix": "runs/1/map"}})
    output = json.loads(described["output"])
    return Written(bucket, output, aws.json_object(bucket, output["ResultWriterDetails"]["Key"]))


def test_the_map_returns_where_the_manifest_is(written: Written) -> None:
    run_id = written.output["MapRunArn"].rpartition(":")[2]
    assert written.output["ResultWriterDetails"] == {
        "Bucket": written.bucket,
        "Key": f"runs/1/map/{run_id}/manifest.json",
    }


def test_the_map_run_is_the_one_that_is_listed(aws: Aws, written: Written) -> None:
    described = aws.client("stepfunctions").describe_map_run(mapRunArn=written.output["MapRunArn"])
    assert described["itemCounts"]["total"] == len(ITEMS)


def test_the_manifest_names_bucket_and_map_run(written: Written) -> None:
    assert written.manifest["DestinationBucket"] == written.bucket
    assert written.manifest["MapRunArn"] == written.output["MapRunArn"]


def test_the_manifest_lists_a_file_for_each_outcome(written: Written) -> None:
    folder = written.output["ResultWriterDetails"]["Key"].removesuffix("manifest.json")
    files = {group: [file["Key"] for file in listed] for group, listed in written.manifest["ResultFiles"].items()}
    assert files == {"FAILED": [f"{folder}FAILED_0.json"], "PENDING": [], "SUCCEEDED": [f"{folder}SUCCEEDED_0.json"]}


def test_the_manifest_tells_the_size_of_each_file(aws: Aws, written: Written) -> None:
    files = [file for listed in written.manifest["ResultFiles"].values() for file in listed]
    sizes = [aws.client("s3").head_object(Bucket=written.bucket, Key=file["Key"])["ContentLength"] for file in files]
    assert sizes == [file["Size"] for file in files]


def test_successes_are_written_with_input_and_output(aws: Aws, written: Written) -> None:
    entries = read(aws, written, "SUCCEEDED")
    assert [json.loads(entry["Input"])["n"] for entry in entries] == [0, 2, 4]
    assert all(json.loads(entry["Output"]) == {"was": json.loads(entry["Input"])} for entry in entries)


def test_failures_are_written_with_error_and_cause(aws: Aws, written: Written) -> None:
    entries = read(aws, written, "FAILED")
    assert [json.loads(entry["Input"])["n"] for entry in entries] == [1, 3]
    assert [(entry["Error"], json.loads(entry["Cause"])["errorMessage"]) for entry in entries] == [
        ("Unlucky", "it rains")
    ] * 2


def test_an_entry_is_the_description_of_its_child(aws: Aws, written: Written) -> None:
    for entry in read(aws, written, "SUCCEEDED") + read(aws, written, "FAILED"):
        child = aws.describe(entry["ExecutionArn"])
        names = ("name", "stateMachineArn", "status", "input", "output", "error", "cause")
        assert [child.get(name) for name in names] == [entry.get(name[0].upper() + name[1:]) for name in names]


def test_the_times_of_an_entry_are_those_of_its_child(aws: Aws, written: Written) -> None:
    entry = read(aws, written, "SUCCEEDED")[0]
    child = aws.describe(entry["ExecutionArn"])
    for name in ("StartDate", "StopDate"):
        difference = datetime.fromisoformat(entry[name]) - child[name[0].lower() + name[1:]]
        assert abs(difference.total_seconds()) < 0.002


def test_the_times_of_an_entry_are_written_as_step_functions_does(aws: Aws, written: Written) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read(aws, written, "SUCCEEDED")[0]["StartDate"])


DOCUMENTED = {
    "ExecutionArn", "Input", "InputDetails", "Name", "Output", "OutputDetails", "StartDate", "StateMachineArn",
    "Status", "StopDate",
}  # fmt: skip
REDRIVE = {"RedriveCount", "RedriveStatus", "RedriveStatusReason"}


def test_an_entry_has_the_documented_fields(aws: Aws, written: Written) -> None:
    assert all(entry.keys() - REDRIVE == DOCUMENTED for entry in read(aws, written, "SUCCEEDED"))


def test_an_entry_tells_about_redriving(aws: Aws, written: Written) -> None:
    assert all(entry.keys() >= REDRIVE for entry in read(aws, written, "SUCCEEDED"))


def test_without_a_prefix_the_folder_is_at_the_top(aws: Aws, work: dict[str, Any]) -> None:
    bucket = aws.bucket()
    output = json.loads(aws.run(machine_of(aws, map_state(work, {"Bucket": bucket})), {"items": []})["output"])
    assert output["ResultWriterDetails"]["Key"].split("/")[1:] == ["manifest.json"]


def test_a_map_without_items_writes_a_manifest_without_files(aws: Aws, work: dict[str, Any]) -> None:
    bucket = aws.bucket()
    output = json.loads(aws.run(machine_of(aws, map_state(work, {"Bucket": bucket})), {"items": []})["output"])
    manifest = aws.json_object(bucket, output["ResultWriterDetails"]["Key"])
    assert manifest["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}


def test_what_the_writer_returns_can_be_put_beside_the_input(aws: Aws, work: dict[str, Any]) -> None:
    state = map_state(work, {"Bucket": aws.bucket()}, ResultPath="$.map")
    output = json.loads(aws.run(machine_of(aws, state), {"items": [{"n": 1}], "kept": True})["output"])
    assert (output["kept"], set(output["map"])) == (True, {"MapRunArn", "ResultWriterDetails"})


def test_a_bucket_that_is_not_there_is_an_error_by_name(aws: Aws, work: dict[str, Any]) -> None:
    described = aws.run(machine_of(aws, map_state(work, {"Bucket": "not-there"})), {"items": [{"n": 1}]})
    assert (described["status"], described["error"]) == ("FAILED", "States.ResultWriterFailed")


def test_two_maps_of_one_execution_write_their_own_results(aws: Aws, work: dict[str, Any], tmp_path: Path) -> None:
    def branch(name: str) -> dict[str, Any]:
        return {"StartAt": name, "States": {name: map_state(work, {"Bucket": bucket}, ItemsPath=f"$.{name}")}}

    bucket = aws.bucket()
    both = {"Type": "Parallel", "Branches": [branch("a"), branch("b")], "End": True}
    given = {"a": [{"n": 1}], "b": [{"n": 2, "folder": str(tmp_path)}]}
    execution = aws.start(aws.machine({"StartAt": "Both", "States": {"Both": both}}), given)
    wait_for((tmp_path / "entered").exists, "the second map's child")
    (tmp_path / "go").touch()
    outputs = json.loads(aws.ended(execution)["output"])
    assert len({output["MapRunArn"] for output in outputs}) == 2


def test_a_map_that_gave_up_writes_its_results(aws: Aws, work: dict[str, Any]) -> None:
    bucket = aws.bucket()
    described = aws.run(machine_of(aws, map_state(work, {"Bucket": bucket})), {"items": ITEMS})
    assert described["status"] == "FAILED"
    listed = aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    names = {each["Key"].rpartition("/")[2] for each in listed}
    assert names == {"manifest.json", "SUCCEEDED_0.json", "FAILED_0.json"}


def test_results_that_were_written_are_counted(aws: Aws, work: dict[str, Any]) -> None:
    writer = {"Bucket": aws.bucket(), "Prefix": "counted"}
    execution = aws.start(machine_of(aws, map_state(work, writer)), {"items": [{"n": 0}, {"n": 1}]})
    aws.ended(execution)
    described = aws.map_run(execution)
    assert described["itemCounts"]["resultsWritten"] == described["executionCounts"]["resultsWritten"] == 2
