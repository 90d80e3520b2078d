"""EventBridge from the event to the target. The completion is epsm_local/moto_patches/events.py."""

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.moto_patches.functions import start_workers
from tests.moto_fixtures import Aws, unique
from tests.support import wait_for

KEEPS_EVENTS = """
import json, os
from pathlib import Path

def handler(event, context):
    part = Path(os.environ["FOLDER"], context.aws_request_id + ".part")
    part.write_text(json.dumps(event))
    part.rename(part.with_suffix(".json"))
"""
READS_METADATA = """
import json, os
from pathlib import Path
import boto3

s3 = boto3.client("s3")

def handler(event, context):
    where = {"Bucket": event["detail"]["bucket"]["name"], "Key": event["detail"]["object"]["key"]}
    part = Path(os.environ["FILE"] + ".part")
    part.write_text(json.dumps(s3.head_object(**where)["Metadata"]))
    part.rename(os.environ["FILE"])
"""
_SLOW_S = 0.5
"""Longer than a started function needs to read an object."""
STUDY = ["study.json", {"suffix": "/study.json"}]
"""The product's own pattern for keys."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the function keeps the events that reach it."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def keeper(aws: Aws, folder: Path) -> str:
    """ARN of a function that keeps its events."""
    return aws.function_arn(aws.function(KEEPS_EVENTS, variables={"FOLDER": str(folder)}))


@pytest.fixture(scope="module")
def bucket(aws: Aws) -> str:
    """A bucket that tells EventBridge."""
    return aws.bucket(versioned=True, to_eventbridge=True)


@pytest.fixture(scope="module")
def _rule(aws: Aws, bucket: str, keeper: str) -> str:
    return aws.rule(created(bucket, STUDY), keeper)


def created(bucket: str, keys: list[Any]) -> dict[str, Any]:
    """Pattern of new objects in a bucket."""
    detail = {"bucket": {"name": [bucket]}, "object": {"key": keys}}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def kept(folder: Path) -> list[Any]:
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def event_of(folder: Path, key: str) -> Any:
    """The event about an object, as soon as the function has it."""

    def look() -> Any:
        return next((event for event in kept(folder) if event["detail"]["object"]["key"] == key), None)

    return wait_for(look, f"the event about {key}")


def put(aws: Aws, bucket: str, key: str) -> str:
    """Upload an object; its version."""
    return str(aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")["VersionId"])


def put_event(aws: Aws, detail: Any) -> str:
    """Put an event of a source that nothing else has; that source."""
    source = unique("test")
    aws.send_event(source, detail)
    return source


# --- new objects


@pytest.mark.usefixtures("_rule")
@pytest.mark.parametrize(
    "prefix", ["plain", "with space", "Dämmung", "a+b", "100%", "a%20b", "a&b=c", "ein/langer/Weg", "断熱", "q?#"]
)
def test_the_key_of_a_new_object_arrives_as_it_is(aws: Aws, bucket: str, folder: Path, prefix: str) -> None:
    key = f"{unique(prefix)}/study.json"
    put(aws, bucket, key)
    assert event_of(folder, key)["detail"]["object"]["key"] == key


@pytest.mark.usefixtures("_rule")
def test_a_key_without_a_folder_matches_too(aws: Aws, bucket: str, folder: Path) -> None:
    put(aws, bucket, "study.json")
    event_of(folder, "study.json")


def test_an_object_has_its_metadata_when_its_event_arrives(
    aws: Aws, bucket: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of a study is in the metadata of its study.json."""
    from moto.s3.models import FakeKey

    stock = FakeKey.set_metadata
    reader = aws.function(READS_METADATA, variables={"FILE": str(folder / "metadata")})
    aws.rule(created(bucket, [{"suffix": "/slow.json"}]), aws.function_arn(reader))
    start_workers([reader])

    def set_metadata(self: FakeKey, metadata: Any, replace: bool = False) -> None:
        time.sleep(_SLOW_S)
        stock(self, metadata, replace)

    monkeypatch.setattr(FakeKey, "set_metadata", set_metadata)
    aws.client("s3").put_object(Bucket=bucket, Key="a/slow.json", Body=b"{}", Metadata={"owner": "anna"})
    wait_for((folder / "metadata").is_file, "the function")
    assert json.loads((folder / "metadata").read_text()) == {"owner": "anna"}


