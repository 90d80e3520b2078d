"""Studies on the deployed stack: partial ones, repeated ones, full disks, and what is kept."""

import errno
import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.engine import Engine
from epsm.pipeline.run_variant import VariantRunner
from epsm.pipeline.task_errors import SimulationFailed
from epsm.study.records import StudyRecord, StudyStatus, VariantStatus
from epsm.study.schema import Outputs
from epsm.study.variants import Variant
from epsm_local.moto_patches import objects
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, with_run_period
from tests.stack import faults
from tests.stack.clients import LAYERS
from tests.stack.executions import RUN_VARIANT
from tests.support import (
    files_of,
    object_names,
    records_of,
    result_file,
    result_json,
    results_table,
    run_study,
    upload_study,
    wait_for,
    wait_for_end,
)

TEMPERATURES = ["Zone Mean Air Temperature", "Zone Mean Radiant Temperature", "Zone Operative Temperature"]


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


@pytest.fixture(scope="module")
def partly_failed(stack: LocalStack, make_shared_study: StudyMaker) -> StudyRecord:
    """A study that has ended: baseline, one success, and a variant that the engine refuses."""
    return run_study(stack, make_shared_study("partial", parameters=[LAYERS]))


@pytest.fixture(scope="module")
def alone(stack: LocalStack, make_shared_study: StudyMaker) -> StudyRecord:
    """A completed study of one model without parameters."""
    return run_study(stack, make_shared_study("alone", parameters=[]))


def test_one_failing_variant_leaves_a_partial_study(partly_failed: StudyRecord) -> None:
    assert (partly_failed.status, partly_failed.succeeded, partly_failed.failed) == (StudyStatus.PARTIAL, 2, 1)


def test_a_failed_variant_is_a_row_with_its_reason(stack: LocalStack, partly_failed: StudyRecord) -> None:
    row = results_table(stack, partly_failed.simulation_id).set_index("variant_index").loc[2]
    assert (row["status"], row["verdict"], row["error_stage"]) == ("failed", "bad input", "input")
    assert "Construction = ROOM Name = ROOM, item not found" in row["error"]


def test_a_failed_variant_leaves_its_files(stack: LocalStack, partly_failed: StudyRecord) -> None:
    assert {"variants/2/result.json", "variants/2/in.idf", "variants/2/eplusout.err"} <= object_names(
        stack, partly_failed.simulation_id
    )


def test_a_failed_variant_is_a_failed_child_execution(stack: LocalStack, partly_failed: StudyRecord) -> None:
    step_functions = stack.client("stepfunctions")
    (run,) = step_functions.list_map_runs(executionArn=partly_failed.execution_arn)["mapRuns"]
    failed = step_functions.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED")["executions"]
    described = step_functions.describe_execution(executionArn=failed[0]["executionArn"])
    assert described["error"] == "SimulationFailed"
    assert json.loads(described["input"])["variant"]["index"] == 2


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
    alone: StudyRecord,
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: list[str],
) -> None:
    manifest = files_of(stack).read_manifest(alone.simulation_id)
    year = manifest.study.model_copy(
        update={
            "options": manifest.study.options.model_copy(update={"run_period": "annual"}),
            "outputs": Outputs(variables=tuple(variables), frequency="Timestep"),
        }
    )
    again = manifest.model_copy(update={"simulation_id": f"disk-{len(variables)}", "study": year})
    files_of(stack).put_text(f"runs/{again.simulation_id}/manifest.json", again.to_json(), "application/json")
    records_of(stack).create_or_get_study(again.simulation_id, "again", {})
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
    alone: StudyRecord,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begins_with: bytes,
) -> None:
    done = files_of(stack).read_manifest(alone.simulation_id)
    again = done.model_copy(update={"simulation_id": f"s3-full-again-{len(begins_with)}"})
    files_of(stack).put_text(f"runs/{again.simulation_id}/manifest.json", again.to_json(), "application/json")
    records_of(stack).create_or_get_study(again.simulation_id, "again", {})
    new_file = objects._new_file

    def result_of_full_disk(content: bytes) -> Any:
        if content.startswith(begins_with):
            raise OSError(errno.ENOSPC, "No space left on device")
        return new_file(content)

    monkeypatch.setattr(objects, "_new_file", result_of_full_disk)
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


def test_a_repeated_variant_overwrites_nothing(stack: LocalStack, alone: StudyRecord) -> None:
    before = contents(stack, alone.simulation_id)
    invoke_variant(stack, alone.simulation_id, 0)
    assert contents(stack, alone.simulation_id) == before


