"""What the API takes and gives: the shapes of its bodies, and the answers that its description promises."""

from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from epsm.checks.study import MAX_FILE_BYTES
from epsm.study.records import StudyStatus
from epsm.study.schema import Priority

MAX_FILES = 100
"""That are uploaded before their study: the API looks at each while its caller waits."""


class ProblemDetails(BaseModel):
    """Why there is no success (RFC 9457), with EPSM's `error` beside it."""

    type: str
    title: str
    status: int
    detail: str
    error: str = Field(description="The same as detail.")
    errors: list[dict[str, str]] | None = Field(default=None, description="Where, what and what is allowed.")


_MAY_ALWAYS_BE = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def answers(
    model: type[BaseModel] | None, *problems: HTTPStatus, success: tuple[HTTPStatus, ...] = (HTTPStatus.OK,)
) -> dict[int, Any]:
    """The answers of a route: its model, none for an empty answer, and the problems it may tell."""
    content = {} if model is None else {"application/json": {"model": model}}
    problem = {"application/problem+json": {"model": ProblemDetails}}
    told = dict.fromkeys((*_MAY_ALWAYS_BE, *problems), problem) | dict.fromkeys(success, content)
    return {status.value: {"description": status.phrase, "content": body} for status, body in told.items()}


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Hash of a file's content, hexadecimal.")]


class StudyOfUploads(BaseModel):
    """A study whose files were uploaded before."""

    model_config = ConfigDict(extra="forbid")

    study: dict[str, Any] = Field(description="A study.json; see docs/study.schema.json.")
    files: dict[str, Sha256] = Field(
        default_factory=dict,
        max_length=MAX_FILES,
        description="For each file that the study reads, by its path in it, the SHA-256 it was uploaded under.",
    )


class Submitted(BaseModel):
    """A study that is on its way."""

    simulation_id: str
    task_id: str = Field(description="The same as simulation_id; EPSM's clients ask with it.")
    message: str
    file_count: int = Field(description="Number of models.")
    variants: int

    @classmethod
    def started(cls, simulation: str, models: int, variants: int) -> Self:
        """A study that has just begun, under the simulation's name."""
        return cls(
            simulation_id=simulation,
            task_id=simulation,
            message=f"Simulation started: {variants} variant(s)",
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
    """Where to PUT a file, with these headers; nowhere if it is there already."""

    name: str
    sha256: str
    present: bool
    url: str
    headers: dict[str, str]


class UploadPlaces(BaseModel):
    """Where to PUT files."""

    files: list[UploadPlace]
    expires_in_s: int


class ModelRunTime(BaseModel):
    """How long one run of a model takes, and how that is known."""

    engine_seconds: float
    basis: Literal["measured", "assumed"]


class EstimatedStudy(BaseModel):
    """What a study will take."""

    variants: int
    engine_seconds: float = Field(description="Of all variants together.")
    wall_seconds: float = Field(description="From start to end.")
    cost_usd: float = Field(description="At list prices of us-east-1.")
    preflight_runs: int = Field(
        description="How often a model is tried with a weather file before the variants are started."
    )
    preflight_cost_usd: float = Field(description="What trying the models adds; part of cost_usd.")
    basis: Literal["measured", "assumed"]
    run_times: dict[str, ModelRunTime] = Field(description="For each model, a run of one variant.")


class StudyState(BaseModel):
    """Where a study is."""

    simulation_id: str
    simulationId: str = Field(description="As EPSM calls it.")  # noqa: N815
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
        description="Variants at a time that it wants at most; while others run, it gets a share."
    )
    after: str | None = Field(description="The simulation that it follows.")
    max_cost_usd: float | None = Field(description="Its budget; null without one.")
    spent_usd: float | None = Field(description="Of the budget, by this attempt; null without one.")
    seconds_left: float | None = Field(description="Estimated from what has ended; null before that.")
    attempt: int
    error_message: str
    problems: list[dict[str, str]] = Field(description="Why it was rejected.")
    execution_arn: str


class TaskState(BaseModel):
    """Where a study is, as EPSM's clients ask."""

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
    """Rows of the results table; of a study that still runs, as far as it has come."""

    simulation_id: str
    status: StudyStatus
    variants: int
    rows: list[dict[str, Any]]
    next_start: int | None = Field(description="`start` of the next page; null behind the last.")


class Downloads(BaseModel):
    """Where to GET files."""

    files: dict[str, str]
    expires_in_s: int


class StudyInList(BaseModel):
    """A study in a list."""

    simulation_id: str
    name: str
    status: StudyStatus
    variants: int
    succeeded: int | None = Field(description="null until it has ended; its own status knows before.")
    failed: int | None = Field(description="Likewise.")
    created_at: str
    ended_at: str


class StudyList(BaseModel):
    """Studies, the newest first."""

    results: list[StudyInList]
    next: str | None = Field(description="`page` of the next page; null behind the last.")


class Cancelled(BaseModel):
    """A study that was cancelled."""

    status: Literal["cancelled"] = "cancelled"
    task_id: str
    message: str


class Rerun(BaseModel):
    """What to run again."""

    model_config = ConfigDict(extra="forbid")

    which: Literal["failed", "all"] = Field(
        default="failed", description="failed: what has not succeeded, in this simulation. all: a new simulation."
    )


class Change(BaseModel):
    """What to change of a study that has not ended; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    max_concurrency: int | None = Field(
        default=None, ge=1, le=10_000, strict=True, description="Variants at the same time, at most."
    )
    priority: Priority | None = Field(default=None, description="Share of the concurrency beside other studies.")
    max_cost_usd: float | None = Field(
        default=None,
        ge=1e-6,
        le=1e6,
        allow_inf_nan=False,
        strict=True,
        description="The budget of a study that has one.",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("give at least one of max_concurrency, priority and max_cost_usd")
        return self


class Resources(BaseModel):
    """What runs and what may run."""

    engine_version: str
    running_studies: int
    running_variants: int
    account_concurrency: int | None = Field(description="Lambda functions that the account may run at a time.")


class Health(BaseModel):
    """Whether what the service depends on answers."""

    status: Literal["ok", "down"]
    checks: dict[str, str]


class Version(BaseModel):
    """What runs here."""

    version: str
    engine_version: str
    stage: str
