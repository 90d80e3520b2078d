"""The header Idempotency-Key: one response for a repeated request, and never for another caller's."""

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from epsm.api.description import app
from epsm.api.routes import submit
from tests.unit.fakes import MemoryStack


class Memory(BasePersistenceLayer):
    """What Powertools remembers, without a table."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        try:
            return self.kept[idempotency_key]
        except KeyError:
            raise IdempotencyItemNotFoundError from None

    def _put_record(self, data_record: DataRecord) -> None:
        if data_record.idempotency_key in self.kept:
            raise IdempotencyItemAlreadyExistsError
        self.kept[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.kept[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        self.kept.pop(data_record.idempotency_key)


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    memory = Memory()
    submit._submitter_of.cache_clear()
    monkeypatch.setattr(submit, "DynamoDBPersistenceLayer", lambda *_, **__: memory)
    yield memory
    submit._submitter_of.cache_clear()


@pytest.fixture(autouse=True)
def owners(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The owners of the studies that were submitted."""
    submitted: list[str] = []

    def submit_from_request(stack: Any, document: Any, sent: Any, owner: str, limits: Any) -> Any:
        submitted.append(owner)
        return SimpleNamespace(simulation_id=f"study-{len(submitted)}", models=1, variants=1)

    monkeypatch.setattr(submit, "submit_from_request", submit_from_request)
    return submitted


def post(subject: str, key: str) -> str:
    """The simulation that the answer to a subject's request names."""
    http = {"method": "POST", "path": "/api/simulation/run/", "sourceIp": "", "protocol": "", "userAgent": ""}
    claims = {"iss": "https://idp", "sub": subject}
    event = {
        "version": "2.0",
        "rawPath": "/api/simulation/run/",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "idempotency-key": key},
        "requestContext": {
            "authorizer": {"jwt": {"claims": claims}},
            "http": http,
            "stage": "$default",
            "requestId": "1",
        },
        "body": json.dumps({"study": {}}),
        "isBase64Encoded": False,
    }
    app.append_context(stack=MemoryStack())
    context: Any = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 1_000)
    answer = app.resolve(event, context)
    assert answer["statusCode"] == 202, answer["body"]
    return str(json.loads(answer["body"])["simulation_id"])


def test_a_repeated_request_starts_nothing(owners: list[str]) -> None:
    assert post("anna", "monday") == post("anna", "monday") == "study-1"
    assert len(owners) == 1


def test_a_request_is_remembered_for_a_day(memory: Memory) -> None:
    before = int(time.time())
    post("anna", "monday")
    (record,) = memory.kept.values()
    assert record.expiry_timestamp is not None
    assert before <= record.expiry_timestamp - 86_400 <= time.time()


def test_another_key_or_caller_starts_a_study(owners: list[str]) -> None:
    assert [post("anna", "monday"), post("anna", "tuesday"), post("ben", "monday")] == ["study-1", "study-2", "study-3"]


def test_a_name_and_a_key_are_not_mistaken_for_others_that_read_alike(owners: list[str]) -> None:
    assert [post("anna", "of monday"), post("anna of", "monday")] == ["study-1", "study-2"]
    assert owners == ["jwt:https://idp#anna", "jwt:https://idp#anna of"]
