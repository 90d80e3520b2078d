"""A function that does what its event says, and a state that calls it."""

from collections.abc import Iterator
from typing import Any

import pytest

from epsm_local.stack import LocalStack
from tests.moto_fixtures import Aws
from tests.stack import faults

HANDLER = """
import os, time
from pathlib import Path

class Unlucky(Exception):
    pass

def handler(event, context):
    return globals()[event["do"]](event, context)

def echo(event, context):
    return event

def fail(event, context):
    raise Unlucky("it rains")

def nap(event, context):
    started = time.monotonic()
    time.sleep(event["seconds"])
    return [started, time.monotonic()]

def wait(event, context):
    folder, started = Path(event["folder"]), time.monotonic()
    (folder / context.aws_request_id).touch()
    while not (folder / "go").exists() and time.monotonic() < started + 20:
        time.sleep(0.01)
    return [started, time.monotonic()]

def improve(event, context):
    # Fails until it was called often enough.
    with Path(event["file"]).open("a") as file:
        file.write("x")
    if len(Path(event["file"]).read_text()) >= event["succeeds_at"]:
        return "at last"
    if event.get("dies"):
        os._exit(1)
    raise Unlucky("again")
"""


@pytest.fixture(scope="module", autouse=True)
def _hasty_retries(stack: LocalStack) -> Iterator[None]:
    with faults.hasty_retries():
        yield


@pytest.fixture(scope="module")
def function(aws: Aws) -> str:
    """A function that does what its event says."""
    return aws.function(HANDLER)


@pytest.fixture(scope="module")
def work(function: str) -> dict[str, Any]:
    """A state that hands its input to that function."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }
