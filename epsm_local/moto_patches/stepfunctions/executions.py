"""Executions: their names, stopping, status change events; and the children of a map run.

Completes moto/stepfunctions/parser/backend/execution.py (a stopped execution stays RUNNING until its last task has
ended; SUCCEEDED is visible before the output; there are no Execution Status Change events; listing the map runs of a
starting execution causes error 500), parser/models.py (names are not checked, and two threads may both start an
execution of the same name) and moto/stepfunctions/responses.py (children of a map run cannot be listed or described).
"""

import datetime
import json
import re
import threading
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.stepfunctions.parser.api import ExecutionStatus, InvalidName
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramRunning
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from epsm_local.moto_patches import in_background
from epsm_local.moto_patches.events import emit
from epsm_local.moto_patches.metrics import count_execution
from epsm_local.moto_patches.stepfunctions.map_run import Child, children

_stock_reflect = BaseExecutionWorkerCommunication._reflect_execution_status
_stock_init = Execution.__init__
_stock_environment = ExecutionWorker._get_evaluation_environment
_stock_eval = Program.eval
_stock_start_execution = StepFunctionsParserBackend.start_execution
_stock_list = StepFunctionResponse.list_executions
_stock_describe = StepFunctionResponse.describe_execution
_stock_history = StepFunctionResponse.get_execution_history
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_starting = threading.Lock()


def install() -> None:
    BaseExecutionWorkerCommunication._reflect_execution_status = _reflect_execution_status
    Execution.__init__ = _init
    Execution.start = _start
    ExecutionWorker._get_evaluation_environment = _environment
    Program.eval = _eval
    Execution.stop = _stop
    StepFunctionsParserBackend.start_execution = _start_execution
    StepFunctionResponse.stop_execution = _stop_execution
    StepFunctionResponse.list_executions = _list_executions
    StepFunctionResponse.describe_execution = _describe_execution
    StepFunctionResponse.get_execution_history = _get_execution_history


def _start_execution(
    self: StepFunctionsParserBackend,
    state_machine_arn: str,
    name: str | None = None,
    execution_input: str | None = None,
    trace_header: Any = None,
) -> Execution:
    name = name or str(uuid.uuid4())
    if not _NAME.fullmatch(name):
        raise InvalidName(f"Invalid Name: '{name}'")
    with _starting:
        return _stock_start_execution(self, state_machine_arn, name, execution_input, trace_header)


def _init(self: Execution, *args: Any, **kwargs: Any) -> None:
    """Complete from the start: moto lists an execution before it has a status, a worker and an environment."""
    _stock_init(self, *args, **kwargs)
    self.exec_status = ExecutionStatus.RUNNING
    self.exec_worker = self._get_start_execution_worker()
    self.exec_worker._get_evaluation_environment()


def _environment(self: ExecutionWorker) -> Environment:
    if self.env is None:
        self.env = _stock_environment(self)
        self.env._program_state = ProgramRunning()  # otherwise it cannot be stopped before it has begun
    return self.env


def _eval(self: Program, env: Environment) -> None:
    if env.is_running():  # it may have been stopped before it began
        _stock_eval(self, env)


def _start(self: Execution) -> None:
    _tell(self)
    self.exec_worker.start()


def _reflect_execution_status(self: BaseExecutionWorkerCommunication) -> None:
    execution = self.execution
    if execution.exec_status is ExecutionStatus.ABORTED:
        return
    environment = execution.exec_worker.env
    if isinstance(environment.program_state(), ProgramEnded):
        # moto sets the status first: a request in between would see SUCCEEDED without an output.
        execution.output = environment.states.get_input()
    _stock_reflect(self)
    _tell(execution)


def _stop(self: Execution, stop_date: datetime.datetime, error: str | None, cause: str | None) -> None:
    if self.exec_status is not ExecutionStatus.RUNNING:
        return
    self.stop_date, self.error, self.cause = stop_date, error, cause
    self.exec_status = ExecutionStatus.ABORTED
    self.exec_worker.stop(stop_date=stop_date, cause=cause, error=error)
    _tell(self)


def _tell(execution: Execution) -> None:
    """EventBridge's Step Functions Execution Status Change, in the form of the developer guide."""
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": None if execution.output is None else json.dumps(execution.output),
        "outputDetails": None if execution.output is None else {"included": True},
        "error": execution.error,
        "cause": execution.cause,
    }
    took = (execution.stop_date - execution.start_date).total_seconds() if execution.stop_date else None
    count_execution(execution.state_machine.arn, execution.status, took)
    in_background(lambda: emit("aws.states", "Step Functions Execution Status Change", detail, [execution.exec_arn]))


def _milliseconds(moment: datetime.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _stop_execution(self: StepFunctionResponse) -> ActionResult:
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    now = datetime.datetime.now(datetime.UTC)
    execution.stop(now, self._get_param("error"), self._get_param("cause"))
    return ActionResult({"stopDate": execution.stop_date})


# --- children of map runs


def _records(self: StepFunctionResponse) -> list[Any]:
    environments = [execution.exec_worker.env for execution in self.stepfunction_backend._get_executions()]
    return [record for environment in environments for record in environment.map_run_record_pool_manager.get_all()]


def _child(self: StepFunctionResponse, arn: str) -> Child | None:
    return next((found for record in _records(self) if (found := children(record).get(arn))), None)


def _list_executions(self: StepFunctionResponse) -> ActionResult:
    map_run_arn = self._get_param("mapRunArn")
    if not map_run_arn:
        return _stock_list(self)
    record = next((map_run for map_run in _records(self) if map_run.map_run_arn == map_run_arn), None)
    listed = list(children(record).values())[::-1] if record else []
    status = self._get_param("statusFilter")
    listed = [child for child in listed if status in (None, child.status)]
    size = self._get_int_param("maxResults") or 100
    start = int(self._get_param("nextToken") or 0)
    page = [
        {
            "executionArn": child.arn,
            "name": child.name,
            "stateMachineArn": child.state_machine_arn,
            "mapRunArn": map_run_arn,
            "itemCount": 1,
            "status": child.status,
            "startDate": child.started,
            **({"stopDate": child.stopped} if child.stopped else {}),
        }
        for child in listed[start : start + size]
    ]
    more = str(start + size) if start + size < len(listed) else None
    return ActionResult({"executions": page, "nextToken": more})


def _describe_execution(self: StepFunctionResponse) -> ActionResult:
    arn = self._get_param("executionArn")
    child = _child(self, arn)
    if child is None:
        answer = _stock_describe(self)
        if stopped := self.stepfunction_backend.describe_execution(arn).stop_date:
            answer.result.setdefault("stopDate", stopped)  # moto omits it for timed-out executions
        return answer
    described = {
        "executionArn": child.arn,
        "stateMachineArn": child.state_machine_arn,
        "mapRunArn": child.map_run_arn,
        "name": child.name,
        "status": child.status,
        "startDate": child.started,
        "input": child.input,
    }
    optional = {"stopDate": child.stopped, "output": child.output, "error": child.error, "cause": child.cause}
    return ActionResult(described | {name: value for name, value in optional.items() if value is not None})


def _get_execution_history(self: StepFunctionResponse) -> ActionResult:
    child = _child(self, self._get_param("executionArn"))
    return _stock_history(self) if child is None else ActionResult({"events": child.history})
