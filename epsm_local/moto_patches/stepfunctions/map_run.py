"""Distributed Map: child executions, tolerated failures, adjustable concurrency, stopping.

Completes moto/stepfunctions/parser/asl/component/state/exec/state_map/iteration/distributed_iteration_component.py.
moto's workers recurse once per item (900 items hang the run for ever), lose failed items, count wrongly and ignore the
tolerated failures.
"""

import datetime
import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from moto.stepfunctions.parser.api import MapRunStatus, StateMachineType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
    DistributedIterationComponentEvalInput,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.map_run_record import (
    MapRunRecord,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap
from moto.stepfunctions.parser.asl.component.state.exec.state_map.tolerated_failure import (
    ToleratedFailureCountDecl,
    ToleratedFailurePercentageDecl,
)
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError, ProgramRunning, ProgramTimedOut
from moto.stepfunctions.parser.asl.eval.states import (
    ContextObjectData,
    ExecutionData,
    ItemData,
    MapData,
    StateMachineData,
)

from epsm_local.moto_patches import local_aws
from epsm_local.moto_patches.stepfunctions.interpreter import iso
from epsm_local.moto_patches.stepfunctions.map_failures import map_failure

_POLL_INTERVAL_S = 0.05
"""While an item waits for a slot that another map run uses."""
_IDLE_INTERVAL_S = 0.25
"""While no item can be started before a child has ended; a higher concurrency or a stop is noticed after this time."""
_COUNTER_OF = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timed_out",
    "ABORTED": "aborted",
}
_stock_eval_body = DistributedIterationComponent._eval_body
_stock_from_state_props = StateMap.from_state_props


def install() -> None:
    StateMap.from_state_props = _from_state_props
    DistributedIterationComponent._map_run = _map_run
    DistributedIterationComponent._eval_body = _eval_body


@dataclass(slots=True)
class Child:
    """One child execution of a map run.

    Attributes:
        index: Index of its item.
        arn, name: Those of the execution.
        map_run_arn: ARN of the map run.
        state_machine_arn: The map's own ARN, `<machine>/<label>`.
        input: JSON text.
        started, stopped: Times, UTC; stopped is None while it runs.
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        output: JSON text, for a success.
        error, cause: Those of a failure.
        history: Events; kept only if the child did not succeed.
    """

    index: int
    arn: str
    name: str
    map_run_arn: str
    state_machine_arn: str
    input: str
    started: datetime.datetime
    status: str = "RUNNING"
    stopped: datetime.datetime | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    history: list[Any] = field(default_factory=list)


def children(record: MapRunRecord) -> dict[str, Child]:
    """The children of a map run by ARN, in the order of their start."""
    if not hasattr(record, "_children"):
        record._children = {}
    return record._children  # type: ignore[no-any-return]


def _from_state_props(self: StateMap, state_props: Any) -> None:
    _stock_from_state_props(self, state_props)
    # moto's defaults do not distinguish "0 tolerated" from "not set".
    self.iteration_component._tolerance_given = (
        state_props.get(ToleratedFailureCountDecl) is not None,
        state_props.get(ToleratedFailurePercentageDecl) is not None,
    )


def _eval_body(self: DistributedIterationComponent, env: Environment) -> None:
    record = env.stack[-1].map_run_record
    _stock_eval_body(self, env)
    if not env.is_running():
        record.set_stop(status=MapRunStatus.ABORTED)


def _map_run(
    self: DistributedIterationComponent, env: Environment, eval_input: DistributedIterationComponentEvalInput
) -> None:
    items = env.stack.pop()
    env._map_run_record = eval_input.map_run_record  # used by the result writer; an execution may have several map runs
    run = _MapRun(env, eval_input, self._get_iteration_program(), self._tolerance_given)
    env.stack.append(run.run(items))


class _Leash:
    """Represents a child among the frames of its parent, so that the child is stopped when the parent ends."""

    def __init__(self, child: Environment) -> None:
        self._child = child

    def set_stop(self, **_: Any) -> None:
        self._child.set_stop(stop_date=_now(), cause=None, error=None)

    set_ended = set_timed_out = set_error = set_stop


