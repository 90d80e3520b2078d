"""Downloading the variants of a run whose files are in packs."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import typer

import epsm
from epsm.client.fetch import Download
from epsm.client.unpack import Unpacking
from epsm.store import keys
from epsm.store.pack_index import PackIndex
from epsm.store.packs import pack
from epsm.store.records import Records
from epsm_cli import steps
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


def put_index(stack: Deployed, run: epsm.Run, packs: dict[str, tuple[int, ...]]) -> None:
    index = PackIndex()
    for name, variants in packs.items():
        for variant in variants:
            index.add(variant, name)
    put(stack, run, "packs/index.json", json.dumps(index.document()).encode())


def broken_entry(content: bytes, index: int) -> bytes:
    """A pack in which a file of a variant is damaged."""
    name = f"variants/{index}/in.idf".encode()
    at = content.index(name) + len(name)
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


def test_a_pack_that_an_earlier_process_unpacked_is_not_transferred_again(
    stack: Deployed, run: epsm.Run, tmp_path: Path
) -> None:
    large = {index: {"eplusout.sql.gz": bytes([index]) * 100_000, "in.idf": b"model"} for index in range(6)}
    put(stack, run, "packs/0000000-a.zip", pack(large, {}))
    put_index(stack, run, {"packs/0000000-a.zip": (0, 1, 2, 3, 4)})
    whole: list[bool] = []

    def note(params: dict[str, Any], **_: object) -> None:
        if params["url_path"].endswith("packs/0000000-a.zip"):
            whole.append("Range" not in params["headers"])

    stack.s3.meta.events.register("before-call.s3.GetObject", note)
    folder = run.download(tmp_path, variant_files=True)
    assert whole == [True]
    assert not (folder / "variants" / "5").exists(), "the index says that it does not count"
    run.download(tmp_path, variant_files=True)
    assert whole == [True, False]

    for change in (Path.unlink, lambda path: path.write_bytes(b"MODEL")):
        change(folder / "variants" / "3" / "in.idf")
        run.download(tmp_path, variant_files=True)
        assert whole.pop(), "a file is missing or differs"
        assert (folder / "variants" / "3" / "in.idf").read_bytes() == b"model"


GOOD = pack({4: {"in.idf": b"4"}}, {})
BROKEN = broken_entry(pack({0: {"in.idf": b"zero"}, 1: {"in.idf": b"1"}}, {}), 0)


def test_damaged_and_missing_packs_cost_their_variants_only(stack: Deployed, run: epsm.Run, tmp_path: Path) -> None:
    put(stack, run, "packs/0000000-broken.zip", BROKEN)
    put(stack, run, "packs/0000002-no-zip.zip", b"PK")
    put(stack, run, "packs/0000004-good.zip", GOOD)
    put(stack, run, "packs/0000005-old.zip", b"PK")
    put(stack, run, "results.csv", b"table")
    lacking = {"packs/0000004-good.zip": (4, 6), "packs/0000007-missing.zip": (7,)}
    put_index(stack, run, {"packs/0000000-broken.zip": (0, 1), "packs/0000002-no-zip.zip": (2, 3)} | lacking)

    with pytest.raises(epsm.DamagedResults, match=r"0000002-no-zip\.zip \(variants 2 to 3\)") as raised:
        run.download(tmp_path, variant_files=True)

    folder = raised.value.folder
    assert files_below(folder / "variants") == {"1/in.idf": b"1", "4/in.idf": b"4"}
    assert (folder / "results.csv").read_bytes() == b"table"
    assert sorted(raised.value.variants) == [0, 2, 3, 6, 7]
    assert "old" not in str(raised.value), "no variant counts in it"


def test_a_pack_that_is_mended_is_downloaded_again(stack: Deployed, run: epsm.Run, tmp_path: Path) -> None:
    put(stack, run, "packs/0000000-a.zip", b"PK")
    download = Download(run.connection, run.simulation_id, tmp_path, with_variants=True)
    assert download.download_early(), "it may not be complete yet"
    put(stack, run, "packs/0000000-a.zip", pack({0: {"in.idf": b"0"}}, {}))

    folder = download.finish(lambda done, total: None)

    assert files_below(folder / "variants") == {"0/in.idf": b"0"}


def test_the_command_shows_the_results_and_reports_the_damage(
    stack: Deployed, run: epsm.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(stack, run, "packs/0000000-a.zip", b"PK")
    record = stack.records.study(run.simulation_id)
    assert record is not None
    download = Download(run.connection, run.simulation_id, tmp_path, with_variants=True)

    with pytest.raises(typer.Exit) as ended:
        steps.bring(run.connection, record, download, "epsm-dev")

    assert ended.value.exit_code == 1
    shown = capsys.readouterr().out
    assert "Results: " in shown
    assert "packs/0000000-a.zip" in shown
