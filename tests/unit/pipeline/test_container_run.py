"""Batches in containers that may be told to stop: epsm.pipeline.container_run."""

import math
import signal
from typing import Any

import pytest

from epsm.pipeline.batch import BatchedVariant, BatchOutcome
from epsm.pipeline.container_run import StopNotice, run_to_exit_code
from epsm.pipeline.packing import EndedVariant, Packing
from epsm.pipeline.task_errors import INTERRUPTED_EXIT
from epsm.pipeline.variant_steps import SECONDS_TO_STORE
from tests.unit.pipeline.batch_case import FAILED, SUCCEEDED, Case


@pytest.fixture(autouse=True)
def _variants_are_stored_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    add = Packing.add

    def store(self: Packing, ended: EndedVariant) -> None:
        add(self, ended)
        self.flush()

    monkeypatch.setattr(Packing, "add", store)


def exit_code(case: Case, notice: StopNotice, engines: int = 1, **batch: Any) -> int:
    def run(engines: int) -> BatchOutcome:
        return case.run(engines=engines, seconds_left=notice.seconds_left, repeatable=True, **batch)

    return run_to_exit_code(run, engines, notice)


def tell_to_stop(case: Case, notice: StopNotice, after: int = 0) -> None:
    """Once the variant has ended."""
    case.on_end = lambda variant: notice(signal.SIGTERM, None) if variant.index == after else None


def test_the_time_of_a_container_is_unlimited_until_it_is_told_to_stop() -> None:
    now_s = [100.0]
    notice = StopNotice(120.0, lambda: now_s[0])
    assert (notice.given, notice.seconds_left()) == (False, math.inf)

    notice(signal.SIGTERM, None)
    now_s[0] += 50
    notice(signal.SIGTERM, None)

    assert (notice.given, notice.seconds_left()) == (True, 70.0), "a second signal gives no further time"
    now_s[0] += 100
    assert notice.seconds_left() == 0.0


def test_a_container_whose_variants_have_ended_ends_with_0(case: Case) -> None:
    case.engine.mode_of_models_with("0.1222", "fatal")

    assert exit_code(case, StopNotice(120.0)) == 0
    assert case.statuses() == [SUCCEEDED, SUCCEEDED, FAILED, SUCCEEDED, SUCCEEDED]


def test_a_container_that_is_told_to_stop_leaves_the_variants_that_have_no_time_as_not_run(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "hang")
    case.engine.mode_of_models_with("0.1222", "hang")  # it runs while the first one is stored
    notice = StopNotice(SECONDS_TO_STORE)
    tell_to_stop(case, notice)

    assert exit_code(case, notice, engines=2) == INTERRUPTED_EXIT

    assert case.statuses() == [SUCCEEDED, None, None, None, None]
    assert (case.study.successes, case.study.failures) == (1, 0)


def test_the_next_container_runs_only_what_the_interrupted_one_has_left(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "hang")
    case.engine.mode_of_models_with("0.1222", "hang")  # it runs while the first one is stored
    notice = StopNotice(SECONDS_TO_STORE)
    tell_to_stop(case, notice)
    exit_code(case, notice, engines=2)
    before = case.variant(0)
    case.engine.mode("ok")

    assert exit_code(case, StopNotice(120.0)) == 0

    assert (case.engine.runs, case.variant(0)) == (4, before)
    assert case.statuses() == [SUCCEEDED] * 5
    assert (case.study.successes, case.study.failures) == (5, 0)


def test_variants_that_have_time_to_end_still_run_after_the_signal(case: Case) -> None:
    notice = StopNotice(900.0)
    tell_to_stop(case, notice)

    assert exit_code(case, notice) == 0
    assert case.statuses() == [SUCCEEDED] * 5


def test_a_single_variant_that_was_stopped_with_its_container_has_not_failed(case: Case) -> None:
    case.engine.mode("hang")
    notice = StopNotice(SECONDS_TO_STORE)
    notice(signal.SIGTERM, None)

    assert exit_code(case, notice, indices=(3,)) == INTERRUPTED_EXIT
    assert case.statuses()[3] is None


def test_a_variant_that_needs_more_than_its_share_has_the_container_to_itself_afterwards(case: Case) -> None:
    case.engine.mode_of_models_with("0.1333", "disk full")

    assert exit_code(case, StopNotice(120.0), engines=2, indices=(2, 3)) == 0

    assert case.statuses()[2:4] == [SUCCEEDED, FAILED]
    assert case.engine.runs == 3


def test_a_container_of_a_cancelled_study_ends_with_0(case: Case) -> None:
    case.records.cancel_study("a", "why")

    assert exit_code(case, StopNotice(120.0)) == 0
    assert case.engine.runs == 0


def test_variants_that_are_left_without_a_reason_are_a_fault(case: Case) -> None:
    with pytest.raises(RuntimeError, match="1 variants have not ended"):
        run_to_exit_code(lambda engines: BatchOutcome((), 0, 1, False), 1, StopNotice(120.0))


def test_a_study_that_is_stopped_ends_its_engines_though_its_container_may_go_on(case: Case) -> None:
    case.engine.mode_of_models_with("0.1111", "hang")

    def stop(variant: BatchedVariant) -> None:
        case.records.request_stop("a", "why")

    case.on_end = stop

    assert exit_code(case, StopNotice(120.0), engines=2) == 0
    stopped = case.variant(1)
    assert stopped is not None
    assert stopped.stage == "cancelled"
