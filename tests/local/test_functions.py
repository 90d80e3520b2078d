"""How Lambda functions are invoked, and which code they run. The completion is epsm_local/moto_patches/functions.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm_local.moto_patches import functions
from tests.moto_fixtures import Aws, Queue, zipped
from tests.support import wait_for

FAILS_UNTIL = """
import os
from pathlib import Path

class NotYet(Exception):
    pass

def handler(event, context):
    with Path(event["file"]).open("a") as file:
        file.write(context.aws_request_id + "\\n")
    if len(Path(event["file"]).read_text().split()) < event["succeeds_at"]:
        raise NotYet("try again")
"""
NEVER = 99


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "RETRY_DELAYS_S", (0.01, 0.01))


@pytest.fixture(scope="module")
def lost(aws: Aws) -> Queue:
    """Where events go that no attempt could handle."""
    return aws.queue()


@pytest.fixture(scope="module")
def retried(aws: Aws, lost: Queue) -> str:
    """A function that is tried twice."""
    name = aws.function(FAILS_UNTIL)
    configure(aws, name, attempts=1, lost=lost)
    return name


def configure(aws: Aws, function: str, attempts: int, lost: Queue) -> None:
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=attempts,
        DestinationConfig={"OnFailure": {"Destination": lost.arn}},
    )


def send(aws: Aws, function: str, event: Any) -> int:
    """Invoke asynchronously; the status code."""
    answer = aws.client("lambda").invoke(
        FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    return int(answer["StatusCode"])


def attempts_in(file: Path) -> list[str]:
    return file.read_text().split() if file.is_file() else []


# --- asynchronous invocations


def test_an_asynchronous_invocation_is_accepted_at_once(aws: Aws, retried: str, tmp_path: Path) -> None:
    assert send(aws, retried, {"file": str(tmp_path / "calls"), "succeeds_at": 1}) == 202


def test_an_accepted_event_is_handled(aws: Aws, retried: str, tmp_path: Path) -> None:
    send(aws, retried, {"file": str(tmp_path / "calls"), "succeeds_at": 1})
    wait_for(lambda: attempts_in(tmp_path / "calls"), "the invocation")


def test_a_failed_event_goes_to_the_failure_destination(aws: Aws, retried: str, lost: Queue, tmp_path: Path) -> None:
    event = {"file": str(tmp_path / "calls"), "succeeds_at": NEVER}
    send(aws, retried, event)
    message = aws.message(lost)
    assert message["requestPayload"] == event
    assert message["responsePayload"]["errorType"] == "NotYet"
    assert message["requestContext"]["condition"] == "RetriesExhausted"


def test_a_failed_event_is_tried_as_often_as_configured(aws: Aws, retried: str, lost: Queue, tmp_path: Path) -> None:
    send(aws, retried, {"file": str(tmp_path / "calls"), "succeeds_at": NEVER})
    message = aws.message(lost)
    assert message["requestContext"]["approximateInvokeCount"] == len(attempts_in(tmp_path / "calls")) == 2


def test_an_event_that_succeeds_at_last_is_not_lost(aws: Aws, retried: str, lost: Queue, tmp_path: Path) -> None:
    send(aws, retried, {"file": str(tmp_path / "second"), "succeeds_at": 2})
    wait_for(lambda: len(attempts_in(tmp_path / "second")) == 2, "the second attempt")
    send(aws, retried, {"file": str(tmp_path / "never"), "succeeds_at": NEVER})
    assert aws.message(lost)["requestPayload"]["file"].endswith("never")


def test_no_retries_are_made_if_none_are_configured(aws: Aws, lost: Queue, tmp_path: Path) -> None:
    name = aws.function(FAILS_UNTIL)
    configure(aws, name, attempts=0, lost=lost)
    send(aws, name, {"file": str(tmp_path / "calls"), "succeeds_at": NEVER})
    aws.message(lost)
    assert len(attempts_in(tmp_path / "calls")) == 1


def test_two_retries_are_made_if_nothing_is_configured(aws: Aws, tmp_path: Path) -> None:
    send(aws, aws.function(FAILS_UNTIL), {"file": str(tmp_path / "calls"), "succeeds_at": 3})
    wait_for(lambda: len(attempts_in(tmp_path / "calls")) == 3, "the third attempt")


def test_a_later_configuration_replaces_an_earlier_one(aws: Aws, lost: Queue, tmp_path: Path) -> None:
    name = aws.function(FAILS_UNTIL)
    configure(aws, name, attempts=1, lost=lost)
    configure(aws, name, attempts=0, lost=lost)
    send(aws, name, {"file": str(tmp_path / "calls"), "succeeds_at": NEVER})
    aws.message(lost)
    assert len(attempts_in(tmp_path / "calls")) == 1


# --- other ways to ask


def test_a_dry_run_runs_nothing(aws: Aws, retried: str, tmp_path: Path) -> None:
    payload = json.dumps({"file": str(tmp_path / "calls"), "succeeds_at": 1})
    aws.client("lambda").invoke(FunctionName=retried, InvocationType="DryRun", Payload=payload)
    aws.invoke(retried, {"file": str(tmp_path / "calls"), "succeeds_at": 1})
    assert len(attempts_in(tmp_path / "calls")) == 1


def test_a_function_can_be_called_by_its_arn(aws: Aws, retried: str, tmp_path: Path) -> None:
    answer = aws.invoke(aws.function_arn(retried), {"file": str(tmp_path / "calls"), "succeeds_at": 1})
    assert answer.error is None


def test_a_function_that_is_not_there_cannot_be_called(aws: Aws) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.invoke("not-there")


# --- code


def test_a_layer_brings_the_projects_own_package(aws: Aws) -> None:
    content = zipped({"python/epsm/__init__.py": "", "python/epsm/from_layer.py": "WHERE = 'layer'"})
    layer = aws.client("lambda").publish_layer_version(LayerName="own-package", Content={"ZipFile": content})
    source = "from epsm.from_layer import WHERE\ndef handler(event, context): return WHERE"
    assert aws.invoke(aws.function(source, layers=[layer["LayerVersionArn"]])).value == "layer"


def test_a_layer_of_dependencies_does_not_hide_the_environments_own(aws: Aws) -> None:
    content = zipped({"python/pydantic/__init__.py": "raise ImportError('for another Python')"})
    layer = aws.client("lambda").publish_layer_version(LayerName="dependencies", Content={"ZipFile": content})
    source = "import pydantic\ndef handler(event, context): return pydantic.__name__"
    assert aws.invoke(aws.function(source, layers=[layer["LayerVersionArn"]])).value == "pydantic"


def test_the_functions_code_is_found_before_a_layer(aws: Aws) -> None:
    content = zipped({"python/epsm/__init__.py": "", "python/handler.py": "raise ImportError('the wrong one')"})
    layer = aws.client("lambda").publish_layer_version(LayerName="with-handler", Content={"ZipFile": content})
    source = "def handler(event, context): return 'right'"
    assert aws.invoke(aws.function(source, layers=[layer["LayerVersionArn"]])).value == "right"


def test_an_unpublished_function_is_its_latest_version(aws: Aws) -> None:
    source = "def handler(event, context): return context.function_version"
    assert aws.invoke(aws.function(source)).value == "$LATEST"
