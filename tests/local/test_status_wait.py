"""Clients on this machine learn of a change of status at once: epsm_local.status_wait and its completion of moto."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from epsm_local.moto_patches import status_wait as patch
from epsm_local.stack import LocalStack
from epsm_local.status_wait import wait_for_change
from tests.support import wait_for

_LONG_S = 50.0
KEY = {"pk": "SIM#house-1", "sk": "SIM"}
_ITEM = {name: {"S": text} for name, text in KEY.items()}


@pytest.fixture
def dynamodb(stack: LocalStack) -> Iterator[Any]:
    client = stack.client("dynamodb")
    yield client
    client.delete_item(TableName=stack.outputs.table_name, Key=_ITEM)


def waited_s(stack: LocalStack, status: str, seconds: float) -> float:
    started = time.monotonic()
    wait_for_change(stack.endpoint, stack.outputs.table_name, KEY, status, seconds)
    return time.monotonic() - started


def test_a_wait_ends_with_the_status_that_it_is_for(stack: LocalStack, dynamodb: Any) -> None:
    table = stack.outputs.table_name
    with ThreadPoolExecutor(1) as pool:
        for before, after in (("", "pending"), ("pending", "running"), ("running", "completed")):
            waiting = pool.submit(waited_s, stack, before, _LONG_S)
            wait_for(lambda: patch._awaited == {(KEY["pk"], KEY["sk"]): 1}, "the request that waits")
            dynamodb.put_item(TableName=table, Item={"pk": {"S": "SIM#house-1"}, "sk": {"S": "VARIANT#0"}})
            assert not waiting.done()
            if before:
                dynamodb.update_item(
                    TableName=table,
                    Key=_ITEM,
                    UpdateExpression="SET #status = :after",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={":after": {"S": after}},
                )
            else:
                dynamodb.put_item(TableName=table, Item={**_ITEM, "status": {"S": after}})
            assert waiting.result() < _LONG_S / 2
    assert not patch._awaited


def test_only_writes_of_a_study_are_told_to_the_process_of_the_stack(stack: LocalStack, dynamodb: Any) -> None:
    table, before = stack.outputs.table_name, patch.last_write_of_a_study()
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "SIM#house-1"}, "sk": {"S": "VARIANT#0"}})
    assert patch.last_write_of_a_study() == before
    dynamodb.put_item(TableName=table, Item={**_ITEM, "status": {"S": "running"}})
    put = patch.last_write_of_a_study()
    update = {"Put": {"TableName": table, "Item": {**_ITEM, "status": {"S": "completed"}}}}
    dynamodb.transact_write_items(TransactItems=[update])
    assert len({before, put, patch.last_write_of_a_study()}) == 3


def test_a_status_that_has_changed_before_is_not_waited_for(stack: LocalStack, dynamodb: Any) -> None:
    dynamodb.put_item(TableName=stack.outputs.table_name, Item={**_ITEM, "status": {"S": "completed"}})
    assert waited_s(stack, "running", _LONG_S) < _LONG_S / 2


def test_a_wait_ends_in_time_without_a_change_and_without_a_stack_that_can_wait(stack: LocalStack) -> None:
    assert waited_s(stack, "", 0.2) >= 0.2
    for endpoint, table in ((stack.endpoint, "no-such-table"), ("http://127.0.0.1:1", "any")):
        started = time.monotonic()
        wait_for_change(endpoint, table, KEY, "", 0.2)
        assert time.monotonic() - started >= 0.2
