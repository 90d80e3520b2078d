"""Running Lambda functions.

Completes moto/awslambda/models.py.

Without Docker moto runs no code: it echoes the payload. Every invocation, by the API, S3, SNS, SQS or Step Functions,
uses `LambdaFunction.invoke`, so only this method is replaced.
"""

import base64
import json
import logging
import time
from collections.abc import Iterable
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaFunction, lambda_backends

from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.aws.workers import FunctionSpec, Invocation
from epsm_local.moto_patches import local_aws, promise
from epsm_local.moto_patches.metrics import count_invocation

logger = logging.getLogger(__name__)

RETRY_DELAYS_S = (1.0, 2.0)
"""Delays before the second and third attempt of an asynchronous invocation. AWS waits one and two minutes."""

MAX_REQUEST_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024
"""Maximum payload of a synchronous and of an asynchronous invocation."""

_WORKERS_OF_ZIPPED = 8


class RequestTooLarge(LambdaClientError):  # type: ignore[misc]
    """The payload is larger than Lambda takes."""

    code = 413

    def __init__(self, message: str) -> None:
        super().__init__("RequestEntityTooLargeException", message)


def install() -> None:
    LambdaFunction.invoke = _invoke


def spec_of(function: LambdaFunction) -> FunctionSpec:
    """The worker's specification of a function in moto."""
    image = function.code.get("ImageUri")
    local = local_aws()
    if image:
        code = local.code.image(image)
        handler = function.image_config.cmd[0]
    else:
        backend = lambda_backends[ACCOUNT][REGION]
        layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in function.layers]
        packages = [local.code.layer(layer.code_bytes) for layer in layers if layer is not None]
        code = (local.code.zipped(function.code_bytes), *(folder for folder in packages if folder is not None))
        handler = function.handler
    return FunctionSpec(
        name=function.function_name,
        arn=function.function_arn,
        version=str(function.version),
        handler=handler,
        code=code,
        variables=tuple(sorted((name, str(value)) for name, value in function.environment_vars.items())),
        timeout_s=float(function.timeout),
        memory_mb=int(function.memory_size),
        log_group=function.logs_group_name,
        # The function of the image runs engines, and an engine occupies a core.
        most_workers=local.engines if image else _WORKERS_OF_ZIPPED,
    )


def start_workers(names: Iterable[str]) -> None:
    """Start a worker of each of these functions, one after the other, for their first invocations.

    Raises:
        Stopped: If the stack is being stopped.
    """
    backend = lambda_backends[ACCOUNT][REGION]
    for name in names:
        try:
            local_aws().workers.start(spec_of(backend.get_function(name)))
        except OSError:  # a full disk: the first invocation reports it
            logger.warning("no worker of %s could be started ahead", name, exc_info=True)


def run(function: LambdaFunction, body: bytes) -> Invocation:
    """Invoke a function once, and write its output to its log group.

    Raises:
        RequestTooLarge: If the body is larger than Lambda takes.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise RequestTooLarge(
            f"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the InvokeFunction operation"
        )
    workers = local_aws().workers
    invocation = workers.invoke(spec_of(function), body)
    _write_logs(function, invocation)
    count_invocation(
        function.function_name,
        failed=invocation.failed,
        seconds=invocation.seconds,
        running=1 + len(workers.busy(function.function_name)),
    )
    return invocation


def _invoke(self: LambdaFunction, body: Any, request_headers: Any, response_headers: dict[str, Any]) -> bytes:
    headers = {str(name).lower(): value for name, value in dict(request_headers or {}).items()}
    content = body.encode() if isinstance(body, str) else bytes(body or b"{}")
    match headers.get("x-amz-invocation-type", "RequestResponse"):
        case "DryRun":
            return b""
        case "Event":
            _check_event(content)
            promise(self.function_name, content.decode(errors="replace"), lambda: _run_asynchronously(self, content))
            return b""
    invocation = run(self, content)
    if invocation.failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    response_headers["x-amz-log-result"] = base64.b64encode(invocation.log[-4096:].encode()).decode()
    response_headers["x-amz-executed-version"] = str(self.version)
    return invocation.payload


def _check_event(body: bytes) -> None:
    if len(body) > MAX_EVENT_BYTES:
        raise RequestTooLarge(
            f"{len(body)} byte payload is too large for the Event invocation type (limit {MAX_EVENT_BYTES} bytes)"
        )


def run_event(arn: str, body: bytes) -> None:
    """An asynchronous invocation for a caller that has promised the event and waits for its end: EventBridge.

    Raises:
        RequestTooLarge: If the body is larger than Lambda takes.
        moto.awslambda.exceptions.UnknownFunctionException: If there is no such function.
    """
    _check_event(body)
    _run_asynchronously(lambda_backends[ACCOUNT][REGION].get_function(arn), body)


def _run_asynchronously(function: LambdaFunction, body: bytes) -> None:
    """An asynchronous invocation: retries as configured, then the failure destination."""
    config = _event_invoke_config(function)
    attempts = 1 + int(config.get("MaximumRetryAttempts", 2))
    for attempt in range(attempts):
        if attempt:
            time.sleep(RETRY_DELAYS_S[attempt - 1])
        invocation = run(function, body)
        if not invocation.failed:
            return
    destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination:
        local_aws().client("sqs").send_message(
            QueueUrl=queue_url(destination),
            MessageBody=json.dumps(
                {
                    "version": "1.0",
                    "requestContext": {
                        "requestId": invocation.request_id,
                        "functionArn": function.function_arn,
                        "condition": "RetriesExhausted",
                        "approximateInvokeCount": attempts,
                    },
                    "requestPayload": json.loads(body),
                    "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                    "responsePayload": json.loads(invocation.payload),
                }
            ),
        )


def _event_invoke_config(function: LambdaFunction) -> dict[str, Any]:
    configs = function.event_invoke_config
    return dict(configs[-1].config) if configs else {}


def queue_url(arn: str) -> str:
    """URL of the queue with that ARN."""
    return str(local_aws().client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"])


def _write_logs(function: LambdaFunction, invocation: Invocation) -> None:
    lines = [
        f"START RequestId: {invocation.request_id} Version: {function.version}",
        *invocation.log.splitlines(),
        f"END RequestId: {invocation.request_id}",
        f"REPORT RequestId: {invocation.request_id}\tDuration: {invocation.seconds * 1000:.2f} ms\t"
        f"Memory Size: {function.memory_size} MB\tMax Memory Used: {invocation.peak_memory_mb:.0f} MB",
    ]
    logs = function.logs_backend
    group = function.logs_group_name
    logs.ensure_log_group(group)
    if invocation.log_stream not in logs.groups[group].streams:
        logs.create_log_stream(group, invocation.log_stream)
    now = int(time.time() * 1000)
    logs.put_log_events(group, invocation.log_stream, [{"timestamp": now, "message": line} for line in lines])
