"""Buckets and the table outlive the process: what a request changed is in the journal before it is answered.

Completes moto/s3/models.py, moto/s3/responses.py, moto/dynamodb/models/__init__.py, moto/dynamodb/responses.py and
moto/cloudformation/parsing.py. Backends note what is touched; the end of the request writes what is there then, so that
metadata set after an object was stored is in it, and what a failed transaction took back is not.
"""

import json
from collections.abc import Callable
from threading import local as thread_local
from typing import Any

from moto.cloudformation import parsing
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.responses import DynamoHandler
from moto.s3.models import S3Backend, s3_backends
from moto.s3.responses import S3Response

from local.aws import ACCOUNT, REGION
from local.completions import local_aws

_generate_name = parsing.generate_resource_name
_request = thread_local()


def install() -> None:
    """Note changes in the backends, write them where requests end, and give buckets and tables lasting names."""
    for name in ("put_object", "copy_object", "delete_object"):
        _noting(S3Backend, name, _write_object)
    for name in ("put_item", "update_item", "delete_item"):
        _noting(DynamoDBBackend, name, _write_item)
    for response, name in (
        (S3Response, "key_response"),
        (S3Response, "bucket_response"),
        (DynamoHandler, "call_action"),
    ):
        _writing(response, name)
    parsing.generate_resource_name = _lasting_name


def restore(buckets: tuple[str, ...], table: str) -> None:
    """Put back what the journal holds, past the services: nothing of it is news to anybody."""
    journal = local_aws().journal
    if journal is None:
        return
    for name in buckets:
        keys = s3_backends[ACCOUNT]["aws"].get_bucket(name).keys
        for key, versions in journal.read(f"s3:{name}"):
            keys.setlist(key, versions)
    items = dynamodb_backends[ACCOUNT][REGION].get_table(table).items
    for _, item in journal.read(f"dynamodb:{table}"):
        items[item.hash_key][item.range_key] = item


def _lasting_name(resource_type: str, stack_name: str, logical_id: str) -> str:
    """The name that records of an earlier process know."""
    if resource_type in {"AWS::S3::Bucket", "AWS::DynamoDB::Table"} and local_aws().journal is not None:
        name = f"{stack_name}-{logical_id}"
        return name.lower()[:63] if resource_type == "AWS::S3::Bucket" else name
    return str(_generate_name(resource_type, stack_name, logical_id))


def _noting(backend: type, name: str, write: Callable[..., None]) -> None:
    original = getattr(backend, name)

    def noted(self: Any, *args: Any, **kwargs: Any) -> Any:
        journal = local_aws().journal
        if journal is None:
            return original(self, *args, **kwargs)
        try:
            return original(self, *args, **kwargs)
        finally:
            change = (write, self, _touched(name, args, kwargs))
            if (changes := getattr(_request, "changes", None)) is not None:
                changes.append(change)
            else:
                write(self, change[2])

    setattr(backend, name, noted)


def _touched(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, Any]:
    """Bucket and key, or table and attributes with the key among them."""
    if name == "copy_object":
        return kwargs.get("dest_bucket_name") or args[1], kwargs.get("dest_key_name") or args[2]
    owner = kwargs.get("bucket_name") or kwargs.get("table_name") or args[0]
    for each in ("key_name", "item_attrs", "key"):
        if each in kwargs:
            return owner, kwargs[each]
    return owner, args[1] if len(args) > 1 else args[0]


def _writing(response: type, name: str) -> None:
    original = getattr(response, name)

    def answered(self: Any, *args: Any, **kwargs: Any) -> Any:
        if local_aws().journal is None:
            return original(self, *args, **kwargs)
        changes: list[tuple[Callable[..., None], Any, Any]] = []
        _request.changes = changes
        try:
            return original(self, *args, **kwargs)
        finally:
            _request.changes = None
            for write, backend, touched in changes:
                write(backend, touched)

    setattr(response, name, answered)


def _write_object(backend: S3Backend, touched: tuple[str, str]) -> None:
    bucket, key = touched
    journal = local_aws().journal
    if journal is None or bucket not in backend.buckets or bucket.startswith("cdk-"):
        return
    with journal.lock:
        versions = backend.buckets[bucket].keys.getlist(key, [])
        for each in versions:
            if getattr(each, "multipart", None) is not None:
                each.multipart = None  # its parts are in the object by now
        journal.write(f"s3:{bucket}", key, list(versions) or None)


def _write_item(backend: DynamoDBBackend, touched: tuple[str, dict[str, Any]]) -> None:
    name, attributes = touched
    journal = local_aws().journal
    if journal is None or name not in backend.tables:
        return
    table = backend.get_table(name)
    key = {each: attributes[each] for each in (table.hash_key_attr, table.range_key_attr) if each in attributes}
    with journal.lock:
        item = backend.get_item(name, key)
        journal.write(f"dynamodb:{name}", json.dumps(key, sort_keys=True), item)
