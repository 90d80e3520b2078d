"""A variant that exceeds a function's time limit, on the deployed stack: a task of the same image runs it."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from epsm.operations.cancel import cancel
from epsm.pipeline.variant_steps import SECONDS_TO_STORE
from epsm.store import keys
from epsm.study.records import StudyStatus, VariantStatus
from epsm_local.aws.session import ACCOUNT
from epsm_local.aws.session import OWNER as LOCAL_OWNER
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, with_run_period
from tests.stack.clients import LAYERS
from tests.support import (
    files_of,
    object_names,
    records_of,
    result_json,
    results_table,
    run_study,
    stack_of,
    upload_study,
    wait_for,
    wait_for_end,
)

RUN_VARIANT = f"{STACK_NAME}-run-variant"
LOG_GROUP = f"/aws/ecs/{STACK_NAME}-run-variant"
OWNER = f"iam:arn:aws:iam::{ACCOUNT}:user/{LOCAL_OWNER}"
"""Of studies uploaded to the bucket."""
LONG = {"timeout_s": 3600}


def note_long_runs(stack: LocalStack, model: str) -> None:
    """As if the model had taken 800 s in earlier runs."""
    records_of(stack).note_run_time(OWNER, hashlib.sha256(model.encode()).hexdigest(), 800.0)


def unlike_any_other(model: str, name: str) -> str:
    """The same model as another file: run times are noted by its hash."""
    return f"{model}\n! {name}\n"


def items_of(stack: LocalStack, simulation: str) -> list[dict[str, Any]]:
    with files_of(stack).open_result(keys.run_key(simulation, "items.json")) as stream:
        return list(json.loads(stream.read()))


def streams(stack: LocalStack) -> set[str]:
    logs = stack.client("logs")
    return {each["logStreamName"] for each in logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]}


@pytest.fixture
def short_functions(stack: LocalStack) -> Iterator[None]:
    """A function that has a second for the engine, beside what it needs to store."""
    functions = stack.client("lambda")
    before = functions.get_function_configuration(FunctionName=RUN_VARIANT)["Timeout"]
    functions.update_function_configuration(FunctionName=RUN_VARIANT, Timeout=int(SECONDS_TO_STORE) + 2)
    yield
    functions.update_function_configuration(FunctionName=RUN_VARIANT, Timeout=before)


def test_a_model_that_is_known_to_take_long_runs_in_a_container_at_once(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    model, before = unlike_any_other(one_day, "known to take long"), streams(stack)
    note_long_runs(stack, model)
    record = run_study(stack, make_study("long-known", files={"room.idf": model}, options=LONG))
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.COMPLETED, 3, 0)
    assert {each["runs_on"] for each in items_of(stack, record.simulation_id)} == {"container"}
    assert len(streams(stack) - before) == 3
    table = results_table(stack, record.simulation_id)
    assert table["site_eui_kwh_m2"].notna().all()
    assert {"variants/2/result.json", "variants/2/eplusout.sql.gz"} <= object_names(stack, record.simulation_id)


def test_a_container_gives_the_numbers_of_a_function(stack: LocalStack, make_study: StudyMaker, one_day: str) -> None:
    model = unlike_any_other(one_day, "the same numbers")
    in_function = run_study(stack, make_study("same-function", files={"room.idf": model}, parameters=[]))
    note_long_runs(stack, model)
    in_container = run_study(
        stack, make_study("same-container", files={"room.idf": model}, options=LONG, parameters=[])
    )
    metrics = [
        result_json(stack, each.simulation_id, "variants/0/result.json")["metrics"]
        for each in (in_function, in_container)
    ]
    assert metrics[0] == metrics[1]


def test_a_study_that_does_not_ask_for_it_stays_in_functions(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    model, before = unlike_any_other(one_day, "not asked for"), streams(stack)
    note_long_runs(stack, model)
    record = run_study(stack, make_study("long-not-asked", files={"room.idf": model}))
    assert record.status is StudyStatus.COMPLETED
    assert {each["runs_on"] for each in items_of(stack, record.simulation_id)} == {"function"}
    assert streams(stack) == before


@pytest.mark.usefixtures("short_functions")
def test_a_run_for_which_the_function_was_too_short_continues_in_a_container(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    half_a_year = with_run_period(one_zone, end=(6, 30))
    busy, before = half_a_year.replace("Timestep,4;", "Timestep,60;"), streams(stack)
    folder = make_study("long-found-out", files={"room.idf": busy}, options=LONG, parameters=[])
    record = run_study(stack, folder, within_s=300)
    assert (record.status, record.succeeded) == (StudyStatus.COMPLETED, 1)
    assert {each["runs_on"] for each in items_of(stack, record.simulation_id)} == {"function"}
    assert len(streams(stack) - before) == 1
    assert result_json(stack, record.simulation_id, "variants/0/result.json")["engine_seconds"] > 2


def test_a_simulation_that_fails_in_a_container_is_not_tried_again(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    model, before = unlike_any_other(one_day, "fails in a container"), streams(stack)
    note_long_runs(stack, model)
    layers = LAYERS | {"values": ["Room"]}
    record = run_study(stack, make_study("long-failing", files={"room.idf": model}, options=LONG, parameters=[layers]))
    assert (record.status, record.succeeded, record.failed) == (StudyStatus.PARTIAL, 1, 1)
    assert len(streams(stack) - before) == 2
    variant = records_of(stack).variant(record.simulation_id, 1)
    assert variant is not None
    assert (variant.status, variant.stage) == (VariantStatus.FAILED, "input")


def test_a_study_that_is_cancelled_stops_its_containers(
    stack: LocalStack, make_study: StudyMaker, one_zone: str
) -> None:
    busy = unlike_any_other(one_zone.replace("Timestep,4;", "Timestep,60;"), "cancelled")
    note_long_runs(stack, busy)
    simulation = upload_study(
        stack, make_study("long-cancelled", files={"room.idf": busy}, options=LONG, parameters=[])
    )
    wait_for(lambda: list(records_of(stack).variants(simulation)), "a running variant")
    record = records_of(stack).study(simulation)
    assert record is not None
    assert cancel(stack_of(stack), record, "by a test")
    wait_for(lambda: not stack.containers.running(), "the end of the container")
    assert wait_for_end(stack, simulation).status is StudyStatus.CANCELLED
    variant = records_of(stack).variant(simulation, 0)
    assert variant is not None
    assert (variant.status, variant.stage) == (VariantStatus.FAILED, "cancelled")
