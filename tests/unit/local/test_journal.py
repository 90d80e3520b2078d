"""The journal that a local stack writes for the next one."""

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


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, MAKER)
    journal.close()
    with pytest.raises(Closed):
        journal.write("a", "one", 1)


def test_nobody_else_can_read_the_folder(tmp_path: Path) -> None:
    Journal(tmp_path / "data", MAKER)
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
