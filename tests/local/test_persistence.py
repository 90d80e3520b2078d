"""Buckets and tables in the journal: what the next process restores."""

import copy
import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import FakeKey, s3_backends

from epsm_local import moto_patches
from epsm_local.aws.journal import Journal
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.moto_patches import PROMISES, local_aws, objects, persistence
from epsm_local.stack import LocalStack
from tests.moto_fixtures import Aws, unique
from tests.support import wait_for

PART = 5 * 1024 * 1024


@pytest.fixture
def journal(stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """The running stack keeps a journal for the length of a test."""
    journal = Journal(tmp_path, "moto")
    monkeypatch.setattr(moto_patches, "_current", replace(local_aws(), journal=journal))
    before = objects._folder
    objects.use_folder(journal.objects, journal)
    yield journal
    objects.use_folder(before)
    monkeypatch.undo()
    journal.close()


@pytest.fixture
def s3(stack: LocalStack) -> Any:
    return stack.client("s3")


@pytest.fixture
def bucket(s3: Any, journal: Journal) -> str:
    name = unique("kept")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def table(stack: LocalStack, journal: Journal) -> str:
    name = unique("kept")
    stack.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def start_again(bucket: str, table: str) -> None:
    """Lose what is in memory, then do what a next process does."""
    s3_backends[ACCOUNT]["aws"].get_bucket(bucket).keys.clear()
    dynamodb_backends[ACCOUNT][REGION].get_table(table).items.clear()
    persistence.restore((bucket,), table)


def versions(s3: Any, bucket: str) -> list[tuple[str, str, bool]]:
    """Key, version and whether it is the latest, markers included."""
    answer = s3.list_object_versions(Bucket=bucket)
    both = answer.get("Versions", []) + answer.get("DeleteMarkers", [])
    return sorted((each["Key"], each["VersionId"], each["IsLatest"]) for each in both)


def test_versions_bodies_and_metadata_are_kept(s3: Any, bucket: str, table: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="a", Body=b"one", ContentType="text/plain", Metadata={"owner": "anna"})
    s3.put_object(Bucket=bucket, Key="a", Body=bytes(100_000))
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a", "VersionId": first["VersionId"]})
    before = versions(s3, bucket)
    start_again(bucket, table)
    assert versions(s3, bucket) == before
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == bytes(100_000)
    for which in ({"Key": "a", "VersionId": first["VersionId"]}, {"Key": "b"}):
        kept = s3.get_object(Bucket=bucket, **which)
        assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (b"one", "text/plain", {"owner": "anna"})
        assert kept["ETag"] == first["ETag"]


def test_a_multipart_upload_is_kept_whole(s3: Any, bucket: str, table: str) -> None:
    upload = {"Bucket": bucket, "Key": "big"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, Metadata={"x": "y"})["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in ((1, b"a" * PART), (2, b"b"))
    ]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    before = s3.head_object(Bucket=bucket, Key="big")
    start_again(bucket, table)
    after = s3.get_object(Bucket=bucket, Key="big")
    assert after["Body"].read() == b"a" * PART + b"b"
    assert (after["ETag"], after["Metadata"]) == (before["ETag"], {"x": "y"})


def test_a_delete_marker_is_kept_without_what_it_hides(s3: Any, bucket: str, table: str, journal: Journal) -> None:
    body = s3.put_object(Bucket=bucket, Key="a", Body=b"one")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="a")
    marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
    before = versions(s3, bucket)
    assert [each.key for _, each in journal.read(f"s3:{bucket}") if each.version_id == marker] == [None]
    start_again(bucket, table)
    assert versions(s3, bucket) == before
    for version in [each for _, each, _ in before if each != body]:
        s3.delete_object(Bucket=bucket, Key="a", VersionId=version)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"one"