class _MapRun:
    """Runs the items of one map."""

    def __init__(
        self,
        env: Environment,
        eval_input: DistributedIterationComponentEvalInput,
        program: Program,
        tolerance_given: tuple[bool, bool],
    ) -> None:
        self._env = env
        self._input = eval_input
        self._record = eval_input.map_run_record
        self._program = program
        self._tolerance_given = tolerance_given
        self._map_input = env.states.get_input()

    def run(self, items: list[Any]) -> list[Any]:
        """The outputs of all children that succeeded.

        Raises:
            FailureEventException: If more children failed than tolerated.
        """
        record, slots, engines = self._record, local_aws().map_slots, local_aws().engines
        for counter in (record.item_counter, record.execution_counter):
            counter.total.offset(len(items))
            counter.pending.offset(len(items))
        waiting: Iterator[tuple[int, Any]] = iter(enumerate(items))
        next_item = next(waiting, None)
        live: set[Future[None]] = set()
        pool = ThreadPoolExecutor(engines, thread_name_prefix="map")
        try:
            while self._env.is_running() and (next_item is not None or live):
                while next_item is not None and self._has_room(len(live)) and slots.acquire(blocking=False):
                    live.add(pool.submit(self._run_child, *next_item))
                    next_item = next(waiting, None)
                slot_needed = next_item is not None and len(live) < engines and self._has_room(len(live))
                interval_s = _POLL_INTERVAL_S if slot_needed else _IDLE_INTERVAL_S
                done, live = wait(live, timeout=interval_s, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                if not live and next_item is not None:
                    time.sleep(_POLL_INTERVAL_S)  # all slots are used by other map runs
                if self._too_many_failed(len(items)):
                    break
        finally:
            # A running task ends by itself, like a Lambda function of a stopped execution.
            self._stop_children()
            pool.shutdown(wait=False)
        for counter in (record.item_counter, record.execution_counter):
            counter.aborted.offset(counter.pending.get())
            counter.pending.offset(-counter.pending.get())
        if self._env.is_running() and self._too_many_failed(len(items)):
            raise self._failure()
        ended = sorted(children(record).values(), key=lambda child: child.index)
        return [json.loads(child.output) for child in ended if child.output is not None]

    def _has_room(self, running: int) -> bool:
        return not self._record.max_concurrency or running < self._record.max_concurrency

    def _too_many_failed(self, total: int) -> bool:
        record = self._record
        # The tolerance may be changed while the map runs.
        count_given = self._tolerance_given[0] or record.tolerated_failure_count > 0
        percentage_given = self._tolerance_given[1] or record.tolerated_failure_percentage > 0
        failed = record.item_counter.failed.get() + record.item_counter.timed_out.get()
        if not (count_given or percentage_given):
            return bool(failed)
        too_many = count_given and failed > record.tolerated_failure_count
        too_much = percentage_given and failed > 0 and 100 * failed / total > record.tolerated_failure_percentage
        return bool(too_many or too_much)

    def _failure(self) -> FailureEventException:
        kind = StatesErrorNameType.StatesExceedToleratedFailureThreshold
        return map_failure(self._env, kind, "The specified tolerated failure threshold was exceeded")

    def _stop_children(self) -> None:
        with self._env._state_mutex:
            for frame in self._env._frames:
                if isinstance(frame, _Leash):
                    frame.set_stop()

    def _run_child(self, index: int, item: Any) -> None:
        record = self._record
        try:
            self._count("pending", -1)
            self._count("running", 1)
            child = self._new_child(index, self._selected(index, item))
            children(record)[child.arn] = child
            environment = self._environment(child)
            leash = _Leash(environment)
            with self._env._state_mutex:
                self._env._frames.append(leash)
            try:
                self._program.eval(environment)
                _close(child, environment)
            finally:
                with self._env._state_mutex:
                    self._env._frames.remove(leash)
            self._count(_COUNTER_OF[child.status], 1)
        finally:
            self._count("running", -1)
            local_aws().map_slots.release()

    def _count(self, name: str, difference: int) -> None:
        for counter in (self._record.item_counter, self._record.execution_counter):
            getattr(counter, name).offset(difference)

    def _selected(self, index: int, item: Any) -> Any:
        """The child's input: the item, or the result of ItemSelector."""
        selector = self._input.item_selector or self._input.parameters
        if selector is None:
            return item
        frame = self._env.open_inner_frame()
        try:
            frame.states.context_object.context_object_data["Map"] = MapData(Item=ItemData(Index=index, Value=item))
            frame.states.reset(self._map_input)
            frame.stack.append(self._map_input)
            selector.eval(frame)
            return frame.stack[-1]
        finally:
            self._env.delete_frame(frame)

    def _new_child(self, index: int, selected: Any) -> Child:
        machine = self._record.map_state_machine_arn
        name = str(uuid.uuid4())
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        return Child(index, arn, name, self._record.map_run_arn, machine, json.dumps(selected), _now())

    def _environment(self, child: Child) -> Environment:
        parent = self._env.states.context_object.context_object_data
        environment = Environment(
            aws_execution_details=self._env.aws_execution_details,
            execution_type=StateMachineType.STANDARD,
            context=ContextObjectData(
                Execution=ExecutionData(
                    Id=child.arn,
                    Input=json.loads(child.input),
                    Name=child.name,
                    RoleArn=parent["Execution"]["RoleArn"],
                    StartTime=iso(child.started),
                ),
                StateMachine=StateMachineData(Id=child.state_machine_arn, Name=parent["StateMachine"]["Name"]),
            ),
            event_history_context=EventHistoryContext.of_program_start(),
            cloud_watch_logging_session=None,
            activity_store=self._env.activity_store,
        )
        environment._program_state = ProgramRunning()  # else it cannot be stopped before it has begun
        return environment


def _close(child: Child, environment: Environment) -> None:
    state = environment.program_state()
    child.stopped = _now()
    if isinstance(state, ProgramEnded):
        child.output = json.dumps(environment.states.get_input())
        child.status = "SUCCEEDED"
        return
    child.history = environment.event_manager.get_event_history()
    if isinstance(state, ProgramError):
        child.error, child.cause = (state.error or {}).get("error"), (state.error or {}).get("cause")
        child.status = "FAILED"
    elif isinstance(state, ProgramTimedOut):
        child.error, child.status = "States.Timeout", "TIMED_OUT"
    else:
        child.status = "ABORTED"


def _now() -> datetime.datetime:
    return datetime.datetime.now(tz=datetime.UTC)
