"""Bodies of requests and responses, and the responses documented for each route."""

from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from epsm.checks.study_files import MAX_FILE_BYTES
from epsm.study.compute import Compute
from epsm.study.records import StudyStatus
from epsm.study.schema import Priority
from epsm.text import counted

MAX_FILES = 100
"""Maximum number of files uploaded before their study: the API checks each within the request."""


class ProblemDetails(BaseModel):
    """A problem (RFC 9457), with the `error` of legacy EPSM."""

    type: str
    title: str
    status: int
    detail: str
    error: str = Field(description="The same as detail.")
    errors: list[dict[str, str]] | None = Field(default=None, description="Location, value found, allowed values.")


_MAY_ALWAYS_BE = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def answers(
    model: type[BaseModel] | None, *problems: HTTPStatus, success: tuple[HTTPStatus, ...] = (HTTPStatus.OK,)
) -> dict[int, Any]:
    """The responses of a route: its model, none for an empty response, and its possible problems."""
    content = {} if model is None else {"application/json": {"model": model}}
    problem = {"application/problem+json": {"model": ProblemDetails}}
    responses = dict.fromkeys((*_MAY_ALWAYS_BE, *problems), problem) | dict.fromkeys(success, content)
    return {status.value: {"description": status.phrase, "content": body} for status, body in responses.items()}


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Hash of a file's content, hexadecimal.")]


class StudyOfUploads(BaseModel):
    """A study whose files were uploaded earlier."""

    model_config = ConfigDict(extra="forbid")

    study: dict[str, Any] = Field(description="A study.json; see docs/study.schema.json.")
    files: dict[str, Sha256] = Field(
        default_factory=dict,
        max_length=MAX_FILES,
        description="SHA-256 of each file of the study, by its path in the study.",
    )


class Submitted(BaseModel):
    """A study that was submitted."""

    simulation_id: str
    task_id: str = Field(description="Same as simulation_id, for clients of legacy EPSM.")
    message: str
    file_count: int = Field(description="Number of models.")
    variants: int

    @classmethod
    def started(cls, simulation: str, models: int, variants: int) -> Self:
        """A study that has just been submitted, by the simulation's name."""
        return cls(
            simulation_id=simulation,
            task_id=simulation,
            message=f"Simulation started: {counted(variants, 'variant')}",
            file_count=models,
            variants=variants,
        )


class WantedFile(BaseModel):
    """A file to upload."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=400, description="Its path in the study.")
    sha256: Sha256
    bytes: int = Field(ge=0, le=MAX_FILE_BYTES, description="Its size.")


class WantedFiles(BaseModel):
    """Files to upload."""

    model_config = ConfigDict(extra="forbid")

    files: list[WantedFile] = Field(min_length=1, max_length=MAX_FILES)


class UploadPlace(BaseModel):
    """URL and headers to PUT a file; empty if the file is already present."""

    name: str
    sha256: str
    present: bool
    url: str
    headers: dict[str, str]


class UploadPlaces(BaseModel):
    """URLs to PUT files."""

    files: list[UploadPlace]
    expires_in_s: int


class ModelRunTime(BaseModel):
    """Time of one run of a model, and whether it is measured or assumed."""

    engine_seconds: float
    basis: Literal["measured", "assumed"]


class ComputeCost(BaseModel):
    """Expected time and cost of a study on one kind of compute, at list prices of us-east-1."""

    wall_seconds: float = Field(description="From start to end.")
    cost_usd: float = Field(description="The sum of the following.")
    run_usd: float = Field(description="Functions or tasks, including their start.")
    transitions_usd: float = Field(description="State transitions of Step Functions.")
    requests_usd: float = Field(description="Requests to Lambda, S3 and DynamoDB.")
    storage_usd: float = Field(description="Files of the variants in S3 until the study is deleted; rough.")
    logs_usd: float = Field(description="Log lines of the variants.")
    available: bool = Field(description="Whether this stack offers it: containers need Fargate.")


class EstimatedStudy(BaseModel):
    """Expected time and cost of a study."""

    variants: int
    engine_seconds: float = Field(description="Sum over all variants.")
    wall_seconds: float = Field(description="From start to end, on the study's own compute.")
    cost_usd: float = Field(
        description="What a budget counts at list prices of us-east-1, on the study's own compute; computes has the "
        "whole, with storage and logs."
    )
    preflight_runs: int = Field(
        description="Number of trials of a model with a weather file before the variants are started."
    )
    preflight_cost_usd: float = Field(description="Cost of the trials; part of cost_usd.")
    basis: Literal["measured", "assumed"]
    run_times: dict[str, ModelRunTime] = Field(description="Time of one run, by model.")
    compute: Compute = Field(description="Where its variants run.")
    computes: dict[Compute, ComputeCost] = Field(description="Time and whole cost on each kind of compute.")


class StudyState(BaseModel):
    """Status of a study."""

    simulation_id: str
    simulationId: str = Field(description="Same as simulation_id, for clients of legacy EPSM.")  # noqa: N815
    name: str
    status: StudyStatus
    progress: float = Field(description="Variants that have ended, percent.")
    variants: int
    succeeded: int
    failed: int
    running: int
    created_at: str
    started_at: str
    ended_at: str
    priority: Priority
    max_concurrency: int = Field(
        description="Maximum number of variants at a time; while other studies run, it gets a share."
    )
    after: str | None = Field(description="The simulation that it follows.")
    max_cost_usd: float | None = Field(description="The budget; null without one.")
    spent_usd: float | None = Field(description="Part of the budget spent by this attempt; null without a budget.")
    compute: Compute = Field(description="Where its variants run.")
    interruptions: int = Field(description="How often Fargate Spot has interrupted a batch of variants.")
    seconds_left: float | None = Field(description="Estimated from ended variants; null until one has ended.")
    attempt: int
    error_message: str
    problems: list[dict[str, str]] = Field(description="Why it was rejected.")
    execution_arn: str


class TaskState(BaseModel):
    """Status of a study in legacy EPSM's format."""

    task_id: str
    state: str
    ready: bool
    status: str
    progress: float
    current: int
    total: int
    message: str
    result: dict[str, int] | None
    error: str | None
    simulation_id: str
    simulation_status: StudyStatus
    simulation_progress: float