def test_what_is_removed_leaves_no_row(s3: Any, bucket: str, table: str, journal: Journal, stack: LocalStack) -> None:
    for _ in range(2):
        s3.put_object(Bucket=bucket, Key="a", Body=b"one")
    s3.delete_object(Bucket=bucket, Key="a")
    doomed = [{"Key": key, "VersionId": version} for key, version, _ in versions(s3, bucket)]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed[:1]})
    left = {each.version_id for _, each in journal.read(f"s3:{bucket}")}
    assert left == {each["VersionId"] for each in doomed[1:]}
    s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed[1:]})
    assert not list(journal.read(f"s3:{bucket}"))
    dynamodb = stack.client("dynamodb")
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    dynamodb.put_item(TableName=table, Item=key)
    assert len(list(journal.read(f"dynamodb:{table}"))) == 1
    dynamodb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": key}}]})
    assert not list(journal.read(f"dynamodb:{table}"))


@pytest.fixture
def earlier_journal(
    s3: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Journal, dict[str, bytes]]]:
    """A journal as it was when rows held the bodies of objects; and the bodies, by version."""

    def state(version: FakeKey) -> dict[str, Any]:  # of moto 5.2.5
        return {
            "value": version.value,
            **{name: value for name, value in version.__dict__.items() if name not in ("_value_buffer", "lock")},
        }

    put = [("a", bytes(50_000)), ("a", b"a" * 60_000), ("a", b"small"), ("b", b"b" * 10_000)]
    bodies = {s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]: body for key, body in put}
    s3.delete_object(Bucket=bucket, Key="b")
    (tmp_path / "earlier").mkdir()
    rows = sqlite3.connect(tmp_path / "earlier" / "journal.sqlite")
    rows.execute(
        "CREATE TABLE IF NOT EXISTS kept (number INTEGER PRIMARY KEY, owner TEXT, name TEXT, version TEXT, "
        "value BLOB, UNIQUE (owner, name, version))"
    )
    kept = s3_backends[ACCOUNT]["aws"].get_bucket(bucket).keys
    with monkeypatch.context() as patch:
        patch.setattr(FakeKey, "__getstate__", state)
        written = [
            (f"s3:{bucket}", key, str(version.version_id), pickle.dumps(persistence._alone(version)))
            for key in ("a", "b")
            for version in kept.getlist(key)
        ]
    rows.executemany("INSERT INTO kept (owner, name, version, value) VALUES (?, ?, ?, ?)", written)
    rows.commit()
    rows.close()
    before = objects._folder
    journal = Journal(tmp_path / "earlier", "moto")
    monkeypatch.setattr(moto_patches, "_current", replace(local_aws(), journal=journal))
    objects.use_folder(journal.objects, journal)
    yield journal, bodies
    objects.use_folder(before)
    journal.close()


def test_objects_of_an_earlier_journal_are_moved_out_of_its_rows_of_versions(
    s3: Any, bucket: str, table: str, earlier_journal: tuple[Journal, dict[str, bytes]]
) -> None:
    journal, bodies = earlier_journal
    before = versions(s3, bucket)
    for _ in range(2):
        start_again(bucket, table)
        assert versions(s3, bucket) == before
        for key, version, _ in before:
            if version in bodies:
                stored = s3.get_object(Bucket=bucket, Key=key, VersionId=version)
                assert stored["Body"].read() == bodies[version]
        named = [name for (name,) in journal._rows.execute("SELECT file FROM kept WHERE file <> ''")]
        assert sorted(named) == sorted(name for (name,) in journal._rows.execute("SELECT name FROM bodies"))
        assert len(named) == 3  # the small one stays in its row
    longest = journal._rows.execute("SELECT max(length(value)) FROM kept").fetchone()
    assert longest[0] < objects.MAX_IN_MEMORY_BYTES


