"""How a study is divided into batches: epsm.study.batches and the items written by epsm.pipeline.items."""

import json
from typing import Any

import pytest

from epsm.pipeline.items import Attempt, write_items
from epsm.store.files import Files
from epsm.study.batches import SMALL_STUDY, Batching, batching_of, children_at_a_time, engines_of
from epsm.study.compute import Tasks
from epsm.study.schema import MAX_BATCH, MAX_FUNCTION_RUN_S, Options, Study
from epsm.study.variants import Variant, expand
from tests.conftest import study_document


def plan(variants: int, seconds: float = 1.0, memory_mb: int = 1769, reserved: int = 0, **options: Any) -> Batching:
    given = Options.model_validate(options)
    return batching_of(given, variants, memory_mb=memory_mb, reserved=reserved, seconds_of=lambda model: seconds)


def sizes(variants: int, batching: Batching, *, in_container: bool = False) -> list[int]:
    found, left = [], variants
    while left > 0:
        size = min(left, batching.size(left, "a.idf", in_container=in_container))
        found.append(size)
        left -= size
    return found


@pytest.mark.parametrize(("memory_mb", "engines"), [(512, 1), (1769, 1), (2650, 1), (3538, 2), (5307, 3), (10_240, 6)])
def test_a_function_runs_an_engine_for_each_vcpu(memory_mb: int, engines: int) -> None:
    assert engines_of(memory_mb) == engines


def test_a_small_study_keeps_one_variant_a_child() -> None:
    assert not plan(SMALL_STUDY - 1).batched
    assert plan(SMALL_STUDY).batched


@pytest.mark.parametrize(("batch", "batched"), [(1, False), (2, True)])
def test_the_option_comes_before_the_size_of_the_study(batch: int, batched: bool) -> None:
    assert plan(10, batch=batch).batched is batched
    assert plan(100_000, batch=batch).batched is batched


def test_runs_that_may_take_longer_than_a_function_are_not_batched_in_functions() -> None:
    batching = plan(1000, timeout_s=MAX_FUNCTION_RUN_S + 1, batch=10)
    assert batching.size(1000, "a.idf", in_container=False) == 1
    assert batching.size(1000, "a.idf", in_container=True) == 10
    assert not plan(1000, timeout_s=MAX_FUNCTION_RUN_S + 1).batched


def test_batches_get_smaller_so_that_functions_end_together() -> None:
    found = sizes(1000, plan(1000, seconds=9.7, reserved=2))
    assert sum(found) == 1000
    assert found[0] == 42  # seven minutes of runs of 9.7 s with 0.3 s around each
    assert found == sorted(found, reverse=True)
    assert found[-4:] == [1, 1, 1, 1]


@pytest.mark.parametrize(("seconds", "largest"), [(1.0, MAX_BATCH), (5.0, 79), (29.0, 14), (250.0, 1), (800.0, 1)])
def test_a_batch_takes_about_half_of_a_functions_time_at_most(seconds: float, largest: int) -> None:
    assert max(sizes(20_000, plan(20_000, seconds=seconds, max_concurrency=100))) == largest


def test_every_vcpu_has_a_variant_however_long_it_runs() -> None:
    found = sizes(600, plan(600, seconds=300.0, memory_mb=10_240))
    assert found == [6] * 100


def test_a_study_that_fits_into_two_rounds_has_one_batch_for_each_function() -> None:
    found = sizes(10_000, plan(10_000, seconds=25.0, memory_mb=10_240, max_concurrency=10_000))
    assert set(found[:-1]) == {12}
    assert len(found) == 834  # of 950 functions


def test_batches_of_larger_studies_are_longer() -> None:
    largest = [
        max(sizes(variants, plan(variants, seconds=25.0, memory_mb=10_240, max_concurrency=10_000)))
        for variants in (10_000, 100_000, 1_000_000)
    ]
    assert largest == [12, 48, 96]


@pytest.mark.parametrize(("variants", "rounds"), [(119, 1), (120, 1), (121, 2), (240, 2), (241, 1)])
def test_two_rounds_are_one_batch_only_of_studies_that_need_and_fill_them(variants: int, rounds: int) -> None:
    assert plan(variants, memory_mb=10_240, reserved=20, max_concurrency=1000).least_rounds == rounds
    assert plan(variants, memory_mb=1769, reserved=120, max_concurrency=1000).least_rounds == 1


@pytest.mark.parametrize(
    ("reserved", "max_concurrency", "functions"), [(0, 10_000, 950), (0, 10, 2), (7, 10_000, 7), (7, 37, 7), (7, 36, 6)]
)
def test_functions_are_limited_by_reservation_account_and_study(
    reserved: int, max_concurrency: int, functions: int
) -> None:
    batching = plan(1000, memory_mb=10_240, reserved=reserved, max_concurrency=max_concurrency)
    assert (batching.engines, batching.functions) == (6, functions)


def test_batches_of_several_engines_fill_them_evenly() -> None:
    assert {size % 6 for size in sizes(6000, plan(6000, memory_mb=10_240, max_concurrency=60))} == {0}


