"""DynamoDB with several clients at once."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from epsm_local.aws.session import ACCOUNT, REGION
from epsm_local.stack import LocalStack
from tests.moto_fixtures import unique


@pytest.fixture
def _threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_threads_take_turns_often")
def test_a_table_is_read_while_items_of_new_partitions_are_put(stack: LocalStack) -> None:
    name = unique("busy")
    dynamodb = stack.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    table: Any = dynamodb_backends[ACCOUNT][REGION].get_table(name)
    for number in range(20_000):  # many to read, past the service
        table.items[f"old{number}"] = {}
    done = Event()

    def scan() -> int:
        number = 0
        while not done.is_set():
            dynamodb.scan(TableName=name, Limit=1)
            number += 1
        return number

    with ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(scan) for _ in range(2)]
        try:
            for number in range(150):
                dynamodb.put_item(TableName=name, Item={"pk": {"S": str(number)}, "sk": {"S": "x"}})
        finally:
            done.set()
        assert all(each.result() for each in reading)
    dynamodb.delete_table(TableName=name)
