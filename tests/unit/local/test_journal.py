"""The journal that a local stack writes for the next one."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from epsm_local.aws.journal import CannotKeep, Closed, Journal

MAKER = "moto 1"


def rows(journal: Journal, owner: str = "a") -> list[tuple[str, object]]:
    return list(journal.read(owner))


def test_what_was_written_is_there_without_having_been_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.write("a", "one", {"x": 1})
    journal.write("a", "two", [2])
    journal.write("a", "one", {"x": 3})
    journal.write("b", "one", b"other")
    journal._held.close()  # as the kernel does with a killed process; nothing is flushed, nothing is checkpointed
    assert rows(Journal(tmp_path, MAKER)) == [("one", {"x": 3}), ("two", [2])]


def test_none_forgets(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.write("a", "one", 1)
    journal.write("a", "one", None)
    assert rows(journal) == []


def test_versions_keep_their_order_and_only_new_or_changed_ones_are_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.write_versions("a", "key", {"v1": "first", "v2": "second"}, changed={"v2"})
    journal.write_versions("a", "key", {"v1": "not asked for", "v2": "changed", "v3": "third"}, changed={"v2"})
    assert rows(journal) == [("key", "first"), ("key", "changed"), ("key", "third")]
    journal.write_versions("a", "key", {"v1": "-", "v3": "-"}, changed=())
    assert rows(journal) == [("key", "first"), ("key", "third")]
    journal.write_versions("a", "key", {}, changed=())
    assert rows(journal) == []


def test_what_is_forgotten_gives_its_space_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.write("a", "big", bytes(5_000_000))
    journal.write("a", "big", None)
    journal.close()
    assert (tmp_path / "journal.sqlite").stat().st_size < 100_000


def test_writes_of_a_block_are_on_disk_at_its_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as other:
        with journal.together():
            journal.write("a", "one", 1)
            with journal.together():
                journal.write("a", "two", 2)
            assert not on_disk(other)
        assert on_disk(other) == ["one", "two"]


def test_writes_of_several_threads_share_a_commit(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    statements: list[str] = []
    journal._rows.set_trace_callback(statements.append)
    names = [str(number) for number in range(8)]
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as other, ThreadPoolExecutor(8) as pool:
        with journal.lock:  # as during a commit
            done = [pool.submit(journal.write, "a", name, name) for name in names]
            while journal._commits._queued < len(names):
                time.sleep(0.001)
        for write in done:
            write.result()
        assert sorted(on_disk(other)) == names
    assert statements.count("COMMIT") < len(names)


def test_a_value_that_cannot_be_written_leaves_those_of_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    with closing(sqlite3.connect(tmp_path / "journal.sqlite")) as other, journal.together():
        journal.write("a", "before", 1)
        with pytest.raises(sqlite3.Error):
            journal.write_versions("a", "no text", {"v": 1}, {"v"}, {"v": object()})  # type: ignore[dict-item]
        journal.write("a", "after", 2)
        assert not on_disk(other)
    assert rows(journal) == [("before", 1), ("after", 2)]


def test_writes_that_a_full_disk_takes_with_it_fail(tmp_path: Path) -> None:
    """SQLite rolls back the whole transaction when the disk is full, not only the statement."""
    journal = Journal(tmp_path, MAKER)
    pages = journal._rows.execute("PRAGMA page_count").fetchone()[0]
    journal._rows.execute(f"PRAGMA max_page_count = {pages + 20}")

    def write_three() -> None:
        with journal.together():
            journal.write("a", "lost", 1)
            with suppress(sqlite3.OperationalError):
                journal.write("a", "too large", bytes(1_000_000))
            journal.write("a", "small", 2)

    with pytest.raises(sqlite3.OperationalError, match="full"):
        write_three()
    with pytest.raises(sqlite3.OperationalError, match="full"):
        journal.write("a", "too large", bytes(1_000_000))
    journal.write("a", "last", 3)
    assert rows(journal) == [("small", 2), ("last", 3)]


def test_bodies_belong_to_the_rows_that_name_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    removed: list[str] = []
    for number in ("1", "2"):
        files, bodies = {"v": f"body{number}"}, {f"body{number}": number.encode()}
        journal.write_versions("a", "key", {"v": number}, {"v"}, files, bodies, removed.append)
    assert (journal.body("body1"), journal.body("body2"), removed) == (None, b"2", ["body1"])
    journal.write_versions("a", "key", {"v": "3"}, {"v"}, {"v": "body2"})
    assert journal.body("body2") == b"2"
    journal.forget("a")
    assert journal.body("body2") is None


def on_disk(other: sqlite3.Connection) -> list[str]:
    """Names in the journal as another process sees them."""
    return [name for (name,) in other.execute("SELECT name FROM kept WHERE owner = 'a' ORDER BY number")]


def test_two_stacks_cannot_keep_their_data_in_one_folder(tmp_path: Path) -> None:
    first = Journal(tmp_path, MAKER)
    first.write("a", "one", 1)
    with pytest.raises(CannotKeep, match="another local stack uses the data"):
        Journal(tmp_path, MAKER, fresh=True)
    assert rows(first) == [("one", 1)]
    first.close()
    assert rows(Journal(tmp_path, MAKER)) == [("one", 1)]


def test_a_fresh_journal_is_empty(tmp_path: Path) -> None:
    first = Journal(tmp_path, MAKER)
    first.write("a", "one", 1)
    first.close()
    assert rows(Journal(tmp_path, MAKER, fresh=True)) == []


def test_another_makers_journal_is_refused_until_it_is_forgotten(tmp_path: Path) -> None:
    first = Journal(tmp_path, MAKER)
    first.write("a", "one", 1)
    first.close()
    with pytest.raises(CannotKeep, match=r"written with moto 1, this is moto 2: discard it with --fresh"):
        Journal(tmp_path, "moto 2")
    assert rows(Journal(tmp_path, "moto 2", fresh=True)) == []


@pytest.mark.parametrize("damage", ["substr(value, 1, length(value) / 2)", "x'80049501'", "zeroblob(40)"])
def test_a_damaged_value_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.write("a", "one", {"text": "x" * 100})
    journal._rows.execute(f"UPDATE kept SET value = {damage} WHERE name = 'one'")
    with pytest.raises(CannotKeep, match=r"is damaged: one cannot be read .*--fresh"):
        rows(journal)


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.close()
    with pytest.raises(Closed):
        journal.write("a", "one", 1)


def test_nobody_else_can_read_the_folder(tmp_path: Path) -> None:
    Journal(tmp_path / "data", MAKER)
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
