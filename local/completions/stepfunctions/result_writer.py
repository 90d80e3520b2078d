"""The files that ResultWriter leaves. Completes moto/stepfunctions/parser/asl/component/state/exec/state_map/
result_writer/result_writer_decl.py, which writes a manifest with empty lists.

The format is the one of the Step Functions developer guide, "ResultWriter (Map)".
"""

import json
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.result_writer_decl import ResultWriter
from moto.stepfunctions.parser.asl.eval.environment import Environment

from local.completions import local_aws
from local.completions.stepfunctions.map_run import Child, children

_FILE_OF = {"SUCCEEDED": "SUCCEEDED", "FAILED": "FAILED", "TIMED_OUT": "FAILED", "ABORTED": "PENDING"}


def install() -> None:
    ResultWriter._eval_body = _eval_body


def _eval_body(self: ResultWriter, env: Environment) -> None:
    env.stack.pop()  # the outputs, which the writer stands in for
    env.stack.append(env.states.get_input())  # what its paths refer to is the map's input
    self.parargs.eval(env=env)
    target = env.stack.pop()
    env.stack.pop()
    record = env.map_run_record_pool_manager.get_all()[-1]
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
    manifest = {"DestinationBucket": target["Bucket"], "MapRunArn": record.map_run_arn, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    s3.put_object(Bucket=target["Bucket"], Key=key, Body=json.dumps(manifest).encode())
    details = {"Bucket": target["Bucket"], "Key": key}
    env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": details})


def _as_written(child: Child) -> dict[str, Any]:
    stopped = child.stopped.isoformat(timespec="milliseconds") if child.stopped else None
    written = {
        "ExecutionArn": child.arn,
        "Input": child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StateMachineArn": child.state_machine_arn,
        "Status": child.status,
        "StartDate": child.started.isoformat(timespec="milliseconds"),
        "StopDate": stopped,
    }
    if child.output is not None:
        written |= {"Output": child.output, "OutputDetails": {"Included": True}}
    if child.error is not None:
        written |= {"Error": child.error, "Cause": child.cause or ""}
    return written
