"""The folder that a run works in: inputs once, everything at its place, nothing left behind."""

import errno
import hashlib
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import Verdict, judge
from epsm.errors import NotFound
from epsm.pipeline import workspace as run_folder
from epsm.pipeline.workspace import NoDiskSpace, RunFolder, Workspace
from epsm.results.reader import read_results
from epsm.store.files import Files
from epsm.study.manifest import ObjectRef, RunManifest
from epsm.study.schema import Study
from epsm.study.variants import Variant
from tests.conftest import study_document
from tests.unit.fakes import fake
from tests.unit.manifests import manifest_of

PLENTY, LITTLE = 5000.0, 5.0


class Bucket:
    """What `Files` uses of an S3 client to read, over contents in memory."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.reads: list[str] = []

    def put(self, key: str, content: bytes) -> ObjectRef:
        self.contents[key] = content
        digest = hashlib.sha256(content).hexdigest()
        return ObjectRef(bucket="inputs", key=key, version_id="v1", sha256=digest, bytes=len(content))

    def get_object(self, *, Key: str, **which: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if Key not in self.contents:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        self.reads.append(Key)
        return {"Body": io.BytesIO(self.contents[Key]), "VersionId": which["VersionId"]}


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def workspace(tmp_path: Path, bucket: Bucket) -> Workspace:
    return Workspace(tmp_path / "work", Files(fake(bucket), "results"))


def manifest(
    bucket: Bucket, files: dict[str, bytes], model: str = "room.idf", external: Iterable[str] = ()
) -> RunManifest:
    """The manifest of a run of one model with these files."""
    weather = next(name for name in files if name.lower().endswith(".epw"))
    return manifest_of(
        Study.model_validate(study_document(models=[model], weather=[weather], parameters=[])),
        inputs={name: bucket.put(f"study/{name}", content) for name, content in files.items()},
        external_files={model: tuple(external)},
    )


def first_variant(of: RunManifest) -> Variant:
    return Variant(0, of.study.models[0], of.study.weather[0])


def kept_files(workspace: Workspace) -> list[Path]:
    """The inputs that are kept between runs."""
    return sorted(workspace.kept.iterdir())


def lay_out(workspace: Workspace, folder: Path, of: RunManifest, text: str = "the model") -> RunFolder:
    return workspace.lay_out(folder, of, first_variant(of), "in.idf", text)


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


def test_inputs_stay_where_there_is_room(workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.read(bucket.put("study/chicago.epw", b"LOCATION"))
    (kept,) = kept_files(workspace)
    with_free_disk(monkeypatch, PLENTY)

    with workspace.folder():
        assert kept.exists()


# -- the layout --------------------------------------------------------------------------------------------------


def test_the_model_is_written_as_utf_8(workspace: Workspace, bucket: Bucket, tmp_path: Path) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b""})

    files = lay_out(workspace, tmp_path / "run", of, "Zone,\n  办公室;\n")

    assert (files.model.name, files.model.read_bytes().decode("utf-8")) == ("in.idf", "Zone,\n  办公室;\n")


@pytest.mark.parametrize("name", ["weather/chicago.epw", "CHICAGO.EPW"])
def test_the_weather_stands_beside_its_statistics(
    workspace: Workspace, bucket: Bucket, tmp_path: Path, name: str
) -> None:
    of = manifest(bucket, {"room.idf": b"", name: b"LOCATION", f"{name[:-4]}.stat": b"Statistics"})

    files = lay_out(workspace, tmp_path / "run", of)

    assert (files.weather.read_bytes(), files.weather.with_suffix(".stat").read_bytes()) == (b"LOCATION", b"Statistics")


def test_statistics_of_another_weather_are_not_taken(workspace: Workspace, bucket: Bucket, tmp_path: Path) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b"LOCATION", "golden.stat": b"Statistics"})

    files = lay_out(workspace, tmp_path / "run", of)

    assert not files.weather.with_suffix(".stat").exists()


@pytest.mark.parametrize(
    ("model", "external", "relative"),
    [
        ("room.idf", "hours.csv", "hours.csv"),
        ("room.idf", "data/hours.csv", "data/hours.csv"),
        ("models/room.idf", "data/hours.csv", "../data/hours.csv"),
        ("a/b/room.idf", "hours.csv", "../../hours.csv"),
        ("models/room.idf", "models/hours.csv", "hours.csv"),
    ],
)
def test_an_external_file_is_where_the_model_looks_for_it(
    workspace: Workspace, bucket: Bucket, tmp_path: Path, model: str, external: str, relative: str
) -> None:
    of = manifest(bucket, {model: b"", "chicago.epw": b"", external: b"8760 values"}, model, [external])

    files = lay_out(workspace, tmp_path / "run", of)

    assert (files.model.parent / relative).read_bytes() == b"8760 values"


def test_whatever_a_run_writes_stays_with_it(workspace: Workspace, bucket: Bucket, tmp_path: Path) -> None:
    contents = {name: name.encode() for name in ("room.idf", "c.epw", "c.stat", "hours.csv", "expanded.idf", "in.idf")}
    of = manifest(bucket, contents, external=["hours.csv", "expanded.idf", "in.idf"])

    files = lay_out(workspace, tmp_path / "run", of)

    placed = [path for path in (tmp_path / "run").rglob("*") if not path.is_dir()]
    kept = {path.stat().st_ino for path in kept_files(workspace)}
    assert files.model.read_text() == "the model"
    assert not [path for path in placed if path.is_symlink() or path.stat().st_ino in kept]
    for path in placed:
        path.write_bytes(b"written by the engine")
    assert {name: workspace.read(ref) for name, ref in of.inputs.items()} == contents


def test_inputs_that_do_not_fit_on_the_disk_are_a_full_disk(
    workspace: Workspace, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b"LOCATION"})

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_folder, "_copy", full)
    with pytest.raises(NoDiskSpace, match="no room for the files of variant 0"):
        lay_out(workspace, tmp_path / "run", of)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_kept_inputs_of_others_make_room_for_an_input(
    workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    workspace.read(bucket.put("study/other.epw", b"LOCATION,Other"))
    (other,) = kept_files(workspace)
    fetch = Files.fetch

    def onto_a_small_disk(self: Files, ref: ObjectRef, target: Path) -> None:
        if other.exists():
            raise OSError(number, "No space")
        fetch(self, ref, target)

    monkeypatch.setattr(Files, "fetch", onto_a_small_disk)
    assert workspace.read(bucket.put("study/chicago.epw", b"LOCATION")) == b"LOCATION"


def test_kept_inputs_of_others_make_room_for_a_runs_own_files(
    workspace: Workspace, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.read(bucket.put("study/other.epw", b"LOCATION,Other"))
    (other,) = kept_files(workspace)
    copy = run_folder._copy

    def onto_a_small_disk(source: Path, target: Path) -> str:
        if other.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return copy(source, target)

    monkeypatch.setattr(run_folder, "_copy", onto_a_small_disk)
    run = lay_out(workspace, tmp_path / "run", manifest(bucket, {"room.idf": b"", "chicago.epw": b"LOCATION"}))
    assert run.weather.read_bytes() == b"LOCATION"


def test_an_input_larger_than_the_disk_is_a_full_disk(
    workspace: Workspace, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Files, "fetch", full)
    with pytest.raises(NoDiskSpace, match=r"there is no room for 2\.0 MB of s3://inputs/study/chicago\.epw in "):
        workspace.read(bucket.put("study/chicago.epw", bytes(2_000_000)))


def test_files_that_the_model_does_not_read_are_not_brought(
    workspace: Workspace, bucket: Bucket, tmp_path: Path
) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b"", "other.csv": b""}, external=[])

    lay_out(workspace, tmp_path / "run", of)

    assert "study/other.csv" not in bucket.reads


def test_a_missing_input_is_no_fault_of_the_variant(workspace: Workspace, bucket: Bucket, tmp_path: Path) -> None:
    of = manifest(bucket, {"room.idf": b"", "chicago.epw": b""})
    del bucket.contents["study/chicago.epw"]

    with pytest.raises(NotFound, match="s3://inputs/study/chicago"):
        lay_out(workspace, tmp_path / "run", of)


def test_the_engine_finds_a_file_beside_the_models_folder(
    engine: Engine, workspace: Workspace, bucket: Bucket, one_day: str, chicago: Path
) -> None:
    schedule = "\nSchedule:File,From a File,Any Number,../data/hours.csv,1,0,8760,Comma,No,60;\n"
    text = one_day.replace("  Office Hours,            !- Schedule Name", "  From a File,") + schedule
    contents = {"models/room.idf": text.encode(), "w.epw": chicago.read_bytes(), "data/hours.csv": b"0.5\n" * 8760}
    of = manifest(bucket, contents, "models/room.idf", ["data/hours.csv"])
    model = prepare(text.encode(), "models/room.idf", of.study, engine.idd)

    with workspace.folder() as folder:
        files = lay_out(workspace, folder, of, model.render({}))
        line = command(engine, files.model, files.weather, files.output)
        diagnosis = judge(run(line, files.model.parent, timeout_s=60), files.output)

    assert (diagnosis.verdict, diagnosis.message) == (Verdict.OK, "")


def test_what_one_owner_runs_changes_nothing_for_another_on_a_warm_worker(
    engine: Engine, workspace: Workspace, bucket: Bucket, one_day: str, chicago: Path
) -> None:
    """ExpandObjects writes expanded.idf into the run's folder, and one study has put its neighbour's model there."""
    expands = "\nHVACTemplate:Thermostat,T1,,20,,26;\nCoil:DX:ASHRAE205:Performance,Unused,expanded.idf,Linear;\n"
    darker = re.sub(r"(\n\s*)10(,\s*!- Watts per Floor Area)", r"\g<1>1\2", one_day)
    epw = chicago.read_bytes()
    victim = manifest(bucket, {"room.idf": one_day.encode(), "w.epw": epw})
    attacks = [
        manifest(
            bucket,
            {"other.idf": (darker + expands).encode(), "w.epw": epw, "expanded.idf": planted},
            "other.idf",
            ["expanded.idf"],
        )
        for planted in (one_day.encode(), epw)
    ]

    def site_eui(of: RunManifest) -> float | None:
        name = of.study.models[0]
        model = prepare(workspace.read(of.inputs[name]), name, of.study, engine.idd)
        with workspace.folder() as folder:
            files = lay_out(workspace, folder, of, model.render({}))
            expand = model.needs_expansion
            line = command(engine, files.model, files.weather, files.output, expand_objects=expand)
            diagnosis = judge(run(line, files.model.parent, timeout_s=60), files.output)
            assert diagnosis.verdict is Verdict.OK, diagnosis.message
            return read_results(files.output / "eplusout.sql", diagnosis.environments).metrics["site_eui_kwh_m2"]

    before = site_eui(victim)
    attacked = [site_eui(each) for each in attacks]

    assert site_eui(victim) == before
    assert before not in attacked
