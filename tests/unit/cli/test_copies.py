"""Copies of ended studies beside a running stack: no fault of a copy ends the stack."""

import io
import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from rich.console import Console

from epsm.client.connection import Connection
from epsm.errors import FolderBusy
from epsm.study.records import StudyRecord, StudyStatus
from epsm_cli import copies
from epsm_cli.copies import Copies
from epsm_local import downloads
from tests.unit.client.test_fetch import MemoryS3


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def stack() -> Any:
    record = StudyRecord(
        simulation_id="older",
        name="Office",
        status=StudyStatus.COMPLETED,
        created_at="2026-05-01T12:00:00Z",
        source={"bucket": "in", "key": "office/study.json", "version_id": "1"},
    )
    records = Mock(studies=Mock(return_value=[record]))
    stack = Mock(records=records, settings=Mock(results_bucket="results"))
    return Mock(Connection, client=lambda service: MemoryS3(), stack=stack)


@pytest.fixture(autouse=True)
def _retried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_MAX_RETRY_S", 0.0)


def copier(stack: Any, printed: io.StringIO, results: Path, journal: Any = None) -> Copies:
    return Copies(Console(file=printed, width=300), stack, results, journal)


def test_a_copy_that_fails_is_reported_once_and_tried_again(stack: Any, printed: io.StringIO, tmp_path: Path) -> None:
    (tmp_path / "office").write_text("", encoding="utf-8")
    kept = copier(stack, printed, tmp_path)
    for _ in range(3):
        kept.copy_ended()
    assert printed.getvalue().count("retrying later") == 1
    (tmp_path / "office").unlink()
    kept.copy_ended()
    assert json.loads((tmp_path / "office" / "manifest.json").read_text(encoding="utf-8"))
    assert "Office: completed, results in" in printed.getvalue()


def test_studies_are_listed_again_only_after_one_was_written(stack: Any, printed: io.StringIO, tmp_path: Path) -> None:
    """`epsm up` listed all studies every second, also while engines ran on both cores."""
    listed, number = stack.stack.records.studies, 1
    kept = Copies(Console(file=printed, width=300), stack, tmp_path, None, lambda: number)
    for _ in range(3):
        kept.copy_ended()
    assert (tmp_path / "office" / "results.csv").is_file()
    assert listed.call_count == 1

    number, listed.return_value = 2, []
    for _ in range(3):
        kept.copy_ended()
    assert listed.call_count == 2


@pytest.mark.parametrize("fault", ["not copied", "not listed", "not settled"])
def test_what_could_not_be_copied_is_looked_for_without_a_further_write(
    stack: Any, printed: io.StringIO, tmp_path: Path, fault: str
) -> None:
    listed = stack.stack.records.studies
    kept = Copies(Console(file=printed, width=300), stack, tmp_path, None, lambda: 1)
    (record,) = listed.return_value
    match fault:
        case "not copied":
            (tmp_path / "office").write_text("", encoding="utf-8")
        case "not listed":
            listed.side_effect = OSError(24, "Too many open files")
        case "not settled":
            listed.return_value = [replace(record, ended_at=datetime.now(UTC).isoformat())]
    kept.copy_ended()
    assert not (tmp_path / "office" / "results.csv").exists()

    if fault == "not copied":
        (tmp_path / "office").unlink()
    listed.side_effect, listed.return_value = None, [record]
    kept.copy_ended()
    assert (tmp_path / "office" / "results.csv").is_file()


def test_a_clock_that_is_set_back_does_not_delay_a_copy(stack: Any, printed: io.StringIO, tmp_path: Path) -> None:
    listed = stack.stack.records.studies
    (record,) = listed.return_value
    listed.return_value = [replace(record, ended_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())]
    copier(stack, printed, tmp_path).copy_ended()
    assert (tmp_path / "office" / "results.csv").is_file()


def test_a_list_of_studies_that_fails_is_reported_once(stack: Any, printed: io.StringIO, tmp_path: Path) -> None:
    stack.stack.records.studies.side_effect = OSError(24, "Too many open files")
    kept = copier(stack, printed, tmp_path)
    for _ in range(3):
        kept.copy_ended()
    assert printed.getvalue().count("Too many open files") == 1


