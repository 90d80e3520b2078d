"""The files of ResultWriter. Completes moto/stepfunctions/parser/asl/component/state/exec/state_map/
result_writer/result_writer_decl.py, which writes a manifest with empty lists.
Also completes state_map.py, which does not call the writer if the map has failed.

The format is the one of the Step Functions developer guide, "ResultWriter (Map)".
"""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import ResultWriter
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.eval.environment import Environment

from epsm_local.moto_patches import local_aws
from epsm_local.moto_patches.stepfunctions.interpreter import iso
from epsm_local.moto_patches.stepfunctions.map_failures import map_failure
from epsm_local.moto_patches.stepfunctions.map_run import Child, children

_FILE_OF = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "ABORTED": "PENDING"}
_stock_eval_execution = StateMap._eval_execution


def install() -> None:
    ResultWriter._eval_body = _eval_body
    StateMap._eval_execution = _eval_execution


def _eval_execution(self: StateMap, env: Environment) -> None:
    try:
        _stock_eval_execution(self, env)
    except FailureEventException as failure:
        gave_up = StatesErrorNameType.StatesExceedToleratedFailureThreshold.to_name()
        if self.result_writer and failure.failure_event.error_name.error_name == gave_up:
            _write(self.result_writer, env)
        raise


def _eval_body(self: ResultWriter, env: Environment) -> None:
    env.stack.pop()  # the outputs, which the writer replaces
    env.stack.append(_write(self, env))


def _write(writer: ResultWriter, env: Environment) -> dict[str, Any]:
    """Write the files; return the state's output.

    Raises:
        FailureEventException: States.ResultWriterFailed, if they cannot be written.
    """
    env.stack.append(env.states.get_input())  # the writer's paths refer to the map's input
    writer.parargs.eval(env=env)
    target = env.stack.pop()
    env.stack.pop()
    try:
        return _put_files(target, env)
    except (BotoCoreError, ClientError) as error:
        raise map_failure(env, StatesErrorNameType.StatesResultWriterFailed, str(error)) from error


def _put_files(target: dict[str, Any], env: Environment) -> dict[str, Any]:
    record = env._map_run_record
    prefix = target.get("Prefix", "").rstrip("/")
    folder = "/".join(part for part in (prefix, record.map_run_arn.rsplit(":", 1)[-1]) if part)
    groups: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for child in children(record).values():
        if child.status in _FILE_OF:
            groups[_FILE_OF[child.status]].append(_as_written(child))
    s3 = local_aws().client("s3")
    files: dict[str, list[dict[str, Any]]] = {name: [] for name in groups}
    for name, group in groups.items():
        if group:
            body = json.dumps(group).encode()
            key = f"{folder}/{name}_0.json"
            s3.put_object(Bucket=target["Bucket"], Key=key, Body=body)
            files[name].append({"Key": key, "Size": len(body)})
            for counter in (record.item_counter, record.execution_counter):
                counter.results_written.offset(len(group))
    manifest = {"DestinationBucket": target["Bucket"], "MapRunArn": record.map_run_arn, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    s3.put_object(Bucket=target["Bucket"], Key=key, Body=json.dumps(manifest).encode())
    details = {"Bucket": target["Bucket"], "Key": key}
    return {"MapRunArn": record.map_run_arn, "ResultWriterDetails": details}


def _as_written(child: Child) -> dict[str, Any]:
    written = {
        "ExecutionArn": child.arn,
        "Input": child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StateMachineArn": child.state_machine_arn,
        "Status": child.status,
        "StartDate": iso(child.started),
        "StopDate": iso(child.stopped) if child.stopped else None,
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "The local stack does not redrive.",
    }
    if child.output is not None:
        written |= {"Output": child.output, "OutputDetails": {"Included": True}}
    if child.error is not None:
        written |= {"Error": child.error, "Cause": child.cause or ""}
    return written
