"""Where results of earlier runs are found again: one item for each owner and content of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from epsm.store import attributes, keys
from epsm.store.batch_requests import put_items, read_items
from epsm.store.conditional import write_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class KeptResult:
    """A variant that has succeeded, and its files.

    Attributes:
        simulation_id, index: The variant.
        etags: The ETag of each of its files that is an object of its own, by name.
        expires_at: When its study's records expire, seconds since 1970.
        pack, pack_etag: Name and ETag of the pack with its other files; empty if there is none.
    """

    simulation_id: str
    index: int
    etags: Mapping[str, str]
    expires_at: int
    pack: str = ""
    pack_etag: str = ""

    @property
    def variant(self) -> tuple[str, int]:
        """Simulation and index of the variant."""
        return self.simulation_id, self.index


class KeptResults:
    """Finds results by the content of the run, among those of one owner alone.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table

    def find_all(self, owner: str, content_keys: Sequence[str]) -> dict[str, KeptResult]:
        """The results of runs with these contents, none given twice, as they were noted last; the files of a result may
        be gone since."""
        item_keys = [keys.kept_result_key(owner, content_key) for content_key in content_keys]
        found = {item[keys.PARTITION_KEY]: _kept_result(item) for item in read_items(self._table, item_keys)}
        return {
            content_key: found[key[keys.PARTITION_KEY]]
            for content_key, key in zip(content_keys, item_keys, strict=True)
            if key[keys.PARTITION_KEY] in found
        }

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
        item = _item(owner, content_key, result)
        write_if(self._table.put_item, Item=item, **condition)

    def note_all(self, owner: str, results: Mapping[str, KeptResult]) -> None:
        """Note results by the content of their runs; they replace those that were noted before."""
        put_items(self._table, (_item(owner, content_key, result) for content_key, result in results.items()))


def _item(owner: str, content_key: str, result: KeptResult) -> dict[str, Any]:
    return {
        **keys.kept_result_key(owner, content_key),
        "simulation_id": result.simulation_id,
        "variant_index": result.index,
        "etags": dict(result.etags),
        **({"pack": result.pack, "pack_etag": result.pack_etag} if result.pack else {}),
        attributes.EXPIRES_AT: result.expires_at,
    }


def _kept_result(item: Mapping[str, Any]) -> KeptResult:
    return KeptResult(
        item["simulation_id"],
        int(item["variant_index"]),
        item["etags"],
        int(item[attributes.EXPIRES_AT]),
        item.get("pack", ""),
        item.get("pack_etag", ""),
    )
