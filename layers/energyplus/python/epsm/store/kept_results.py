"""Where results of earlier runs are found again: one item for each owner and content of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from epsm.store import attributes, keys
from epsm.store.conditional import write_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class KeptResult:
    """A variant that has succeeded, and its files.

    Attributes:
        simulation_id, index: The variant.
        etags: The ETag of each of its files by name, result.json among them.
        expires_at: When its study's records expire, seconds since 1970.
    """

    simulation_id: str
    index: int
    etags: Mapping[str, str]
    expires_at: int


class KeptResults:
    """Finds results by the content of the run, among those of one owner alone.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table

    def find(self, owner: str, content_key: str) -> KeptResult | None:
        """The result of a run with that content, as it was noted last; its files may be gone since."""
        item = self._table.get_item(Key=keys.kept_result_key(owner, content_key)).get("Item")
        if item is None:
            return None
        plain: dict[str, Any] = dict(item)
        return KeptResult(
            plain["simulation_id"], int(plain["variant_index"]), plain["etags"], int(plain[attributes.EXPIRES_AT])
        )

    def note(self, owner: str, content_key: str, result: KeptResult, *, unless_longer: bool = False) -> None:
        """Note a result; it replaces the one that was noted before.

        Args:
            owner: The owner of its study.
            content_key: Content of the run.
            result: The result.
            unless_longer: Leave one that was noted before and expires later.
        """
        condition: Any = {}
        if unless_longer:
            absent = f"attribute_not_exists({keys.PARTITION_KEY})"
            condition = {
                "ConditionExpression": f"{absent} OR {attributes.EXPIRES_AT} <= :expires_at",
                "ExpressionAttributeValues": {":expires_at": result.expires_at},
            }
        item: dict[str, Any] = {
            **keys.kept_result_key(owner, content_key),
            "simulation_id": result.simulation_id,
            "variant_index": result.index,
            "etags": dict(result.etags),
            attributes.EXPIRES_AT: result.expires_at,
        }
        write_if(self._table.put_item, Item=item, **condition)
