"""Execution environments of Lambda as worker processes.

Each runs AWS's own `awslambdaric`, one invocation at a time, and is kept warm for the next.
"""

import json
import queue
import signal
import sys
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from epsm_local.aws.memory import held_mb
from epsm_local.aws.processes import IsolatedProcess, Stopped
from epsm_local.aws.runtime_api import Answer, Request, RuntimeApi

_MAX_TO_LOAD_S = 10.0
"""Lambda's own limit of the Init phase; code that takes longer is loaded again within the first invocation."""

_MEMORY_INTERVAL_S = 0.25
"""Interval of memory samples; a peak shorter than two intervals may be missed."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """The configuration of a function that a worker needs. Equal specifications can share workers.

    Attributes:
        name, arn, version: Identify the function.
        handler: `module.function`.
        code: Folders with the function's code, first the working directory.
        variables: The function's own environment variables.
        timeout_s: Its time limit, seconds.
        memory_mb: Memory limit of it and its child processes, MiB; it is killed if it exceeds this.
        log_group: Log group of its output.
        most_workers: Concurrent workers of this function.
    """

    name: str
    arn: str
    version: str
    handler: str
    code: tuple[Path, ...]
    variables: tuple[tuple[str, str], ...]
    timeout_s: float
    memory_mb: int
    log_group: str
    most_workers: int


@dataclass(frozen=True, slots=True)
class Invocation:
    """The outcome of an invocation.

    Attributes:
        request_id: Identifies it.
        payload: The result or the error, JSON.
        failed: Whether the payload is an error.
        log: The function's output.
        log_stream: Log stream of the environment.
        seconds: Wall-clock duration.
        peak_memory_mb: Largest sampled memory, MiB; 0 if it ended before the first sample.
    """

    request_id: str
    payload: bytes
    failed: bool
    log: str
    log_stream: str
    seconds: float
    peak_memory_mb: float


class Worker:
    """One execution environment.

    Args:
        spec: The function.
        folder: The worker's own folder; it becomes its /tmp.
        endpoint: The local AWS.

    Raises:
        OSError: If the folder cannot be created (full disk), or the process cannot be started.
    """

    def __init__(self, spec: FunctionSpec, folder: Path, endpoint: str) -> None:
        self._spec = spec
        self.name = f"{time.strftime('%Y/%m/%d')}/[{spec.version}]{folder.name}"
        self._held_mb = self._peak_memory_mb = 0.0
        self._api = RuntimeApi()
        command = [sys.executable, "-m", "awslambdaric", spec.handler]
        try:
            self._process = IsolatedProcess(command, spec.code, self._variables(), folder, endpoint)
        except BaseException:
            self._api.close()
            raise
        threading.Thread(target=self._watch, daemon=True).start()

    def _variables(self) -> dict[str, str]:
        spec = self._spec
        return {
            "LAMBDA_TASK_ROOT": str(spec.code[0]),
            "_HANDLER": spec.handler,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.name,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            # There is no X-Ray daemon to receive segments.
            "AWS_XRAY_SDK_ENABLED": "false",
            **dict(spec.variables),
        }

    def _watch(self) -> None:
        self._api.answers.put(self._process.wait())

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, body: bytes) -> Invocation:
        """Run one invocation to its end; afterwards the worker may have ended."""
        request_id = str(uuid.uuid4())
        self.await_loading()
        started = time.monotonic()
        self._process.output.clear()
        deadline_ms = int((time.time() + self._spec.timeout_s) * 1000)
        self._held_mb = self._peak_memory_mb = 0.0
        self._api.requests.put(Request(request_id, body, deadline_ms, self._spec.arn))
        payload, failed = self._await_answer(request_id, started + self._spec.timeout_s)
        took_s = time.monotonic() - started
        printed = self._process.output.read()
        return Invocation(request_id, payload, failed, printed, self.name, took_s, self._peak_memory_mb)

    def await_loading(self) -> None:
        """Wait until the function has been loaded: its time limit applies to an invocation alone."""
        latest = time.monotonic() + _MAX_TO_LOAD_S
        while self.alive and time.monotonic() < latest and not self._api.asked.wait(0.05):
            pass

    def _await_answer(self, request_id: str, deadline: float) -> tuple[bytes, bool]:
        load_error, error = b"", f"RequestId: {request_id} Error:"
        while True:
            try:
                left_s = deadline - time.monotonic()
                answer = self._api.answers.get(timeout=max(0.001, min(left_s, _MEMORY_INTERVAL_S)))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    self.kill()
                    message = f"{error} Task timed out after {self._spec.timeout_s:.2f} seconds"
                    return _error("Sandbox.Timedout", message), True
                if (too_much := self._too_much_memory()) is not None:
                    self.kill()
                    message = f"{error} Runtime exited with error: signal: killed ({too_much})"
                    return _error("Runtime.ExitError", message), True
                continue
            if isinstance(answer, Answer):
                if answer.request_id == request_id:
                    return answer.body, answer.error
                if not answer.request_id:
                    load_error = answer.body  # the process ends right after it
                continue
            self.kill()
            ending = f"exit status {answer}" if answer >= 0 else f"signal: {(signal.strsignal(-answer) or '').lower()}"
            message = f"{error} Runtime exited with error: {ending}"
            return load_error or _error("Runtime.ExitError", message), True

    def _too_much_memory(self) -> str | None:
        """The message for a worker that exceeds its function's memory, for which Lambda kills it.

        It must exceed it in two consecutive samples: a process that has just forked counts twice for a moment.
        """
        before_mb, self._held_mb = self._held_mb, held_mb(self._process.pid)
        lasting_mb = min(before_mb, self._held_mb)
        self._peak_memory_mb = max(self._peak_memory_mb, lasting_mb)
        if lasting_mb <= self._spec.memory_mb:
            return None
        return f"out of memory: {lasting_mb:.0f} MB of {self._spec.memory_mb} MB"

    def kill(self) -> None:
        """End the worker and its child processes, and remove its folder."""
        self._process.end()
        self._api.close()


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _not_started(spec: FunctionSpec, error: OSError) -> Invocation:
    """A fault of this machine, such as a full disk: state machines retry, as after the death of a worker."""
    request_id = str(uuid.uuid4())
    message = f"RequestId: {request_id} Error: no worker could be started: {error}"
    payload = _error("Sandbox.StartFailed", message)
    stream = f"{time.strftime('%Y/%m/%d')}/[{spec.version}]not-started"
    return Invocation(request_id, payload, True, message, stream, 0.0, 0.0)


class Workers:
    """All workers of the local stack: started when needed, reused while warm.

    Args:
        folder: Folder for the workers' own folders.
        endpoint: The local AWS.
    """

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._idle: dict[FunctionSpec, list[Worker]] = defaultdict(list)
        self._busy: dict[Worker, FunctionSpec] = {}
        self._places: dict[str, threading.BoundedSemaphore] = {}
        self._closed = False

    def invoke(self, spec: FunctionSpec, body: bytes) -> Invocation:
        """Invoke a function; waits while all its workers are busy."""
        with self._lock:
            places = self._places.setdefault(spec.arn, threading.BoundedSemaphore(spec.most_workers))
        with places:
            try:
                worker = self._take(spec)
            except OSError as error:
                return _not_started(spec, error)
            try:
                return worker.invoke(body)
            finally:
                self._give_back(spec, worker)

    def start(self, spec: FunctionSpec) -> None:
        """Start a worker for a later invocation, unless the function has one, and wait until it has been loaded.

        Raises:
            Stopped: If the stack is being stopped.
            OSError: If it cannot be started.
        """
        with self._lock:
            if self._idle[spec] or spec in self._busy.values():
                return
            worker = self._new(spec)
            self._idle[spec].append(worker)  # an invocation waits for this one rather than start another
        worker.await_loading()

    def _take(self, spec: FunctionSpec) -> Worker:
        with self._lock:
            worker = None
            while self._idle[spec] and worker is None:
                worker = self._idle[spec].pop()
                if not worker.alive:
                    worker.kill()  # what it has left
                    worker = None
            if worker is None:
                worker = self._new(spec)
            self._busy[worker] = spec
            return worker

    def _new(self, spec: FunctionSpec) -> Worker:
        if self._closed:
            raise Stopped("the local stack is being stopped")
        return Worker(spec, self._folder / uuid.uuid4().hex[:12], self._endpoint)

    def _give_back(self, spec: FunctionSpec, worker: Worker) -> None:
        with self._lock:
            self._busy.pop(worker, None)
            if worker.alive and not self._closed:
                self._idle[spec].append(worker)

    def busy(self, function_name: str) -> list[Worker]:
        """The workers that are running an invocation of a function."""
        with self._lock:
            return [worker for worker, spec in self._busy.items() if spec.name == function_name]

    def close(self) -> None:
        """Kill every worker."""
        with self._lock:
            self._closed = True
            workers = [*self._busy, *(worker for group in self._idle.values() for worker in group)]
        for worker in workers:
            worker.kill()
