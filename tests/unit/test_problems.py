"""Problems: how they read, how many are shown, what is suggested."""

import json

import pytest

from epsm.errors import StudyRejected
from epsm.problems import MAX_PROBLEMS_SHOWN, Problem, shortened
from epsm.text import listed, nearest


def problems(count: int) -> list[Problem]:
    return [Problem("room.idf", f"fault {number}") for number in range(count)]


def test_a_problem_reads_as_place_fault_and_what_is_allowed() -> None:
    assert (
        str(Problem("study.json: name", "is empty", "some text")) == "study.json: name: is empty (allowed: some text)"
    )


def test_a_problem_without_an_alternative_ends_with_the_fault() -> None:
    assert str(Problem("room.idf", "has no Building object")) == "room.idf: has no Building object"


def test_a_problem_survives_json() -> None:
    problem = Problem("Büro.idf: line 3", "is 'no' number", "> 0")
    assert Problem(**json.loads(json.dumps(problem.as_dict()))) == problem


def test_a_rejection_carries_every_problem() -> None:
    assert StudyRejected(iter(problems(250))).problems == tuple(problems(250))


def test_a_rejection_reads_in_a_log_line_however_many_problems_it_has() -> None:
    text = str(StudyRejected(problems(250)))
    assert text.startswith("250 problems: room.idf: fault 0; ")
    assert "fault 3" not in text


@pytest.mark.parametrize("count", [0, 1, MAX_PROBLEMS_SHOWN])
def test_as_many_problems_as_fit_are_shown_as_they_are(count: int) -> None:
    assert shortened(problems(count)) == problems(count)


def test_what_does_not_fit_is_counted() -> None:
    shown = shortened(problems(MAX_PROBLEMS_SHOWN + 7))
    assert shown[:MAX_PROBLEMS_SHOWN] == problems(MAX_PROBLEMS_SHOWN)
    (rest,) = shown[MAX_PROBLEMS_SHOWN:]
    assert "7 further problems" in rest.what


@pytest.mark.parametrize(
    ("name", "known", "suggested"),
    [
        ("materiel", ["Material", "Zone"], "'Material'"),
        ("THICKNESS", ["Thickness"], "'Thickness'"),
        ("qqqq", ["Material", "Zone"], ""),
        ("anything", [], ""),
        ("", ["Material"], ""),
    ],
)
def test_near_names_are_suggested_in_their_own_spelling(name: str, known: list[str], suggested: str) -> None:
    assert nearest(name, known) == suggested


def test_no_more_than_the_asked_number_of_names_is_suggested() -> None:
    assert nearest("wall 1", ["Wall 2", "Wall 3", "Wall 4"], count=2).count("'Wall") == 2


def test_a_list_of_names_is_cut_and_the_rest_counted() -> None:
    assert listed(["a", "b", "c", "d"], most=2) == "'a', 'b' and 2 more"


def test_a_list_that_fits_is_whole() -> None:
    assert listed(iter(["a", "b"]), most=2) == "'a', 'b'"


def test_the_texts_of_a_problem_are_cut_to_what_a_record_can_hold() -> None:
    shown = shortened([Problem("x" * 10_000, "y" * 10_000, "z" * 10_000)] * MAX_PROBLEMS_SHOWN)
    assert len(json.dumps([each.as_dict() for each in shown])) < 400_000


def test_the_texts_of_a_problem_can_be_written_as_utf_8() -> None:
    str(Problem("room.epJSON", "'\ud800' is not a class")).encode()
