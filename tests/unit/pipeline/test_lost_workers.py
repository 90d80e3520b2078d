"""What the state machine writes for lost variants and uncollected results, made to a table in this process."""

import fnmatch
import json
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from epsm.pipeline.items import ATTEMPT, item_of
from epsm.store import keys
from epsm.store.records import Records
from epsm.study.records import StudyStatus, VariantRecord, VariantStatus
from epsm.study.variants import Variant
from infra.tools.packaging import ROOT

MACHINE = json.loads((ROOT / "epsm_local" / "product" / "state_machine.json").read_text(encoding="utf-8"))
LATER = 4_000_000_000
FAILED = VariantRecord(3, VariantStatus.FAILED, "t", "t", "failed", "engine", "why", {"note": "x"}, "a-pack")


def states_in(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Its states, and those of the maps in it, by name."""
    for name, state in machine["States"].items():
        yield name, state
        if inner := state.get("ItemProcessor") or state.get("Iterator"):
            yield from states_in(inner)


STATES = dict(states_in(MACHINE))


class Table:
    """A table, and the tasks of the state machine that write to it."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb", region_name="us-east-1")
        named = {keys.PARTITION_KEY: "HASH", keys.SORT_KEY: "RANGE"}
        self.client.create_table(
            TableName="studies",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in named.items()],  # type: ignore[typeddict-item]
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in named],
        )
        self.records = Records(boto3.resource("dynamodb", region_name="us-east-1").Table("studies"))
        self.records.create_or_get_study("a", "Office", {})
        self.records.accept_study("a", name="Office", variants=9, options={}, expires_at=LATER, batched=True, engines=6)
        self._alone = STATES["Record lost variant"]
        self._of_batch = STATES["Record lost variant of a batch"]
        self._mark = STATES["Mark study as running"]
        self._close = STATES["Close uncollected study"]

    def rerun(self) -> None:
        self.records.cancel_study("a", "reason")
        assert self.records.reopen_study("a", 2, succeeded=0, batched=True)

    def lose(self, attempt: int, *, batched: bool) -> bool:
        """The worker of variant 3 is lost; whether that is recorded."""
        entry = item_of(Variant(3, "a.idf", "a.epw"), attempt=attempt)
        data = {
            "simulation_id": "a",
            "expires_at": str(LATER),
            "variant": {ATTEMPT: attempt} if batched else entry,
            "entry": entry,
            "failure": {"Error": "Sandbox.Timedout", "Cause": "gone"},
        }
        return self._write_together(self._of_batch, data) if batched else self._write(self._alone, data)

    def start(self, attempt: int) -> bool:
        """The execution of an attempt starts; whether it runs the study."""
        return self._write(self._mark, {"simulation_id": "a", ATTEMPT: attempt})

    def close(self, attempt: int) -> bool:
        """The results cannot be collected; whether the study is closed."""
        failure = {"Error": "NotFound", "Cause": "gone"}
        return self._write(self._close, {"simulation_id": "a", ATTEMPT: attempt, "failure": failure})

    def _write(self, task: dict[str, Any], data: dict[str, Any]) -> bool:
        given = _resolved({name: value for name, value in task["Parameters"].items() if name != "TableName"}, data)
        try:
            self.client.update_item(TableName="studies", **given)
        except self.client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _write_together(self, task: dict[str, Any], data: dict[str, Any]) -> bool:
        updates = [_resolved(item["Update"], data) for item in task["Parameters"]["TransactItems"]]
        try:
            self.client.transact_write_items(
                TransactItems=[{"Update": update | {"TableName": "studies"}} for update in updates]
            )
        except self.client.exceptions.TransactionCanceledException as error:
            cause = str(error)
        else:
            return True
        (choice,) = STATES[task["Catch"][0]["Next"]]["Choices"]
        assert fnmatch.fnmatch(cause, choice["StringMatches"]), "otherwise it is written again, without end"
        return False

    @property
    def record(self) -> VariantRecord:
        record = self.records.variant("a", 3)
        assert record is not None
        return record


def _resolved(value: Any, data: dict[str, Any]) -> Any:
    """Parameters of a task for its input, as Step Functions resolves paths and States.Format."""
    if not isinstance(value, dict):
        return value
    return {
        name.removesuffix(".$"): _text(each, data) if name.endswith(".$") else _resolved(each, data)
        for name, each in value.items()
    }