def test_a_journal_that_cannot_be_written_does_not_stop_the_copies(
    stack: Any, printed: io.StringIO, tmp_path: Path
) -> None:
    journal = Mock(read=Mock(return_value=[]), write=Mock(side_effect=sqlite3.OperationalError("disk is full")))
    kept = copier(stack, printed, tmp_path, journal)
    for _ in range(3):
        kept.copy_ended()
    assert (tmp_path / "office" / "results.csv").is_file()
    assert journal.write.call_count == 1


@pytest.fixture
def _running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(downloads, "running_local_endpoint", lambda: "http://127.0.0.1:5000")


def downloaded(folder: Path, simulation: str = "older") -> None:
    """As a command leaves it."""
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"simulation_id": simulation}), encoding="utf-8")


@pytest.mark.usefixtures("_running")
def test_a_study_that_a_command_has_downloaded_to_the_same_place_is_not_fetched_again(
    stack: Any, printed: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloaded(tmp_path / "office")
    downloads.note_download("older", tmp_path / "office")
    fetched = Mock()
    monkeypatch.setattr(copies, "fetch", fetched)
    journal = Mock(read=Mock(return_value=[]))

    kept = copier(stack, printed, tmp_path, journal)
    kept.copy_ended()
    kept.copy_ended()

    assert not fetched.called
    assert journal.write.call_count == 1
    assert f"Office: completed, results in {tmp_path / 'office'}/" in printed.getvalue()
    assert downloads.take_download("older") is None, "read once"


@pytest.mark.usefixtures("_running")
@pytest.mark.parametrize(("place", "simulation"), [("other/office", "older"), ("office", "younger"), ("gone", "")])
def test_a_study_that_a_command_has_downloaded_elsewhere_or_that_was_replaced_is_copied(
    stack: Any, printed: io.StringIO, tmp_path: Path, place: str, simulation: str
) -> None:
    if simulation:
        downloaded(tmp_path / place, simulation)
    downloads.note_download("older", tmp_path / place)

    copier(stack, printed, tmp_path).copy_ended()

    assert (tmp_path / "office" / "results.csv").is_file()


@pytest.mark.usefixtures("_running")
def test_another_attempt_of_a_study_that_a_command_has_downloaded_is_copied(
    stack: Any, printed: io.StringIO, tmp_path: Path
) -> None:
    downloaded(tmp_path / "office")
    downloads.note_download("older", tmp_path / "office")
    (record,) = stack.stack.records.studies()
    stack.stack.records.studies.return_value = [replace(record, attempt=2)]

    copier(stack, printed, tmp_path).copy_ended()

    assert (tmp_path / "office" / "results.csv").is_file()


@pytest.mark.usefixtures("_running")
def test_notes_of_an_earlier_start_are_forgotten(tmp_path: Path) -> None:
    downloads.forget_downloads()
    downloads.note_download("older", tmp_path)
    downloads.forget_downloads()
    assert downloads.take_download("older") is None


def test_without_a_running_stack_nothing_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    downloads.note_download("older", tmp_path)
    assert not (tmp_path / "state").exists()


def test_files_are_not_listed_every_second_while_a_command_downloads_them(
    stack: Any, printed: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = Mock(side_effect=FolderBusy("busy"))
    monkeypatch.setattr(copies, "fetch", fetched)
    kept = copier(stack, printed, tmp_path)
    for _ in range(3):
        kept.copy_ended()
    assert fetched.call_count == 1
    kept.copy_rest()
    assert fetched.call_count == 2, "the last chance"


def test_a_study_that_ended_just_before_the_stack_stops_is_copied_whole(
    stack: Any, printed: io.StringIO, tmp_path: Path
) -> None:
    journal = Mock(read=Mock(return_value=[]))

    copier(stack, printed, tmp_path, journal).copy_rest()

    assert "Office: completed, results in" in printed.getvalue()
    assert journal.write.call_count == 1
