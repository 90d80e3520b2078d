"""Running studies and spending of owners, for limits: one item per owner, written with a version check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from epsm.store import keys
from epsm.store.conditional import write_if

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


@dataclass(frozen=True, slots=True)
class Claim:
    """A study that counts against its owner's limits until it has ended.

    Attributes:
        attempt: Attempt of the study.
        made_at: When it was claimed, ISO 8601, UTC.
        reserved_usd: Its expected cost.
        cost_before_usd: Cost of its earlier attempts.
    """

    attempt: int
    made_at: str
    reserved_usd: float
    cost_before_usd: float

    @property
    def month(self) -> str:
        """The month in which its cost counts, UTC, such as ``2026-11``."""
        return self.made_at[:7]


@dataclass(frozen=True, slots=True)
class Account:
    """Running studies and spending of an owner.

    Attributes:
        version: Version of the item; 0 if it does not exist.
        month: The month of `spent_usd`.
        spent_usd: Cost of the ended studies of that month.
        claims: The studies not yet known to have ended, by simulation.
    """

    version: int = 0
    month: str = ""
    spent_usd: float = 0.0
    claims: Mapping[str, Claim] = field(default_factory=dict)


class Accounts:
    """The items.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table

    def read(self, owner: str) -> Account:
        """An owner's account; an empty one if there is none."""
        item: dict[str, Any] | None = self._table.get_item(Key=_key(owner), ConsistentRead=True).get("Item")
        if item is None:
            return Account()
        claims = {name: _claim(claim) for name, claim in item["claims"].items()}
        return Account(int(item["version"]), item["month"], float(item["spent_usd"]), claims)

    def write(self, owner: str, account: Account) -> bool:
        """Replace the item that `account` was read from; False, and nothing written, if it has changed since."""
        item: dict[str, Any] = {
            **_key(owner),
            "version": account.version + 1,
            "month": account.month,
            "spent_usd": _number(account.spent_usd),
            "claims": {
                name: {
                    "attempt": claim.attempt,
                    "made_at": claim.made_at,
                    "reserved_usd": _number(claim.reserved_usd),
                    "cost_before_usd": _number(claim.cost_before_usd),
                }
                for name, claim in account.claims.items()
            },
        }
        return write_if(
            self._table.put_item,
            Item=item,
            ConditionExpression=f"attribute_not_exists({keys.PARTITION_KEY}) OR version = :seen",
            ExpressionAttributeValues={":seen": account.version},
        )


def _key(owner: str) -> dict[str, str]:
    return {keys.PARTITION_KEY: keys.owner_partition(owner), keys.SORT_KEY: keys.ACCOUNT_SORT_KEY}


def _claim(item: Mapping[str, Any]) -> Claim:
    return Claim(int(item["attempt"]), item["made_at"], float(item["reserved_usd"]), float(item["cost_before_usd"]))


def _number(amount: float) -> Decimal:
    return Decimal(repr(round(amount, 9)))
