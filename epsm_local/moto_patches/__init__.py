"""What plain moto does not do, done here. One module a service; each says which file of moto it completes.

The completions are patches of moto's own classes, installed once a process; what they need of the running stack they
take from `local_aws()`.
"""

import importlib.metadata
import uuid
from collections.abc import Callable
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
"""Where the journal holds events that a function has been promised: its name or ARN, and the JSON."""


@dataclass(frozen=True, slots=True)
class LocalAws:
    """What the completions need of the stack that is running.

    Attributes:
        endpoint: URL of the moto server.
        workers: Execution environments of Lambda.
        containers: Containers of ECS tasks.
        code: Code of functions, unpacked.
        engines: Maximum number of engines at a time: one per core.
        map_slots: The same number of slots for child executions of Distributed Maps, over all map runs.
        journal: Keeps buckets and table for the next process; None to keep nothing.
        stopping: Set before the server stops: nothing can be delivered from then on.
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


def local_aws() -> LocalAws:
    """The stack that is running in this process."""
    if _current is None:
        raise RuntimeError("no local stack is running in this process")
    return _current


def use(local: LocalAws) -> None:
    """Make `local` the stack of this process and install the completions.

    Raises:
        RuntimeError: If another version of moto is installed than the one these completions were written for.
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
            ecs,
            events,
            functions,
            http_apis,
            objects,
            persistence,
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
            objects,
            persistence,
            dynamodb,
            bucket_hosts,
        ):
            module.install()


def in_background(task: Callable[[], None]) -> None:
    """Run `task` in a thread that does not keep the process alive; when the stack is stopped, what is left is left."""

    def run() -> None:
        try:
            task()
        except (Stopped, Closed):
            pass

    Thread(target=run, daemon=True).start()


def promise(function: str, event: str, task: Callable[[], None]) -> None:
    """Run `task`, which hands an event to a function, in a thread; the journal knows of it from now until it is done.

    Args:
        function: Name or ARN of the function.
        event: What it is given, JSON.
        task: Hands it over.
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
