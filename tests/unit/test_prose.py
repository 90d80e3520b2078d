"""The check of phrases: what it reads, what it leaves alone, and where it says that something stands."""

import doctest

import pytest

import docs.prose
from docs.prose import RULES, in_markdown, in_names, in_python


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Faults are told at once.", "told"),
        ("The study was put\ninto the bucket.", "put into"),
        ("AWS is asked too often.", "asked too often"),
        ("The file is not used any more.", "any more"),
        ("Try again in some seconds.", "some seconds"),
        ("It takes some 20 seconds.", "some"),
        ("A name that is no token of this API.", "is no"),
        ("Studies whose time is over are deleted.", "time is over"),
        ("## Who may\n", "## Who"),
    ],
)
def test_phrases_in_documents_are_found(text: str, phrase: str) -> None:
    assert [finding.phrase for finding in in_markdown(text)] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "There is no such path.",
        "The study is no longer there.",
        "It needs not any more than that.",
        "Use `told` as a name.",
        "```\ntold\n```\n",
        "1. As in\n\n   ```\n   told\n   ```\n",
        "It is told. <!-- prose: ok -->",
        "## Retention\n",
    ],
)
def test_usual_terms_code_and_exceptions_are_left_alone(text: str) -> None:
    assert in_markdown(text) == []


def test_lines_are_those_of_the_document() -> None:
    text = "```\ntold\n```\n\nUse `a\nb`; it is\ntold.\n"
    assert [(finding.line, finding.phrase) for finding in in_markdown(text)] == [(7, "told")]


def test_comments_docstrings_and_messages_are_read_and_code_is_not() -> None:
    source = '''"""Subscribers are told."""

def told(tells: str) -> str:
    # AWS is asked too
    # often by all.
    tell = f"{tells} is no"
    return (
        f"The {study} was put "
        f"into {bucket}"
    )
'''
    assert [(finding.line, finding.phrase) for finding in in_python(source)] == [
        (1, "told"),
        (4, "asked too often"),
        (6, "is no"),
        (8, "put into"),
    ]


def test_names_of_variables_and_parameters_are_nouns() -> None:
    source = """class Problem:
    what: str

def show(what: str, text: str) -> None:
    said = Problem(what=text)
    for who in text:  # prose: ok
        print(said.what)
    there: str = text
"""
    assert [(finding.line, finding.phrase) for finding in in_names(source)] == [(4, "what"), (5, "said"), (8, "there")]


def test_terms_do_not_use_the_phrases_of_other_rules() -> None:
    assert [rule.term for rule in RULES if in_markdown(rule.term)] == []


def test_examples_hold() -> None:
    result = doctest.testmod(docs.prose)
    assert (result.attempted > 0, result.failed) == (True, 0)


@pytest.mark.parametrize(
    ("sentence", "phrase"),
    [
        ("It says what is wrong.", "what is wrong"),
        ("A name, or how it begins.", "how it begins"),
        ("Engines at a time; one a core.", "one a core"),
        ("The engine passes over them.", "engine passes over"),
        ("A copy stands beside it.", "stands beside"),
        ("The first row behind the header.", "behind the"),
        ("What has come of the study is recorded.", "What has come of"),
        ("Whoever asks is answered.", "Whoever"),
    ],
)
def test_riddles_are_found(sentence: str, phrase: str) -> None:
    assert phrase in [finding.phrase for finding in in_markdown(sentence)]


@pytest.mark.parametrize(
    "sentence",
    ["The handler behind the API.", "It stands in for moto.", "Two passes over the rows.", "It goes on the list."],
)
def test_usual_phrases_are_not_found(sentence: str) -> None:
    assert in_markdown(sentence) == []
