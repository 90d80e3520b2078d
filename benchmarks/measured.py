"""One call of submit or aggregate in this process, measured; prints the measures as JSON.

Started by `benchmarks.scale`, in a fresh interpreter and with a handler's environment variables.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3


def main(function: str, argument: str) -> None:
    """Measure one call.

    Args:
        what: submit or aggregate.
        argument: For submit the uploaded study.json, a `Source` in JSON; for aggregate the simulation.
    """
    calls = _Calls()
    act = {"submit": _submit, "aggregate": _aggregate}[function](argument)
    started, cpu_before = time.monotonic(), time.process_time()
    answer = act()
    wall_seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_before
    measures = {
        "answer": answer,
        "wall_seconds": wall_seconds,
        "cpu_seconds": cpu_seconds,
        "waiting_seconds": wall_seconds - cpu_seconds,
        "peak_memory_mb": peak_memory_mb(),
        "calls": calls.of_operation,
    }
    print(json.dumps(measures))


def _submit(argument: str) -> Callable[[], str]:
    from epsm.study.manifest import Source
    from functions.submit import handler

    source = Source.model_validate_json(argument)

    def act() -> str:
        submission = handler.submitter.submit(source)
        if not submission.started:
            raise RuntimeError(f"the study was not started: {submission.problems}")
        return submission.simulation_id

    return act


def _aggregate(simulation: str) -> Callable[[], str]:
    from epsm.pipeline.aggregate import aggregate
    from functions.aggregate import handler

    return lambda: aggregate(handler.stack.files, handler.stack.records, simulation).subject


class _Calls:
    """Counts the calls of AWS of every client that is made after it.

    Attributes:
        of_operation: For each operation the number of calls and the seconds from sending to the parsed answer.
    """

    def __init__(self) -> None:
        self.of_operation: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
        boto3.setup_default_session()
        assert boto3.DEFAULT_SESSION is not None
        boto3.DEFAULT_SESSION.events.register("before-call", self._begin)
        boto3.DEFAULT_SESSION.events.register("after-call", self._end)

    def _begin(self, context: dict[str, Any], **_: Any) -> None:
        context["benchmark_started"] = time.monotonic()

    def _end(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        measured = self.of_operation[model.name]
        measured[0] += 1
        measured[1] += time.monotonic() - context["benchmark_started"]


def peak_memory_mb() -> float:
    """Largest resident size of this program, MiB.

    Not ru_maxrss of getrusage: Linux carries that over from the process that started this one.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not report the peak memory of a process")


if __name__ == "__main__":
    main(*sys.argv[1:])
