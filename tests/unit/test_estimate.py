"""Estimated time and cost of a study: epsm.estimate."""

import json
from typing import Any

import pytest

from epsm.estimate import (
    USD_PER_VARIANT_BESIDES_TIME,
    Estimate,
    RunTime,
    assumed_run_time,
    computes_in_words,
    estimate,
    in_usd,
)
from epsm.study.batches import batching_of
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document

MEASURED = RunTime(9.0, "measured")
SHORT = RunTime(1.0, "assumed")
UNTRIED: dict[str, Any] = {"preflight": False}


def study(**changes: Any) -> Study:
    return parse_study(json.dumps(study_document(**changes)))


def made(
    of: Study,
    memory_mb: int = 1024,
    capacity: int = 1000,
    run_time: RunTime = MEASURED,
    fargate_vcpus: int | None = None,
    **others: RunTime,
) -> Estimate:
    times = dict.fromkeys(of.models, run_time) | {f"{name}.idf": time for name, time in others.items()}
    return estimate(of, times, memory_mb=memory_mb, capacity=capacity, fargate_vcpus=fargate_vcpus)


def levels(count: int) -> list[dict[str, Any]]:
    parameter = study_document()["parameters"][0]
    return [{**parameter, "values": [number / 1000 for number in range(1, count + 1)]}]


def test_engine_time_is_that_of_every_variant() -> None:
    assert made(study()).engine_seconds == 27.0


def test_engine_time_of_several_models_is_each_ones_own() -> None:
    two = study(models=["room.idf", "hall.idf"])
    assert made(two, hall=SHORT).engine_seconds == 3 * 9.0 + 3 * 1.0


def test_as_many_run_at_a_time_as_the_study_asks_for() -> None:
    one_by_one = study(options={"max_concurrency": 1})
    assert made(one_by_one).wall_seconds == 3 * 10.0


def test_no_more_run_at_a_time_than_the_account_may() -> None:
    assert made(study(parameters=levels(99), options=UNTRIED), capacity=10).wall_seconds == 100.0


def test_a_function_with_more_vcpus_runs_a_large_study_sooner_for_the_same_money() -> None:
    large = study(parameters=levels(599), options=UNTRIED)
    one, most = (made(large, memory_mb=memory_mb, capacity=10) for memory_mb in (1769, 10_240))
    assert most.wall_seconds == pytest.approx(one.wall_seconds * 1769 / 10_240, abs=0.1)
    assert most.cost_usd == pytest.approx(one.cost_usd, abs=1e-4)


def test_a_study_takes_as_long_as_starting_its_variants_does() -> None:
    many = study(parameters=levels(9999), options={"max_concurrency": 10_000, **UNTRIED})
    assert made(many, capacity=10_000).wall_seconds == 10_000 / 100


def test_no_study_is_shorter_than_its_longest_run() -> None:
    two = study(models=["room.idf", "hall.idf"])
    assert made(two, hall=SHORT).wall_seconds == 10.0


def test_an_account_that_may_run_nothing_does_not_divide_by_zero() -> None:
    assert made(study(), capacity=0).wall_seconds == 30.0


def test_cost_grows_with_memory() -> None:
    many = study(parameters=levels(90))
    assert made(many, memory_mb=3008).cost_usd > made(many, memory_mb=1769).cost_usd


def test_cost_is_that_of_the_price_list() -> None:
    gigabyte_seconds = 1001 * 10.0
    others = 1001 * (0.20e-6 + 4 * 25e-6 + 5 * 5e-6 + 2 * 0.625e-6)
    expected = gigabyte_seconds * 0.0000166667 + others
    assert made(study(parameters=levels(1000), options=UNTRIED)).cost_usd == pytest.approx(expected, abs=1e-4)


def test_cost_does_not_depend_on_how_many_run_at_a_time() -> None:
    slow, fast = (made(study(options={"max_concurrency": count})) for count in (1, 100))
    assert slow.cost_usd == fast.cost_usd


