"""Writing many items of the table with few requests."""

from typing import Any

from epsm.store.batch_requests import put_items
from tests.unit.fakes import fake


class BusyClient:
    """Processes the first item of each request."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.sizes: list[int] = []

    def batch_write_item(self, *, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's names
        first, *others = RequestItems["table"]
        self.sizes.append(1 + len(others))
        self.written.append(first["PutRequest"]["Item"]["number"])
        return {"UnprocessedItems": {"table": others} if others else {}}


class BusyTable:
    """A table whose partition is throttled."""

    name = "table"

    def __init__(self) -> None:
        self.client = BusyClient()
        self.meta = self


def test_items_that_were_not_processed_are_sent_again_after_longer_and_longer_waits() -> None:
    table, waits_s = BusyTable(), list[float]()

    put_items(fake(table), [{"number": number} for number in range(30)], sleep=waits_s.append)

    assert sorted(table.client.written) == list(range(30))
    assert max(table.client.sizes) == 25
    assert len(waits_s) == 24 + 4
    assert waits_s[:3] == [0.05, 0.1, 0.2]
    assert max(waits_s) == 2.0