def written(files: Files, variants: list[Variant], batching: Batching, containers: tuple[str, ...] = ()) -> Any:
    attempt = Attempt(3, len(variants), containers, batching, 7)
    assert write_items(files, "runs/a/items.json", variants, attempt) == len(variants)
    return json.load(files.open_result("runs/a/items.json"))


def four_of_two_models() -> list[Variant]:
    study = Study.model_validate(study_document(models=["a.idf", "b.idf"], weather=["x.epw", "y.epw"], parameters=[]))
    return [
        Variant(index, model, weather)
        for index, (model, weather) in enumerate(
            (model, weather) for model in study.models for weather in study.weather
        )
    ]


def test_a_batch_has_variants_of_one_model_and_says_how_they_are_counted(files: Files) -> None:
    found = written(files, four_of_two_models(), plan(4, batch=3))

    assert [[each["index"] for each in item["batch"]] for item in found] == [[0, 1], [2, 3]]
    assert found[0] == {
        "batch": [
            {"index": 0, "record_key": "VARIANT#0000000", "record_block": ""},
            {"index": 1, "record_key": "VARIANT#0000001", "record_block": ""},
        ],
        "runs_on": "function",
        "attempt": 3,
        "max_failures": 7,
    }


def test_models_that_are_too_slow_for_a_function_have_batches_in_containers(files: Files) -> None:
    batching = plan(4, batch=2, timeout_s=3600)
    found = written(files, four_of_two_models(), batching, ("b.idf",))

    assert [(item["runs_on"], len(item["batch"])) for item in found] == [
        ("function", 1),
        ("function", 1),
        ("container", 2),
    ]


def test_the_largest_batch_fits_into_the_overrides_of_a_container(files: Files) -> None:
    variants = [Variant(999_800 + number, "a.idf", "x.epw", {"p": 1.0}) for number in range(1 + MAX_BATCH)]
    _, item, _ = written(files, variants, plan(MAX_BATCH, batch=MAX_BATCH), ("a.idf",))

    # All repeat the first one, which is the longest form of an entry. ECS allows 8,192 characters of overrides.
    assert (item["runs_on"], len(item["batch"])) == ("container", 75)
    assert plan(10**6, seconds=0.1).size(10**6, "a.idf", in_container=True) == 75
    assert len(json.dumps(item)) < 7500


def test_variants_that_repeat_a_sample_come_last_in_batches_of_their_own(files: Files) -> None:
    variants = [Variant(index, "a.idf", "x.epw", {"d": index % 16}) for index in range(128)]

    found = written(files, variants, plan(128, reserved=2))

    batches = [[(entry["index"], entry.get("repeats")) for entry in item["batch"]] for item in found]
    by_itself = sizes(16, plan(128, reserved=2))
    assert [len(batch) for batch in batches][: len(by_itself)] == by_itself, "as if nothing repeated them"
    assert [entry for batch in batches for entry in batch] == [
        *((index, None) for index in range(16)),
        *((index, index % 16) for index in range(16, 128)),
    ]


# --- in containers


def in_containers(variants: int, seconds: float, tasks: Tasks = Tasks(4, 10), **options: Any) -> list[int]:
    given = Options.model_validate({"compute": "spot", **options})
    batching = batching_of(given, variants, memory_mb=1769, reserved=0, seconds_of=lambda _: seconds, tasks=tasks)
    return sizes(variants, batching, in_container=True)


def test_every_study_in_containers_is_in_batches_with_an_engine_for_each_vcpu() -> None:
    assert in_containers(3, seconds=10_000.0) == [3]
    assert in_containers(9, seconds=10_000.0, timeout_s=86_400) == [4, 4, 1]


def test_a_batch_in_a_container_outlasts_the_start_of_its_task() -> None:
    found = in_containers(1000, seconds=25.0)
    assert found[0] == 48  # 1000 / (2 x 10 x 4) rounds of 4
    assert min(found[:-1]) == 20  # two minutes
    assert sum(found) == 1000


def test_a_batch_in_a_container_lasts_about_ten_minutes_at_most() -> None:
    assert in_containers(10_000, seconds=100.0)[0] == 4 * 5
    assert in_containers(10_000, seconds=1.0)[0] == 72


def test_the_option_batch_holds_in_containers_too() -> None:
    assert in_containers(25, seconds=1.0, batch=10) == [10, 10, 5]


@pytest.mark.parametrize(("compute", "children"), [("function", 250), ("container", 10), ("spot", 10)])
def test_no_more_tasks_run_at_a_time_than_the_quota_allows(compute: Any, children: int) -> None:
    assert children_at_a_time(compute, 1000, 4, Tasks(4, 10)) == children
    assert children_at_a_time(compute, 8, 4, Tasks(4, 10)) == 2


@pytest.mark.parametrize("compute", ["container", "spot"])
def test_items_of_a_study_in_containers_say_so(files: Files, compute: Any) -> None:
    study = Study.model_validate(study_document(options={"compute": compute}))
    batching = batching_of(study.options, 3, memory_mb=1769, reserved=0, seconds_of=lambda _: 1.0)
    write_items(files, "runs/a/items.json", expand(study), Attempt(1, 3, (), batching, 3, compute=compute))
    (item,) = json.load(files.open_result("runs/a/items.json"))
    assert (item["runs_on"], len(item["batch"])) == (compute, 3)
