"""Copies of ended studies beside a running stack: no fault of a copy ends the stack."""

import io
import json
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from rich.console import Console

from epsm.client.connection import Connection
from epsm.study.records import StudyRecord, StudyStatus
from epsm_cli import copies
from epsm_cli.copies import Copies
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


def test_a_study_that_ended_just_before_the_stack_stops_is_copied_whole(
    stack: Any, printed: io.StringIO, tmp_path: Path
) -> None:
    journal = Mock(read=Mock(return_value=[]))

    copier(stack, printed, tmp_path, journal).copy_rest()

    assert "Office: completed, results in" in printed.getvalue()
    assert journal.write.call_count == 1
