"""Keys: names that S3, Step Functions and DynamoDB accept, the same for every delivery of an upload."""

import re
import string

import pytest

from epsm.store import keys

EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


def test_every_delivery_of_an_upload_gives_the_same_simulation() -> None:
    assert keys.simulation_id("in", "a/study.json", "v1") == keys.simulation_id("in", "a/study.json", "v1")


@pytest.mark.parametrize(
    "other",
    [("in", "a/study.json", "v2"), ("in", "b/study.json", "v1"), ("other", "a/study.json", "v1")],
    ids=["version", "key", "bucket"],
)
def test_another_upload_is_another_simulation(other: tuple[str, str, str]) -> None:
    assert keys.simulation_id("in", "a/study.json", "v1") != keys.simulation_id(*other)


@pytest.mark.parametrize(
    ("key", "start"),
    [
        ("office/study.json", "office-"),
        ("team/office/study.json", "office-"),
        ("study.json", "study-"),
        ("Büro Nord/study.json", "buro-nord-"),
        ("Bu\u0308ro Nord/study.json", "buro-nord-"),
        ("a+b%20c/study.json", "a-b-20c-"),
        ("研究/study.json", "study-"),
        ("--/study.json", "study-"),
        ("x" * 900 + "/study.json", "x" * 40 + "-"),
        ("y" * 39 + " z/study.json", "y" * 39 + "-"),
    ],
)
def test_the_simulation_can_be_recognised_by_the_folder(key: str, start: str) -> None:
    assert re.fullmatch(re.escape(start) + "[0-9a-f]{16}", keys.simulation_id("in", key, "v1"))


@pytest.mark.parametrize("character", [*string.punctuation, "\n", "\x00", "é", "漢", "😀"])
def test_step_functions_accepts_the_name_whatever_the_folder_is_called(character: str) -> None:
    assert EXECUTION_NAME.fullmatch(keys.simulation_id("in", f"a{character}b/study.json", "v1"))


@pytest.mark.parametrize(
    ("key", "prefix"), [("study.json", ""), ("office/study.json", "office/"), ("a/b c/study.json", "a/b c/")]
)
def test_a_study_is_the_folder_around_its_manifest(key: str, prefix: str) -> None:
    assert keys.study_prefix(key) == prefix


@pytest.mark.parametrize("prefix", ["/", "office//", "a//b//"])
def test_a_slash_too_many_is_part_of_the_prefix(prefix: str) -> None:
    assert keys.study_prefix(f"{prefix}study.json") == prefix


def test_files_of_a_variant_lie_in_the_folder_of_their_run() -> None:
    assert keys.run_key("office-1", "results.csv") == "runs/office-1/results.csv"
    assert keys.variant_key("office-1", 3, "result.json") == "runs/office-1/variants/3/result.json"


def test_no_run_lies_in_the_folder_of_another() -> None:
    assert not keys.run_key("office-11").startswith(keys.run_key("office-1"))


def test_variants_sort_as_texts_in_their_order() -> None:
    indices = [0, 9, 10, 99, 100, 99_999, 100_000, 999_999]
    assert sorted(keys.variant_sort_key(index) for index in reversed(indices)) == [
        keys.variant_sort_key(index) for index in indices
    ]


def test_variants_do_not_sort_under_the_study() -> None:
    assert keys.variant_sort_key(0).startswith(keys.VARIANT_SORT_PREFIX)
    assert not keys.STUDY_SORT_KEY.startswith(keys.VARIANT_SORT_PREFIX)


def test_each_simulation_has_a_partition() -> None:
    assert keys.partition("office-1") == "SIM#office-1"
