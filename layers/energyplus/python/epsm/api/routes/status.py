"""Routes for the status of one study."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from epsm.api.app import SimulationId, own_study, stack
from epsm.api.bodies import StudyState, TaskState, answers
from epsm.operations.progress import seconds_left
from epsm.store.executions import RunCounts
from epsm.study.compute import compute_of
from epsm.study.records import StudyRecord, StudyStatus
from epsm.study.schema import Options

router = APIGatewayHttpRouter()


@router.get(
    "/api/simulation/<simulation_id>/status/",
    summary="Get study status",
    tags=["studies"],
    responses=answers(StudyState, HTTPStatus.NOT_FOUND),
)
def status(simulation_id: SimulationId) -> StudyState:
    """State, counts and progress; counts come from the map run and are exact at any size."""
    return state_of(own_study(simulation_id))


def state_of(record: StudyRecord) -> StudyState:
    counts, defaults = stack().executions.counts(record), Options()
    return StudyState(
        simulation_id=record.simulation_id,
        simulationId=record.simulation_id,
        name=record.name,
        status=record.status,
        progress=_percent(record, counts),
        variants=record.variants,
        succeeded=counts.succeeded,
        failed=counts.failed,
        running=counts.running,
        created_at=record.created_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        priority=record.options.get("priority", defaults.priority),
        max_concurrency=record.options.get("max_concurrency", defaults.max_concurrency),
        after=record.options.get("after"),
        max_cost_usd=record.options.get("max_cost_usd"),
        spent_usd=None if record.options.get("max_cost_usd") is None else round(record.spent_usd, 4),
        compute=compute_of(record.options),
        interruptions=record.interruptions,
        seconds_left=seconds_left(record, counts),
        attempt=record.attempt,
        error_message=record.error,
        problems=[problem.as_dict() for problem in record.problems],
        execution_arn=record.execution_arn,
    )


def _percent(record: StudyRecord, counts: RunCounts) -> float:
    if not counts.total:
        return 100.0 if record.status.final else 0.0
    return round(100 * counts.ended / counts.total, 1)


def _in_words(record: StudyRecord, counts: RunCounts) -> str:
    text = f"{counts.ended} of {counts.total} variants have ended, {counts.failed} of them failed"
    return f"{text}; {counts.not_run} not run" if record.status.final and counts.not_run else text


_TASK_STATES = {
    StudyStatus.PENDING: "PENDING",
    StudyStatus.RUNNING: "PROGRESS",
    StudyStatus.COMPLETED: "SUCCESS",
    StudyStatus.PARTIAL: "SUCCESS",
    StudyStatus.FAILED: "FAILURE",
    StudyStatus.REJECTED: "FAILURE",
    StudyStatus.CANCELLED: "REVOKED",
}


@router.get(
    "/api/simulation/task/<task_id>/status/",
    summary="Get task status (legacy)",
    tags=["compatibility"],
    responses=answers(TaskState, HTTPStatus.NOT_FOUND),
)
def task_status(task_id: SimulationId) -> TaskState:
    """The simulation's status in legacy EPSM's format."""
    record = own_study(task_id)
    counts = stack().executions.counts(record)
    percent = _percent(record, counts)
    ended = record.status.final
    return TaskState(
        task_id=task_id,
        state=_TASK_STATES[record.status],
        ready=ended,
        status=record.status.value,
        progress=percent,
        current=counts.ended,
        total=counts.total,
        message=_in_words(record, counts),
        result={"succeeded": counts.succeeded, "failed": counts.failed} if ended else None,
        error=record.error or None,
        simulation_id=task_id,
        simulation_status=record.status,
        simulation_progress=percent,
    )
