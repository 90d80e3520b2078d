"""Queries, projections and answers of DynamoDB are byte for byte those of moto without the completion."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core.serialize import SERVICE_SPECIFIC_SERIALIZERS
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from epsm_local.moto_patches import dynamodb_answers

NUMBERS = ["1", "-2.50", "0.1", "1E+2", "007", "12345678901234567890123456789012345678"]
EVERY_KIND: dict[str, Any] = {
    "text": {"S": 'Gerät "1" \u2028 ü'},
    "empty": {"S": ""},
    "bytes": {"B": b"\x00\xff"},
    "yes": {"BOOL": True},
    "nothing": {"NULL": True},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.5"]},
    "blobs": {"BS": [b"\x01", b"\x02"]},
    "map": {"M": {"S": {"S": "a name that is a type"}, "deep": {"M": {"list": {"L": [{"N": "1"}, {"L": []}]}}}}},
    "none_of_it": {"M": {}},
}
BY_OWNER = {"IndexName": "by_owner", "KeyConditionExpression": "#owner = :owner"}
OF_ANNA = {"ExpressionAttributeNames": {"#owner": "owner"}, "ExpressionAttributeValues": {":owner": {"S": "anna"}}}
ONE = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "p1"}}}
BETWEEN = {
    "KeyConditionExpression": "pk = :pk AND sk BETWEEN :a AND :b",
    "ExpressionAttributeValues": {":pk": {"S": "p1"}, ":a": {"S": "0003"}, ":b": {"S": "0007"}},
}
START = {"ExclusiveStartKey": {"pk": {"S": "p1"}, "sk": {"S": "0004"}}}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "a partition": ("query", ONE),
    "a partition backwards": ("query", ONE | {"ScanIndexForward": False, "Limit": 3}),
    "a page": ("query", ONE | START | {"Limit": 2}),
    "a range": ("query", BETWEEN),
    "a range from a key on": ("query", BETWEEN | START),
    "a range backwards": ("query", BETWEEN | START | {"ScanIndexForward": False}),
    "no such partition": ("query", ONE | {"ExpressionAttributeValues": {":pk": {"S": "none"}}}),
    "some attributes": (
        "query",
        ONE | {"ProjectionExpression": "sk, #number", "ExpressionAttributeNames": {"#number": "number"}},
    ),
    "attributes of every kind": ("query", ONE | {"ProjectionExpression": ", ".join(EVERY_KIND)}),
    "a part of an attribute": ("query", ONE | {"ProjectionExpression": "sk, map.deep"}),
    "a filter": ("query", ONE | {"FilterExpression": "attribute_exists(nothing)"}),
    "a count": ("query", ONE | {"Select": "COUNT"}),
    "more than a page": ("query", ONE | {"ExpressionAttributeValues": {":pk": {"S": "large"}}}),
    "an index": ("query", BY_OWNER | OF_ANNA),
    "an index backwards": ("query", BY_OWNER | OF_ANNA | {"ScanIndexForward": False, "Limit": 2}),
    "an index from a key on": (
        "query",
        BY_OWNER
        | OF_ANNA
        | {"ExclusiveStartKey": {"pk": {"S": "p1"}, "sk": {"S": "0002"}, "owner": {"S": "anna"}, "at": {"S": "2"}}},
    ),
    "no such index": ("query", ONE | {"IndexName": "other"}),
    "a consistent index": ("query", BY_OWNER | OF_ANNA | {"ConsistentRead": True}),
    "a scan": ("scan", {}),
    "an item": ("get_item", {"Key": {"pk": {"S": "p1"}, "sk": {"S": "0000"}}}),
    "no item": ("get_item", {"Key": {"pk": {"S": "p1"}, "sk": {"S": "none"}}}),
    "capacity": ("query", ONE | {"Limit": 1, "ReturnConsumedCapacity": "INDEXES"}),
    "an update": (
        "update_item",
        {
            "Key": {"pk": {"S": "p1"}, "sk": {"S": "0001"}},
            "UpdateExpression": "SET #number = :one",
            "ExpressionAttributeNames": {"#number": "number"},
            "ExpressionAttributeValues": {":one": {"N": "1.0"}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    "a condition": (
        "put_item",
        {"Item": {"pk": {"S": "p1"}, "sk": {"S": "0001"}}, "ConditionExpression": "attribute_not_exists(pk)"},
    ),
}  # fmt: skip


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="records",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "owner", "at")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_owner",
                    "KeySchema": [
                        {"AttributeName": "owner", "KeyType": "HASH"},
                        {"AttributeName": "at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["number", "map"]},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        for partition in ("p2", "p1", "p10"):
            for number in (7, 1, 0, 5, 2, 3, 9, 4, 8, 6):
                more = {"number": {"N": NUMBERS[number % len(NUMBERS)]}} | (EVERY_KIND if number == 0 else {})
                if number % 3 == 0 or number == 2:
                    more |= {"owner": {"S": "anna" if number else "ben"}, "at": {"S": str(number % 2)}}
                client.put_item(TableName="records", Item={"pk": {"S": partition}, "sk": {"S": f"{number:04}"}} | more)
        for number in range(4):
            item = {"pk": {"S": "large"}, "sk": {"S": str(number)}, "text": {"S": "x" * 300_000}}
            client.put_item(TableName="records", Item=item)
        yield client


@pytest.mark.parametrize("name", REQUESTS)
def test_an_answer_is_the_same_to_the_byte(name: str, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, request = REQUESTS[name]
    stock = _bodies(dynamodb, operation, request)
    for owner, attribute in ((Table, "query"), (Item, "__deepcopy__"), (Item, "project")):
        monkeypatch.setattr(owner, attribute, getattr(owner, attribute))  # restored at the end
    monkeypatch.setitem(SERVICE_SPECIFIC_SERIALIZERS, "dynamodb", {})
    dynamodb_answers.install()
    assert _bodies(dynamodb, operation, request) == stock
    assert stock


def test_answers_do_not_show_later_changes(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, attribute in ((Table, "query"), (Item, "__deepcopy__"), (Item, "project")):
        monkeypatch.setattr(owner, attribute, getattr(owner, attribute))
    monkeypatch.setitem(SERVICE_SPECIFIC_SERIALIZERS, "dynamodb", {})
    dynamodb_answers.install()
    before = dynamodb.query(TableName="records", **ONE)["Items"]
    projected = dynamodb.query(TableName="records", **BY_OWNER, **OF_ANNA)["Items"]
    assert all("text" not in item for item in projected)
    assert dynamodb.query(TableName="records", **ONE)["Items"] == before
    backup = dynamodb.create_backup(TableName="records", BackupName="before")["BackupDetails"]["BackupArn"]
    dynamodb.delete_item(TableName="records", Key={"pk": {"S": "p1"}, "sk": {"S": "0000"}})
    dynamodb.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)
    assert dynamodb.query(TableName="restored", **ONE)["Items"] == before


def _bodies(client: Any, operation: str, request: dict[str, Any]) -> list[bytes]:
    """The answer to a request, and to those for further pages."""
    bodies: list[bytes] = []

    def note(response_dict: dict[str, Any], **_: Any) -> None:
        bodies.append(response_dict["body"])

    client.meta.events.register("before-parse.dynamodb", note)
    try:
        answer = getattr(client, operation)(TableName="records", **request)
        if "LastEvaluatedKey" in answer and "Limit" not in request:
            getattr(client, operation)(
                TableName="records", **request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            )
    except client.exceptions.ClientError:
        pass
    finally:
        client.meta.events.unregister("before-parse.dynamodb", note)
    return bodies
