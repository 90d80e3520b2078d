"""The routes of the API: what each takes and gives. Every answer that is no success is a problem+json document.

The API's handler alone imports this: like a handler, it makes its clients when it is imported.
"""

import functools
import hashlib
import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyValidationError,
)
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from epsm import __version__, dictionary, rows
from epsm.access import Caller, Unknown, caller_of
from epsm.bodies import (
    Cancelled,
    Change,
    Downloads,
    EstimatedStudy,
    Health,
    Rerun,
    Resources,
    ResultRows,
    StudyInList,
    StudyList,
    StudyOfUploads,
    StudyState,
    Submitted,
    TaskState,
    UploadPlace,
    UploadPlaces,
    Version,
    WantedFiles,
    answers,
)
from epsm.cancellation import cancel as cancel_study
from epsm.estimate import RunTime, assumed_run_time, estimate
from epsm.forms import read_form
from epsm.incoming import (
    UPLOAD_SECONDS,
    FilesInRequest,
    FilesUploadedBefore,
    presign_uploads,
    receive,
    study_of_files,
    with_names_of_their_own,
)
from epsm.manifest import ObjectRef
from epsm.problems import Problem, StudyRejected
from epsm.progress import Counts, counts_of, map_run_of, seconds_left
from epsm.rerun import rerun_missing
from epsm.settings import Settings
from epsm.store import keys
from epsm.store.files import Files, NotThere
from epsm.store.records import Records, StudyRecord, StudyStatus
from epsm.study import Study, parse_study

DOWNLOAD_SECONDS = 900
"""How long a presigned download may be used."""
IDEMPOTENCY_SECONDS = 24 * 3600
_EPSM_FIELDS = ("parallel", "batch_mode", "max_workers")
_RESULT_FILES = ("results.csv", "results.parquet", "report.html", "manifest.json")

logger = Logger(child=True)
settings = Settings.from_environment()
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
step_functions = boto3.client("stepfunctions")
functions = boto3.client("lambda")
files = Files(s3, settings.results_bucket)
records = Records(boto3.resource("dynamodb").Table(settings.table_name))
app = APIGatewayHttpResolver(enable_validation=True)

SimulationId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,80}$", description="Name of a simulation.")]


class Refusal(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: HTTPStatus, detail: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = problems


def _problem(status: HTTPStatus, detail: str, problems: tuple[Problem, ...] = ()) -> Response[str]:
    """RFC 9457, with EPSM's `error` beside it."""
    document: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    document["error"] = detail
    if problems:
        document["errors"] = [problem.as_dict() for problem in problems]
    return Response(status.value, "application/problem+json", json.dumps(document, ensure_ascii=False))


_NO_JSON = "The body must be JSON, sent with the header Content-Type: application/json"


@app.exception_handler(Refusal)  # type: ignore[untyped-decorator]
def _refused(refusal: Refusal) -> Response[str]:
    return _problem(refusal.status, refusal.detail, refusal.problems)


@app.exception_handler(StudyRejected)  # type: ignore[untyped-decorator]
def _rejected(rejection: StudyRejected) -> Response[str]:
    detail = f"The study cannot run: {len(rejection.problems)} problem(s)"
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, rejection.problems)


@app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]
def _invalid(invalid: RequestValidationError) -> Response[str]:
    if app.current_event.body and _media_type() not in ("", "application/json"):
        # curl calls every body a form, which Powertools reads as one.
        return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON)
    problems = tuple(
        Problem(".".join(str(step) for step in each["loc"]), f"{each['msg']}") for each in invalid.errors()
    )
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not as the API describes it", problems)


@app.exception_handler(RequestUnsupportedContentType)  # type: ignore[untyped-decorator]
def _unsupported(_: RequestUnsupportedContentType) -> Response[str]:
    return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON)


@app.exception_handler(RecursionError)  # type: ignore[untyped-decorator]
def _too_deep(_: RecursionError) -> Response[str]:
    return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The body is nested too deeply")


