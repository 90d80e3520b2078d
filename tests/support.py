"""Doing with a stack what a modeller does: upload a study, wait for its end, read its results."""

import io
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from epsm.settings import Settings
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord
from epsm_local.aws.session import session
from epsm_local.product import STACK_NAME
from epsm_local.stack import LocalStack

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], purpose: str, within_s: float = 120.0) -> T:
    """The first answer of `look` that is not None or False."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        answer = look()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{purpose}: not within {within_s:.0f} s")


def stack_of(local: LocalStack, **settings_of_the_test: Any) -> Stack:
    """What the library needs of the local stack."""
    settings = Settings(
        inputs_bucket=local.outputs.inputs_bucket,
        results_bucket=local.outputs.results_bucket,
        table_name=local.outputs.table_name,
        state_machine_arn=local.outputs.state_machine_arn,
        **settings_of_the_test,
    )
    own = session()
    client, resource = (partial(make, endpoint_url=local.endpoint) for make in (own.client, own.resource))
    return Stack(settings, client, resource)


def records_of(stack: LocalStack) -> Records:
    return Records(session().resource("dynamodb", endpoint_url=stack.endpoint).Table(stack.outputs.table_name))


def files_of(stack: LocalStack) -> Files:
    return Files(stack.client("s3"), stack.outputs.results_bucket)


def upload_file(stack: LocalStack, key: str, content: bytes) -> str:
    """Put an object into the inputs bucket; its version."""
    answer = stack.client("s3").put_object(Bucket=stack.outputs.inputs_bucket, Key=key, Body=content)
    return str(answer["VersionId"])


def upload_study(stack: LocalStack, folder: Path, prefix: str | None = None) -> str:
    """Upload a study's folder with study.json last; the name of the simulation that this starts."""
    place = f"{folder.name}/" if prefix is None else prefix
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.name == "study.json")
    version = ""
    for path in files:
        key = place + path.relative_to(folder).as_posix()
        version = upload_file(stack, key, path.read_bytes())
    return keys.simulation_id(stack.outputs.inputs_bucket, f"{place}study.json", version)


def wait_for_end(stack: LocalStack, simulation: str, within_s: float = 120.0) -> StudyRecord:
    """The record of a study that has ended."""
    records = records_of(stack)

    def ended() -> StudyRecord | None:
        record = records.study(simulation)
        return record if record is not None and record.status.final else None

    return wait_for(ended, f"the end of {simulation}", within_s)


def run_study(stack: LocalStack, folder: Path, within_s: float = 120.0) -> StudyRecord:
    """Upload a study and wait for its end, and for the end of its execution."""
    record = wait_for_end(stack, upload_study(stack, folder), within_s)
    if record.execution_arn:
        wait_for_execution(stack, record.execution_arn)
    return record


def wait_for_execution(stack: LocalStack, arn: str) -> dict[str, Any]:
    """The description of an execution that has ended."""
    step_functions = stack.client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = step_functions.describe_execution(executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    return wait_for(ended, f"the end of {arn}")


def submits(stack: LocalStack, simulation: str) -> list[Any]:
    """What submit has logged at the end of its work on a study."""
    found = stack.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{STACK_NAME}-submit")["events"]
    lines = [json.loads(event["message"]) for event in found if event["message"].startswith('{"level"')]
    return [entry for entry in lines if entry.get("correlation_id") == simulation and entry["message"] == "submitted"]


def result_file(stack: LocalStack, simulation: str, name: str) -> bytes:
    """A file of a run, e.g. results.csv or variants/0/in.idf."""
    with files_of(stack).open_result(keys.run_key(simulation, name)) as stream:
        return stream.read()


def result_json(stack: LocalStack, simulation: str, name: str) -> Any:
    return json.loads(result_file(stack, simulation, name))


def results_table(stack: LocalStack, simulation: str) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(result_file(stack, simulation, "results.parquet")))


def object_names(stack: LocalStack, simulation: str) -> set[str]:
    """Names of all files of a run."""
    prefix = keys.run_key(simulation)
    pages = stack.client("s3").get_paginator("list_objects_v2")
    return {
        entry["Key"].removeprefix(prefix)
        for page in pages.paginate(Bucket=stack.outputs.results_bucket, Prefix=prefix)
        for entry in page.get("Contents", [])
    }
