"""Persistence of buckets and tables: changes of a request are in the journal before it is answered.

Completes moto/s3/models.py, moto/s3/responses.py, moto/dynamodb/models/__init__.py, moto/dynamodb/responses.py and
moto/cloudformation/parsing.py. Backends record changed items; the end of the request writes their current state, which
includes metadata that is set after an object was stored, and excludes changes that a failed transaction has reverted.
"""

import copy
import functools
import gc
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
    """Record changes in the backends, write them at the end of requests, and give buckets and tables lasting names.

    moto's own copy_object, complete_multipart_upload, delete_objects and transact_write_items use these.
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
    """Restore the content of the journal directly, without events or metrics."""
    journal = local_aws().journal
    if journal is None:
        return
    gc.disable()  # nothing that is restored is garbage, and each collection visits all of it
    try:
        _restore(journal, buckets, table)
    finally:
        gc.enable()


def _restore(journal: Journal, buckets: tuple[str, ...], table: str) -> None:
    mine = {f"s3:{name}" for name in buckets} | {f"dynamodb:{table}"}
    for owner in journal.owners():
        if owner.startswith(("s3:", "dynamodb:")) and owner not in mine:
            journal.forget(owner)  # values that are not restored would stay for ever
    for name in buckets:
        versions = s3_backends[ACCOUNT]["aws"].get_bucket(name).keys
        rewritten: dict[str, set[str]] = {}
        for key, version in journal.read(f"s3:{name}"):
            versions[key] = version  # another version of that key
            if isinstance(version, FakeKey) and not objects.is_kept(version):  # the form of earlier versions
                rewritten.setdefault(key, set()).add(str(version.version_id))
        # After all versions of a key have been restored: others would be deleted.
        for key, changed in rewritten.items():
            _write_versions(journal, s3_backends[ACCOUNT]["aws"], name, key, changed)
    objects.remove_orphans()
    items = dynamodb_backends[ACCOUNT][REGION].get_table(table).items
    for _, item in journal.read(f"dynamodb:{table}"):
        items[item.hash_key][item.range_key] = item


def _lasting_name(resource_type: str, stack_name: str, logical_id: str) -> str:
    """The name that records of earlier processes use."""
    if resource_type in _LASTING and local_aws().journal is not None:
        name = f"{stack_name}-{logical_id}"
        return name.lower()[:63] if resource_type == "AWS::S3::Bucket" else name
    # Random on AWS, where a stack is created once; the local stack is created at every start, and scripts name its
    # resources.
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
            # A failed request may have changed something before it failed.
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
            if writes:
                _write_together(writes)

    return answered


def _write_together(writes: list[_Write]) -> None:
    journal = local_aws().journal
    assert journal is not None, "writes are noted for a journal"
    with journal.together():  # one commit: removing a study deletes a thousand objects with one request
        for write in writes:
            write()


def _object_written(result: Any, *, self: S3Backend, bucket_name: str, key_name: str, **_: Any) -> _Write:
    # The others are stored already and do not change; this one may get its metadata after it was stored.
    changed = {str(version)} if (version := getattr(result, "version_id", None)) else set()

    def write() -> None:
        journal = local_aws().journal
        if journal is None or bucket_name not in self.buckets or bucket_name.startswith("cdk-"):
            return
        _write_versions(journal, self, bucket_name, key_name, changed)

    return write


def _write_versions(journal: Journal, backend: S3Backend, bucket: str, key: str, changed: set[str]) -> None:
    """Bodies are written before the rows that name them, and deleted after these rows."""
    with journal.together(), journal.lock:
        journal.check_open()
        versions = {
            str(version.version_id): _alone(version) for version in backend.buckets[bucket].keys.getlist(key, [])
        }
        for name, version in versions.items():
            if isinstance(version, FakeKey) and (name in changed or not objects.is_kept(version)):
                objects.keep(version)
        files = {name: (objects.file_name(version) or "") for name, version in versions.items()}
        bodies = objects.new_bodies(versions.values())
        dropped = journal.write_versions(f"s3:{bucket}", key, versions, changed, files, bodies, objects.release)
        objects.stored(bodies)
        objects.forget(dropped)


def _alone(version: Any) -> Any:
    """A version without its references: parts that are already in its body, the version that a marker hides."""
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
        key = {
            attribute: attributes[attribute]
            for attribute in (table.hash_key_attr, table.range_key_attr)
            if attribute in attributes
        }
        with journal.together(), journal.lock:
            item = self.get_item(table_name, key)
            journal.write(f"dynamodb:{table_name}", json.dumps(key, sort_keys=True), item)

    return write
