"""Routes about the service itself."""

from collections.abc import Callable
from http import HTTPStatus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from botocore.exceptions import BotoCoreError, ClientError

from epsm import __version__
from epsm.api.app import identify_caller, stack
from epsm.api.bodies import Health, Resources, Version, answers
from epsm.energyplus import dictionary
from epsm.study.records import StudyStatus

logger = Logger(child=True)
router = APIGatewayHttpRouter()


@router.get(
    "/api/simulation/system-resources/",
    summary="Get resource usage",
    tags=["service"],
    responses=answers(Resources),
)
def system_resources() -> Resources:
    """Counts of your own studies; for administrators, of all studies."""
    page = stack().records.study_page(owner=identify_caller().only, status=StudyStatus.RUNNING, limit=100)
    return Resources(
        engine_version=dictionary.load().version,
        running_studies=len(page.studies),
        running_variants=sum(
            stack().executions.counts(stack().records.with_counters(record)).running for record in page.studies
        ),
        account_concurrency=stack().functions.account_limit("ConcurrentExecutions"),
    )


@router.get(
    "/health/",
    summary="Health check",
    tags=["service"],
    responses=answers(Health, success=(HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)),
)
def health() -> Response[str]:
    """503 if the table, a bucket or the state machine does not answer."""
    checks = {}
    looks: dict[str, Callable[[], object]] = {
        "table": lambda: stack().records.study("health"),
        "inputs bucket": stack().inputs.look,
        "results bucket": stack().files.look,
        "state machine": stack().executions.look,
    }
    for name, look in looks.items():
        try:
            look()
            checks[name] = "ok"
        except (BotoCoreError, ClientError) as error:
            logger.exception("health check failed", extra={"check": name})
            checks[name] = type(error).__name__
    well = all(check == "ok" for check in checks.values())
    found = Health(status="ok" if well else "down", checks=checks)
    return Response(
        (HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE).value, "application/json", found.model_dump_json()
    )


@router.get(
    "/version/",
    summary="Get versions",
    tags=["service"],
    responses=answers(Version),
)
def version() -> Version:
    """Versions of the service and of EnergyPlus."""
    return Version(version=__version__, engine_version=dictionary.load().version, stage=stack().settings.stage)
