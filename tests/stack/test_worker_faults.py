"""Workers that are killed, take too long, need too much memory or always die; and studies given up."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from epsm.study.records import StudyRecord, StudyStatus, VariantStatus
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker
from tests.stack import faults
from tests.stack.clients import LAYERS
from tests.stack.executions import RUN_VARIANT
from tests.support import (
    object_names,
    records_of,
    results_table,
    run_study,
    upload_study,
    wait_for,
    wait_for_end,
    wait_for_execution,
)


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


@pytest.fixture(scope="module")
def given_up(stack: LocalStack, make_shared_study: StudyMaker) -> StudyRecord:
    """A study of which more failed than it tolerates."""
    options = {"tolerated_failure_percentage": 10, "max_concurrency": 1}
    return run_study(stack, make_shared_study("given-up", parameters=[LAYERS], options=options))


def test_a_study_without_a_success_is_failed_and_so_is_its_execution(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    broken = one_day + "\nZone,Without Surfaces;\n"
    record = run_study(stack, make_study("all-fail", files={"room.idf": broken}))
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.FAILED, 0, 3)
    assert wait_for_execution(stack, record.execution_arn)["status"] == "FAILED"


def test_a_study_that_fails_more_than_it_tolerates_is_given_up(given_up: StudyRecord) -> None:
    assert given_up.status is StudyStatus.FAILED
    assert "States.ExceedToleratedFailureThreshold" in given_up.error


def test_what_succeeded_before_a_study_was_given_up_is_kept(stack: LocalStack, given_up: StudyRecord) -> None:
    table = results_table(stack, given_up.simulation_id)
    assert list(table["status"]) == ["succeeded", "succeeded", "failed"]
    assert table["site_eui_kwh_m2"].notna().sum() == 2


def test_a_killed_worker_is_replaced_its_engine_ends_and_nothing_is_lost(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    simulation = upload_study(stack, make_study("killed", files={"room.idf": one_zone}))
    worker, engine = wait_for(lambda: stopped_engine(stack), "an engine")
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not alive(engine), "the end of the engine")
    record = wait_for_end(stack, simulation)
    assert (record.status, record.succeeded) == (StudyStatus.COMPLETED, 3)


def stopped_engine(stack: LocalStack) -> tuple[int, int] | None:
    """A worker and its engine, which has been stopped: it does not end by itself."""
    for worker in stack.workers.busy(RUN_VARIANT):
        for child in children_of(worker.pid):
            try:
                if b"energyplus" not in Path(f"/proc/{child}/cmdline").read_bytes():
                    continue  # forked, and not the engine yet
                os.kill(child, signal.SIGSTOP)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if wait_for(partial(stopped_or_ended, child), "its stop") == "T":
                return worker.pid, child
    return None


def test_a_run_that_takes_too_long_is_ended_and_says_so(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    busy = one_zone.replace("Timestep,4;", "Timestep,60;")
    record = run_study(stack, make_study("slow", files={"room.idf": busy}, options={"timeout_s": 1}, parameters=[]))
    (row,) = results_table(stack, record.simulation_id).to_dict("records")
    assert (row["verdict"], row["status"]) == ("timed out", "failed")
    assert "ended after 1 s" in row["error"]


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


def test_a_variant_whose_worker_always_dies_is_recorded_by_the_state_machine(
    stack: LocalStack, make_study: StudyMaker
) -> None:
    # Without its manifest no attempt gets as far as a record of its own.
    folder = make_study("dying")
    simulation = upload_study(stack, folder)
    manifest = wait_for(lambda: "manifest.json" in object_names(stack, simulation) or None, "the manifest")
    assert manifest
    stack.client("s3").delete_object(Bucket=stack.outputs.results_bucket, Key=f"runs/{simulation}/manifest.json")

    def lost() -> list[Any] | None:
        found = [each for each in records_of(stack).variants(simulation) if each.stage == "worker"]
        return found or None

    variant = wait_for(lost, "a lost variant")[0]
    assert variant.status is VariantStatus.FAILED
    assert variant.error.startswith("NotFound: s3://")


def children_of(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def state_of(pid: int) -> str:
    """As in /proc: R, S, T (stopped), Z (ended, and not collected yet), ...; X if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return "X"
    return stat.rsplit(")", 1)[1].split()[0]


def stopped_or_ended(pid: int) -> str | None:
    state = state_of(pid)
    return state if state in "TZX" else None


def alive(pid: int) -> bool:
    return state_of(pid) not in ("Z", "X")
