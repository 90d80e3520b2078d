"""Files and costs that are recorded for a run, and trials before it."""

import io
import math
from pathlib import Path

import pandas as pd
import pytest
from botocore.exceptions import ClientError

from epsm.pipeline import stop_watch
from epsm.pipeline.task_errors import SimulationFailed, StudyCancelled
from epsm.study.records import VariantStatus
from tests.unit.conftest import RESULTS
from tests.unit.pipeline.run_variant.cases import ROOM, Case, refusal

# --- What is stored


def test_the_files_that_a_study_keeps_are_stored_as_far_as_there_are_any(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), outputs={"keep": ["eio", "htm"]})

    case.run()

    assert case.stored - {"eplustbl.htm"} == {"in.idf", "eplusout.eio", "result.json"}


def test_a_series_that_was_asked_for_is_stored_and_one_that_is_not_there_has_a_reason(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), outputs={"meters": ["Electricity:Facility", "Gas:Nowhere"], "keep": []})

    case.run()

    assert case.stored == {"in.idf", "result.json"}
    series = pd.read_parquet(io.BytesIO(case.files.open_result("runs/a/series/part-0000000.parquet").read()))
    assert list(series.columns[[0, -1]]) == ["variant_index", "Electricity:Facility [kWh]"]
    assert len(case.record.summary["series_columns"]) == 16
    assert case.document["missing"]["series Gas:Nowhere"] == "the model has no 'Gas:Nowhere'"
    assert "series Electricity:Facility" not in case.document["missing"]


def test_results_that_no_disk_has_room_for_are_a_full_disk_with_what_is_left(
    room: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(key: str, path: Path) -> None:
        raise refusal(507)

    monkeypatch.setattr(room.files, "put_file_compressed", no_room)

    with pytest.raises(SimulationFailed, match="disk full: The disk was full when the results were stored"):
        room.run()

    assert room.stored == {"in.idf", "eplusout.err", "result.json"}
    assert (room.record.verdict, room.document["verdict"]) == ("disk full", "disk full")


def test_without_room_for_any_file_the_record_alone_says_so(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("put_file", "put_file_compressed", "put_json"):
        monkeypatch.setattr(room.files, name, no_room)

    with pytest.raises(SimulationFailed, match="disk full"):
        room.run()

    assert (room.record.verdict, room.stored) == ("disk full", set())


def test_a_bucket_that_refuses_is_worth_a_retry_and_the_record_says_running(
    room: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise refusal(403)

    monkeypatch.setattr(room.files, "put_file", refused)

    with pytest.raises(ClientError, match="Refused"):
        room.run()

    assert room.record.status is VariantStatus.RUNNING


def test_inputs_without_room_on_the_disk_are_a_full_disk(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epsm.pipeline.workspace._MIN_FREE_MB", 1e9)

    trial = room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)
    with pytest.raises(SimulationFailed, match="MB are free in"):
        room.run()

    assert (room.record.status, room.record.verdict) == (VariantStatus.FAILED, "disk full")
    assert room.document["verdict"] == "disk full"
    assert (trial.outcome, trial.why[:9]) == ("not tried", "disk full")


# --- Costs


def test_what_a_run_costs_is_booked_and_a_spent_budget_is_reported(case: Case, one_day: str) -> None:
    case.accept(one_day.encode(), options={"max_cost_usd": 0.01})
    case.engine.mode("ok")

    case.runner(usd_per_second=1.0).run("a", ROOM, seconds_left=lambda: math.inf)

    study = case.records.study("a")
    assert study is not None
    assert study.spent_usd > 0.01
    assert case.spent == ["a"]


@pytest.mark.parametrize(("count_costs", "counted"), [(False, False), (True, True)])
def test_without_a_budget_costs_count_where_owners_have_limits(room: Case, count_costs: bool, counted: bool) -> None:
    room.runner(usd_per_second=1.0, count_costs=count_costs).run("a", ROOM, seconds_left=lambda: math.inf)

    study = room.records.study("a")
    assert study is not None
    assert (study.spent_usd > 0, room.spent) == (counted, [])


# --- Trials


@pytest.mark.parametrize(("mode", "outcome"), [("ok", "passed"), ("refused", "failed")])
def test_a_trial_touches_no_record_and_keeps_the_files_of_a_failure(room: Case, mode: str, outcome: str) -> None:
    room.engine.mode(mode)

    trial = room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)

    kept = room.s3.list_objects_v2(Bucket=RESULTS, Prefix="runs/a/preflight/0/").get("Contents", [])
    assert (trial.outcome, bool(kept)) == (outcome, outcome == "failed")
    assert room.records.variant("a", 0) is None


def test_a_study_that_is_cancelled_ends_its_trial(room: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_watch, "_POLL_INTERVAL_S", 0.0)
    answers = iter([False])
    monkeypatch.setattr(room.records, "stop_requested", lambda *_: next(answers, True))
    room.engine.mode("hang")

    with pytest.raises(StudyCancelled):
        room.runner().try_pair("a", 0, seconds_left=lambda: math.inf)
