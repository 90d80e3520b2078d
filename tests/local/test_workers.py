"""Lambda functions as worker processes: what AWS does around an invocation happens here too."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from epsm_local.aws.workers import FunctionSpec, Workers
from tests.moto_fixtures import Answer, Aws, unique, zipped
from tests.support import wait_for

WORKERS = 8
"""That a function of a zip may have at a time."""

HANDLER = """
import os, signal, subprocess, sys, tempfile, time
from pathlib import Path

calls = 0

class OutOfLuck(Exception):
    pass

def handler(event, context):
    global calls
    calls += 1
    return globals()[event["do"]](event, context)

def echo(event, context):
    return event["value"]

def fail(event, context):
    raise OutOfLuck("it rains")

def count(event, context):
    return {"calls": calls, "pid": os.getpid()}

def say(event, context):
    print(event["text"])

def where_prints_go(event, context):
    return os.path.exists(os.readlink("/proc/self/fd/1"))

def leave(event, context):
    os._exit(3)

def be_killed(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def hang(event, context):
    child = subprocess.Popen(["sleep", "600"])
    Path(event["pids"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)

def environment(event, context):
    return dict(os.environ)

def keep(event, context):
    place = Path(tempfile.gettempdir(), "kept")
    before = place.exists()
    place.write_text("x")
    return {"folder": str(place.parent), "before": before}

def hold(event, context):
    command = [sys.executable, "-c", "import sys, time; held = b'x' * int(sys.argv[1]); time.sleep(float(sys.argv[2]))"]
    line = [*command, str(event["megabytes"] << 20), str(event["seconds"])]
    if event["by"] == "a child":
        subprocess.run(line, start_new_session=True)
    else:
        held = b"x" * (event["megabytes"] << 20)
        time.sleep(event["seconds"])
    return "held"

def reserve(event, context):
    import mmap
    space = mmap.mmap(-1, 4 << 30)
    space[:1000] = bytes(1000)
    time.sleep(1)
    return "reserved"

def meet(event, context):
    started, folder = time.monotonic(), Path(event["folder"])
    (folder / context.aws_request_id).touch()
    while len(list(folder.iterdir())) < event["number"] and time.monotonic() < started + 20:
        time.sleep(0.01)
    return [started, time.monotonic()]

def describe(event, context):
    return {
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "log_group": context.log_group_name,
        "remaining_ms": context.get_remaining_time_in_millis(),
    }
"""


@pytest.fixture(scope="module")
def function(aws: Aws) -> str:
    """A function that does what its event says."""
    return aws.function(HANDLER, variables={"OWN_VARIABLE": "its value"})


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A function that has just taken too long.

    Attributes:
        function: Its name.
        answer: What the invocation returned.
        processes: The worker's and its child's.
    """

    function: str
    answer: Answer
    processes: list[int]


@pytest.fixture(scope="module")
def timed_out(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> TimedOut:
    """The same function with a short time limit, hanging."""
    pids = tmp_path_factory.mktemp("hanging") / "pids"
    name = aws.function(HANDLER, timeout=3)
    answer = aws.invoke(name, {"do": "hang", "pids": str(pids)})
    return TimedOut(name, answer, [int(pid) for pid in pids.read_text().split()])


def lines_of(aws: Aws, function: str, part: str = "") -> list[str]:
    """Lines of the function's log group that contain `part`."""
    events = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    return [event["message"] for event in events if part in event["message"]]


def runs(pid: int) -> bool:
    """Whether a process is there and is more than a dead one's entry that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def most_at_a_time(spans: list[list[float]]) -> int:
    """How many of the spans overlap at most."""
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


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


# --- the end of a worker


def test_a_function_that_takes_too_long_is_timed_out(timed_out: TimedOut) -> None:
    answer = timed_out.answer
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert answer.value["errorMessage"].endswith("Task timed out after 3.00 seconds")


def test_a_timeout_leaves_no_process_behind(timed_out: TimedOut) -> None:
    assert len(timed_out.processes) == 2
    wait_for(lambda: not any(map(runs, timed_out.processes)), "the end of the worker and its child")


def test_after_a_timeout_the_next_call_works(aws: Aws, timed_out: TimedOut) -> None:
    assert aws.invoke(timed_out.function, {"do": "echo", "value": "back"}).value == "back"


def test_loading_does_not_count_against_the_time_limit(aws: Aws) -> None:
    slow_to_load = aws.function("import time\ntime.sleep(1.5)\ndef handler(event, context): return 'done'", timeout=1)
    assert aws.invoke(slow_to_load).value == "done"


def test_what_a_worker_prints_needs_no_room_on_the_disk(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"do": "where_prints_go"}).value is False


def test_a_worker_that_cannot_be_started_is_a_failed_invocation(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").touch()
    workers = Workers(tmp_path / "in-the-way", "http://127.0.0.1:1")
    spec = FunctionSpec("f", "arn:f", "LATEST", "handler.handler", (tmp_path,), (), 60, 128, "/aws/lambda/f", 1)
    invocation = workers.invoke(spec, b"{}")
    assert invocation.failed
    assert json.loads(invocation.payload)["errorType"] == "Sandbox.StartFailed"
    assert "Not a directory" in invocation.log


@pytest.mark.parametrize("by", ["itself", "a child"])
def test_a_function_that_holds_more_than_its_memory_is_killed(aws: Aws, function: str, by: str) -> None:
    answer = aws.invoke(function, {"do": "hold", "by": by, "megabytes": 300, "seconds": 15})
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "Runtime.ExitError")
    message = answer.value["errorMessage"]
    held = re.search(r"Runtime exited with error: signal: killed \(out of memory: (\d+) MB of 256 MB\)$", message)
    # It is killed when that is noticed, which may be before it holds all of it.
    assert held is not None, message
    assert int(held[1]) > 256
    assert aws.invoke(function, {"do": "echo", "value": "back"}).value == "back"


def test_a_function_that_holds_less_than_its_memory_is_not(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"do": "hold", "by": "a child", "megabytes": 150, "seconds": 1}).value == "held"
    report = lines_of(aws, function, "Max Memory Used")[-1]
    assert 150 <= int(report.split("Max Memory Used: ")[1].split()[0]) < 256


def test_address_space_that_is_only_reserved_does_not_count(aws: Aws, function: str) -> None:
    assert aws.invoke(function, {"do": "reserve"}).value == "reserved"


@pytest.mark.parametrize("way", ["leave", "be_killed"])
def test_a_worker_that_dies_is_an_exit_error(aws: Aws, function: str, way: str) -> None:
    answer = aws.invoke(function, {"do": way})
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "Runtime.ExitError")


@pytest.mark.parametrize("way", ["leave", "be_killed"])
def test_after_a_worker_that_died_the_next_call_works(aws: Aws, function: str, way: str) -> None:
    aws.invoke(function, {"do": way})
    assert aws.invoke(function, {"do": "echo", "value": "back"}).value == "back"


def test_closing_ends_what_still_runs(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(HANDLER, encoding="utf-8")
    spec = FunctionSpec("f", "arn:f", "LATEST", "handler.handler", (tmp_path,), (), 60, 128, "/aws/lambda/f", 1)
    workers = Workers(tmp_path / "workers", "http://127.0.0.1:1")
    pids = tmp_path / "pids"
    with ThreadPoolExecutor(1) as pool:
        invocation = pool.submit(workers.invoke, spec, json.dumps({"do": "hang", "pids": str(pids)}).encode())
        wait_for(lambda: pids.is_file() and len(pids.read_text().split()) == 2, "the hanging function")
        workers.close()
        assert invocation.result(timeout=30).failed
    processes = [int(pid) for pid in pids.read_text().split()]
    wait_for(lambda: not any(map(runs, processes)), "the end of the worker and its child")


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


# --- many at a time


def test_as_many_invocations_run_at_a_time_as_there_are_workers(aws: Aws, function: str, tmp_path: Path) -> None:
    event = {"do": "meet", "folder": str(tmp_path), "number": WORKERS}
    with ThreadPoolExecutor(12) as pool:
        spans = [answer.value for answer in pool.map(lambda _: aws.invoke(function, event), range(12))]
    assert most_at_a_time(spans) == WORKERS


def test_every_worker_has_a_folder_of_its_own(aws: Aws, function: str, tmp_path: Path) -> None:
    def meet_and_look(_: int) -> tuple[str, int]:
        aws.invoke(function, {"do": "meet", "folder": str(tmp_path), "number": 3})
        seen = aws.invoke(function, {"do": "environment"}).value
        return seen["TMPDIR"], seen["AWS_LAMBDA_RUNTIME_API"]

    with ThreadPoolExecutor(3) as pool:
        seen = set(pool.map(meet_and_look, range(3)))
    assert len({folder for folder, _ in seen}) == len({api for _, api in seen})


def test_parallel_invocations_keep_their_answers_apart(aws: Aws, function: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        values = [
            each.value for each in pool.map(lambda i: aws.invoke(function, {"do": "echo", "value": i}), range(64))
        ]
    assert values == list(range(64))


def test_parallel_first_invocations_all_find_their_log(aws: Aws) -> None:
    fresh = aws.function(HANDLER)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: aws.invoke(fresh, {"do": "say", "text": f"call {i}"}), range(8)))
    assert [answer.error for answer in answers] == [None] * 8
    assert sorted(lines_of(aws, fresh, "call ")) == [f"call {i}" for i in range(8)]


def test_new_code_replaces_warm_workers(aws: Aws) -> None:
    name = aws.function("def handler(event, context): return 'old'")
    aws.invoke(name)
    aws.client("lambda").update_function_code(
        FunctionName=name, ZipFile=zipped({"handler.py": "def handler(event, context): return 'new'"})
    )
    assert aws.invoke(name).value == "new"
