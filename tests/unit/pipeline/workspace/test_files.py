"""The files of a run at their places."""

import errno
import re
from io import FileIO
from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine, command, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import Verdict, judge
from epsm.errors import NotFound
from epsm.pipeline import workspace as run_folder
from epsm.pipeline.workspace import NoDiskSpace, Workspace
from epsm.results.reader import read_results
from epsm.store.files import Files
from epsm.study.manifest import ObjectRef, RunManifest
from tests.unit.pipeline.workspace.manifests import Bucket, kept_files, lay_out, manifest


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

    def onto_a_small_disk(source: FileIO, target: Path) -> str:
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
