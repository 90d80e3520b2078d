"""A study's way through the deployed stack when something goes wrong, with the real engine on a one-day model."""

import errno
import json
import math
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.engine import Engine
from epsm.pipeline.run_variant import SECONDS_TO_STORE, VariantRunner
from epsm.pipeline.task_errors import RanTooLong, SimulationFailed
from epsm.study.records import StudyStatus, VariantStatus
from epsm.study.variants import Variant
from epsm_local.moto_patches import objects
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, with_run_period
from tests.moto_fixtures import unique
from tests.stack.clients import SCHEDULES
from tests.support import (
    files_of,
    object_names,
    records_of,
    result_json,
    results_table,
    run_study,
    upload_study,
    wait_for,
    wait_for_end,
    wait_for_execution,
)

TEMPERATURES = ["Zone Mean Air Temperature", "Zone Mean Radiant Temperature", "Zone Operative Temperature"]
RUN_VARIANT = f"{STACK_NAME}-run-variant"


def test_one_failing_variant_leaves_a_partial_study(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("partial", parameters=[SCHEDULES]))
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 2, 1)


def test_a_failed_variant_is_a_row_with_its_reason(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("reason", parameters=[SCHEDULES]))
    row = results_table(stack, record.simulation_id).set_index("variant_index").loc[2]
    assert (row["status"], row["verdict"], row["error_stage"]) == ("failed", "crashed", "engine")
    assert "Schedule Name = WALL, item not found" in row["error"]


def test_a_failed_variant_leaves_its_files(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("evidence", parameters=[SCHEDULES]))
    assert {"variants/2/result.json", "variants/2/in.idf", "variants/2/eplusout.err"} <= object_names(
        stack, record.simulation_id
    )


def test_a_failed_variant_is_a_failed_child_execution(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("children", parameters=[SCHEDULES]))
    step_functions = stack.client("stepfunctions")
    (run,) = step_functions.list_map_runs(executionArn=record.execution_arn)["mapRuns"]
    failed = step_functions.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")["executions"]
    described = step_functions.describe_execution(executionArn=failed[0]["executionArn"])
    assert described["error"] == "SimulationFailed"
    assert json.loads(described["input"])["variant"]["index"] == 2


def test_a_study_without_a_success_is_failed_and_so_is_its_execution(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    broken = one_day + "\nZone,Without Surfaces;\n"
    record = run_study(stack, make_study("all-fail", files={"room.idf": broken}))
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.FAILED, 0, 3)
    assert wait_for_execution(stack, record.execution_arn)["status"] == "FAILED"