@pytest.mark.usefixtures("_rule")
def test_the_event_names_the_version_of_the_object(aws: Aws, bucket: str, folder: Path) -> None:
    key = f"{unique('versions')}/study.json"
    versions = {put(aws, bucket, key) for _ in range(2)}
    wait_for(lambda: sum(event["detail"]["object"]["key"] == key for event in kept(folder)) == 2, "both events")
    named = {
        event["detail"]["object"]["version-id"] for event in kept(folder) if event["detail"]["object"]["key"] == key
    }
    assert named == versions


@pytest.mark.usefixtures("_rule")
def test_the_event_has_the_form_that_aws_documents(aws: Aws, bucket: str, folder: Path) -> None:
    key = f"{unique('form')}/study.json"
    put(aws, bucket, key)
    event = event_of(folder, key)
    moment = datetime.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 120
    assert uuid.UUID(event.pop("id"))
    assert event.pop("detail")["bucket"] == {"name": bucket}
    assert event == {
        "version": "0",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
    }


@pytest.mark.usefixtures("_rule")
def test_every_event_has_an_id_of_its_own(aws: Aws, bucket: str, folder: Path) -> None:
    keys = [f"{unique('ids')}/study.json" for _ in range(3)]
    for key in keys:
        put(aws, bucket, key)
    assert len({event_of(folder, key)["id"] for key in keys}) == 3


@pytest.mark.usefixtures("_rule")
def test_a_multipart_upload_is_a_new_object(aws: Aws, bucket: str, folder: Path) -> None:
    s3, key = aws.client("s3"), f"{unique('parts')}/study.json"
    upload = {"Bucket": bucket, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"{}")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    event_of(folder, key)


@pytest.mark.usefixtures("_rule")
def test_a_copy_is_a_new_object(aws: Aws, bucket: str, folder: Path) -> None:
    put(aws, bucket, "original")
    key = f"{unique('copy')}/study.json"
    aws.client("s3").copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": "original"})
    event_of(folder, key)


def test_the_upload_does_not_wait_for_the_function(aws: Aws, tmp_path: Path) -> None:
    waits = """
import time
from pathlib import Path

def handler(event, context):
    folder = Path(event["folder"])
    while not (folder / "go").exists():
        time.sleep(0.01)
    (folder / "done").touch()
"""
    bucket = aws.bucket(versioned=True, to_eventbridge=True)
    function = aws.function_arn(aws.function(waits))
    aws.rule(created(bucket, STUDY), function, Input=json.dumps({"folder": str(tmp_path)}))
    put(aws, bucket, "study.json")
    (tmp_path / "go").touch()
    wait_for((tmp_path / "done").exists, "the function")


# --- what a rule lets through


def test_only_keys_that_match_come_through(aws: Aws, bucket: str) -> None:
    queue = aws.queue()
    aws.rule(created(bucket, [{"suffix": "/wanted.json"}]), queue.arn)
    for key in ("wanted.json", "a/unwanted.json", "a/wanted.json/b", "a/wanted.jsonl", "a/wanted.json"):
        put(aws, bucket, key)
    assert aws.message(queue)["detail"]["object"]["key"] == "a/wanted.json"


def test_only_the_bucket_of_the_pattern_comes_through(aws: Aws, bucket: str) -> None:
    queue, other = aws.queue(), aws.bucket(to_eventbridge=True)
    aws.rule(created(bucket, STUDY), queue.arn)
    aws.client("s3").put_object(Bucket=other, Key="study.json", Body=b"{}")
    put(aws, bucket, "study.json")
    assert aws.message(queue)["detail"]["bucket"] == {"name": bucket}


