"""Downloading the variants of a run whose files are in packs."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import epsm
from epsm.client.unpack import Unpacking
from epsm.store import keys
from epsm.store.pack_index import PackIndex
from epsm.store.packs import pack
from epsm.store.records import Records
from tests.unit.deployed import Deployed


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records)


@pytest.fixture
def run(stack: Deployed) -> epsm.Run:
    clients = {"s3": stack.s3, "stepfunctions": stack.machine}
    connection = epsm.Connection("epsm-dev", clients.__getitem__, stack, poll_s=0.0)
    return epsm.Run(connection, stack.accepted("ann", "ann/house/study.json"))


def put(stack: Deployed, run: epsm.Run, name: str, content: bytes) -> None:
    stack.files.put_bytes(keys.run_key(run.simulation_id, name), content, "")


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_of_packs_come_as_if_they_were_objects(stack: Deployed, run: epsm.Run, tmp_path: Path) -> None:
    put(stack, run, "packs/0000000-a.zip", pack({0: {"in.idf": b"0"}, 1: {"in.idf": b"1"}}, {}))
    put(stack, run, "variants/1/eplusout.sql.gz", b"large")
    put(stack, run, "variants/1/in.idf", b"of an attempt that did not run in batches")
    put(stack, run, "unpacked/0000000-a/0/in.idf", b"0")

    assert "variants" not in {path.name for path in run.download(tmp_path).iterdir()}
    folder = run.download(tmp_path, variant_files=True)

    assert files_below(folder / "variants") == {"0/in.idf": b"0", "1/in.idf": b"1", "1/eplusout.sql.gz": b"large"}
    assert not {path.name for path in folder.iterdir()} & {"packs", "unpacked"}


@pytest.mark.parametrize(("indexed", "expected"), [(True, b"recorded"), (False, b"newest")])
def test_of_several_packs_with_a_variant_the_index_says_which_one_counts(
    stack: Deployed, run: epsm.Run, tmp_path: Path, indexed: bool, expected: bytes
) -> None:
    put(stack, run, "packs/0000000-a.zip", pack({0: {"in.idf": b"recorded"}}, {}))
    put(stack, run, "packs/0000000-b.zip", pack({0: {"in.idf": b"newest"}}, {}))
    if indexed:
        index = PackIndex()
        index.add(0, "packs/0000000-a.zip")
        stack.files.put_json(keys.run_key(run.simulation_id, "packs/index.json"), index.document())

    folder = run.download(tmp_path, variant_files=True)

    assert files_below(folder / "variants") == {"0/in.idf": expected}


def test_a_pack_of_which_a_further_attempt_counts_more_variants_is_unpacked_again(tmp_path: Path) -> None:
    content = pack({0: {"in.idf": b"0"}, 1: {"in.idf": b"1"}}, {})
    unpacking = Unpacking(tmp_path)
    for variants in ({0}, {0, 1}):
        unpacking.index = {"packs/0000000-a.zip": variants}
        assert not unpacking.is_done("packs/0000000-a.zip")
        unpacking.unpack("packs/0000000-a.zip", "2026", BytesIO(content))
        assert unpacking.is_done("packs/0000000-a.zip")

    assert files_below(tmp_path) == {"variants/0/in.idf": b"0", "variants/1/in.idf": b"1"}


def test_a_damaged_pack_is_reported(stack: Deployed, run: epsm.Run, tmp_path: Path) -> None:
    put(stack, run, "packs/0000000-a.zip", b"PK")

    with pytest.raises(epsm.NotFound, match="damaged"):
        run.download(tmp_path, variant_files=True)
