"""Packs: written, read by ranges, and refused where they are damaged."""

import io
import zipfile
from typing import Any

import pytest

from epsm.errors import NotFound
from epsm.store.files import Files
from epsm.store.pack_index import PackIndex, read_index
from epsm.store.packs import Pack, pack

FILES = {"in.idf": b"Version,25.2;" * 100, "eplusout.sql.gz": bytes(range(256)), "result.json": b"{}"}


def test_a_pack_is_a_zip_that_anybody_can_open() -> None:
    content = pack({3: FILES, 12: {"result.json": b"{}"}}, {3: {"verdict": "ok"}})

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read("variants/3/in.idf") == FILES["in.idf"]
        assert archive.getinfo("variants/3/eplusout.sql.gz").compress_type == zipfile.ZIP_STORED
    opened = Pack(io.BytesIO(content))
    assert (opened.variants, opened.names(12)) == ([3, 12], ["result.json"])
    assert {name: opened.read(3, name) for name in opened.names(3)} == FILES
    assert opened.records() == {3: {"verdict": "ok"}}


def test_entries_that_are_no_files_of_variants_are_left_alone() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("variants/3/../../../etc/passwd", "/variants/3/a.b", "variants/3/a/b.c", "variants/x/a.b", "a.b"):
            archive.writestr(name, "")

    assert Pack(content).variants == []


def test_what_is_damaged_is_absent() -> None:
    content = bytearray(pack({3: FILES}, {}))
    content[content.index(FILES["eplusout.sql.gz"]) + 5] ^= 1

    opened = Pack(io.BytesIO(content))
    assert opened.read(3, "in.idf") == FILES["in.idf"]
    for name in ("eplusout.sql.gz", "no.such"):
        with pytest.raises(NotFound):
            opened.read(3, name)
    with pytest.raises(NotFound):
        Pack(io.BytesIO(content[: len(content) // 2]))


@pytest.mark.parametrize("size", [10, 400_000, 3_000_000])
def test_only_the_ranges_that_are_read_are_transferred(files: Files, s3: Any, size: int) -> None:
    large = bytes(range(250)) * (size // 250 + 1)
    files.put_bytes("runs/a/packs/a.zip", pack({1: {"large.gz": large}, 2: FILES}, {}), "application/zip")

    with files.open_ranged("runs/a/packs/a.zip") as content:
        opened = Pack(content)
        assert opened.read(2, "result.json") == b"{}"
        assert opened.read(1, "large.gz") == large
        assert opened.read(2, "in.idf") == FILES["in.idf"]


def test_the_index_says_which_pack_has_which_variants(files: Files) -> None:
    assert read_index(files, "a") is None
    index = PackIndex()
    for variant, name in ((0, "packs/a.zip"), (1, "packs/b.zip"), (2, "packs/a.zip"), (3, "packs/a.zip")):
        index.add(variant, name)

    files.put_json("runs/a/packs/index.json", index.document())

    assert read_index(files, "a") == {"packs/a.zip": {0, 2, 3}, "packs/b.zip": {1}}
