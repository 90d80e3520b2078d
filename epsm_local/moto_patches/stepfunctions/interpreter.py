"""Running state machines of CloudFormation in moto's interpreter, and faster calls from the interpreter to services.

Completes moto/stepfunctions/models.py (state machines of CloudFormation are created in the backend without an
interpreter), parser/asl/utils/boto_client.py (a new boto3 client for every task, 25 ms each),
parser/asl/component/state/exec/ state_task/lambda_eval_utils.py (an HTTP request for every Lambda task),
parser/utils.py (a list of every thread ever started), parser/asl/parse/asl_parser.py (a definition is parsed at each
execution, 0.1 s, during which nothing else runs), parser/asl/component/state/state.py and
parser/backend/execution_worker.py (times of the context object, which AWS writes as `2019-03-26T20:14:13.192Z`).
"""

import functools
import json
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.config import default_user_config
from moto.stepfunctions import models
from moto.stepfunctions.parser.asl.component.program import program
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.eval.states import ExecutionData, StateData
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from epsm_local.aws.session import ACCOUNT
from epsm_local.moto_patches import local_aws
from epsm_local.moto_patches.functions import MAX_REQUEST_BYTES, run

_PROGRAMS = 8
"""Number of definitions that are kept parsed."""


class _NoList(list[Any]):
    def append(self, item: Any) -> None:
        pass


class _Boto3:
    """Replaces the boto3 module where moto creates its clients."""

    @staticmethod
    def client(*, service_name: str, **_: Any) -> Any:
        return local_aws().client(service_name)


def install() -> None:
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    models.stepfunctions_backends = stepfunctions_parser_backends
    boto_client.boto3 = _Boto3
    lambda_eval_utils._invoke_lambda_function = _invoke_lambda_function
    program.TMP_THREADS = _NoList()
    # Programs hold no state of an execution: the children of a map share one.
    AmazonStateLanguageParser.parse = staticmethod(functools.lru_cache(_PROGRAMS)(AmazonStateLanguageParser.parse))
    state.StateData = _state_data
    execution_worker.ExecutionData = _execution_data


def iso(moment: datetime) -> str:
    """A time as Step Functions writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _state_data(**data: Any) -> Any:
    return StateData(**data | {"EnteredTime": iso(datetime.fromisoformat(data["EnteredTime"]))})


def _execution_data(**data: Any) -> Any:
    start = data["StartTime"]
    moment = start if isinstance(start, datetime) else datetime.fromisoformat(start)
    return ExecutionData(**data | {"StartTime": iso(moment.replace(tzinfo=UTC))})


def _invoke_lambda_function(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
    """Answer as `lambda.invoke` does, but without HTTP; unusual calls still use HTTP."""
    backend = lambda_backends[ACCOUNT][region]
    try:
        function = backend.get_function(parameters["FunctionName"], parameters.get("Qualifier"))
    except Exception:
        return local_aws().client("lambda").invoke(**parameters)  # type: ignore[no-any-return]
    payload = parameters.get("Payload") or b"{}"
    body = payload.encode() if isinstance(payload, str) else payload
    synchronous = parameters.get("InvocationType", "RequestResponse") == "RequestResponse"
    if not synchronous or len(body) > MAX_REQUEST_BYTES:
        return local_aws().client("lambda").invoke(**parameters)  # type: ignore[no-any-return]
    invocation = run(function, body)
    answer = {
        "ExecutedVersion": str(function.version),
        "Payload": json.loads(invocation.payload),
        "StatusCode": 200,
        "SdkHttpMetadata": {"HttpStatusCode": 200},
    }
    return {**answer, "FunctionError": "Unhandled"} if invocation.failed else answer