class ResultRows(BaseModel):
    """Rows of the results table; partial while the study is running."""

    simulation_id: str
    status: StudyStatus
    variants: int
    rows: list[dict[str, Any]]
    next_start: int | None = Field(description="`start` of the next page; null after the last.")


class Downloads(BaseModel):
    """URLs to GET files."""

    files: dict[str, str]
    expires_in_s: int


class StudyInList(BaseModel):
    """A study in a list."""

    simulation_id: str
    name: str
    status: StudyStatus
    variants: int
    succeeded: int | None = Field(description="null until the study has ended; `status/` has current counts.")
    failed: int | None = Field(description="null until the study has ended.")
    created_at: str
    ended_at: str


class StudyList(BaseModel):
    """Studies, newest first."""

    results: list[StudyInList]
    next: str | None = Field(description="`page` of the next page; null after the last.")


class Cancelled(BaseModel):
    """A study that was cancelled."""

    status: Literal["cancelled"] = "cancelled"
    task_id: str
    message: str


class Rerun(BaseModel):
    """Variants to rerun."""

    model_config = ConfigDict(extra="forbid")

    which: Literal["failed", "all"] = Field(
        default="failed", description="failed: variants without success, in this simulation. all: a new simulation."
    )


class Change(BaseModel):
    """Changes to a study that has not ended; omitted settings are unchanged."""

    model_config = ConfigDict(extra="forbid")

    max_concurrency: int | None = Field(
        default=None, ge=1, le=10_000, strict=True, description="Maximum number of variants at a time."
    )
    priority: Priority | None = Field(default=None, description="Share of the concurrency relative to other studies.")
    max_cost_usd: float | None = Field(
        default=None,
        ge=1e-6,
        le=1e6,
        allow_inf_nan=False,
        strict=True,
        description="A new budget for a study that has one.",
    )

    @model_validator(mode="after")
    def _require_a_change(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("give at least one of max_concurrency, priority and max_cost_usd")
        return self


class Resources(BaseModel):
    """Resource usage."""

    engine_version: str
    running_studies: int
    running_variants: int
    account_concurrency: int | None = Field(description="Lambda concurrency limit of the account.")


class Health(BaseModel):
    """State of the service's dependencies."""

    status: Literal["ok", "down"]
    checks: dict[str, str]


class Version(BaseModel):
    """What runs here."""

    version: str
    engine_version: str
    stage: str
