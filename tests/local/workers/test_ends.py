"""The end of workers, one and many at a time."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from epsm_local.aws.workers import FunctionSpec, Workers
from tests.local.workers.functions import HANDLER, lines_of
from tests.moto_fixtures import Answer, Aws, zipped
from tests.support import wait_for

WORKERS = 8
"""That a function of a zip may have at a time."""


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


def runs(pid: int) -> bool:
    """Whether a process is there and is more than a dead one's entry that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def most_at_a_time(spans: list[list[float]]) -> int:
    """How many of the spans overlap at most."""
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


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