def test_a_study_that_fails_more_than_it_tolerates_is_given_up(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(
        stack,
        make_study(
            "given-up", parameters=[SCHEDULES], options={"tolerated_failure_percentage": 10, "max_concurrency": 1}
        ),
    )
    assert record.status is StudyStatus.FAILED
    assert "States.ExceedToleratedFailureThreshold" in record.error


def test_what_succeeded_before_a_study_was_given_up_is_kept(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(
        stack,
        make_study("kept", parameters=[SCHEDULES], options={"tolerated_failure_percentage": 10, "max_concurrency": 1}),
    )
    table = results_table(stack, record.simulation_id)
    assert list(table["status"]) == ["succeeded", "succeeded", "failed"]
    assert table["site_eui_kwh_m2"].notna().sum() == 2


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    simulation = upload_study(stack, make_study("killed", files={"room.idf": one_zone}))
    busy = wait_for(lambda: stack.workers.busy(RUN_VARIANT), "a busy worker")
    os.kill(busy[0].pid, signal.SIGKILL)
    record = wait_for_end(stack, simulation)
    assert (record.status, record.succeeded) == (StudyStatus.COMPLETED, 3)


def test_an_engine_of_a_killed_worker_does_not_go_on(stack: LocalStack, make_study: StudyMaker, one_zone: str) -> None:
    simulation = upload_study(stack, make_study("orphan", files={"room.idf": one_zone}))
    pid = wait_for(
        lambda: [child for worker in stack.workers.busy(RUN_VARIANT) for child in children_of(worker.pid)], "an engine"
    )[0]
    worker = next(each for each in stack.workers.busy(RUN_VARIANT) if pid in children_of(each.pid))
    os.kill(worker.pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), "the end of the engine", within_s=5)
    wait_for_end(stack, simulation)


def test_a_run_that_takes_too_long_is_ended_and_says_so(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    busy = one_zone.replace("Timestep,4;", "Timestep,60;")
    record = run_study(stack, make_study("slow", files={"room.idf": busy}, options={"timeout_s": 1}, parameters=[]))
    (row,) = results_table(stack, record.simulation_id).to_dict("records")
    assert (row["verdict"], row["status"]) == ("timed out", "failed")
    assert "ended after 1 s" in row["error"]


def test_a_run_for_which_a_function_is_too_short_is_handed_on(
    stack: LocalStack, engine: Engine, make_study: StudyMaker, one_zone: str, tmp_path: Path
) -> None:
    busy = one_zone.replace("Timestep,4;", "Timestep,60;")
    record = run_study(stack, make_study("handed-on", files={"room.idf": busy}, parameters=[]), within_s=240)
    manifest = files_of(stack).read_manifest(record.simulation_id)
    longer = manifest.study.model_copy(
        update={"options": manifest.study.options.model_copy(update={"timeout_s": 3600})}
    )
    again = manifest.model_copy(update={"simulation_id": "handed-on-again", "study": longer})
    files_of(stack).put_text(f"runs/{again.simulation_id}/manifest.json", again.to_json(), "application/json")
    runner = VariantRunner(files_of(stack), records_of(stack), tmp_path / "runs", engine)
    variant = Variant(0, "room.idf", "chicago.epw")
    with pytest.raises(RanTooLong, match="not finished"):
        runner.run(again.simulation_id, variant, seconds_left=lambda: SECONDS_TO_STORE + 1)
    left = records_of(stack).variant(again.simulation_id, 0)
    assert left is not None
    assert left.status is VariantStatus.RUNNING
    runner.run(again.simulation_id, variant, seconds_left=lambda: math.inf)
    ended = records_of(stack).variant(again.simulation_id, 0)
    assert ended is not None
    assert ended.status is VariantStatus.SUCCEEDED


def test_what_variants_cost_is_booked_without_a_budget_where_owners_have_one(
    stack: LocalStack, engine: Engine, make_study: StudyMaker, tmp_path: Path
) -> None:
    record = run_study(stack, make_study("counted", parameters=[]))
    assert record.cost_usd == 0
    again = files_of(stack).read_manifest(record.simulation_id).model_copy(update={"simulation_id": "counted-again"})
    files_of(stack).put_text(f"runs/{again.simulation_id}/manifest.json", again.to_json(), "application/json")
    records_of(stack).create_or_get_study(again.simulation_id, "Counted", {})
    folder = tmp_path / "runs"
    runner = VariantRunner(files_of(stack), records_of(stack), folder, engine, usd_per_second=1.0, count_costs=True)
    runner.run(again.simulation_id, Variant(0, "room.idf", "chicago.epw"), seconds_left=lambda: math.inf)
    counted = records_of(stack).study(again.simulation_id)
    records_of(stack).cancel_study(again.simulation_id, "It was a test.")
    assert counted is not None
    assert counted.cost_usd > 0.1


def test_a_run_that_needs_too_much_memory_is_ended_and_says_so(stack: LocalStack, make_study: StudyMaker) -> None:
    functions = stack.client("lambda")
    memory = functions.get_function_configuration(FunctionName=RUN_VARIANT)["MemorySize"]
    functions.update_function_configuration(FunctionName=RUN_VARIANT, MemorySize=400)
    try:
        record = run_study(stack, make_study("hungry", options={"run_period": "annual"}, parameters=[]))
    finally:
        functions.update_function_configuration(FunctionName=RUN_VARIANT, MemorySize=memory)
    (row,) = results_table(stack, record.simulation_id).to_dict("records")
    assert (row["verdict"], row["status"]) == ("out of memory", "failed")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that holds two databases of a year's hours, but not three series of timesteps."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param(TEMPERATURES[:2], id="when the database is packed"),
        pytest.param(TEMPERATURES, id="when the series are written"),
        pytest.param([*TEMPERATURES, "Zone Air Humidity Ratio", "Zone Air Relative Humidity"], id="while it runs"),
    ],
)
def test_a_run_that_fills_the_disk_says_so(
    stack: LocalStack,
    engine: Engine,
    make_study: StudyMaker,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: list[str],
) -> None:
    folder = make_study("disk", outputs={"variables": variables, "frequency": "Timestep"}, parameters=[])
    manifest = files_of(stack).read_manifest(run_study(stack, folder).simulation_id)
    year = manifest.study.model_copy(
        update={"options": manifest.study.options.model_copy(update={"run_period": "annual"})}
    )
    again = manifest.model_copy(update={"simulation_id": f"disk-{len(variables)}", "study": year})
    files_of(stack).put_text(f"runs/{again.simulation_id}/manifest.json", again.to_json(), "application/json")
    monkeypatch.setattr("epsm.pipeline.workspace._MIN_FREE_MB", 1.0)
    runner = VariantRunner(files_of(stack), records_of(stack), small_disk, engine)
    with pytest.raises(SimulationFailed, match="disk full"):
        runner.run(again.simulation_id, Variant(0, "room.idf", "chicago.epw"), seconds_left=lambda: 120.0)
    variant = records_of(stack).variant(again.simulation_id, 0)
    assert variant is not None
    assert (variant.status, variant.verdict) == (VariantStatus.FAILED, "disk full")


