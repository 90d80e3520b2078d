"""Running batches of variants on a store in this process, with a fake engine."""

import json
import math
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient

from epsm.estimate import USD_PER_VARIANT_BESIDES_TIME
from epsm.footprint import puts_of_a_batch
from epsm.pipeline import booking, run_batch, stop_watch
from epsm.pipeline.batch import Batch, BatchedVariant
from epsm.pipeline.items import Attempt, write_items
from epsm.pipeline.loaded_study import LoadedStudy
from epsm.pipeline.run_variant import VariantRunner
from epsm.pipeline.task_errors import RanTooLong, StudyCancelled
from epsm.pipeline.variant_steps import SECONDS_TO_STORE, PreparedVariant
from epsm.store.files import Files
from epsm.study.batches import Batching
from epsm.study.records import VariantRecord
from epsm.study.schema import MAX_FUNCTION_RUN_S, Study
from epsm.study.variants import expand
from tests.conftest import study_document
from tests.unit.pipeline.batch_case import FAILED, PLENTY_S, RUNNING, SUCCEEDED, Case


def test_each_variant_of_a_batch_has_its_own_record_and_files(case: Case) -> None:
    outcome = case.run()

    assert case.statuses() == [SUCCEEDED] * 5
    assert (outcome.failed, outcome.left, outcome.alone) == (0, 0, False)
    assert [(each.index, each.status, each.verdict) for each in outcome.variants] == [
        (index, "succeeded", "ok") for index in range(5)
    ]
    for index in range(5):
        assert json.loads(case.file(index, "result.json"))["variant_index"] == index
        assert case.file(index, "in.idf")
        assert case.file(index, "eplusout.sql.gz")
    assert case.packs() == [[0, 1, 2, 3, 4]]


