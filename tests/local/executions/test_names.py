"""Names of executions: a name that a running or an ended execution already has."""

import contextlib
import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser import models

from tests.local.executions.machines import FAIL, PASS, PAUSE, entered, started, stop
from tests.moto_fixtures import Aws, unique
from tests.support import wait_for


def names(aws: Aws, machine: str) -> list[str]:
    found = aws.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return [execution["name"] for execution in found]


def test_the_same_name_and_input_while_running_is_the_same_execution(aws: Aws, waits: str, tmp_path: Path) -> None:
    name, given = unique("x"), {"folder": str(tmp_path)}
    first, second = (aws.start(waits, given, name) for _ in range(2))
    assert (first, names(aws, waits).count(name)) == (second, 1)
    (tmp_path / "go").touch()
    aws.ended(first)


def test_the_same_name_and_input_runs_once(aws: Aws, waits: str, tmp_path: Path) -> None:
    name, given = unique("x"), {"folder": str(tmp_path)}
    execution = aws.start(waits, given, name)
    aws.start(waits, given, name)
    wait_for(lambda: entered(tmp_path), "the task")
    (tmp_path / "go").touch()
    aws.ended(execution)
    assert entered(tmp_path) == 1


def test_another_input_under_the_same_name_is_refused(aws: Aws, waits: str, tmp_path: Path) -> None:
    name = unique("x")
    execution = aws.start(waits, {"folder": str(tmp_path)}, name)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.start(waits, {"folder": str(tmp_path), "other": True}, name)
    (tmp_path / "go").touch()
    aws.ended(execution)


@pytest.mark.parametrize("definition", [PASS, FAIL])
def test_the_name_of_an_ended_execution_is_refused(aws: Aws, definition: dict[str, Any]) -> None:
    machine, name = aws.machine(definition), unique("x")
    aws.ended(aws.start(machine, name=name))
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.start(machine, name=name)


def test_the_name_of_a_stopped_execution_is_refused(aws: Aws) -> None:
    machine, name = aws.machine(PAUSE), unique("x")
    stop(aws, started(aws, machine, name))
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        aws.start(machine, name=name)


def test_another_machine_may_use_the_same_name(aws: Aws, passes: str) -> None:
    name = unique("x")
    assert aws.start(passes, name=name) != aws.start(aws.machine(PASS), name=name)


def test_executions_without_a_name_get_one_each(aws: Aws, passes: str) -> None:
    sfn = aws.client("stepfunctions")
    arns = [sfn.start_execution(stateMachineArn=passes)["executionArn"] for _ in range(2)]
    first, second = (UUID(arn.rpartition(":")[2]) for arn in arns)
    assert first != second


def test_a_name_starts_once_however_many_ask_at_the_same_moment(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(4)

    def copy_slowly(*given: Any) -> Any:
        # moto copies the machine between looking for the name and adding the execution.
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=0.5)
        return copy.deepcopy(*given)

    monkeypatch.setattr(models, "copy", SimpleNamespace(deepcopy=copy_slowly))
    machine, name = aws.machine(PAUSE), unique("x")
    with ThreadPoolExecutor(4) as pool:
        executions = set(pool.map(lambda _: aws.start(machine, {}, name), range(4)))
    found = names(aws, machine).count(name)
    for execution in executions:
        stop(aws, execution)
    assert found == 1


@pytest.mark.parametrize("name", ["with space", "a:b", "x" * 81])
def test_a_name_that_step_functions_does_not_allow_is_refused(aws: Aws, passes: str, name: str) -> None:
    with pytest.raises(ClientError):
        aws.start(passes, name=name)
