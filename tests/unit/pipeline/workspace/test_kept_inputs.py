"""Input files are downloaded once, and never used after they were changed."""

from pathlib import Path

import pytest

from epsm.pipeline.workspace import Workspace
from tests.unit.pipeline.workspace.manifests import Bucket, kept_files, lay_out, manifest


# -- inputs ------------------------------------------------------------------------------------------------------
def test_an_input_is_downloaded_once(workspace: Workspace, bucket: Bucket) -> None:
    ref = bucket.put("study/chicago.epw", b"LOCATION")

    contents = {workspace.read(ref) for _ in range(3)}

    assert (contents, bucket.reads) == ({b"LOCATION"}, ["study/chicago.epw"])


def test_equal_files_of_two_studies_are_downloaded_once(workspace: Workspace, bucket: Bucket) -> None:
    contents = {workspace.read(bucket.put(f"{study}/chicago.epw", b"LOCATION")) for study in ("one", "two")}

    assert (contents, len(bucket.reads)) == ({b"LOCATION"}, 1)


def test_files_of_one_name_and_other_content_are_kept_apart(workspace: Workspace, bucket: Bucket) -> None:
    old = bucket.put("study/room.idf", b"old")
    assert workspace.read(old) == b"old"
    new = bucket.put("study/room.idf", b"new")

    assert (workspace.read(old), workspace.read(new)) == (b"old", b"new")


def test_an_input_outlives_the_run(workspace: Workspace, bucket: Bucket) -> None:
    ref = bucket.put("study/chicago.epw", b"LOCATION")
    for _ in range(2):
        with workspace.folder():
            workspace.read(ref)

    assert bucket.reads == ["study/chicago.epw"]


def test_an_input_that_is_not_what_was_accepted_is_refused(workspace: Workspace, bucket: Bucket) -> None:
    ref = bucket.put("study/room.idf", b"accepted")
    bucket.put("study/room.idf", b"another")

    with pytest.raises(RuntimeError, match=r"study/room\.idf has changed since the study was accepted"):
        workspace.read(ref)


def test_an_input_that_was_refused_is_not_kept(workspace: Workspace, bucket: Bucket) -> None:
    ref = bucket.put("study/room.idf", b"accepted")
    bucket.put("study/room.idf", b"another")
    with pytest.raises(RuntimeError):
        workspace.read(ref)
    bucket.put("study/room.idf", b"accepted")

    assert workspace.read(ref) == b"accepted"


@pytest.mark.parametrize("damage", [b"REPLACED", b"LOCATIO", b""])
def test_a_kept_input_that_was_changed_is_fetched_again(workspace: Workspace, bucket: Bucket, damage: bytes) -> None:
    ref = bucket.put("study/chicago.epw", b"LOCATION")
    for _ in range(2):
        assert workspace.read(ref) == b"LOCATION"
        (kept,) = kept_files(workspace)
        kept.chmod(0o644)
        kept.write_bytes(damage)

    assert (workspace.read(ref), bucket.reads) == (b"LOCATION", ["study/chicago.epw"] * 3)


def test_a_run_never_gets_a_kept_input_that_was_changed(workspace: Workspace, bucket: Bucket, tmp_path: Path) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b"LOCATION"})
    workspace.read(of.inputs["chicago.epw"])
    (kept,) = kept_files(workspace)
    kept.chmod(0o644)
    kept.write_bytes(b"REPLACED")

    assert lay_out(workspace, tmp_path / "run", of).weather.read_bytes() == b"LOCATION"


def test_kept_inputs_are_read_only(workspace: Workspace, bucket: Bucket) -> None:
    workspace.read(bucket.put("study/chicago.epw", b"LOCATION"))

    assert [each.stat().st_mode & 0o222 for each in kept_files(workspace)] == [0]