def test_a_study_of_measured_models_is_measured() -> None:
    assert made(study()).basis == "measured"


def test_one_assumed_model_makes_the_estimate_assumed() -> None:
    assert made(study(models=["room.idf", "hall.idf"]), hall=SHORT).basis == "assumed"


def test_a_study_of_very_many_variants_can_be_estimated() -> None:
    parameter = study_document()["parameters"][0]
    many = [{**parameter, "name": f"p{number}", "values": levels(100)[0]["values"]} for number in range(50)]
    assert made(study(parameters=many)).variants == 1 + 100**50


def test_a_model_is_assumed_to_take_longer_with_every_zone(one_zone: str) -> None:
    two = one_zone + "\nZone,Another;\n"
    one, more = (assumed_run_time(text.encode(), "room.idf").engine_seconds for text in (one_zone, two))
    assert more > one > 0


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"Version,25.2", b"{", b"!" * 1000])
def test_a_model_that_cannot_be_read_has_a_run_time_all_the_same(content: bytes) -> None:
    assert assumed_run_time(content, "room.idf").engine_seconds > 0


def test_an_assumed_run_time_says_that_it_is() -> None:
    assert assumed_run_time(b"Zone,Room;", "room.idf").basis == "assumed"


def test_a_study_of_few_variants_has_no_preflight() -> None:
    assert (made(study()).preflight_runs, made(study()).preflight_cost_usd) == (0, 0.0)


def test_the_cost_of_the_preflight_is_reported_and_small() -> None:
    with_, without = (made(study(parameters=levels(99), options={"preflight": asked})) for asked in (None, False))
    assert with_.preflight_runs == 1
    assert 0 < with_.preflight_cost_usd < 0.02 * without.cost_usd
    assert with_.cost_usd == pytest.approx(without.cost_usd + with_.preflight_cost_usd, abs=1e-4)
    assert with_.wall_seconds > without.wall_seconds


@pytest.mark.parametrize(("year_s", "trial_s"), [(0.71, 0.34), (23.8, 3.1), (0.1, 0.1)])
def test_a_trial_takes_what_was_measured_and_never_more_than_a_run(year_s: float, trial_s: float) -> None:
    tried, untried = (
        made(study(parameters=levels(20), options=options), run_time=RunTime(year_s, "measured"), capacity=1)
        for options in ({"preflight": True}, UNTRIED)
    )
    assert tried.wall_seconds - untried.wall_seconds == pytest.approx(trial_s + 1.0, abs=0.11)


# --- kinds of compute


def test_containers_are_cheaper_than_functions_and_spot_is_the_cheapest() -> None:
    computes = made(study(parameters=levels(999), options=UNTRIED), memory_mb=1769, fargate_vcpus=4000).computes
    assert computes["spot"].cost_usd < 0.5 * computes["container"].cost_usd < 0.5 * computes["function"].cost_usd


def test_the_cost_of_each_compute_is_the_sum_of_its_parts() -> None:
    for one in made(study(parameters=levels(999))).computes.values():
        parts = (one.run_usd, one.transitions_usd, one.requests_usd, one.storage_usd, one.logs_usd)
        assert one.cost_usd == pytest.approx(sum(parts), abs=1e-4)
        assert all(part > 0 for part in parts)


def test_the_studys_own_compute_gives_its_time_and_its_cost() -> None:
    for compute in ("function", "container", "spot"):
        found = made(study(parameters=levels(999), options={"compute": compute, **UNTRIED}), memory_mb=1769)
        assert found.compute == compute
        assert found.wall_seconds == found.computes[found.compute].wall_seconds
        besides = 1000 * USD_PER_VARIANT_BESIDES_TIME
        assert found.cost_usd == pytest.approx(found.computes[found.compute].run_usd + besides, abs=1e-4)


