"""Reads of what was just written are strongly consistent: others may lack the last second's writes."""

from typing import Any

import pytest

from epsm.store.accounts import Account, Accounts
from epsm.store.records import Records
from tests.unit.fakes import fake
from tests.unit.store.study_items import FOREVER, ended


class Replica:
    """A table whose eventually consistent reads have none of its items yet."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    def get_item(self, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._table.get_item(**request)
        return answer if request.get("ConsistentRead") else {}

    def query(self, **request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._table.query(**request)
        return answer if request.get("ConsistentRead") else answer | {"Items": []}


@pytest.fixture
def replica(table: Any) -> Any:
    return fake(Replica(table))


def test_a_study_is_read_as_it_was_written(replica: Any) -> None:
    assert Records(replica).create_or_get_study("a", "Office", {}).name == "Office"


def test_variants_are_read_as_they_were_written(replica: Any) -> None:
    records = Records(replica)
    records.finish_variant("a", ended(0), FOREVER)

    assert records.variant("a", 0) is not None
    assert [variant.index for variant in records.variants("a")] == [0]
    assert records.succeeded_indices("a") == {0}


def test_an_account_is_read_as_it_was_written(replica: Any) -> None:
    accounts = Accounts(replica)
    accounts.write("anna", Account(spent_usd=1.0))

    assert accounts.read("anna").spent_usd == 1.0