def test_a_batch_makes_as_many_puts_as_estimates_count(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    puts: list[str] = []
    api_call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        puts.extend([arguments["Key"]] if operation == "PutObject" else [])
        return api_call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    case.run()

    assert len(puts) == puts_of_a_batch(5, seconds=1.0, large=0)


def test_engines_run_at_the_same_time(case: Case) -> None:
    case.engine.mode("together")

    assert case.run(indices=(0, 1), engines=2).failed == 0


def test_a_failed_variant_fails_alone_and_is_counted_on_the_study(case: Case) -> None:
    case.engine.mode_of_models_with("0.1222", "fatal")

    outcome = case.run()

    assert case.statuses() == [SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED, SUCCEEDED]
    assert (outcome.failed, outcome.left) == (1, 0)
    assert outcome.variants[2].verdict == "failed"
    assert (case.study.successes, case.study.failures) == (4, 1)


def test_a_batch_that_is_repeated_runs_only_variants_that_have_not_ended_and_counts_none_twice(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "fatal")
    case.run(indices=(0, 1, 2))
    case.records.start_variant("a", 3, 4_000_000_000)  # its function was killed
    case.engine.mode("ok")

    outcome = case.run()

    assert case.engine.runs == 2
    assert [each.status for each in outcome.variants] == ["succeeded", "failed", *["succeeded"] * 3]
    assert (case.study.successes, case.study.failures) == (4, 1)


def test_a_further_attempt_runs_failed_variants_again(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "fatal")
    case.run()
    case.engine.mode("ok")

    outcome = case.run(attempt=2)

    assert case.engine.runs == 1
    assert outcome.failed == 0
    assert case.statuses() == [SUCCEEDED] * 5


def test_with_one_failure_more_than_allowed_the_study_is_given_up_and_no_further_variant_starts(case: Case) -> None:
    case.engine.mode("fatal")

    with pytest.raises(StudyCancelled):
        case.run(max_failures=1)

    assert case.engine.runs == 2
    assert case.too_many == ["a"]
    assert case.statuses() == [FAILED, FAILED, None, None, None]


def test_failures_that_another_worker_of_the_batch_turned_into_successes_are_not_too_many(case: Case) -> None:
    case.engine.mode("fatal")
    case.run(indices=(0, 1))
    case.records.finish_successes("a", [VariantRecord(0, SUCCEEDED)], 0)

    case.run(indices=(2,), max_failures=2)
    outcome = case.run(indices=(2, 3), max_failures=3)

    assert (outcome.failed, case.too_many) == (2, [])
    assert case.study.failures == 3


def test_a_worker_is_counted_until_its_variants_are_stored(case: Case) -> None:
    counted: list[int] = []
    case.on_end = lambda variant: counted.append(case.records.workers("a"))
    case.run()
    assert (counted, case.records.workers("a")) == ([1] * 5, 0)

    case.records.cancel_study("a", "why")
    with pytest.raises(StudyCancelled):
        case.run()
    assert case.records.workers("a") == 0


def test_a_batch_of_a_study_with_too_many_failures_does_not_start(case: Case) -> None:
    case.engine.mode("fatal")
    case.run(indices=(0, 1))

    with pytest.raises(StudyCancelled):
        case.run(indices=(2, 3, 4), max_failures=1)

    assert case.engine.runs == 2


def test_variants_that_the_function_has_no_time_for_are_left_and_run_in_the_next_one(case: Case) -> None:
    left_s = iter([PLENTY_S, PLENTY_S, PLENTY_S, PLENTY_S])

    outcome = case.run(seconds_left=lambda: next(left_s, SECONDS_TO_STORE))

    assert 0 < outcome.left < 5
    assert outcome.failed == 0
    assert case.run().left == 0
    assert case.engine.runs == 5


@pytest.mark.parametrize(("spare_s", "variants"), [(29, 1), (31, 2)])
def test_a_further_variant_starts_if_there_is_half_as_much_time_again_as_the_longest_one_took(
    case: Case, monkeypatch: pytest.MonkeyPatch, spare_s: float, variants: int
) -> None:
    now_s, run = [0.0], VariantRunner.run_collected

    def take_20_s(self: VariantRunner, study: LoadedStudy, prepared: PreparedVariant, *more: Any) -> Any:
        now_s[0] += 20 if prepared.variant.index == 0 else 5
        return run(self, study, prepared, *more)

    monkeypatch.setattr(VariantRunner, "run_collected", take_20_s)
    monkeypatch.setattr(run_batch, "time", SimpleNamespace(monotonic=lambda: now_s[0]))

    outcome = case.run(indices=(0, 1), seconds_left=lambda: SECONDS_TO_STORE + spare_s)

    assert (len(outcome.variants), outcome.left) == (variants, 2 - variants)


def test_a_run_that_the_function_has_no_time_for_is_not_failed(case: Case) -> None:
    case.engine.mode_of_models_with("0.1333", "hang")

    outcome = case.run(indices=(2, 3), engines=2, seconds_left=lambda: SECONDS_TO_STORE + 5)

    assert (outcome.left, outcome.failed, outcome.alone) == (1, 0, False)
    assert case.statuses()[2:4] == [SUCCEEDED, RUNNING]


def test_a_batch_of_which_no_variant_ends_in_an_invocation_is_run_one_by_one(case: Case) -> None:
    case.engine.mode("hang")

    outcome = case.run(indices=(2, 3), seconds_left=lambda: SECONDS_TO_STORE + 1)

    assert (outcome.left, outcome.alone) == (2, True)


def test_a_variant_that_the_function_has_no_time_for_by_itself_is_failed(case: Case) -> None:
    case.engine.mode("hang")

    outcome = case.run(indices=(3,), seconds_left=lambda: SECONDS_TO_STORE + 1)

    assert (outcome.left, outcome.failed) == (0, 1)
    assert [variant.verdict for variant in outcome.variants] == ["timed out"]


def test_a_run_beyond_the_studys_own_time_limit_is_failed(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), timeout_s=1)
    case.engine.mode_of_models_with("0.1333", "hang")

    assert case.run(indices=(2, 3)).failed == 1


def test_a_single_variant_that_may_take_longer_than_a_function_is_passed_to_a_container(
    case: Case, one_day: str
) -> None:
    case.accept(one_day.encode(), timeout_s=MAX_FUNCTION_RUN_S + 60)
    case.engine.mode("hang")

    with pytest.raises(RanTooLong):
        case.run(indices=(3,), seconds_left=lambda: SECONDS_TO_STORE + 1)


def test_an_engine_that_needs_more_than_its_part_of_the_memory_runs_alone(case: Case) -> None:
    case.engine.mode_of_models_with("0.1333", "huge")

    outcome = case.run(indices=(2, 3), engines=2, memory_limit_mb=600)

    assert (outcome.left, outcome.failed, outcome.alone) == (1, 0, True)
    assert case.statuses()[2:4] == [SUCCEEDED, None]
    assert case.run(indices=(3,), engines=2, memory_limit_mb=300).failed == 1