def test_a_stack_that_ends_leaves_no_file_that_its_journal_does_not_name(
    s3: Any, bucket: str, journal: Journal
) -> None:
    code = unique("cdk-assets")
    s3.create_bucket(Bucket=code)
    for each, size in ((code, 10_000), (bucket, 1 + objects.MAX_IN_JOURNAL_BYTES)):
        s3.put_object(Bucket=each, Key="a", Body=bytes(size))
    assert len(list(journal.objects.iterdir())) == 2
    objects.remove_unkept(journal.objects)
    ((named,),) = journal._rows.execute("SELECT file FROM kept WHERE file <> ''")
    assert [each.name for each in journal.objects.iterdir()] == [named]


def test_an_object_of_middle_size_is_a_row_and_no_file(s3: Any, bucket: str, table: str, journal: Journal) -> None:
    for content in (b"x", b"y"):
        s3.put_object(Bucket=bucket, Key="a", Body=content * 50_000)
    s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    assert not list(journal.objects.iterdir())
    assert bodies_in(journal) == [50_000] * 3
    start_again(bucket, table)
    first, second = sorted(
        (version for key, version, _ in versions(s3, bucket) if key == "a"),
        key=lambda version: s3.get_object(Bucket=bucket, Key="a", VersionId=version)["Body"].read(),
    )
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"y" * 50_000
    s3.delete_object(Bucket=bucket, Key="a", VersionId=first)
    s3.delete_object(Bucket=bucket, Key="a", VersionId=second)
    assert bodies_in(journal) == [50_000]
    start_again(bucket, table)
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"y" * 50_000


def test_an_object_that_is_read_while_it_is_removed_is_read_to_its_end(s3: Any, bucket: str, journal: Journal) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x" * 50_000)
    reader = copy.deepcopy(s3_backends[ACCOUNT]["aws"].get_bucket(bucket).keys["a"])
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a", "VersionId": reader.version_id}]})
    assert bodies_in(journal) == []
    assert reader.value == b"x" * 50_000


def bodies_in(journal: Journal) -> list[int]:
    """Sizes of the bodies that the journal holds."""
    return [size for (size,) in journal._rows.execute("SELECT length(content) FROM bodies")]


def test_items_are_kept_as_they_are_after_every_kind_of_write(stack: LocalStack, bucket: str, table: str) -> None:
    dynamodb = stack.client("dynamodb")
    for sort in "abcd":
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "x"}, "sk": {"S": sort}, "n": {"N": "1"}})
    change = {
        "TableName": table,
        "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": {":n": {"N": "2.50"}},
    }
    dynamodb.update_item(Key={"pk": {"S": "x"}, "sk": {"S": "a"}}, **change)
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": "x"}, "sk": {"S": "b"}})
    dynamodb.transact_write_items(TransactItems=[{"Update": {"Key": {"pk": {"S": "x"}, "sk": {"S": "c"}}, **change}}])
    before = dynamodb.scan(TableName=table)["Items"]
    start_again(bucket, table)
    assert dynamodb.scan(TableName=table)["Items"] == before
    assert len(before) == 3


def test_a_transaction_that_was_taken_back_is_not_in_the_journal(stack: LocalStack, bucket: str, table: str) -> None:
    dynamodb = stack.client("dynamodb")
    put = {"TableName": table, "Item": {"pk": {"S": "x"}, "sk": {"S": "new"}}}
    never = {
        "TableName": table,
        "Key": {"pk": {"S": "x"}, "sk": {"S": "none"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"ConditionCheck": never}])
    start_again(bucket, table)
    assert dynamodb.scan(TableName=table)["Items"] == []


def test_an_event_for_a_function_is_in_the_journal_until_it_has_been_dealt_with(
    aws: Aws, journal: Journal, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    code = f"""
import pathlib, time
def handler(event, context):
    while not pathlib.Path({str(go)!r}).exists():
        time.sleep(0.05)
"""
    function = aws.function(code)
    aws.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"a": 1}')
    ((_, promise),) = journal.read(PROMISES)
    assert promise == (function, '{"a": 1}')
    go.touch()
    wait_for(lambda: not list(journal.read(PROMISES)) or None, "the function")
