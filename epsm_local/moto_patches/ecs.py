"""Fargate tasks that a state machine runs and waits for: `ecs:runTask.sync`.

Completes moto/stepfunctions/parser/asl/component/state/exec/state_task/service/state_task_service_ecs.py (a KeyError in
every task). moto's ECS stores the task and checks cluster, task definition and network; the container is a process.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from moto.ecs.models import ecs_backends
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_ecs import (
    StateTaskServiceEcs,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from epsm_local.aws.containers import Ended
from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.moto_patches import local_aws

_EXITED = "EssentialContainerExited", "Essential container in task exited"
_INTERRUPTED = "SpotInterruption", "Your Spot Task was interrupted."
"""Stop code and reason of a task whose capacity Fargate Spot has taken back."""


def install() -> None:
    StateTaskServiceEcs._eval_service_task = _eval_service_task
    StateTaskServiceEcs._build_sync_resolver = _build_sync_resolver


def _eval_service_task(
    self: StateTaskServiceEcs,
    env: Environment,
    resource_runtime_part: Any,
    normalised_parameters: dict[str, Any],
    state_credentials: Any,
) -> None:
    answer = local_aws().client("ecs").run_task(**_lower_first(normalised_parameters))
    env.stack.append(answer["tasks"][0]["taskArn"])


def _build_sync_resolver(
    self: StateTaskServiceEcs,
    env: Environment,
    resource_runtime_part: Any,
    normalised_parameters: dict[str, Any],
    state_credentials: Any,
) -> Callable[[], Any]:
    arn = env.stack.pop()
    overrides = _lower_first(normalised_parameters).get("overrides", {})

    def run_to_end() -> dict[str, Any]:
        described = _run(arn, overrides, env.is_running)
        if described["Containers"][0]["ExitCode"]:
            raise _failure(self, env, described)
        return described

    return run_to_end


def _lower_first(value: Any) -> Any:
    """Parameters in boto3's form, from the States Language's."""
    match value:
        case dict():
            return {name[0].lower() + name[1:]: _lower_first(element) for name, element in value.items()}
        case list():
            return [_lower_first(element) for element in value]
    return value


def _run(arn: str, overrides: Mapping[str, Any], keep_running: Callable[[], bool]) -> dict[str, Any]:
    """Run the only container of a task to its end; return Step Functions' description of the task."""
    local, backend = local_aws(), ecs_backends[ACCOUNT][REGION]
    task = next(
        candidate for tasks in backend.tasks.values() for task_arn, candidate in tasks.items() if task_arn == arn
    )
    (container,) = backend.describe_task_definition(task.task_definition_arn).container_definitions
    matching = [
        override for override in overrides.get("containerOverrides", []) if override["name"] == container["name"]
    ]
    changed: dict[str, Any] = matching[0] if matching else {}
    variables = {
        variable["name"]: variable["value"] for variable in [*container["environment"], *changed.get("environment", [])]
    }
    command = [*container.get("entryPoint", []), *(changed.get("command") or container.get("command", []))]
    code, stop_timeout_s = local.code.image(container["image"]), container.get("stopTimeout")
    ended = local.containers.run(command, code, variables, keep_running, stop_timeout_s)
    stop_code, reason = _INTERRUPTED if ended.interrupted else _EXITED
    backend.stop_task(task.cluster_name, arn, reason)
    _write_log(container, arn, ended)
    return {
        "ClusterArn": task.cluster_arn,
        "TaskArn": arn,
        "TaskDefinitionArn": task.task_definition_arn,
        "LastStatus": "STOPPED",
        "StopCode": stop_code,
        "StoppedReason": task.stopped_reason,
        "Containers": [{"Name": container["name"], "LastStatus": "STOPPED", "ExitCode": ended.exit_code}],
    }


def _failure(service: StateTaskServiceEcs, env: Environment, described: Mapping[str, Any]) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
    details = TaskFailedEventDetails(
        error=name.error_name,
        cause=json.dumps(described, separators=(",", ":")),
        resource=service._get_sfn_resource(),
        resourceType=service._get_sfn_resource_type(),
    )
    return FailureEventException(
        failure_event=FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.TaskFailed,
            event_details=EventDetails(taskFailedEventDetails=details),
        )
    )


def _write_log(container: Mapping[str, Any], arn: str, ended: Ended) -> None:
    """As the log driver awslogs does: one stream per task."""
    options = container.get("logConfiguration", {}).get("options", {})
    group = options.get("awslogs-group")
    if not group or not ended.log:
        return
    stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{arn.rsplit('/', 1)[-1]}"
    now = int(time.time() * 1000)
    logs = local_aws().client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = [{"timestamp": now, "message": line} for line in ended.log.splitlines() if line]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