def test_deleting_is_not_creating(aws: Aws, bucket: str) -> None:
    queue = aws.queue()
    aws.rule(created(bucket, [{"suffix": "/deleted.json"}]), queue.arn)
    version = put(aws, bucket, "a/deleted.json")
    aws.client("s3").delete_object(Bucket=bucket, Key="a/deleted.json", VersionId=version)
    put(aws, bucket, "b/deleted.json")
    keys = [event["detail"]["object"]["key"] for event in aws.messages(queue, 2)]
    assert sorted(keys) == ["a/deleted.json", "b/deleted.json"]


def test_a_bucket_without_notifications_tells_nothing(aws: Aws) -> None:
    queue, silent, telling = aws.queue(), aws.bucket(), aws.bucket(to_eventbridge=True)
    for each in (silent, telling):
        aws.rule(created(each, STUDY), queue.arn)
    for each in (silent, telling):
        aws.client("s3").put_object(Bucket=each, Key="study.json", Body=b"{}")
    assert aws.message(queue)["detail"]["bucket"] == {"name": telling}


def test_a_disabled_rule_lets_nothing_through(aws: Aws) -> None:
    source, disabled, enabled = unique("test"), aws.queue(), aws.queue()
    aws.rule({"source": [source]}, disabled.arn, state="DISABLED")
    aws.rule({"source": [source]}, enabled.arn)
    aws.send_event(source, {})
    aws.message(enabled)
    assert aws.received(disabled) == []


def test_a_rule_can_be_disabled_and_enabled_again(aws: Aws) -> None:
    source, queue = unique("test"), aws.queue()
    rule = aws.rule({"source": [source]}, queue.arn)
    aws.client("events").disable_rule(Name=rule)
    aws.send_event(source, {"number": 1})
    aws.client("events").enable_rule(Name=rule)
    aws.send_event(source, {"number": 2})
    assert aws.message(queue)["detail"] == {"number": 2}


def test_a_rule_with_a_schedule_alone_gets_no_events(aws: Aws) -> None:
    events, name = aws.client("events"), unique("r")
    scheduled, source, queue = aws.queue(), unique("test"), aws.queue()
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": scheduled.arn}])
    aws.rule({"source": [source]}, queue.arn)
    aws.send_event(source, {})
    aws.message(queue)
    assert aws.received(scheduled) == []
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


# --- targets


def test_every_target_of_a_rule_gets_the_event(aws: Aws) -> None:
    source, first, second = unique("test"), aws.queue(), aws.queue()
    rule = aws.rule({"source": [source]}, first.arn)
    aws.client("events").put_targets(Rule=rule, Targets=[{"Id": "2", "Arn": second.arn}])
    aws.send_event(source, {"number": 1})
    assert aws.message(first) == aws.message(second)


def test_a_topic_can_be_a_target(aws: Aws) -> None:
    source, queue, sns = unique("test"), aws.queue(), aws.client("sns")
    topic = sns.create_topic(Name=unique("t"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    aws.rule({"source": [source]}, topic)
    aws.send_event(source, {"number": 1})
    assert json.loads(aws.message(queue)["Message"])["detail"] == {"number": 1}


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(aws: Aws) -> None:
    source, dead = unique("test"), aws.queue()
    aws.rule({"source": [source]}, aws.function_arn("not-there"), DeadLetterConfig={"Arn": dead.arn})
    aws.send_event(source, {"number": 1})
    assert aws.message(dead)["detail"] == {"number": 1}


def test_a_target_that_is_not_emulated_is_a_failed_delivery(aws: Aws) -> None:
    source, dead = unique("test"), aws.queue()
    target = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"
    aws.rule({"source": [source]}, target, DeadLetterConfig={"Arn": dead.arn})
    aws.send_event(source, {"number": 1})
    assert aws.message(dead)["detail"] == {"number": 1}


def test_a_failing_target_does_not_keep_others_from_the_event(aws: Aws) -> None:
    source, queue = unique("test"), aws.queue()
    rule = aws.rule({"source": [source]}, aws.function_arn("not-there"))
    aws.client("events").put_targets(Rule=rule, Targets=[{"Id": "2", "Arn": queue.arn}])
    aws.send_event(source, {"number": 1})
    assert aws.message(queue)["detail"] == {"number": 1}
