"""A listing of S3 objects leaves out those that are deleted meanwhile, as on AWS.

Completes moto/s3/utils.py, whose stores of keys iterate a copy of their names and then look each up: a listing of a
large bucket failed with error 500 if an object was deleted while it was made, as in a removal, which lists and deletes
at a time.
"""

from collections.abc import Iterator
from typing import Any

from moto.s3.utils import _VersionedKeyStore


def install() -> None:
    _VersionedKeyStore.items = _VersionedKeyStore.iteritems = _items
    _VersionedKeyStore.values = _VersionedKeyStore.itervalues = _values


def _items(store: _VersionedKeyStore) -> Iterator[tuple[str, Any]]:
    for key in store._self_iterable():
        try:
            value = store[key]
        except (KeyError, IndexError):
            continue
        yield key, value


def _values(store: _VersionedKeyStore) -> Iterator[Any]:
    return (value for _, value in _items(store))
