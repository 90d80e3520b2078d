"""Collecting the results of a study whose variants have ended: table, record and what subscribers are sent."""

import json
from typing import Any

import pandas as pd
import pytest

from epsm.pipeline.aggregate import aggregate
from epsm.pipeline.study_summary import StudySummary
from epsm.results.table import write_table
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from tests.unit.conftest import RESULTS
from tests.unit.deployed import Deployed

ANNA = "iam:arn:aws:iam::123456789012:user/anna"
BEN = "iam:arn:aws:iam::123456789012:user/ben"


@pytest.fixture
def stack(s3: Any, records: Records) -> Deployed:
    return Deployed(s3, records)


def ends(stack: Deployed, simulation: str, index: int, eui: float | None, seconds: float = 2.0) -> None:
    """A variant has ended: with this EUI, or without any because it rained."""
    stack.records.start_variant(simulation, index, 0)
    status, summary = VariantStatus.FAILED, {}
    if eui is not None:
        status, summary = VariantStatus.SUCCEEDED, {"metrics": {"site_eui_kwh_m2": eui}, "engine_seconds": seconds}
    moment = "2026-05-01T12:00:00.000Z"
    error = "" if summary else "it rains"
    record = VariantRecord(index, status, moment, ended_at=moment, verdict="clean", error=error, summary=summary)
    stack.records.finish_variant(simulation, record, 0)


def collect(stack: Deployed, simulation: str, **given: Any) -> StudySummary:
    return aggregate(stack.files, stack.records, simulation, **given)


def table(stack: Deployed, simulation: str) -> pd.DataFrame:
    with stack.files.open_result(keys.run_key(simulation, "results.csv")) as stream:
        return pd.read_csv(stream)


def test_a_study_that_ended_is_closed_with_its_numbers_and_reasons(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, parameters=[
        {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness", "values": [0.1, 0.2]},
        {"name": "day", "class": "Lights", "field": "Schedule Name", "values": ["Always On"]},
    ])  # fmt: skip
    for index, eui in enumerate((100.0, 80.0, None)):
        ends(stack, simulation, index, eui, seconds=2.0 + index)
    summary = collect(stack, simulation)
    assert summary.as_dict() | {"message": ""} == {
        "simulation_id": simulation,
        "status": "partial",
        "succeeded": 2,
        "failed": 1,
        "not_run": 0,
        "error": "",
        "notify": True,
        "subject": ": partial, 2 of 3 variants succeeded",
        "message": "",
    }
    for line in (
        "Variants:   2 succeeded, 1 failed, 0 not run",
        "Site EUI:   80.0 to 100.0 kWh/m2",
        "Best:       variant 1 saves 20.0 % against the baseline (room.idf, chicago.epw; wall=0.1, day=Always On)",
        "Failures:",
        f"Table:      s3://{RESULTS}/runs/{simulation}/results.csv (and results.parquet)",
    ):
        assert line in summary.message.splitlines()
    record = stack.record(simulation)
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 2, 1)
    # Of the model's two runs the mean.
    model = stack.files.read_manifest(simulation).inputs["room.idf"].sha256
    assert [stack.records.run_time(owner, model) for owner in (ANNA, BEN)] == [2.5, None]
    weather = stack.files.read_manifest(simulation).inputs["chicago.epw"].sha256
    assert [set(stack.records.weather_run_with(owner, model)) for owner in (ANNA, BEN)] == [{weather}, set()]
    assert list(table(stack, simulation)["status"]) == ["succeeded", "succeeded", "failed"]


@pytest.mark.parametrize("end", ["running", "cancelled again"])
def test_a_study_that_is_rerun_while_its_results_are_collected_stays_open(stack: Deployed, end: str) -> None:
    simulation = stack.accepted(ANNA)
    ends(stack, simulation, 0, 100.0)
    stack.records.cancel_study(simulation, "reason")
    stack.records.reopen_study(simulation, 2, succeeded=1)
    if end == "cancelled again":
        stack.records.cancel_study(simulation, "reason")

    summary = collect(stack, simulation, attempt=1)

    record = stack.record(simulation)
    assert (record.status.final, record.collected) == (end != "running", False)
    assert not summary.notify, "subscribers are notified at its end"
    collect(stack, simulation, attempt=2)
    assert stack.record(simulation).status.final


