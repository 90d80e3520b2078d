"""Lists of studies in pages, of all, of an owner, of a state."""

from typing import Any

import pytest

from epsm.store import study_lists
from epsm.store.records import Records
from epsm.study.records import StudyStatus
from tests.unit.store.study_items import put


def many(table: Any, number: int, **more: Any) -> None:
    for index in range(number):
        put(table, f"s{index}", created_at=f"2026-05-01T12:00:{index:02d}.000Z", **more)


def names(studies: Any) -> list[str]:
    return [each.simulation_id for each in studies]


def test_the_newest_study_comes_first(table: Any, records: Records) -> None:
    many(table, 3)

    assert names(records.studies()) == ["s2", "s1", "s0"]
    assert names(records.studies(limit=2)) == ["s2", "s1"]


def test_pages_follow_on_each_other_until_the_last(table: Any, records: Records) -> None:
    many(table, 5)
    pages, start = [], None
    while True:
        page = records.study_page(limit=2, start=start)
        pages.append(names(page.studies))
        start = page.next_page
        if start is None:
            break

    assert pages[:3] == [["s4", "s3"], ["s2", "s1"], ["s0"]]
    assert not any(pages[3:])


def test_every_study_is_read_over_all_pages(table: Any, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    many(table, 5)
    monkeypatch.setattr(study_lists, "_PAGE", 2)

    assert names(records.every_study()) == ["s4", "s3", "s2", "s1", "s0"]


def test_a_list_of_an_owner_holds_no_one_elses(table: Any, records: Records) -> None:
    put(table, "hers", owner="anna", created_at="2026-05-01T12:00:01.000Z")
    put(table, "hers-too", owner="anna", created_at="2026-05-01T12:00:02.000Z")
    put(table, "his", owner="bert")
    put(table, "nobodys")

    assert names(records.study_page(owner="anna").studies) == ["hers-too", "hers"]
    assert names(records.study_page(owner="ann").studies) == []
    assert sorted(names(records.study_page().studies)) == ["hers", "hers-too", "his", "nobodys"]


def test_a_list_of_a_state_holds_that_alone_and_may_be_short_of_its_limit(table: Any, records: Records) -> None:
    many(table, 4, status=StudyStatus.RUNNING)
    put(table, "s9", StudyStatus.COMPLETED, owner="anna", created_at="2026-05-01T12:01:00.000Z")

    page = records.study_page(status=StudyStatus.RUNNING, limit=2)

    assert (names(page.studies), page.next_page is not None) == (["s3"], True)
    assert names(records.study_page(owner="anna", status=StudyStatus.RUNNING).studies) == []
    assert names(records.study_page(owner="anna", status=StudyStatus.COMPLETED).studies) == ["s9"]
