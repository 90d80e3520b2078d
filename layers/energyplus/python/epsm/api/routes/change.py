"""Routes that change a study: cancel, rerun, change, delete."""

from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from botocore.exceptions import ClientError

from epsm.api.app import Refusal, SimulationId, own_study, owner_limits, stack
from epsm.api.bodies import Cancelled, Change, Rerun, StudyState, Submitted, answers
from epsm.api.incoming import claim_or_reject
from epsm.api.routes.status import state_of
from epsm.checks.budget import run_times_of
from epsm.errors import NotFound
from epsm.operations.cancel import cancel as cancel_study
from epsm.operations.rerun import rerun_missing
from epsm.pipeline.owner_limits import expected_attempt_usd
from epsm.store import keys
from epsm.store.inputs import simulation_of
from epsm.store.s3_errors import is_absent
from epsm.study.batches import children_at_a_time
from epsm.study.compute import Tasks, compute_of
from epsm.study.manifest import RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus

router = APIGatewayHttpRouter()


@router.post(
    "/api/simulation/task/<task_id>/cancel/",
    summary="Cancel a study",
    tags=["studies"],
    responses=answers(Cancelled, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel(task_id: SimulationId) -> Cancelled:
    """No further variant starts, running engines are ended within seconds, and results are kept."""
    record = own_study(task_id)
    if record.status is StudyStatus.CANCELLED:
        return Cancelled(task_id=task_id, message="The study was already cancelled.")
    if not cancel_study(stack(), record, "Cancelled through the API."):
        raise Refusal(HTTPStatus.CONFLICT, f"The study has ended as {record.status.value}")
    return Cancelled(task_id=task_id, message="The study was cancelled.")


@router.post(
    "/api/simulation/<simulation_id>/rerun/",
    summary="Rerun failed variants or all",
    tags=["studies"],
    responses=answers(
        Submitted,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.TOO_MANY_REQUESTS,
        success=(HTTPStatus.ACCEPTED,),
    ),
)
def rerun(simulation_id: SimulationId, request: Annotated[Rerun, Body()]) -> Response[str]:
    """`failed` keeps variants that have succeeded; `all` starts a new simulation from the files' current versions."""
    record = own_study(simulation_id)
    if not record.status.final or record.status is StudyStatus.REJECTED:
        raise Refusal(HTTPStatus.CONFLICT, f"The study is {record.status.value}")
    try:
        if request.which == "all":
            started, variants = _run_all_again(record)
        else:
            started, variants = simulation_id, _run_missing(record)
    except (NotFound, ClientError) as error:
        if isinstance(error, ClientError) and not is_absent(error):
            raise
        raise Refusal(HTTPStatus.CONFLICT, "The study's input files have been deleted") from None
    if not variants:
        raise Refusal(HTTPStatus.CONFLICT, "There are no variants to rerun")
    answer = Submitted.started(started, 0, variants)
    return Response(HTTPStatus.ACCEPTED.value, "application/json", answer.model_dump_json())


def _run_all_again(record: StudyRecord) -> tuple[str, int]:
    """Start a new simulation of a study's files; return its name and its number of variants."""
    if not record.source["key"].startswith(keys.HOMES):
        detail = "This study was uploaded to the bucket directly; upload its study.json again to rerun it"
        raise Refusal(HTTPStatus.CONFLICT, detail)
    expected_usd = _expected_usd_of_all(record)
    owner_limits().check(record.owner, expected_usd)
    source = stack().inputs.copy_study(Source.model_validate(record.source))
    started = simulation_of(source)
    again = stack().records.create_or_get_study(started, record.name, source.model_dump(), record.owner)
    claim_or_reject(owner_limits(), stack().records, again, expected_usd)
    return started, record.variants


def _run_missing(record: StudyRecord) -> int:
    """Rerun the variants that have not succeeded; return their number."""
    if record.status is not StudyStatus.COMPLETED:
        further = replace(record, spent_usd=0.0)
        expected_usd = _expected_usd_of_rest(further, record.options.get("max_cost_usd"))
        owner_limits().claim(record, expected_usd, record.attempt + 1)
    return rerun_missing(stack(), record)


def _expected_usd(
    owner: str, manifest: RunManifest, variants: int, budget_usd: float | None, spent_usd: float = 0.0
) -> float:
    """Expected cost of some variants of a study under a budget, which may differ from its original one."""
    run_times = run_times_of(manifest, partial(stack().records.run_time, owner))
    part = variants / manifest.variants
    memory_mb = stack().settings.variant_memory_mb
    return expected_attempt_usd(manifest, run_times, memory_mb, budget_usd, part=part, spent_usd=spent_usd)


def _expected_usd_of_all(record: StudyRecord) -> float:
    """Expected cost of running a study from the beginning, with the budget in its study.json.

    Raises:
        NotFound: If the study has no manifest.
    """
    if not owner_limits().any:
        return 0.0
    manifest = stack().files.read_manifest(record.simulation_id)
    return _expected_usd(record.owner, manifest, record.variants, manifest.study.options.max_cost_usd)


def _expected_usd_of_rest(record: StudyRecord, budget_usd: float | None) -> float:
    """Expected cost of the variants that had not succeeded when the study's current attempt began.

    Raises:
        NotFound: If the study has no manifest.
    """
    if not owner_limits().any:
        return 0.0
    manifest = stack().files.read_manifest(record.simulation_id)
    return _expected_usd(record.owner, manifest, record.variants - record.succeeded, budget_usd, record.spent_usd)


@router.patch(
    "/api/simulation/<simulation_id>/",
    summary="Change concurrency, priority or budget",
    tags=["studies"],
    responses=answers(
        StudyState,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.TOO_MANY_REQUESTS,
    ),
)
def change(simulation_id: SimulationId, request: Annotated[Change, Body()]) -> StudyState:
    """For a study that has not ended. Concurrency applies to the next variants, priority at the next allocation."""
    record = own_study(simulation_id)
    if request.max_cost_usd is not None and record.options.get("max_cost_usd") is None:
        # Its variants do not record their cost: they started without a budget.
        raise Refusal(HTTPStatus.CONFLICT, "The study was submitted without max_cost_usd")
    map_run = None if record.status.final else stack().executions.map_run(record)
    if request.max_concurrency is not None and map_run is None:
        raise Refusal(HTTPStatus.CONFLICT, "The study is not running variants now")
    if request.max_cost_usd is not None and not record.status.final:
        _change_reservation(record, request.max_cost_usd)
    if not stack().records.change_options(simulation_id, record.options | request.model_dump(exclude_none=True)):
        raise Refusal(HTTPStatus.CONFLICT, "The study has ended, or has not been accepted yet")
    if request.max_concurrency is not None and map_run is not None:
        tasks = Tasks.within(stack().settings.fargate_vcpus)
        children = children_at_a_time(compute_of(record.options), request.max_concurrency, record.engines, tasks)
        stack().executions.set_concurrency(map_run, children)
    if request.priority is not None:
        stack().functions.ask_to_share()
    return state_of(own_study(simulation_id))


def _change_reservation(record: StudyRecord, budget_usd: float) -> None:
    """Reserve the study's expected cost under another budget from its owner's limit.

    This comes before the study gets the budget, so that it never exceeds its owner's limit.

    Raises:
        OverLimit: If its owner may not spend that much.
    """
    try:
        expected_usd = _expected_usd_of_rest(record, budget_usd)
    except NotFound:
        return  # not accepted yet, which its record says too
    owner_limits().change(record, expected_usd)


@router.delete(
    "/api/simulation/<simulation_id>/",
    summary="Delete a study",
    tags=["studies"],
    responses=answers(None, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, success=(HTTPStatus.NO_CONTENT,)),
)
def remove(simulation_id: SimulationId) -> Response[str]:
    """Deletes results, inputs and records of a study that has ended: records immediately, files within minutes."""
    record = own_study(simulation_id)
    if not stack().records.mark_removing(simulation_id):
        raise Refusal(HTTPStatus.CONFLICT, "The study has not ended; cancel it first")
    owner_limits().settle(record.owner)
    # A hundred thousand variants take minutes, longer than a request may. Failed deletions are retried at night.
    stack().functions.ask_to_remove(simulation_id)
    return Response(HTTPStatus.NO_CONTENT.value, body="")
