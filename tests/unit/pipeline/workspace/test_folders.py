"""Folders of runs, and room for them on the disk."""

import threading
from pathlib import Path
from typing import Any

import pytest

from epsm.pipeline import workspace as run_folder
from epsm.pipeline.workspace import NoDiskSpace, Workspace
from tests.unit.pipeline.workspace.manifests import Bucket, kept_files, lay_out, manifest

PLENTY, LITTLE = 5000.0, 5.0


# -- the folder --------------------------------------------------------------------------------------------------
def test_a_run_begins_in_an_empty_folder(workspace: Workspace) -> None:
    with workspace.folder() as folder:
        assert list(folder.iterdir()) == []


def test_the_folder_is_gone_after_the_run(workspace: Workspace) -> None:
    with workspace.folder() as folder:
        (folder / "out").mkdir()
        (folder / "out" / "eplusout.sql").write_text("large")

    assert not folder.exists()


def test_the_folder_is_gone_after_an_exception(workspace: Workspace) -> None:
    def fail() -> None:
        with workspace.folder() as folder:
            seen.append(folder)
            (folder / "in.idf").write_text("a model")
            raise RuntimeError

    seen: list[Path] = []
    with pytest.raises(RuntimeError):
        fail()

    assert not seen[0].exists()


def test_what_a_killed_run_has_left_is_removed(workspace: Workspace, tmp_path: Path) -> None:
    left = tmp_path / "work" / "runs" / "tmpkilled"
    left.mkdir(parents=True)
    (left / "eplusout.sql").write_text("large")

    with workspace.folder():
        assert not left.exists()


def test_removing_a_run_leaves_the_kept_inputs(workspace: Workspace, bucket: Bucket) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b"LOCATION"})
    with workspace.folder() as folder:
        lay_out(workspace, folder, of)

    assert workspace.read(of.inputs["chicago.epw"]) == b"LOCATION"
    assert bucket.reads == ["study/chicago.epw"]


def with_free_disk(monkeypatch: pytest.MonkeyPatch, *answers: float) -> None:
    """Let the disk have this much room, one answer a look, the last one for ever."""
    remaining = list(answers)
    monkeypatch.setattr(run_folder, "free_disk_mb", lambda _: remaining.pop(0) if len(remaining) > 1 else remaining[0])


def test_a_full_disk_is_an_error_before_the_run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with_free_disk(monkeypatch, LITTLE)

    with pytest.raises(NoDiskSpace, match=r"^5 MB are free in "), workspace.folder():
        pass


def test_kept_inputs_make_room_for_a_run(workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.read(bucket.put("study/chicago.epw", b"LOCATION"))
    (kept,) = kept_files(workspace)
    with_free_disk(monkeypatch, LITTLE, PLENTY)

    with workspace.folder():
        assert not kept.exists()


def test_an_input_that_made_room_is_downloaded_again(
    workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = bucket.put("study/chicago.epw", b"LOCATION")
    workspace.read(ref)
    with_free_disk(monkeypatch, LITTLE, PLENTY)

    with workspace.folder():
        assert workspace.read(ref) == b"LOCATION"


def test_inputs_do_not_make_room_while_another_engine_fetches_one(
    workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = bucket.put("study/chicago.epw", b"LOCATION")
    with_free_disk(monkeypatch, LITTLE, PLENTY)
    get_object, others = bucket.get_object, list[threading.Thread]()

    def make_room() -> None:
        with workspace.folder():
            pass

    def meanwhile(**which: str) -> dict[str, Any]:
        others.append(threading.Thread(target=make_room))
        others[-1].start()
        others[-1].join(timeout=0.2)  # it waits for this one's end, or has made room by now
        return get_object(**which)

    monkeypatch.setattr(bucket, "get_object", meanwhile)

    assert workspace.read(ref) == b"LOCATION"
    others[0].join()


def test_inputs_may_make_room_while_another_engine_copies_one(
    workspace: Workspace, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = bucket.put("study/chicago.epw", b"LOCATION")
    workspace.read(ref)
    with_free_disk(monkeypatch, LITTLE, PLENTY)
    copy = run_folder._copy

    def make_room_and_copy(kept: Any, target: Path) -> str:
        with workspace.folder():
            return copy(kept, target)

    monkeypatch.setattr(run_folder, "_copy", make_room_and_copy)
    workspace.copy(ref, tmp_path / "in.epw")

    assert (tmp_path / "in.epw").read_bytes() == b"LOCATION"


def test_inputs_stay_where_there_is_room(workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.read(bucket.put("study/chicago.epw", b"LOCATION"))
    (kept,) = kept_files(workspace)
    with_free_disk(monkeypatch, PLENTY)

    with workspace.folder():
        assert kept.exists()
