"""Answers, environments and logs of functions."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm_local.moto_patches.functions import start_workers
from tests.local.workers.functions import HANDLER, lines_of
from tests.moto_fixtures import Aws, unique

# --- answers


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, "text", 0, None])
def test_a_result_comes_back_as_it_was_returned(aws: Aws, function: str, value: Any) -> None:
    assert aws.invoke(function, {"do": "echo", "value": value}).value == value


def test_a_result_is_no_error(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"do": "echo", "value": 1}).error is None


def test_text_of_any_script_passes_both_ways(aws: Aws, function: str) -> None:
    text = 'Dämmung ü € 断熱 🏠 \u2028 \\ "'
    assert aws.invoke(function, {"do": "echo", "value": text}).value == text


def test_a_payload_of_a_megabyte_passes_both_ways(aws: Aws, function: str) -> None:
    text = "0123456789abcdef" * 65_536
    assert aws.invoke(function, {"do": "echo", "value": text}).value == text


@pytest.mark.parametrize(
    ("kind", "limit", "message"),
    [
        ("RequestResponse", 6_291_456, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
        ("Event", 1_048_576, "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"),
    ],
)
def test_a_payload_larger_than_lambda_takes_is_refused(
    aws: Aws, function: str, kind: Any, limit: int, message: str
) -> None:
    client, event = aws.client("lambda"), json.dumps({"do": "echo", "value": 1}).encode()

    def invoke(size: int) -> Any:
        return client.invoke(FunctionName=function, InvocationType=kind, Payload=event.ljust(size))

    assert invoke(limit)["StatusCode"] in (200, 202)
    with pytest.raises(ClientError) as refusal:
        invoke(limit + 1)
    error = refusal.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("RequestEntityTooLargeException", message)
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_an_exception_is_an_unhandled_function_error(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"do": "fail"}).error == "Unhandled"


def test_the_error_type_is_the_name_of_the_exception(aws: Aws, function: str) -> None:
    value = aws.invoke(function, {"do": "fail"}).value
    assert (value["errorType"], value["errorMessage"]) == ("OutOfLuck", "it rains")


def test_an_error_says_where_it_was_raised(aws: Aws, function: str) -> None:
    assert 'raise OutOfLuck("it rains")' in "".join(aws.invoke(function, {"do": "fail"}).value["stackTrace"])


@pytest.mark.parametrize(
    ("source", "error_type"),
    [
        ("import not_there", "Runtime.ImportModuleError"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("nothing = 0", "Runtime.HandlerNotFound"),
        ("raise LookupError('at import')", "LookupError"),
    ],
)
def test_an_error_while_loading_is_named(aws: Aws, source: str, error_type: str) -> None:
    answer = aws.invoke(aws.function(source))
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", error_type)


def test_the_handler_gets_the_context_of_its_function(aws: Aws, function: str) -> None:
    told = aws.invoke(function, {"do": "describe"}).value
    remaining = told.pop("remaining_ms")
    assert told == {
        "name": function,
        "arn": aws.function_arn(function),
        "memory": "256",
        "log_group": f"/aws/lambda/{function}",
    }
    assert 0 < remaining <= 20_000


# --- an environment of its own


def test_a_warm_worker_keeps_its_module(aws: Aws, function: str) -> None:
    first, second = (aws.invoke(function, {"do": "count"}).value for _ in range(2))
    assert second == {"calls": first["calls"] + 1, "pid": first["pid"]}


def test_a_warm_worker_keeps_its_files(aws: Aws, function: str) -> None:
    aws.invoke(function, {"do": "keep"})
    assert aws.invoke(function, {"do": "keep"}).value["before"]


def test_a_new_worker_starts_with_an_empty_folder(aws: Aws, function: str) -> None:
    aws.invoke(function, {"do": "keep"})
    aws.invoke(function, {"do": "leave"})
    assert not aws.invoke(function, {"do": "keep"}).value["before"]


def test_the_folder_of_a_dead_worker_is_removed(aws: Aws, function: str) -> None:
    folder = Path(aws.invoke(function, {"do": "keep"}).value["folder"])
    aws.invoke(function, {"do": "leave"})
    assert not folder.exists()


def test_variables_of_this_process_are_not_seen(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_USER", "hidden")
    monkeypatch.setenv("AWS_PROFILE", "production")
    seen = aws.invoke(aws.function(HANDLER), {"do": "environment"}).value
    assert not {"SECRET_OF_THE_USER", "AWS_PROFILE"} & seen.keys()


def test_credentials_of_this_process_are_not_seen(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the user")
    seen = aws.invoke(aws.function(HANDLER), {"do": "environment"}).value
    assert seen["AWS_SECRET_ACCESS_KEY"] == "local"


def test_variables_of_the_function_are_seen(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"do": "environment"}).value["OWN_VARIABLE"] == "its value"


# --- logs


def test_printed_lines_are_in_the_log_group(aws: Aws, function: str) -> None:
    text = unique("said ü")
    aws.invoke(function, {"do": "say", "text": f"{text} 1\n{text} 2"})
    assert lines_of(aws, function, text) == [f"{text} 1", f"{text} 2"]


def test_an_invocation_is_framed_in_the_log(aws: Aws, function: str) -> None:
    text = unique("framed")
    answer = aws.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"do": "say", "text": text}), LogType="Tail"
    )
    assert answer["StatusCode"] == 200
    lines = lines_of(aws, function)
    at = lines.index(text)
    assert [line.split()[0] for line in lines[at - 1 : at + 3]] == ["START", text, "END", "REPORT"]


def test_a_traceback_is_in_the_log(aws: Aws, function: str) -> None:
    aws.invoke(function, {"do": "fail"})
    assert any("[ERROR] OutOfLuck: it rains" in line for line in lines_of(aws, function))


def test_the_tail_of_the_log_can_come_with_the_answer(aws: Aws, function: str) -> None:
    text = unique("tail")
    answer = aws.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps({"do": "say", "text": text}), LogType="Tail"
    )
    assert text in base64.b64decode(answer["LogResult"]).decode()


def test_a_worker_that_is_started_ahead_takes_the_first_invocation(aws: Aws) -> None:
    function = aws.function(HANDLER)
    start_workers([function])
    now = time.time()
    first = aws.invoke(function, {"do": "count"}).value
    assert aws.invoke(function, {"do": "when_loaded"}).value < now
    start_workers([function])  # it has one
    assert aws.invoke(function, {"do": "count"}).value == {"calls": 3, "pid": first["pid"]}
