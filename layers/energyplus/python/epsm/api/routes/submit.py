"""Routes for submitting a study and uploading its files."""

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyValidationError,
)
from pydantic import ValidationError

from epsm.api.access import Caller
from epsm.api.app import Refusal, app, identify_caller, media_type, owner_limits, request_body, stack
from epsm.api.bodies import StudyOfUploads, Submitted, UploadPlace, UploadPlaces, WantedFiles, answers
from epsm.api.forms import Form, read_form
from epsm.api.incoming import (
    FilesInRequest,
    FilesUploadedBefore,
    presign_uploads,
    study_of_files,
    submit_from_request,
    with_unique_names,
)
from epsm.api.legacy import with_legacy_fields
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.inputs import UPLOAD_SECONDS

IDEMPOTENCY_SECONDS = 24 * 3600

router = APIGatewayHttpRouter()


@router.post(
    "/api/simulation/run/",
    summary="Submit a study",
    tags=["studies"],
    responses=answers(
        Submitted,
        HTTPStatus.CONFLICT,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.TOO_MANY_REQUESTS,
        success=(HTTPStatus.ACCEPTED,),
    ),
)
def run() -> Response[str]:
    """Submit a study: a multipart form with its files, or JSON that names files uploaded earlier.

    Form fields: `idf_files` (repeated), `weather_file` (repeated), and `study` with a study.json; without it every
    model is run with every weather file. Of legacy EPSM, `parallel`, `batch_mode` and `max_workers` are ignored,
    `scenario` with construction sets becomes measures, and `construction_mode` the sampling. With the header
    `Idempotency-Key` a repetition of the request within a day starts nothing and gets the same answer.
    """
    caller = identify_caller()
    key = app.current_event.headers.get("idempotency-key")
    if key is None:
        submitted = _submit(caller)
    else:
        _once.register_lambda_context(app.lambda_context)
        # A form's boundary differs each time it is sent.
        boundary = app.current_event.headers.get("content-type", "").rpartition("boundary=")[2].strip('"')
        content = request_body().replace(boundary.encode(), b"") if boundary else request_body()
        # As JSON, so that one caller's name with the start of a key is not another caller's.
        request = {"key": json.dumps([caller.name, key]), "content": hashlib.sha256(content).hexdigest()}
        try:
            submitted = _submitter_of(stack().settings.table_name)(request=request, caller=caller)
        except IdempotencyAlreadyInProgressError:
            detail = "The first request with this Idempotency-Key is still in progress"
            raise Refusal(HTTPStatus.CONFLICT, detail) from None
        except IdempotencyValidationError:
            detail = "This Idempotency-Key was used for another request"
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
    return Response(HTTPStatus.ACCEPTED.value, "application/json", json.dumps(submitted))


_once = IdempotencyConfig(
    event_key_jmespath="key", payload_validation_jmespath="content", expires_after_seconds=IDEMPOTENCY_SECONDS
)


@functools.cache
def _submitter_of(table_name: str) -> Callable[..., dict[str, Any]]:
    """Submits a request once, however often it is repeated with the same key; the table remembers."""
    store = DynamoDBPersistenceLayer(
        table_name,
        key_attr=keys.PARTITION_KEY,
        sort_key_attr=keys.SORT_KEY,
        static_pk_value=keys.IDEMPOTENCY_PARTITION,
        expiry_attr="expires_at",
        status_attr="idempotency_status",
    )

    @idempotent_function(data_keyword_argument="request", config=_once, persistence_store=store)  # type: ignore[untyped-decorator]
    def submit_once(*, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return _submit(caller)

    return submit_once  # type: ignore[no-any-return]


def _submit(caller: Caller) -> dict[str, Any]:
    document, sent = _study_in_request(caller)
    received = submit_from_request(stack(), document, sent, caller.name, owner_limits())
    return Submitted.started(received.simulation_id, received.models, received.variants).model_dump()


_FILE_FIELDS = {"idf_files", "weather_file", "files", "study"}
_ALLOWED_FIELDS = "files in idf_files, weather_file, files and study"


def _study_in_request(caller: Caller) -> tuple[bytes, FilesInRequest | FilesUploadedBefore]:
    """The study.json of a request and its files.

    Raises:
        StudyRejected: If the body is neither.
    """
    content_type = app.current_event.headers.get("content-type", "")
    if media_type() == "multipart/form-data":
        document, contents = _study_in_form(read_form(request_body(), content_type))
        return document, FilesInRequest(stack().inputs, contents)
    if media_type() not in ("", "application/json"):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"'{content_type}' is neither multipart/form-data nor application/json"
        )
    sent = _study_of_uploads()
    document = json.dumps(sent.study, ensure_ascii=False).encode()
    return document, FilesUploadedBefore(stack(), caller.name, sent.files)


def _study_in_form(form: Form) -> tuple[bytes, dict[str, bytes]]:
    """The study.json of a form, its own or one that is made for it, and the form's other files by name."""
    models, weather, others = (
        with_unique_names(form.files.get(field, [])) for field in ("idf_files", "weather_file", "files")
    )
    contents = {**others, **weather, **models}
    problems = [
        Problem(f"form field '{field}'", "is not known", _ALLOWED_FIELDS)
        for field in sorted(form.files.keys() - _FILE_FIELDS)
    ]
    problems += [
        Problem(name, "was sent in two fields, with different content", "one file of that name")
        for name in sorted(contents)
        if len({part[name] for part in (models, weather, others) if name in part}) > 1
    ]
    if problems:
        raise StudyRejected(problems)
    document = form.text("study")
    if document is not None:
        own = document.encode()
    elif "study" in form.files:
        own = form.files["study"][-1][1]
    else:
        name = form.text("name") or next(iter(models), "study").rpartition(".")[0]
        own = study_of_files(models, weather, name)
    return with_legacy_fields(own, form), contents


def _study_of_uploads() -> StudyOfUploads:
    try:
        return StudyOfUploads.model_validate_json(request_body())
    except ValidationError as error:
        raise StudyRejected(
            Problem(".".join(("body", *map(str, detail["loc"]))), detail["msg"]) for detail in error.errors()
        ) from None


@router.post(
    "/api/simulation/uploads/",
    summary="Get upload URLs",
    tags=["studies"],
    responses=answers(UploadPlaces, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def uploads(requested: Annotated[WantedFiles, Body()]) -> UploadPlaces:
    """Presigned URLs by content. A file that the caller has already uploaded, by any name, need not be sent again."""
    places = presign_uploads(
        {file.name: file.sha256 for file in requested.files},
        {file.name: file.bytes for file in requested.files},
        identify_caller().name,
        stack(),
    )
    listed = [UploadPlace(**{**asdict(place), "headers": dict(place.headers)}) for place in places]
    return UploadPlaces(files=listed, expires_in_s=UPLOAD_SECONDS)