def test_a_task_is_paid_for_by_vcpu_memory_and_address_including_its_start() -> None:
    found = made(study(options={"compute": "container"}), memory_mb=1769, fargate_vcpus=16)
    tasks_s = 60 + 10.0  # three variants of 10 s at a time, in a task of 4 vCPUs
    hour_usd = 4 * 0.04048 + 8 * 0.004445 + 0.005
    lookup_usd = 1769 / 1024 * 0.0000166667
    assert found.computes["container"].run_usd == pytest.approx(tasks_s * hour_usd / 3600 + lookup_usd, rel=1e-3)
    assert found.wall_seconds == pytest.approx(70.0, abs=0.2)


def test_the_quota_decides_how_long_a_study_in_containers_takes() -> None:
    many = study(parameters=levels(5999), options={"max_concurrency": 10_000, **UNTRIED})
    six, many_vcpus = (made(many, fargate_vcpus=quota).computes["spot"] for quota in (6, 4000))
    assert six.wall_seconds == pytest.approx(6001 * 10.0 / 6, rel=0.2)
    assert many_vcpus.wall_seconds < 0.05 * six.wall_seconds


def test_a_stack_without_fargate_has_no_containers() -> None:
    for quota, available in ((0, False), (6, True), (None, True)):
        computes = made(study(), fargate_vcpus=quota).computes
        assert {name: one.available for name, one in computes.items()} == {
            "function": True,
            "container": available,
            "spot": available,
        }


def test_runs_that_are_too_long_for_a_function_are_priced_as_single_containers() -> None:
    slow = study(parameters=[], options={"timeout_s": 86_400})
    found = made(slow, memory_mb=1769, run_time=RunTime(10_800.0, "measured"))
    seconds = 10_800 + 1 + 60
    usd = seconds * (0.04048 + 4 * 0.004445 + 0.005) / 3600
    assert found.computes["function"].run_usd == pytest.approx(usd, rel=1e-3)
    assert found.wall_seconds >= seconds


@pytest.mark.parametrize("changes", [{"outputs": {"keep": ["err"]}}, {"options": {"retention_days": 1, **UNTRIED}}])
def test_fewer_files_and_a_shorter_retention_cost_less(changes: dict[str, Any]) -> None:
    usual = made(study(parameters=levels(99), options=UNTRIED)).computes["function"]
    less = made(study(parameters=levels(99), **({"options": UNTRIED} | changes))).computes["function"]
    assert less.storage_usd < 0.2 * usual.storage_usd
    assert less.run_usd == usual.run_usd


@pytest.mark.parametrize(("variants", "functions"), [(1000, 900), (10_000, 900), (100_000, 900), (5000, 3)])
def test_the_number_of_batches_is_about_that_which_submit_makes(variants: int, functions: int) -> None:
    many = study(parameters=levels(variants - 1), options={"max_concurrency": 10_000, **UNTRIED})
    estimated = made(many, memory_mb=1769, capacity=functions, run_time=RunTime(5.0, "measured")).computes["function"]
    batching = batching_of(many.options, variants, memory_mb=1769, reserved=functions, seconds_of=lambda model: 5.0)
    left, batches = variants, 0
    while left > 0:
        left -= batching.size(left, "room.idf", in_container=False)
        batches += 1
    assert estimated.transitions_usd == pytest.approx(batches * 4 * 25e-6, rel=0.15)


def test_an_estimate_has_a_line_for_each_compute() -> None:
    found = made(study(parameters=levels(999)), fargate_vcpus=0)
    heads, *lines, note = computes_in_words(found)
    assert heads.split() == ["cost", "time", "run", "transitions", "requests", "storage", "logs"]
    assert [line.split()[0] for line in lines] == ["function", "container", "spot"]
    assert lines[0].split()[1] == in_usd(found.computes["function"].cost_usd)
    assert {len(line) for line in lines} == {len(heads)}
    assert len(heads) < 80
    assert note.endswith("without Fargate: container, spot")
