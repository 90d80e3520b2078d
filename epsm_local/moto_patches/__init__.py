"""Completions of moto.

One module per service; each names the file of moto that it completes. They are patches of moto's classes, installed
once per process; they get the running stack from `local_aws()`.
"""

import importlib.metadata
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Event, Thread
from typing import Any

from epsm_local.aws.code_store import CodeStore
from epsm_local.aws.containers import Containers
from epsm_local.aws.journal import Closed, Journal
from epsm_local.aws.processes import Stopped
from epsm_local.aws.session import client
from epsm_local.aws.workers import Workers

MOTO_VERSION = "5.2.5"
PROMISES = "promises"
"""Owner in the journal of undelivered events for functions: the function's name or ARN, and the event's JSON."""


@dataclass(frozen=True, slots=True)
class LocalAws:
    """The parts of the running stack that the completions need.

    Attributes:
        endpoint: URL of the moto server.
        workers: Execution environments of Lambda.
        containers: Containers of ECS tasks.
        code: Unpacked code of functions.
        engines: Maximum number of engines at a time: one per core.
        map_slots: The same number of slots for child executions of Distributed Maps, over all map runs.
        journal: Persists buckets and table for the next process; None for no persistence.
        stopping: Set before the server stops; nothing can be delivered after that.
    """

    endpoint: str
    workers: Workers
    containers: Containers
    code: CodeStore
    engines: int
    map_slots: BoundedSemaphore
    journal: Journal | None = None
    stopping: Event = field(default_factory=Event)

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)


_current: LocalAws | None = None
_thread = threading.local()


def local_aws() -> LocalAws:
    """The stack that is running in this process."""
    if _current is None:
        raise RuntimeError("no local stack is running in this process")
    return _current


def use(local: LocalAws) -> None:
    """Make `local` the stack of this process and install the completions.

    Raises:
        RuntimeError: If the installed version of moto is not the one for which these completions were written.
    """
    global _current  # noqa: PLW0603 - patches are the process's, and so is the stack that they serve
    installed = importlib.metadata.version("moto")
    if installed != MOTO_VERSION:
        raise RuntimeError(f"the local stack completes moto {MOTO_VERSION}; {installed} is installed: run uv sync")
    first = _current is None
    _current = local
    if first:
        from epsm_local.moto_patches import (
            bucket_hosts,
            cloudformation,
            dispatch,
            dynamodb,
            dynamodb_answers,
            ecs,
            events,
            functions,
            http_apis,
            listings,
            objects,
            persistence,
            status_wait,
            stepfunctions,
            uploads,
        )

        for module in (
            dispatch,
            uploads,
            functions,
            events,
            stepfunctions,
            ecs,
            http_apis,
            cloudformation,
            listings,
            objects,
            persistence,
            dynamodb_answers,
            dynamodb,
            bucket_hosts,
            status_wait,
        ):
            module.install()


@contextmanager
def request_first() -> Iterator[None]:
    """Start the tasks of this thread (`in_background`) at the end of the block, not before: moto sends the event of an
    object before it has set the object's metadata."""
    if getattr(_thread, "tasks", None) is not None:
        yield
        return
    _thread.tasks = []
    try:
        yield
    finally:
        tasks, _thread.tasks = _thread.tasks, None
        for task in tasks:
            in_background(task)


def in_background(task: Callable[[], None]) -> None:
    """Run `task` in a daemon thread; if the stack is stopped, the task is abandoned."""
    if (tasks := getattr(_thread, "tasks", None)) is not None:
        tasks.append(task)
        return

    def run() -> None:
        try:
            task()
        except (Stopped, Closed):
            pass

    Thread(target=run, daemon=True).start()


def promise(function: str, event: str, task: Callable[[], None]) -> None:
    """Run `task`, which delivers an event to a function, in a thread; the event is in the journal until it has been
    processed.

    Args:
        function: Name or ARN of the function.
        event: The event, JSON.
        task: Delivers the event.
    """
    journal = local_aws().journal
    if journal is None:
        in_background(task)
        return
    name = str(uuid.uuid4())
    journal.write(PROMISES, name, (function, event))

    def run() -> None:
        task()
        journal.write(PROMISES, name, None)

    in_background(run)