def test_a_run_that_has_no_room_on_the_disk_beside_others_runs_alone(case: Case) -> None:
    case.engine.mode_of_models_with("0.1333", "disk full")

    outcome = case.run(indices=(2, 3), engines=2)

    assert (outcome.left, outcome.failed, outcome.alone) == (1, 0, True)
    assert [variant.verdict for variant in case.run(indices=(3,), engines=2).variants] == ["disk full"]


def test_a_cancelled_study_stops_every_engine_and_starts_no_variant(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "hang")
    case.engine.mode_of_models_with("0.1222", "hang")

    def stop(variant: BatchedVariant) -> None:
        case.records.request_stop("a", "why")

    case.on_end = stop

    with pytest.raises(StudyCancelled):
        case.run(engines=3)

    stages = [record.stage if (record := case.variant(index)) else "" for index in range(5)]
    assert stages == ["", "cancelled", "cancelled", "", ""]
    assert case.study.failures == 0


def test_a_cancelled_study_of_short_runs_is_noticed_between_them_and_keeps_those_that_have_ended(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    run = VariantRunner.run_collected

    def run_and_cancel(self: VariantRunner, *arguments: Any) -> Any:
        finished = run(self, *arguments)
        self.records.cancel_study("a", "why")
        return finished

    monkeypatch.setattr(VariantRunner, "run_collected", run_and_cancel)

    with pytest.raises(StudyCancelled):
        case.run()

    assert case.engine.runs == 1
    assert case.statuses() == [SUCCEEDED, None, None, None, None]


def test_a_worker_of_a_cancelled_study_that_was_rerun_at_once_stops_and_records_nothing(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "hang")

    def rerun(variant: BatchedVariant) -> None:
        case.records.cancel_study("a", "reason")
        case.records.reopen_study("a", 2, succeeded=1, batched=True)

    case.on_end = rerun
    with pytest.raises(StudyCancelled):
        case.run(indices=(0, 1), engines=2)
    with pytest.raises(StudyCancelled):
        case.run(indices=(2,))

    assert case.engine.runs == 2
    first, second, third, *_ = case.statuses()
    assert (first, second in (None, RUNNING), third) == (SUCCEEDED, True, None)


def test_a_study_that_was_cancelled_before_does_not_start(case: Case) -> None:
    case.records.cancel_study("a", "why")

    with pytest.raises(StudyCancelled):
        case.run()

    assert case.engine.runs == 0


def test_the_function_is_booked_once_for_all_engines(case: Case) -> None:
    case.run(engines=2, count_costs=True, usd_per_second=0.0)

    assert case.study.spent_usd == pytest.approx(5 * USD_PER_VARIANT_BESIDES_TIME)


def test_variants_of_a_batch_count_for_the_budget_while_it_runs(
    case: Case, one_day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    monkeypatch.setattr(booking, "SECONDS_BETWEEN_BOOKINGS", 0.0)
    case.accept(one_day.encode(), name="b", max_cost_usd=1.5 * USD_PER_VARIANT_BESIDES_TIME)
    case.engine.mode_of_models_with("0.1111", "refused")
    case.engine.mode_of_models_with("0.1222", "hang")

    with pytest.raises(StudyCancelled):
        case.run(
            name="b",
            usd_per_second=1e-9,
            budget_spent=lambda simulation: case.records.request_stop(simulation, "budget"),
            seconds_left=lambda: SECONDS_TO_STORE + 10,
        )

    record = case.records.study("b")
    assert record is not None
    assert record.spent_usd == pytest.approx(2 * USD_PER_VARIANT_BESIDES_TIME, rel=1e-3)


def test_variants_that_had_ended_before_are_not_reported_again(case: Case) -> None:
    case.run(indices=(0, 1))
    case.run(indices=(0, 1, 2))

    assert [each.index for each in case.ended] == [0, 1, 2]


def test_a_batch_is_read_from_its_item(files: Files) -> None:
    rows = [{"d": 0.1}, {"d": 0.1}]
    field = {"name": "d", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
    study = Study.model_validate(study_document(parameters=[field], sampling={"method": "list", "rows": rows}))
    batching = Batching(True, 10, 1, 1, True, lambda model: math.inf)
    write_items(files, "runs/a/items.json", expand(study), Attempt(2, 3, (), batching, 7))

    first_ones, repeating = json.load(files.open_result("runs/a/items.json"))

    assert Batch.from_item(first_ones) == Batch((0, 1), {}, attempt=2, max_failures=7)
    assert Batch.from_item(repeating) == Batch((2,), {2: 1}, attempt=2, max_failures=7)