@pytest.mark.parametrize(
    "begins_with", [pytest.param(b"\x1f\x8b", id="the packed database"), pytest.param(b"", id="any")]
)
def test_what_the_local_s3_has_no_room_for_is_a_full_disk(
    stack: LocalStack,
    engine: Engine,
    make_study: StudyMaker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begins_with: bytes,
) -> None:
    done = files_of(stack).read_manifest(run_study(stack, make_study("s3-full", parameters=[])).simulation_id)
    again = done.model_copy(update={"simulation_id": f"s3-full-again-{len(begins_with)}"})
    files_of(stack).put_text(f"runs/{again.simulation_id}/manifest.json", again.to_json(), "application/json")
    new_file = objects._new_file

    def without_room(content: bytes) -> Any:
        if content.startswith(begins_with):
            raise OSError(errno.ENOSPC, "No space left on device")
        return new_file(content)

    monkeypatch.setattr(objects, "_new_file", without_room)
    runner = VariantRunner(files_of(stack), records_of(stack), tmp_path, engine)
    with pytest.raises(SimulationFailed, match="disk full"):
        runner.run(again.simulation_id, Variant(0, "room.idf", "chicago.epw"), seconds_left=lambda: 120.0)
    variant = records_of(stack).variant(again.simulation_id, 0)
    assert variant is not None
    assert (variant.status, variant.verdict) == (VariantStatus.FAILED, "disk full")


def test_a_partial_year_is_never_called_annual(stack: LocalStack, make_study: StudyMaker, one_zone: str) -> None:
    january = with_run_period(one_zone, end=(1, 31))
    record = run_study(stack, make_study("january", files={"room.idf": january}, parameters=[]))
    (row,) = results_table(stack, record.simulation_id).to_dict("records")
    assert (row["period"], row["period_days"]) == ("31 days (01/01-01/31)", 31)


def test_a_study_can_ask_for_the_whole_year(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("annual", options={"run_period": "annual"}, parameters=[]))
    (row,) = results_table(stack, record.simulation_id).to_dict("records")
    assert (row["period"], row["period_days"]) == ("annual", 365)


def test_a_repeated_variant_overwrites_nothing_but_itself(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("repeated"))
    before = contents(stack, record.simulation_id)
    invoke_variant(stack, record.simulation_id, 1)
    assert contents(stack, record.simulation_id) == before


def test_a_failed_variant_that_is_repeated_is_run_again(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("redone", parameters=[SCHEDULES]))
    before = records_of(stack).variant(record.simulation_id, 2)
    assert invoke_variant(stack, record.simulation_id, 2)["FunctionError"] == "Unhandled"
    after = records_of(stack).variant(record.simulation_id, 2)
    assert before is not None
    assert after is not None
    assert after.ended_at > before.ended_at


def test_collecting_again_gives_the_same_table(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("collected", parameters=[SCHEDULES]))
    before = results_table(stack, record.simulation_id)
    stack.client("lambda").invoke(
        FunctionName=f"{STACK_NAME}-aggregate", Payload=json.dumps({"simulation_id": record.simulation_id})
    )
    assert results_table(stack, record.simulation_id).equals(before)
    assert records_of(stack).study(record.simulation_id) == record


def test_a_late_writer_does_not_reopen_a_study(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("late-writer"))
    changed = records_of(stack).finish_study(record.simulation_id, StudyStatus.FAILED, succeeded=0, failed=0)
    assert not changed
    assert records_of(stack).study(record.simulation_id) == record