def _text(expression: str, data: dict[str, Any]) -> str:
    if called := re.fullmatch(r"States\.Format\('([^']*)', (.*)\)", expression):
        return called[1].format(*(_text(each, data) for each in called[2].split(", ")))
    if expression.startswith("$$."):
        return "2026-11-27T00:00:00Z"
    found: Any = data
    for name in expression.removeprefix("$.").split("."):
        found = found[name]
    return str(found)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Table()


@pytest.mark.parametrize("batched", [True, False])
def test_a_worker_that_is_lost_before_it_records_a_start_replaces_the_failure_of_an_earlier_attempt(
    table: Table, batched: bool
) -> None:
    table.records.finish_variant("a", FAILED, LATER, 1, counted=batched)
    table.rerun()

    assert table.lose(2, batched=batched)

    assert (table.record.stage, table.record.error) == ("worker", "Sandbox.Timedout: gone")
    assert (table.record.verdict, table.record.summary, table.record.pack) == ("", {}, "")
    assert table.records.failures("a") == int(batched)


@pytest.mark.parametrize("batched", [True, False])
def test_a_failure_that_an_earlier_release_recorded_is_replaced(table: Table, batched: bool) -> None:
    table.records.finish_variant("a", FAILED, LATER)
    table.rerun()

    assert table.lose(2, batched=batched)

    assert table.record.stage == "worker"


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("status", [VariantStatus.FAILED, VariantStatus.SUCCEEDED])
def test_a_lost_worker_does_not_undo_an_end_that_it_has_recorded(
    table: Table, batched: bool, status: VariantStatus
) -> None:
    table.rerun()
    ended = VariantRecord(3, status, "t", "t", "verdict", "engine", "why")
    table.records.finish_variant("a", ended, LATER, 2, counted=batched)
    counted = table.records.failures("a")

    assert not table.lose(2, batched=batched)

    assert (table.record.status, table.record.error) == (status, "why")
    assert table.records.failures("a") == counted


@pytest.mark.parametrize("started", [True, False])
def test_a_lost_variant_is_counted_once_in_its_attempt(table: Table, started: bool) -> None:
    if started:
        table.records.start_variant("a", 3, LATER, attempt=1)

    assert table.lose(1, batched=True)
    assert not table.lose(1, batched=True)
    assert not table.records.finish_variant("a", FAILED, LATER, 1), "its worker was only taken for lost"

    assert table.records.failures("a") == 1


def test_a_variant_that_an_earlier_attempt_lost_is_not_counted_for_a_later_one(table: Table) -> None:
    table.rerun()

    assert not table.lose(1, batched=True)

    assert table.records.variant("a", 3) is None
    assert table.records.failures("a") == 0


@pytest.mark.parametrize("batched", [True, False])
def test_a_variant_that_an_earlier_attempt_lost_stays_running_in_a_later_one(table: Table, batched: bool) -> None:
    table.rerun()
    table.records.start_variant("a", 3, LATER, attempt=2)

    assert not table.lose(1, batched=batched)
    assert table.record.status is VariantStatus.RUNNING
    assert table.lose(2, batched=batched)


def test_a_lost_variant_that_cannot_be_counted_is_not_recorded(table: Table) -> None:
    table.records.start_variant("a", 3, LATER, attempt=1)
    table.client.delete_item(
        TableName="studies", Key={name: {"S": value} for name, value in keys.counters_key("a").items()}
    )

    assert not table.lose(1, batched=True)

    assert table.record.status is VariantStatus.RUNNING


def test_an_execution_of_an_earlier_attempt_does_not_run_a_study_again(table: Table) -> None:
    table.rerun()

    assert not table.start(1)
    assert table.start(2)
    assert table.start(2), "a repetition after a lost response"


def test_the_execution_of_a_first_attempt_runs_the_study(table: Table) -> None:
    assert table.start(1)


def test_an_execution_without_results_closes_its_own_attempt_alone(table: Table) -> None:
    table.rerun()

    assert not table.close(1)
    assert table.close(2)

    study = table.records.study("a")
    assert study is not None
    assert (study.status, study.attempt) == (StudyStatus.FAILED, 2)


def test_a_first_attempt_without_results_is_closed(table: Table) -> None:
    assert table.close(1)


def test_the_results_are_collected_for_the_attempt_in_the_input() -> None:
    assert STATES["Collect results"]["Parameters"]["Payload.$"] == "$"