@app.exception_handler(ValueError)  # type: ignore[untyped-decorator]
def _unreadable(error: ValueError) -> Response[str]:
    """Powertools reads bodies before it calls a route, and raises this for one that it cannot read."""
    event = app.current_event
    if event.http_method in ("POST", "PATCH") and not event.path.endswith("/run/"):
        if _media_type() not in ("", "application/json"):
            return _problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _NO_JSON)
        try:
            json.loads(_body().decode())
        except ValueError as fault:
            return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The body is no JSON in UTF-8: {fault}")
    answer: Response[str] = _failed(error)
    return answer


def _media_type() -> str:
    """What the body is said to be, without parameters."""
    return str(app.current_event.headers.get("content-type", "")).partition(";")[0].strip().lower()


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]
def _failed(error: Exception) -> Response[str]:
    """Nothing of the inside is told; the log has it, under the id that the answer names."""
    logger.error("request failed", exc_info=error)
    request = app.current_event.request_context.request_id
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"Something went wrong; the log has it as request {request}")


@app.not_found
def _no_such_path(_: Exception) -> Response[str]:
    return _problem(HTTPStatus.NOT_FOUND, "There is no such path; see /openapi.json")


def _caller() -> Caller:
    try:
        return caller_of(app.current_event["requestContext"], settings.administrators)
    except Unknown as error:
        raise Refusal(HTTPStatus.UNAUTHORIZED, str(error)) from error


def _own(simulation: str) -> StudyRecord:
    """A study of the caller's. One of somebody else's is not there."""
    record = records.study(simulation)
    if record is None or not _caller().may_use(record):
        raise Refusal(HTTPStatus.NOT_FOUND, f"There is no simulation '{simulation}'")
    return record


# --- answers, as the API describes them


# --- submitting


@app.post(
    "/api/simulation/run/",
    summary="Submit a study",
    tags=["studies"],
    responses=answers(
        Submitted, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, success=(HTTPStatus.ACCEPTED,)
    ),
)
def run() -> Response[str]:
    """Submit a study: a multipart form with its files, or JSON that names files uploaded before.

    Form fields: `idf_files` (repeated), `weather_file` (repeated), and `study` with a study.json; without it every
    model is run with every weather file. `parallel`, `batch_mode` and `max_workers` are EPSM's and accepted. With the
    header `Idempotency-Key` a repetition of the request within a day starts nothing and gets the same answer.
    """
    caller = _caller()
    key = app.current_event.headers.get("idempotency-key")
    if key is None:
        submitted = _submit(caller)
    else:
        _once.register_lambda_context(app.lambda_context)
        # A form's boundary is another one each time it is sent.
        boundary = app.current_event.headers.get("content-type", "").rpartition("boundary=")[2].strip('"')
        content = _body().replace(boundary.encode(), b"") if boundary else _body()
        request = {"key": f"{caller.name} {key}", "content": hashlib.sha256(content).hexdigest()}
        try:
            submitted = _submit_once(request=request, caller=caller)
        except IdempotencyAlreadyInProgressError:
            raise Refusal(HTTPStatus.CONFLICT, "The first request with this Idempotency-Key is still at work") from None
        except IdempotencyValidationError:
            detail = "This Idempotency-Key was used for another request"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
    return Response(HTTPStatus.ACCEPTED.value, "application/json", json.dumps(submitted))