def test_a_success_is_never_turned_back(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("turned-back"))
    assert not records_of(stack).start_variant(record.simulation_id, 0, expires_at=0)
    variant = records_of(stack).variant(record.simulation_id, 0)
    assert variant is not None
    assert variant.status is VariantStatus.SUCCEEDED


def test_a_variant_whose_worker_always_dies_is_recorded_by_the_state_machine(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    # Without its manifest no attempt gets as far as a record of its own.
    folder = make_study("dying")
    simulation = upload_study(stack, folder)
    manifest = wait_for(lambda: "manifest.json" in object_names(stack, simulation) or None, "the manifest", within_s=30)
    assert manifest
    stack.client("s3").delete_object(Bucket=stack.outputs.results_bucket, Key=f"runs/{simulation}/manifest.json")

    def lost() -> list[Any] | None:
        found = [each for each in records_of(stack).variants(simulation) if each.stage == "worker"]
        return found or None

    variant = wait_for(lost, "a lost variant", within_s=90)[0]
    assert variant.status is VariantStatus.FAILED
    assert variant.error.startswith("NotFound: s3://")


def test_the_series_that_were_asked_for_are_there(stack: LocalStack, make_study: StudyMaker) -> None:
    """And the tables with several rows a variant."""
    outputs = {"meters": ["Electricity:Facility"], "variables": ["Zone Mean Air Temperature"]}
    outputs["tables"] = ["zones", "monthly"]
    record = run_study(stack, make_study("series", outputs=outputs, parameters=[]))
    names = object_names(stack, record.simulation_id)
    assert {"variants/0/series.parquet", "zones.parquet", "monthly.parquet"} <= names


def test_only_the_files_that_were_asked_for_are_kept(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("keep", outputs={"keep": ["eio"]}, parameters=[]))
    kept = {name for name in object_names(stack, record.simulation_id) if name.startswith("variants/")}
    assert kept == {"variants/0/result.json", "variants/0/in.idf", "variants/0/eplusout.eio"}


def test_an_external_file_is_read_from_its_place_beside_the_model(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    model = one_day.replace(
        "Schedule:Constant,\n  Always On,               !- Name\n"
        "  Any Number,              !- Schedule Type Limits Name\n"
        "  1;                       !- Hourly Value",
        "Schedule:File,Always On,Any Number,../data/always on.csv,1,0,8760,Comma,No;",
    )
    assert model != one_day
    folder = make_study(
        "external-file",
        files={"room.idf": None, "models/room.idf": model, "data/always on.csv": "1\n" * 8760},
        models=["models/room.idf"],
        parameters=[],
    )
    assert run_study(stack, folder).status is StudyStatus.COMPLETED


def test_every_step_logs_with_the_simulation_as_correlation_id(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("logged", parameters=[]))
    for function in ("submit", "run-variant", "aggregate"):
        wait_for(partial(log_lines, stack, function, record.simulation_id), f"a log line of {function}")


@pytest.fixture
def subscriber(stack: LocalStack) -> Iterator[str]:
    """URL of a queue that is subscribed to the ends of studies."""
    sqs = stack.client("sqs")
    url = sqs.create_queue(QueueName=unique("told"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscription = stack.client("sns").subscribe(TopicArn=stack.outputs.topic_arn, Protocol="sqs", Endpoint=arn)
    yield str(url)
    stack.client("sns").unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])


def test_those_who_subscribed_are_told_of_the_end(stack: LocalStack, make_study: StudyMaker, subscriber: str) -> None:
    record = run_study(stack, make_study("told", name="Telling", parameters=[]))
    notice = told(stack, subscriber, record.simulation_id)
    assert notice["Subject"] == "Telling: completed, 1 of 1 variants succeeded"


def told(stack: LocalStack, subscriber: str, about: str) -> dict[str, Any]:
    """The notice on a study, which its simulation names; those on others, of earlier tests, are passed over."""
    return wait_for(lambda: notice_on(stack, subscriber, about), "a notice")


def notice_on(stack: LocalStack, subscriber: str, about: str) -> dict[str, Any] | None:
    for message in stack.client("sqs").receive_message(QueueUrl=subscriber, MaxNumberOfMessages=10).get("Messages", ()):
        notice: dict[str, Any] = json.loads(message["Body"])
        if about in notice["Message"]:
            return notice
    return None


def test_a_notice_has_the_numbers_that_matter_and_the_reasons(
    stack: LocalStack, make_study: StudyMaker, subscriber: str
) -> None:
    record = run_study(stack, make_study("told-numbers", parameters=[SCHEDULES]))
    message = told(stack, subscriber, record.simulation_id)["Message"]
    assert re.search(r"^Site EUI: +\d+\.\d to \d+\.\d kWh/m2$", message, re.MULTILINE)
    assert re.search(r"^  1 x .+$", message, re.MULTILINE)
    assert "/executions/details/arn:aws:states:" in message


def test_who_subscribed_is_told_of_an_upload_that_was_refused(
    stack: LocalStack, make_study: StudyMaker, subscriber: str
) -> None:
    record = run_study(stack, make_study("told-refused", models=["hall.idf"]))
    notice = told(stack, subscriber, record.simulation_id)
    assert notice["Subject"] == "told-refused: rejected, 1 problem"
    assert "'hall.idf' is not in s3://" in notice["Message"]


def test_who_subscribed_is_told_of_a_study_that_was_stopped(
    stack: LocalStack, make_study: StudyMaker, subscriber: str, one_zone: str
) -> None:
    simulation = upload_study(stack, make_study("told-stopped", files={"room.idf": one_zone}))
    wait_for(lambda: stack.workers.busy(RUN_VARIANT), "a busy worker")
    record = records_of(stack).study(simulation)
    assert record is not None
    stack.client("stepfunctions").stop_execution(executionArn=record.execution_arn)
    assert told(stack, subscriber, simulation)["Subject"].startswith("told-stopped: cancelled, ")


def test_nobody_is_told_of_a_study_that_wants_no_notice(
    stack: LocalStack, make_study: StudyMaker, subscriber: str
) -> None:
    record = run_study(stack, make_study("untold", parameters=[], options={"notify": False}))
    assert wait_for_execution(stack, record.execution_arn)["status"] == "SUCCEEDED"
    assert notice_on(stack, subscriber, record.simulation_id) is None


def test_two_studies_at_once_do_not_mix(stack: LocalStack, make_study: StudyMaker) -> None:
    folders = [make_study(f"at-once-{number}", name=f"Study {number}") for number in range(3)]
    simulations = [upload_study(stack, folder) for folder in folders]
    records = [wait_for_end(stack, simulation) for simulation in simulations]
    assert [(record.name, record.succeeded) for record in records] == [(f"Study {n}", 3) for n in range(3)]


def test_a_variant_says_what_ran_and_for_how_long(stack: LocalStack, make_study: StudyMaker) -> None:
    record = run_study(stack, make_study("measured", parameters=[]))
    result = result_json(stack, record.simulation_id, "variants/0/result.json")
    assert result["engine_version"] == "25.2.0-cf7368216c"
    assert result["engine_seconds"] > 0
    assert result["peak_memory_mb"] > 100


@pytest.mark.parametrize("name", ["results.csv", "results.parquet", "report.html"])
def test_a_study_without_parameters_has_every_result_file(stack: LocalStack, make_study: StudyMaker, name: str) -> None:
    record = run_study(stack, make_study(f"plain-{name}", parameters=[]))
    assert name in object_names(stack, record.simulation_id)


def children_of(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


def contents(stack: LocalStack, simulation: str) -> dict[str, str]:
    """Every file of a run with the hash of its content."""
    s3 = stack.client("s3")
    return {
        name: s3.head_object(Bucket=stack.outputs.results_bucket, Key=f"runs/{simulation}/{name}")["ETag"]
        for name in object_names(stack, simulation)
    }


def invoke_variant(stack: LocalStack, simulation: str, index: int) -> Any:
    with files_of(stack).open_result(f"runs/{simulation}/items.json") as stream:
        items = json.loads(stream.read())
    payload = json.dumps({"simulation_id": simulation, "variant": items[index]})
    return stack.client("lambda").invoke(FunctionName=RUN_VARIANT, Payload=payload)


def log_lines(stack: LocalStack, function: str, simulation: str) -> list[str]:
    found = stack.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{STACK_NAME}-{function}")["events"]
    parsed = [json.loads(each["message"]) for each in found if each["message"].startswith('{"level"')]
    return [each["message"] for each in parsed if each.get("correlation_id") == simulation]
