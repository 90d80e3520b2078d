"""Buckets and the table outlive the process: what a request changed is in the journal before it is answered.

Completes moto/s3/models.py, moto/s3/responses.py, moto/dynamodb/models/__init__.py, moto/dynamodb/responses.py and
moto/cloudformation/parsing.py. Backends note what is touched; the end of the request writes what is there then, so that
metadata set after an object was stored is in it, and what a failed transaction took back is not.
"""

import copy
import functools
import hashlib
import inspect
import json
from collections.abc import Callable
from threading import local as thread_local
from typing import Any

from moto.cloudformation import parsing
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response

from epsm_local.aws.journal import Journal
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.moto_patches import full_disk, local_aws, objects

_LASTING = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}

_generate_name = parsing.generate_resource_name
_request = thread_local()

_Write = Callable[[], None]


def install() -> None:
    """Note changes in the backends, write them where requests end, and give buckets and tables lasting names.

    moto's own copy_object, complete_multipart_upload, delete_objects and transact_write_items go through these.
    """
    S3Backend.put_object = _noting(S3Backend.put_object, _object_written)
    S3Backend.delete_object = _noting(S3Backend.delete_object, _object_written)
    DynamoDBBackend.put_item = _noting(DynamoDBBackend.put_item, _item_written)
    DynamoDBBackend.update_item = _noting(DynamoDBBackend.update_item, _item_written)
    DynamoDBBackend.delete_item = _noting(DynamoDBBackend.delete_item, _item_written)
    S3Response.key_response = full_disk.told_by_s3(_writing(S3Response.key_response))
    S3Response.bucket_response = full_disk.told_by_s3(_writing(S3Response.bucket_response))
    DynamoHandler.call_action = full_disk.told_by_dynamodb(_writing(DynamoHandler.call_action))
    parsing.generate_resource_name = _lasting_name


def restore(buckets: tuple[str, ...], table: str) -> None:
    """Put back what the journal holds, past the services: nothing of it is news to anybody."""
    journal = local_aws().journal
    if journal is None:
        return
    mine = {f"s3:{name}" for name in buckets} | {f"dynamodb:{table}"}
    for owner in journal.owners():
        if owner.startswith(("s3:", "dynamodb:")) and owner not in mine:
            journal.forget(owner)  # what is not put back would stay for ever
    for name in buckets:
        versions = s3_backends[ACCOUNT]["aws"].get_bucket(name).keys
        rewritten: dict[str, set[str]] = {}
        for key, version in journal.read(f"s3:{name}"):
            versions[key] = version  # one more of that key
            if isinstance(version, FakeKey) and not objects.is_kept(version):  # as earlier versions wrote it
                rewritten.setdefault(key, set()).add(str(version.version_id))
        # With all versions of a key in their place: those that are not would be forgotten.
        for key, changed in rewritten.items():
            _write_versions(journal, s3_backends[ACCOUNT]["aws"], name, key, changed)
    objects.remove_orphans()
    items = dynamodb_backends[ACCOUNT][REGION].get_table(table).items
    for _, item in journal.read(f"dynamodb:{table}"):
        items[item.hash_key][item.range_key] = item


def _lasting_name(resource_type: str, stack_name: str, logical_id: str) -> str:
    """The name that records of an earlier process know."""
    if resource_type in _LASTING and local_aws().journal is not None:
        name = f"{stack_name}-{logical_id}"
        return name.lower()[:63] if resource_type == "AWS::S3::Bucket" else name
    # Random on AWS, but there a stack is created once; here it is at every start, and scripts name its resources.
    suffix = hashlib.sha256(f"{resource_type}/{stack_name}/{logical_id}".encode()).hexdigest()[:12].upper()
    drawn = str(_generate_name(resource_type, stack_name, logical_id))
    lower = drawn.islower()
    return drawn[:-12] + (suffix.lower() if lower else suffix)


def _noting(stock: Callable[..., Any], written: Callable[..., _Write]) -> Callable[..., Any]:
    signature = inspect.signature(stock)

    @functools.wraps(stock)
    def noted(*args: Any, **kwargs: Any) -> Any:
        if local_aws().journal is None:
            return stock(*args, **kwargs)
        result = None
        try:
            result = stock(*args, **kwargs)
            return result
        finally:
            # What has failed may have changed something before.
            write = written(result, **signature.bind(*args, **kwargs).arguments)
            if (writes := getattr(_request, "writes", None)) is not None:
                writes.append(write)
            else:
                write()

    return noted


def _writing(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def answered(*args: Any, **kwargs: Any) -> Any:
        if local_aws().journal is None or getattr(_request, "writes", None) is not None:
            return stock(*args, **kwargs)
        writes: list[_Write] = []
        _request.writes = writes
        try:
            return stock(*args, **kwargs)
        finally:
            _request.writes = None
            for write in writes:
                write()

    return answered


def _object_written(result: Any, *, self: S3Backend, bucket_name: str, key_name: str, **_: Any) -> _Write:
    # Others are there already, as they will stay; this one may get its metadata after it was stored.
    changed = {str(version)} if (version := getattr(result, "version_id", None)) else set()

    def write() -> None:
        journal = local_aws().journal
        if journal is None or bucket_name not in self.buckets or bucket_name.startswith("cdk-"):
            return
        _write_versions(journal, self, bucket_name, key_name, changed)

    return write


def _write_versions(journal: Journal, backend: S3Backend, bucket: str, key: str, changed: set[str]) -> None:
    """Bodies are on the disk before the rows that name them, and go after those rows have gone."""
    with journal.lock:
        journal.check_open()
        versions = {str(each.version_id): _alone(each) for each in backend.buckets[bucket].keys.getlist(key, [])}
        for name, version in versions.items():
            if isinstance(version, FakeKey) and (name in changed or not objects.is_kept(version)):
                objects.keep(version)
        files = {name: (objects.file_name(version) or "") for name, version in versions.items()}
        objects.forget(journal.write_versions(f"s3:{bucket}", key, versions, changed, files))


def _alone(version: Any) -> Any:
    """A version without what it refers to: parts that are in its body by now, the version that a marker hides."""
    if isinstance(version, FakeDeleteMarker):
        marker = copy.copy(version)
        marker.key = None
        return marker
    version.multipart = None
    return version


def _item_written(result: Any, *, self: DynamoDBBackend, table_name: str, **arguments: Any) -> _Write:
    attributes = arguments["item_attrs"] if "item_attrs" in arguments else arguments["key"]

    def write() -> None:
        journal = local_aws().journal
        if journal is None or table_name not in self.tables:
            return
        table = self.get_table(table_name)
        key = {each: attributes[each] for each in (table.hash_key_attr, table.range_key_attr) if each in attributes}
        with journal.lock:
            item = self.get_item(table_name, key)
            journal.write(f"dynamodb:{table_name}", json.dumps(key, sort_keys=True), item)

    return write
