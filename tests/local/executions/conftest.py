"""State machines that pass, that wait, and that wait in a Distributed Map."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from tests.local.executions.machines import PASS
from tests.moto_fixtures import Aws

WAITS = """
import time
from pathlib import Path

class Unlucky(Exception):
    pass

def handler(event, context):
    folder, started = Path(event["folder"]), time.monotonic()
    (folder / context.aws_request_id).touch()
    while not (folder / "go").exists() and time.monotonic() < started + 20:
        time.sleep(0.01)
    if event.get("fails"):
        raise Unlucky("it rains")
    return "done"
"""


@pytest.fixture(scope="module")
def work(aws: Aws) -> dict[str, Any]:
    """A state that waits in the folder that its input names."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": aws.function(WAITS), "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }


@pytest.fixture(scope="module")
def waits(aws: Aws, work: dict[str, Any]) -> str:
    """A machine of that one state."""
    return aws.machine({"StartAt": "Work", "States": {"Work": work}})


@pytest.fixture(scope="module")
def maps(aws: Aws, work: dict[str, Any]) -> str:
    """A machine that does it in a Distributed Map, one child at a time."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": work},
    }
    state = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ItemProcessor": processor, "End": True}
    return aws.machine({"StartAt": "Map", "States": {"Map": state}})


@pytest.fixture(scope="module")
def passes(aws: Aws) -> str:
    """A machine that hands on its input."""
    return aws.machine(PASS)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Executions that are started do not begin before this event is set: the moment lasts as long as a test needs."""
    begin = threading.Event()
    read = ExecutionWorker._get_evaluation_entrypoint

    def wait_and_read(self: ExecutionWorker) -> Any:
        begin.wait(20)
        return read(self)

    monkeypatch.setattr(ExecutionWorker, "_get_evaluation_entrypoint", wait_and_read)
    yield begin
    begin.set()