_once = IdempotencyConfig(
    event_key_jmespath="key", payload_validation_jmespath="content", expires_after_seconds=IDEMPOTENCY_SECONDS
)


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="request",
    config=_once,
    persistence_store=DynamoDBPersistenceLayer(
        settings.table_name,
        key_attr="pk",
        sort_key_attr="sk",
        static_pk_value=keys.IDEMPOTENCY_PARTITION,
        expiry_attr="expires_at",
        status_attr="idempotency_status",
    ),
)
def _submit_once(*, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
    return _submit(caller)


def _submit(caller: Caller) -> dict[str, Any]:
    document, sent = _study_in_request(caller)
    received = receive(
        document,
        sent,
        caller.name,
        s3=s3,
        records=records,
        bucket=settings.inputs_bucket,
        max_variants=settings.max_variants,
        longest_run_s=settings.longest_run_s,
        memory_mb=settings.variant_memory_mb,
    )
    return _accepted(received.simulation_id, received.models, received.variants)


def _accepted(simulation: str, models: int, variants: int) -> dict[str, Any]:
    return Submitted(
        simulation_id=simulation,
        task_id=simulation,
        message=f"Simulation started: {variants} variant(s)",
        file_count=models,
        variants=variants,
    ).model_dump()


_FILE_FIELDS = {"idf_files", "weather_file", "files", "study"}
_ALLOWED_FIELDS = "files in idf_files, weather_file, files and study"


def _study_in_request(caller: Caller) -> tuple[bytes, FilesInRequest | FilesUploadedBefore]:
    """The study.json of a request and its files.

    Raises:
        StudyRejected: If the body is neither.
    """
    event = app.current_event
    content_type = event.headers.get("content-type", "application/json")
    if _media_type() == "multipart/form-data":
        form = read_form(_body(), content_type)
        models = with_names_of_their_own(form.files.get("idf_files", []))
        weather = with_names_of_their_own(form.files.get("weather_file", []))
        document = form.text("study")
        if document is None and "study" in form.files:
            document = form.files["study"][0][1].decode("utf-8", errors="replace")
        others = with_names_of_their_own(form.files.get("files", []))
        contents = {**others, **weather, **models}
        unknown = sorted(form.files.keys() - _FILE_FIELDS)
        if unknown:
            raise StudyRejected(Problem(f"form field '{name}'", "is not known", _ALLOWED_FIELDS) for name in unknown)
        if document is not None:
            return document.encode(), FilesInRequest(s3, settings.inputs_bucket, contents)
        name = form.text("name") or next(iter(models), "study").rpartition(".")[0]
        return study_of_files(models, weather, name), FilesInRequest(s3, settings.inputs_bucket, contents)
    if _media_type() not in ("", "application/json"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"'{content_type}' is neither multipart/form-data nor application/json"
        )
    sent = _study_of_uploads()
    document_bytes = json.dumps(sent.study, ensure_ascii=False).encode()
    return document_bytes, FilesUploadedBefore(files, s3, settings.inputs_bucket, caller.name, sent.files)


def _body() -> bytes:
    event = app.current_event
    return b64decode(event.body or "") if event.is_base64_encoded else (event.body or "").encode()


def _study_of_uploads() -> StudyOfUploads:
    try:
        return StudyOfUploads.model_validate_json(_body())
    except ValidationError as error:
        raise StudyRejected(
            Problem(".".join(("body", *map(str, each["loc"]))), each["msg"]) for each in error.errors()
        ) from None


@app.post(
    "/api/simulation/uploads/",
    summary="Where to upload files, by content",
    tags=["studies"],
    responses=answers(UploadPlaces, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def uploads(wanted: Annotated[WantedFiles, Body()]) -> UploadPlaces:
    """Presigned uploads. A file that the caller has uploaded before, under whatever name, need not be sent again."""
    places = presign_uploads(
        {each.name: each.sha256 for each in wanted.files},
        {each.name: each.bytes for each in wanted.files},
        _caller().name,
        files=files,
        s3=s3,
        bucket=settings.inputs_bucket,
    )
    listed = [UploadPlace(**{**asdict(place), "headers": dict(place.headers)}) for place in places]
    return UploadPlaces(files=listed, expires_in_s=UPLOAD_SECONDS)


@app.post(
    "/api/simulation/estimate/",
    summary="Variants, time and cost before anything starts",
    tags=["studies"],
    responses=answers(EstimatedStudy, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def estimate_study(sent: Annotated[StudyOfUploads, Body()]) -> EstimatedStudy:
    """Estimate a study. Its models must have been uploaded; its weather need not."""
    study = parse_study(json.dumps(sent.study))
    before = FilesUploadedBefore(files, s3, settings.inputs_bucket, _caller().name, sent.files)
    run_times: dict[str, RunTime] = {}
    problems: list[Problem] = []
    there = before.sizes(study.models)
    for model in study.models:
        measured = records.run_time(sent.files.get(model, ""))
        content = before.read(model) if measured is None and model in there else None
        if measured is not None:
            run_times[model] = RunTime(measured, "measured")
        elif content is not None:
            run_times[model] = assumed_run_time(content, model)
        else:
            problems.append(Problem(f"files.{model}", "was not uploaded", "a SHA-256 of an uploaded file"))
    if problems:
        raise StudyRejected(problems)
    return _estimated(study, run_times)


def _estimated(study: Study, run_times: dict[str, RunTime]) -> EstimatedStudy:
    concurrency = settings.variant_concurrency or _account_concurrency() or 1000
    made = estimate(study, run_times, memory_mb=settings.variant_memory_mb, account_concurrency=concurrency)
    return EstimatedStudy.model_validate(asdict(made))


@app.get(
    "/api/simulation/<simulation_id>/estimate/",
    summary="Time and cost of running a study from the beginning",
    tags=["studies"],
    responses=answers(EstimatedStudy, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def estimate_known_study(simulation_id: SimulationId) -> EstimatedStudy:
    """What all variants of a study take, whether they have run or not; also of one that waits for another."""
    _own(simulation_id)
    try:
        manifest = files.read_manifest(simulation_id)
        run_times = {model: _run_time(manifest.inputs[model], model) for model in manifest.study.models}
    except NotThere:
        raise Refusal(HTTPStatus.CONFLICT, "The study has not been accepted, or its files have been removed") from None
    return _estimated(manifest.study, run_times)


def _run_time(ref: ObjectRef, model: str) -> RunTime:
    """As measured by earlier runs, else by the model's zones.

    Raises:
        NotThere: If it has neither run nor is there any more, or was put into the bucket and not sent to the API.
    """
    measured = records.run_time(ref.sha256)
    if measured is not None:
        return RunTime(measured, "measured")
    if not ref.key.startswith(keys.HOMES):
        raise NotThere(ref.key)
    return assumed_run_time(files.read(ref.bucket, ref.key, ref.version_id)[0], model)


# --- asking


@app.get(
    "/api/simulation/<simulation_id>/status/",
    summary="Where a study is",
    tags=["studies"],
    responses=answers(StudyState, HTTPStatus.NOT_FOUND),
)
def status(simulation_id: SimulationId) -> StudyState:
    """Counts come from the map run: exact at any size."""
    return _state(_own(simulation_id))


def _state(record: StudyRecord) -> StudyState:
    counts = counts_of(step_functions, record)
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
        priority=record.options.get("priority", "normal"),
        after=record.options.get("after"),
        max_cost_usd=record.options.get("max_cost_usd"),
        spent_usd=None if record.options.get("max_cost_usd") is None else round(record.spent_usd, 4),
        seconds_left=seconds_left(record, counts),
        attempt=record.attempt,
        error_message=record.error,
        problems=[problem.as_dict() for problem in record.problems],
        execution_arn=record.execution_arn,
    )


def _percent(record: StudyRecord, counts: Counts) -> float:
    if record.status.final:
        return 100.0
    return round(100 * counts.ended / counts.total, 1) if counts.total else 0.0


_TASK_STATES = {
    StudyStatus.PENDING: "PENDING",
    StudyStatus.RUNNING: "PROGRESS",
    StudyStatus.COMPLETED: "SUCCESS",
    StudyStatus.PARTIAL: "SUCCESS",
    StudyStatus.FAILED: "FAILURE",
    StudyStatus.REJECTED: "FAILURE",
    StudyStatus.CANCELLED: "REVOKED",
}


@app.get(
    "/api/simulation/task/<task_id>/status/",
    summary="Where a study is, as EPSM answers",
    tags=["EPSM"],
    responses=answers(TaskState, HTTPStatus.NOT_FOUND),
)
def task_status(task_id: SimulationId) -> TaskState:
    """The same as the simulation's status in EPSM's words."""
    record = _own(task_id)
    counts = counts_of(step_functions, record)
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
        message=f"{counts.ended} of {counts.total} variants have ended, {counts.failed} of them failed",
        result={"succeeded": counts.succeeded, "failed": counts.failed} if ended else None,
        error=record.error or None,
        simulation_id=task_id,
        simulation_status=record.status,
        simulation_progress=percent,
    )


@app.get(
    "/api/simulation/<simulation_id>/results/",
    summary="Rows of the results table",
    tags=["results"],
    responses=answers(ResultRows, HTTPStatus.NOT_FOUND),
)
def results(
    simulation_id: SimulationId,
    start: Annotated[int, Query(ge=0, description="Index of the first variant.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ResultRows:
    """One row a variant, failed and missing ones too. A number that is not there is null, never 0."""
    record = _own(simulation_id)
    try:
        study = files.read_manifest(simulation_id).study
    except NotThere:
        return ResultRows(simulation_id=simulation_id, status=record.status, variants=0, rows=[], next_start=None)
    given_up = record.error.startswith(rows.GIVEN_UP)
    found = rows.page(study, records, simulation_id, start, limit, ended=record.status.final, given_up=given_up)
    following = start + len(found)
    return ResultRows(
        simulation_id=simulation_id,
        status=record.status,
        variants=study.variant_count,
        rows=found,
        next_start=following if following < study.variant_count else None,
    )


@app.get(
    "/api/simulation/<simulation_id>/parallel-results/",
    summary="The same, as EPSM calls it",
    tags=["EPSM"],
    responses=answers(ResultRows, HTTPStatus.NOT_FOUND),
)
def parallel_results(
    simulation_id: SimulationId,
    start: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ResultRows:
    """See results."""
    return results(simulation_id, start, limit)


@app.get(
    "/api/simulation/<simulation_id>/download/",
    summary="Presigned downloads",
    tags=["results"],
    responses=answers(Downloads, HTTPStatus.NOT_FOUND),
)
def download(
    simulation_id: SimulationId,
    name: Annotated[
        str | None,
        Query(
            pattern=r"^(variants/[0-9]{1,7}/)?[A-Za-z0-9_]+(\.[A-Za-z0-9]+)+$",
            description="One file, e.g. variants/3/in.idf; without it the table, the report and the manifest.",
        ),
    ] = None,
) -> Downloads:
    """Addresses that can be used for a quarter of an hour, each for one file."""
    _own(simulation_id)
    there = {}
    for each in (name,) if name else _RESULT_FILES:
        key = keys.run_key(simulation_id, each)
        if files.size(settings.results_bucket, key) is not None:
            there[each] = s3.generate_presigned_url(
                "get_object",
                Params={"Bucket": settings.results_bucket, "Key": key},
                ExpiresIn=DOWNLOAD_SECONDS,
            )
    if not there:
        raise Refusal(HTTPStatus.NOT_FOUND, f"{simulation_id} has no such file (yet)")
    return Downloads(files=there, expires_in_s=DOWNLOAD_SECONDS)


@app.get(
    "/api/simulation/results/",
    summary="Your studies, the newest first",
    tags=["studies"],
    responses=answers(StudyList),
)
def list_studies(
    status: Annotated[StudyStatus | None, Query(description="Only those in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    page: Annotated[str | None, Query(max_length=2000, description="`next` of the page before.")] = None,
) -> StudyList:
    """Your own studies; an administrator's list holds everybody's."""
    caller = _caller()
    found = records.study_page(
        owner=None if caller.administrator else caller.name, status=status, limit=limit, start=_page_start(page, caller)
    )
    listed = [
        StudyInList(
            simulation_id=each.simulation_id,
            name=each.name,
            status=each.status,
            variants=each.variants,
            succeeded=each.succeeded,
            failed=each.failed,
            created_at=each.created_at,
            ended_at=each.ended_at,
        )
        for each in found.studies
    ]
    following = found.next_page
    return StudyList(
        results=listed,
        next=None if following is None else urlsafe_b64encode(json.dumps(following).encode()).decode(),
    )


def _page_start(page: str | None, caller: Caller) -> dict[str, str] | None:
    """The key that a page token stands for. It says where to go on, and never in whose list."""
    if page is None:
        return None
    try:
        start = json.loads(urlsafe_b64decode(page.encode()))
        plain = {str(name): str(value) for name, value in start.items()}
        sizes = [len(value.encode()) for value in plain.values()]
    except (ValueError, AttributeError, RecursionError):
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "'page' is no token of this API") from None
    whose, name = ("record_type", keys.STUDY_SORT_KEY) if caller.administrator else ("owner", caller.name)
    in_this_list = plain.keys() == {"pk", "sk", "created_at", whose} and plain[whose] == name
    # DynamoDB takes no other keys, and its refusal would be an error of the server's.
    if not in_this_list or not all(0 < size <= 1024 for size in sizes):
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "'page' is no token of this list")
    return plain


# --- changing


@app.post(
    "/api/simulation/task/<task_id>/cancel/",
    summary="Cancel a study",
    tags=["studies"],
    responses=answers(Cancelled, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def cancel(task_id: SimulationId) -> Cancelled:
    """Nothing new starts, engines that run are ended within seconds, and what has succeeded is kept."""
    record = _own(task_id)
    if record.status is StudyStatus.CANCELLED:
        return Cancelled(task_id=task_id, message="The study was cancelled before.")
    machine = settings.state_machine_arn
    if not cancel_study(records, step_functions, machine, record, "Cancelled through the API."):
        raise Refusal(HTTPStatus.CONFLICT, f"The study has ended as {record.status.value}")
    return Cancelled(task_id=task_id, message="The study was cancelled.")


@app.post(
    "/api/simulation/<simulation_id>/rerun/",
    summary="Run again what failed, or everything",
    tags=["studies"],
    responses=answers(
        Submitted,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        success=(HTTPStatus.ACCEPTED,),
    ),
)
def rerun(simulation_id: SimulationId, wanted: Annotated[Rerun, Body()]) -> Response[str]:
    """What has succeeded is not run again and not lost; `all` makes a new simulation of the files as they are now."""
    record = _own(simulation_id)
    if not record.status.final or record.status is StudyStatus.REJECTED:
        raise Refusal(HTTPStatus.CONFLICT, f"The study is {record.status.value}")
    try:
        if wanted.which == "all":
            source = record.source
            if not source["key"].startswith(keys.HOMES):
                raise Refusal(HTTPStatus.CONFLICT, "The study was put into the bucket; put its study.json there again")
            answer = s3.copy_object(
                Bucket=source["bucket"],
                Key=source["key"],
                CopySource={"Bucket": source["bucket"], "Key": source["key"], "VersionId": source["version_id"]},
            )
            version = str(answer["VersionId"])
            started, variants = keys.simulation_id(source["bucket"], source["key"], version), record.variants
            records.claim_study(started, record.name, {**source, "version_id": version}, record.owner)
        else:
            started = simulation_id
            variants = rerun_missing(files, records, step_functions, settings.state_machine_arn, record)
    except (NotThere, s3.exceptions.NoSuchKey):
        raise Refusal(HTTPStatus.CONFLICT, "What the study was made of has been removed") from None
    if not variants:
        raise Refusal(HTTPStatus.CONFLICT, "There is nothing to run again")
    return Response(HTTPStatus.ACCEPTED.value, "application/json", json.dumps(_accepted(started, 0, variants)))


@app.patch(
    "/api/simulation/<simulation_id>/",
    summary="Change concurrency, priority or budget of a study that has not ended",
    tags=["studies"],
    responses=answers(StudyState, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def change(simulation_id: SimulationId, wanted: Annotated[Change, Body()]) -> StudyState:
    """Concurrency takes effect with the next variants; a priority as soon as shares are dealt out anew."""
    record = _own(simulation_id)
    if wanted.max_cost_usd is not None and record.options.get("max_cost_usd") is None:
        # Its variants keep no account: they were told of none when they began.
        raise Refusal(HTTPStatus.CONFLICT, "The study was submitted without max_cost_usd")
    arn = None if record.status.final else map_run_of(step_functions, record)
    if wanted.max_concurrency is not None and arn is None:
        raise Refusal(HTTPStatus.CONFLICT, "The study does not run variants now")
    if not records.change_options(simulation_id, record.options | wanted.model_dump(exclude_none=True)):
        raise Refusal(HTTPStatus.CONFLICT, "The study has ended, or has not been accepted yet")
    if wanted.max_concurrency is not None:
        step_functions.update_map_run(mapRunArn=arn, maxConcurrency=wanted.max_concurrency)
    if wanted.priority is not None:
        functions.invoke(
            FunctionName=settings.cleanup_function,
            InvocationType="Event",
            Payload=json.dumps({"task": "share"}).encode(),
        )
    return _state(_own(simulation_id))


@app.delete(
    "/api/simulation/<simulation_id>/",
    summary="Remove a study that has ended",
    tags=["studies"],
    responses=answers(None, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, success=(HTTPStatus.NO_CONTENT,)),
)
def remove(simulation_id: SimulationId) -> Response[str]:
    """Results, inputs that came with it, and records: nothing is left."""
    record = _own(simulation_id)
    if not record.status.final:
        raise Refusal(HTTPStatus.CONFLICT, "The study has not ended; cancel it first")
    answer = functions.invoke(
        FunctionName=settings.cleanup_function,
        Payload=json.dumps({"task": "remove", "simulation_id": simulation_id}).encode(),
    )
    if "FunctionError" in answer:
        error = json.loads(answer["Payload"].read())
        if error.get("errorType") == "StillRuns":
            raise Refusal(HTTPStatus.CONFLICT, str(error.get("errorMessage")))
        raise RuntimeError(f"the cleanup function failed: {error}")
    return Response(HTTPStatus.NO_CONTENT.value, body="")


# --- the service itself


@app.get(
    "/api/simulation/system-resources/",
    summary="What runs and what may run",
    tags=["service"],
    responses=answers(Resources),
)
def system_resources() -> Resources:
    """Of your own studies; an administrator's answer covers everybody's."""
    caller = _caller()
    page = records.study_page(
        owner=None if caller.administrator else caller.name, status=StudyStatus.RUNNING, limit=100
    )
    return Resources(
        engine_version=dictionary.load().version,
        running_studies=len(page.studies),
        running_variants=sum(counts_of(step_functions, record).running for record in page.studies),
        account_concurrency=_account_concurrency(),
    )


def _account_concurrency() -> int | None:
    try:
        return int(functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    except (BotoCoreError, ClientError, KeyError):
        return None


@app.get(
    "/health/",
    summary="Whether the service can work",
    tags=["service"],
    responses=answers(Health, success=(HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)),
)
def health() -> Response[str]:
    """503 if the table, a bucket or the state machine does not answer."""
    checks = {}
    for name, look in (
        ("table", lambda: records.study("health")),
        ("inputs bucket", lambda: s3.head_bucket(Bucket=settings.inputs_bucket)),
        ("results bucket", lambda: s3.head_bucket(Bucket=settings.results_bucket)),
        (
            "state machine",
            lambda: step_functions.describe_state_machine(stateMachineArn=settings.state_machine_arn),
        ),
    ):
        try:
            look()
            checks[name] = "ok"
        except (BotoCoreError, ClientError) as error:
            logger.exception("health check failed", extra={"check": name})
            checks[name] = type(error).__name__
    well = all(each == "ok" for each in checks.values())
    found = Health(status="ok" if well else "down", checks=checks)
    return Response(
        (HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE).value, "application/json", found.model_dump_json()
    )


@app.get(
    "/version/",
    summary="What runs here",
    tags=["service"],
    responses=answers(Version),
)
def version() -> Version:
    """Of the code and of EnergyPlus."""
    return Version(version=__version__, engine_version=dictionary.load().version, stage=settings.stage)


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    """This API's own description."""
    return Response(HTTPStatus.OK.value, "application/json", json.dumps(description()))


@functools.cache
def description() -> dict[str, Any]:
    """The OpenAPI document. What the resolver cannot know is the form of `run`, which reads its body itself."""
    document: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title="EPSM", version=__version__, description="EnergyPlus parametric studies: submit, ask, change, cancel."
        )
    )
    several_files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    form = {
        "idf_files": {**several_files, "description": "Models, IDF or epJSON."},
        "weather_file": {**several_files, "description": "Weather files, EPW."},
        "files": {**several_files, "description": "Files that the models read: schedules, .stat files."},
        "study": {"type": "string", "description": "A study.json; without it nothing is varied."},
        "name": {"type": "string", "description": "Name of the study where there is no study.json."},
        **{name: {"type": "string", "description": "EPSM's; accepted."} for name in _EPSM_FIELDS},
    }
    document["paths"]["/api/simulation/run/"]["post"]["requestBody"] = {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": form}},
            "application/json": {"schema": {"$ref": "#/components/schemas/StudyOfUploads"}},
        },
    }
    return document
