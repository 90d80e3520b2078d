"""The local stack is killed or stopped in the middle of a study, and started again on the same data."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from epsm.client.connection import Connection, connect
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, VariantStatus
from tests.support import wait_for

ROOT = Path(__file__).parents[2]
EPSM = Path(sys.executable).with_name("epsm")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_next_stack_carries_on_and_runs_nothing_twice(
    how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "one-zone"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "data" / "one_zone.idf", folder / "one_zone.idf")
    shutil.copy(ROOT / "examples" / "office-retrofit" / "chicago.epw", folder)
    study = {"schema": 1, "name": "One zone", "models": ["one_zone.idf"], "weather": ["chicago.epw"], "parameters": [
        {"name": "north", "class": "Building", "object": "*", "field": "North Axis",
         "values": [10, 20, 30]}]}  # fmt: skip
    (folder / "study.json").write_text(json.dumps(study), encoding="utf-8")
    first = _up(tmp_path)
    try:
        target = wait_for(_target, "the stack")
        subprocess.run([EPSM, "submit", str(folder)], check=True, capture_output=True, cwd=tmp_path)
        before = wait_for(lambda: _succeeded(target), "a variant")
        # Refused as soon as submit sees it; the stack dies right behind the answer.
        target.client("s3").put_object(Bucket=target.stack.settings.inputs_bucket, Key="unseen/study.json", Body=b"{}")
    finally:
        os.killpg(first.pid, how)
        first.wait(60)
    second = _up(tmp_path)
    try:
        target = wait_for(_target, "the stack")
        record = wait_for(lambda: _ended(target), "the end")
        after = {each.index: each for each in target.stack.records.variants(record.simulation_id)}
        assert (record.status.value, record.attempt, record.succeeded) == ("completed", 2, len(after))
        assert all(after[index].ended_at == each.ended_at for index, each in before.items())
        assert len(before) < len(after)
        unseen = wait_for(lambda: _named(target, "unseen"), "the study that nobody had seen")
        assert unseen.status is StudyStatus.REJECTED
        wait_for(lambda: {"completed,", "rejected,"} <= set(_log(tmp_path).split()), "the copies")
        assert {each.name for each in (tmp_path / "results").iterdir()} == {"one-zone", "unseen"}
        table = (tmp_path / "results" / "one-zone" / "results.csv").read_text(encoding="utf-8")
        assert len(table.splitlines()) == len(after) + 1
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.wait()


def _up(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "up.log").open("ab") as log:
        return subprocess.Popen(
            [EPSM, "up", "--port", "0", "--api-port", "0", "--engines", "1"],
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _log(folder: Path) -> str:
    return (folder / "up.log").read_text(encoding="utf-8")


def _target() -> Connection | None:
    try:
        return connect("local")
    except Exception:
        return None


def _succeeded(target: Connection) -> dict[int, VariantRecord]:
    return {
        each.index: each
        for study in target.stack.records.studies()
        for each in target.stack.records.variants(study.simulation_id)
        if each.status is VariantStatus.SUCCEEDED
    }


def _named(target: Connection, name: str) -> StudyRecord | None:
    return next((each for each in target.stack.records.studies() if each.name == name and each.status.final), None)


def _ended(target: Connection) -> StudyRecord | None:
    return next((each for each in target.stack.records.studies() if each.status.final and each.attempt == 2), None)