def test_a_study_that_is_submitted_again_takes_the_results_of_the_first(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    # Files that no other test keeps: nothing of it has run before.
    parameter = {"name": "density", "class": "Material", "object": "Wall Insulation", "field": "Density"}
    rows = [{"density": 41.0}, {"density": 42.0}, {"density": 41.0}]
    sampling = {"method": "list", "rows": rows}
    outputs = {"keep": ["err", "audit", "mdd"]}
    folder = partial(make_study, parameters=[parameter], sampling=sampling, outputs=outputs, options={"cache": True})

    first, second = (run_study(stack, folder(name)) for name in ("first", "second"))

    tables = [results_table(stack, each.simulation_id) for each in (first, second)]
    own = ["cached_from", "engine_seconds", "engine_cpu_seconds", "peak_memory_mb"]
    assert tables[0].drop(columns=own).equals(tables[1].drop(columns=own))
    assert list(tables[0]["cached_from"].dropna()) == [f"{first.simulation_id}/1"]
    assert list(tables[1]["cached_from"].str.rpartition("/")[0].unique()) == [first.simulation_id]
    assert [first.reused, second.reused] == [1, 4]
    assert list(tables[1]["engine_seconds"]) == [0.0] * 4
    model = "variants/2/in.idf"
    assert result_file(stack, first.simulation_id, model) == result_file(stack, second.simulation_id, model)


def test_a_failed_variant_that_is_repeated_is_run_again(stack: LocalStack, partly_failed: StudyRecord) -> None:
    before = records_of(stack).variant(partly_failed.simulation_id, 2)
    assert invoke_variant(stack, partly_failed.simulation_id, 2)["FunctionError"] == "Unhandled"
    after = records_of(stack).variant(partly_failed.simulation_id, 2)
    assert before is not None
    assert after is not None
    assert after.ended_at > before.ended_at


def test_collecting_again_gives_the_same_table(stack: LocalStack, partly_failed: StudyRecord) -> None:
    payload = json.dumps({"simulation_id": partly_failed.simulation_id})
    tables = []
    for _ in range(2):
        stack.client("lambda").invoke(FunctionName=f"{STACK_NAME}-aggregate", Payload=payload)
        tables.append(results_table(stack, partly_failed.simulation_id))
    assert tables[1].equals(tables[0])
    assert records_of(stack).study(partly_failed.simulation_id) == partly_failed


def test_the_series_and_tables_and_only_the_files_that_were_asked_for_are_kept(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    outputs = {"meters": ["Electricity:Facility"], "variables": ["Zone Mean Air Temperature"], "keep": ["eio"]}
    outputs["tables"] = ["zones", "monthly"]
    record = run_study(stack, make_study("keep", outputs=outputs, parameters=[]))
    names = object_names(stack, record.simulation_id)
    files = {"result.json", "in.idf", "eplusout.eio"}
    assert {name for name in names if name.startswith("variants/")} == {f"variants/0/{name}" for name in files}
    assert {"zones.parquet", "monthly.parquet"} <= names
    assert {name for name in names if name.startswith("series/")} == {
        "series/columns.parquet",
        "series/part-0000000.parquet",
    }


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


def test_every_step_logs_with_the_simulation_as_correlation_id(stack: LocalStack, alone: StudyRecord) -> None:
    for function in ("submit", "run-variant", "aggregate"):
        wait_for(partial(log_lines, stack, function, alone.simulation_id), f"a log line of {function}")


def test_two_studies_at_once_do_not_mix(stack: LocalStack, make_study: StudyMaker) -> None:
    folders = [make_study(f"at-once-{number}", name=f"Study {number}") for number in range(2)]
    simulations = [upload_study(stack, folder) for folder in folders]
    records = [wait_for_end(stack, simulation) for simulation in simulations]
    assert [(record.name, record.succeeded) for record in records] == [(f"Study {n}", 3) for n in range(2)]


def test_a_variant_says_what_ran_and_for_how_long(stack: LocalStack, alone: StudyRecord) -> None:
    result = result_json(stack, alone.simulation_id, "variants/0/result.json")
    assert result["engine_version"] == "25.2.0-cf7368216c"
    assert result["engine_seconds"] > 0
    assert result["peak_memory_mb"] > 100


def test_a_study_without_parameters_has_every_result_file(stack: LocalStack, alone: StudyRecord) -> None:
    assert {"results.csv", "results.parquet", "report.html"} <= object_names(stack, alone.simulation_id)


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
