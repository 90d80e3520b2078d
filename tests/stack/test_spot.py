"""Studies on Fargate Spot, on the deployed stack: interrupted batches end with the right numbers."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from epsm.pipeline.variant_steps import SECONDS_TO_STORE
from epsm.study.records import StudyRecord, StudyStatus, VariantRecord, VariantStatus
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack
from tests.conftest import StudyMaker, with_run_period
from tests.moto_fixtures import unique
from tests.stack import faults
from tests.stack.clients import LAYERS, Client, submit
from tests.stack.test_fargate import streams, unlike_any_other
from tests.support import records_of, results_table, run_study, upload_study, wait_for, wait_for_end

TASK = f"{STACK_NAME}-run-variant"
LEVELS = {
    "name": "insulation_m",
    "class": "Material",
    "object": "Wall Insulation",
    "field": "Thickness",
    "values": [0.1, 0.15, 0.2],
}


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


@pytest.fixture
def stopped_at_once(stack: LocalStack) -> Iterator[None]:
    """Tasks that are told to stop have no more time than storing takes."""
    ecs, notice_s = stack.client("ecs"), int(SECONDS_TO_STORE)
    before = ecs.describe_task_definition(taskDefinition=TASK)["taskDefinition"]
    (container,) = before["containerDefinitions"]
    others = [each for each in container["environment"] if each["name"] != "STOP_TIMEOUT_S"]
    short = container | {
        "stopTimeout": notice_s,
        "environment": [*others, {"name": "STOP_TIMEOUT_S", "value": str(notice_s)}],
    }
    changed = ecs.register_task_definition(family=TASK, containerDefinitions=[short])["taskDefinition"]
    yield
    ecs.deregister_task_definition(taskDefinition=changed["taskDefinitionArn"])


def eui_of(stack: LocalStack, record: StudyRecord) -> list[float]:
    table = results_table(stack, record.simulation_id)
    return list(table.sort_values("variant_index")["site_eui_kwh_m2"].dropna())


def test_what_had_ended_in_a_task_that_spot_kills_stays_and_only_the_rest_runs_again(
    stack: LocalStack, make_study: StudyMaker, one_day: str
) -> None:
    name = unique("spot-killed")
    files = {"room.idf": unlike_any_other(one_day, name)}
    # Variants 2 and 4 fail: they are stored at once, with those that have ended before.
    varied = [LEVELS | {"values": [0.1, 0.15]}, LAYERS]
    with faults.hold("s3", "PutObject", f"runs/{name}", "packs/", number=2) as held:
        chosen = make_study(name, files=files, parameters=varied, options={"compute": "spot", "cache": False})
        simulation = upload_study(stack, chosen)
        held.wait()
        before = ended(stack, simulation)
        assert stack.containers.interrupt(notice=False) == 1
        held.release()
        record = wait_for_end(stack, simulation)

    assert {each.status for each in before} == {VariantStatus.SUCCEEDED, VariantStatus.FAILED}
    assert (record.status, record.succeeded, record.failures) == (StudyStatus.PARTIAL, 3, 2)
    assert record.interruptions == 1
    assert [each for each in ended(stack, simulation) if each in before] == before
    bare = make_study("spot-bare", files=files, parameters=varied, options={"cache": False})
    assert eui_of(stack, record) == eui_of(stack, run_study(stack, bare))


@pytest.mark.usefixtures("stopped_at_once")
def test_a_task_that_spot_stops_ends_its_engines_and_one_with_a_fault_is_followed_by_an_on_demand_task(
    stack: LocalStack, anna: Client, room: dict[str, bytes], one_zone: str
) -> None:
    name = unique("spot-stopped")
    busy = with_run_period(one_zone, end=(6, 30)).replace("Timestep,4;", "Timestep,60;")
    files = room | {"room.idf": unlike_any_other(busy, name).encode()}
    before = streams(stack)
    simulation = submit(anna, files, name=name, parameters=[LEVELS], options={"compute": "spot", "cache": False})
    wait_for(lambda: len(list(records_of(stack).variants(simulation))) == 2, "two running engines")
    (first,) = stack.containers.running()
    assert stack.containers.interrupt() == 1
    (second,) = wait_for(lambda: set(stack.containers.running()) - {first}, "the next task")
    os.kill(second, signal.SIGKILL)
    record = wait_for_end(stack, simulation)

    assert (record.status, record.succeeded, record.failures) == (StudyStatus.COMPLETED, 4, 0)
    assert len(streams(stack) - before) >= 2, "a task that is killed at its start has no log"
    state = anna.get(f"/api/simulation/{simulation}/status/")
    assert (state["status"], state["compute"], state["interruptions"]) == ("completed", "spot", 1)
    assert sorted(capacities_of_tasks(stack, simulation)) == ["FARGATE", "FARGATE_SPOT", "FARGATE_SPOT"]


def capacities_of_tasks(stack: LocalStack, simulation: str) -> list[str]:
    """The capacity of each task of a study."""
    ecs = stack.client("ecs")
    arns = ecs.list_tasks(cluster=STACK_NAME)["taskArns"]
    tasks = ecs.describe_tasks(cluster=STACK_NAME, tasks=arns)["tasks"]
    own = [task for task in tasks if simulation in json.dumps(task["overrides"])]
    return [task.get("capacityProviderName") or task["launchType"] for task in own]


def ended(stack: LocalStack, simulation: str) -> list[VariantRecord]:
    return [each for each in records_of(stack).variants(simulation) if each.status is not VariantStatus.RUNNING]
