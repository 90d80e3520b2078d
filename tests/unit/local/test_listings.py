"""Listings of S3 objects on moto while objects are deleted."""

import pytest
from moto.s3.utils import _VersionedKeyStore

from epsm_local.moto_patches import listings


def test_an_object_that_is_deleted_during_a_listing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("items", "iteritems", "values", "itervalues"):
        monkeypatch.setattr(_VersionedKeyStore, name, getattr(_VersionedKeyStore, name))
    listings.install()
    store = _VersionedKeyStore()
    for name in ("a", "b", "c"):
        store[name] = name.upper()

    found = []
    for name, value in store.items():
        found.append((name, value))
        dict.pop(store, "b", None)

    assert found == [("a", "A"), ("c", "C")]
    assert list(store.values()) == ["A", "C"]