def test_an_attempt_that_is_collected_late_leaves_the_results_of_a_later_one(
    stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation = stack.accepted(ANNA)
    ends(stack, simulation, 0, 100.0)
    stack.records.cancel_study(simulation, "reason")
    later = [True]

    def write_late(*given: Any, **options: Any) -> Any:
        counts = write_table(*given, **options)
        if later:  # while the first attempt is collected, a second one begins and ends
            later.clear()
            stack.records.reopen_study(simulation, 2, succeeded=1)
            for index in (1, 2):
                ends(stack, simulation, index, 80.0)
            collect(stack, simulation, attempt=2)
        return counts

    monkeypatch.setattr("epsm.pipeline.aggregate.write_table", write_late)

    assert not collect(stack, simulation, attempt=1).notify

    assert stack.record(simulation).status is StudyStatus.COMPLETED
    assert list(table(stack, simulation)["status"]) == ["succeeded"] * 3


@pytest.mark.parametrize(
    ("options", "status", "error"),
    [
        ({"max_failures": 0}, StudyStatus.FAILED, "TooManyFailures: 1 of its variants have failed; it allows 0."),
        ({"tolerated_failure_percentage": 50}, StudyStatus.PARTIAL, ""),
    ],
)
def test_a_study_in_batches_of_which_the_last_variants_were_one_failure_too_many_is_given_up(
    stack: Deployed, options: dict[str, Any], status: StudyStatus, error: str
) -> None:
    simulation = stack.accepted(ANNA, options={"batch": 2, **options})
    stack.records.accept_study(
        simulation, name="a", variants=2, options={"batch": 2, **options}, expires_at=4_000_000_000, batched=True
    )
    ends(stack, simulation, 0, 100.0)
    failed = VariantRecord(1, VariantStatus.FAILED, error="it rains")
    stack.records.finish_variant(simulation, failed, 4_000_000_000, attempt=1)

    collect(stack, simulation)

    record = stack.record(simulation)
    assert (record.status, record.error.removeprefix("The study was given up: ")) == (status, error)
    assert record.given_up is (status is StudyStatus.FAILED)


def test_where_nothing_saves_no_best_variant_is_named(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    for index, eui in enumerate((80.0, 80.0, 100.0)):
        ends(stack, simulation, index, eui)
    summary = collect(stack, simulation)
    assert (summary.status, "Site EUI:" in summary.message, "Best:" in summary.message) == ("completed", True, False)
    assert "Failures:" not in summary.message


def test_collecting_again_changes_no_record(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, parameters=[])
    ends(stack, simulation, 0, 100.0)
    first = collect(stack, simulation)
    before = stack.record(simulation)
    assert (collect(stack, simulation), stack.record(simulation)) == (first, before)


def test_of_a_cancelled_study_what_succeeded_is_counted(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    ends(stack, simulation, 0, 100.0)
    stack.records.start_variant(simulation, 1, 0)
    stack.records.cancel_study(simulation, "By Anna.")
    summary = collect(stack, simulation)
    assert (summary.status, summary.error, summary.not_run) == ("cancelled", "By Anna.", 2)
    assert "Failed or not run:" in summary.message
    record = stack.record(simulation)
    assert (record.status, record.succeeded, record.collected) == (StudyStatus.CANCELLED, 1, True)
    assert list(table(stack, simulation)["error"].dropna()) == [
        "The study was cancelled while this variant ran.",
        "The study was cancelled.",
    ]


def test_a_study_that_was_given_up_says_why(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    ends(stack, simulation, 0, 100.0)
    stack.records.start_variant(simulation, 1, 0)
    summary = collect(stack, simulation, map_error="too many failed")
    assert (summary.status, summary.error) == ("failed", "The study was given up: too many failed")
    assert stack.record(simulation).given_up
    assert "The study was given up while this variant ran." in list(table(stack, simulation)["error"])


@pytest.mark.parametrize("sampled", [False, True])
def test_a_sampled_study_alone_has_a_design(stack: Deployed, sampled: bool) -> None:
    changes: dict[str, Any] = {}
    if sampled:
        wall = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness"}
        changes["parameters"] = [wall | {"range": {"from": 0.1, "to": 0.3}}]
        changes["sampling"] = {"method": "latin_hypercube", "samples": 2, "seed": 1}
    simulation = stack.accepted(ANNA, **changes)
    collect(stack, simulation)
    assert (stack.files.size(RESULTS, keys.run_key(simulation, "design.parquet")) is not None) is sampled


def test_interruptions_by_fargate_spot_are_in_the_notification_and_in_the_report(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA)
    stack.records._table.update_item(  # as a state of the machine does
        Key=keys.study_key(simulation),
        UpdateExpression="ADD interruptions :two",
        ExpressionAttributeValues={":two": 2},
    )
    for index in range(3):
        ends(stack, simulation, index, 100.0)
    summary = collect(stack, simulation)
    assert "Repeated:   2 interruptions by Fargate Spot" in summary.message.splitlines()
    with stack.files.open_result(keys.run_key(simulation, "report.html")) as stream:
        assert "2 interruptions by Fargate Spot, repeated" in stream.read().decode()
    assert stack.record(simulation).interruptions == 2


def test_what_a_terminal_shows_is_stored_beside_the_table(stack: Deployed) -> None:
    simulation = stack.accepted(ANNA, parameters=[
        {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness", "values": [0.1, 0.2]},
    ])  # fmt: skip
    for index, eui in enumerate((100.0, 80.0, None)):
        ends(stack, simulation, index, eui)
    collect(stack, simulation)
    with stack.files.open_result(keys.run_key(simulation, "overview.json")) as stream:
        overview = json.load(stream)
    assert overview["variants"] == 3
    assert [(row["wall"], row["site_eui_kwh_m2"], row["baseline"]) for row in overview["rows"]] == [
        (None, 100.0, True),
        (0.1, 80.0, False),
        (0.2, None, False),
    ]
    assert overview["failures"] == [
        {"verdict": "clean", "error": "it rains", "status": "failed", "variants": 1, "first_variant": 2}
    ]
