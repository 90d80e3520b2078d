"""Pages and order of an execution's history, and missing details of descriptions.

Completes moto/stepfunctions/responses.py: `reverseOrder`, `maxResults`, `nextToken` and `includeExecutionData` of
get-execution-history are ignored, descriptions of executions lack `inputDetails`, and redrive-execution causes error
500. Also completes parser/asl/component/state/exec/execute_state.py, which retries and catches `States.Runtime`.
"""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.exceptions import InvalidToken
from moto.stepfunctions.parser import api
from moto.stepfunctions.parser.api import ExecutionNotRedrivable
from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError
from moto.stepfunctions.responses import StepFunctionResponse

_MAX_PAGE = 1000
_DEFAULT_PAGE = 100
_DATA = {"input", "output"}
_RUNTIME = "States.Runtime"


def install() -> None:
    """Install after `executions`: its responses are completed here."""
    faults: list[Any] = [member for member in vars(api).values() if isinstance(member, type)]
    for fault in faults:
        if issubclass(fault, api.ServiceException) and hasattr(fault, "status_code"):
            fault.TYPE, fault.STATUS = fault.code, fault.status_code  # the names by which moto finds its responses
    StepFunctionResponse.get_execution_history = _paged(StepFunctionResponse.get_execution_history)
    StepFunctionResponse.describe_execution = _with_details(StepFunctionResponse.describe_execution)
    StepFunctionResponse.redrive_execution = _redrive_execution
    for kind in _subclasses(ExecutionState):
        if "_from_error" in vars(kind):
            kind._from_error = _telling_paths(kind._from_error)
    ExecutionState._handle_retry = _unless_runtime(ExecutionState._handle_retry, lambda env: RetryOutcome.CannotRetry)
    ExecutionState._handle_catch = _unless_runtime(
        ExecutionState._handle_catch, lambda env: env.stack.append(CatchOutcome.NotCaught)
    )


def _subclasses(kind: Any) -> list[Any]:
    return [subclass for direct in kind.__subclasses__() for subclass in (direct, *_subclasses(direct))]


def _telling_paths(stock: Callable[..., Any]) -> Callable[..., Any]:
    """A path without a match is not an error of the called service."""

    def from_error(self: ExecutionState, env: Any, ex: Exception) -> Any:
        if isinstance(ex, NoSuchJsonPathError):
            return ExecutionState._from_error(self, env=env, ex=ex)
        return stock(self, env=env, ex=ex)

    return from_error


def _unless_runtime(stock: Callable[..., Any], neither: Callable[[Any], Any]) -> Callable[..., Any]:
    """States.Runtime, such as a path without a match, always fails the execution: States.ALL does not include it."""

    def handle(self: ExecutionState, env: Any, failure_event: Any) -> Any:
        name = failure_event.error_name
        if name is not None and name.error_name == _RUNTIME:
            return neither(env)
        return stock(self, env=env, failure_event=failure_event)

    return handle


def _paged(stock: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    def get_execution_history(self: StepFunctionResponse) -> ActionResult:
        events = list(stock(self).result["events"])
        if self._get_bool_param("reverseOrder"):
            events.reverse()
        size = min(self._get_int_param("maxResults") or _DEFAULT_PAGE, _MAX_PAGE)
        token = self._get_param("nextToken") or "0"
        if not token.isdigit() or int(token) > len(events):
            raise InvalidToken
        start = int(token)
        page = events[start : start + size]
        if self._get_bool_param("includeExecutionData") is False:
            page = [_without_data(event) for event in page]
        more = {"nextToken": str(start + size)} if start + size < len(events) else {}
        return ActionResult({"events": page, **more})

    return get_execution_history


def _without_data(event: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: part for key, part in value.items() if key not in _DATA} if isinstance(value, dict) else value
        for name, value in event.items()
    }


def _with_details(stock: Callable[..., ActionResult]) -> Callable[..., ActionResult]:
    def describe_execution(self: StepFunctionResponse) -> ActionResult:
        answer = stock(self)
        described = answer.result
        for name in _DATA & described.keys():
            described[f"{name}Details"] = {"included": True}
        described.setdefault("redriveCount", 0)
        described.setdefault("redriveStatus", "NOT_REDRIVABLE")
        described.setdefault("redriveStatusReason", _reason(described["status"]))
        return answer

    return describe_execution


def _reason(status: str) -> str:
    if status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {status} and cannot be redriven"
    return "The local stack does not redrive executions; epsm rerun runs the variants that have not succeeded"


def _redrive_execution(self: StepFunctionResponse) -> ActionResult:
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    raise ExecutionNotRedrivable(_reason(execution.status))
