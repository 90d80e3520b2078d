"""Routes that estimate variants, time and cost of a study."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from epsm.api.app import Refusal, SimulationId, identify_caller, own_study, stack
from epsm.api.bodies import EstimatedStudy, StudyOfUploads, answers
from epsm.api.incoming import FilesUploadedBefore
from epsm.checks.sample_list import with_samples_of
from epsm.errors import NotFound, StudyRejected
from epsm.estimate import RunTime, assumed_run_time, estimate
from epsm.operations.shares import capacity_of
from epsm.problems import Problem
from epsm.store import keys
from epsm.study.compute import LAMBDA_AT_A_TIME
from epsm.study.manifest import ObjectRef
from epsm.study.parsing import parse_study
from epsm.study.sampling import Listed
from epsm.study.schema import Study

router = APIGatewayHttpRouter()


@router.post(
    "/api/simulation/estimate/",
    summary="Estimate variants, time and cost",
    tags=["studies"],
    responses=answers(EstimatedStudy, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def estimate_study(sent: Annotated[StudyOfUploads, Body()]) -> EstimatedStudy:
    """Estimate a study. Its models must have been uploaded; its weather need not."""
    study = parse_study(json.dumps(sent.study))
    owner = identify_caller().name
    before = FilesUploadedBefore(stack(), owner, sent.files)
    if isinstance(study.sampling, Listed) and study.sampling.file is not None:
        study = _with_samples(study, study.sampling.file, before)
    uploaded = before.sizes(study.models).keys() & set(study.models)
    found = {model: _run_time(owner, model, before.sha256(model), partial(before.read, model)) for model in uploaded}
    known = {model: run_time for model, run_time in found.items() if run_time is not None}
    if absent := [model for model in study.models if model not in known]:
        allowed = "a SHA-256 of an uploaded file"
        raise StudyRejected(Problem(f"files.{model}", "was not uploaded", allowed) for model in absent)
    return _estimated(study, known)


def _with_samples(study: Study, name: str, before: FilesUploadedBefore) -> Study:
    """The study with the samples of its list's file."""
    content = before.read(name) if name in before.sizes([name]) else None
    if content is None:
        raise StudyRejected([Problem(f"files.{name}", "was not uploaded", "a SHA-256 of an uploaded file")])
    listed, problems = with_samples_of(study, name, content)
    if problems:
        raise StudyRejected(problems)
    return listed


@router.get(
    "/api/simulation/<simulation_id>/estimate/",
    summary="Estimate time and cost of a submitted study",
    tags=["studies"],
    responses=answers(EstimatedStudy, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def estimate_known_study(simulation_id: SimulationId) -> EstimatedStudy:
    """Time and cost of all variants of a study, whether they have run or not; also of a study that is pending."""
    owner = own_study(simulation_id).owner
    try:
        manifest = stack().files.read_manifest(simulation_id)
    except NotFound:
        raise Refusal(HTTPStatus.CONFLICT, "The study has not been accepted") from None
    run_times: dict[str, RunTime] = {}
    for model in manifest.study.models:
        ref = manifest.inputs[model]
        found = _run_time(owner, model, ref.sha256, partial(_read_input, ref))
        if found is None:
            raise Refusal(HTTPStatus.CONFLICT, f"No run time is known for {model}, and its file is no longer available")
        run_times[model] = found
    return _estimated(manifest.study, run_times)


def _run_time(owner: str, model: str, sha256: str, read: Callable[[], bytes | None]) -> RunTime | None:
    """As measured by the owner's earlier runs, else by the model's zones; None if there were none and it cannot be
    read."""
    measured = stack().records.run_time(owner, sha256)
    if measured is not None:
        return RunTime(measured, "measured")
    content = read()
    return None if content is None else assumed_run_time(content, model)


def _read_input(ref: ObjectRef) -> bytes | None:
    # This function may not read files that were uploaded to the bucket directly.
    if not ref.key.startswith(keys.HOMES):
        return None
    try:
        return stack().files.read(ref.bucket, ref.key, ref.version_id)[0]
    except NotFound:
        return None


def _estimated(study: Study, run_times: dict[str, RunTime]) -> EstimatedStudy:
    at_a_time = capacity_of(stack().functions, stack().settings.variant_concurrency) or LAMBDA_AT_A_TIME
    made = estimate(
        study,
        run_times,
        memory_mb=stack().settings.variant_memory_mb,
        capacity=at_a_time,
        fargate_vcpus=stack().settings.fargate_vcpus,
    )
    return EstimatedStudy.model_validate(asdict(made))
