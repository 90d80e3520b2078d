"""Who calls the API, and what is theirs.

API Gateway has checked who it is, by IAM or by a token; here it is only read. A study belongs to whoever submitted it:
nobody else sees, changes or downloads it but administrators. To everybody else it is as if it did not exist.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epsm.store.records import StudyRecord

_GROUP_CLAIMS = ("cognito:groups", "groups", "roles")


class Unknown(Exception):
    """The request does not say who calls; API Gateway should never let it through."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        name: What studies are owned by: ``iam:<ARN>`` or ``jwt:<issuer>#<subject>``.
        administrator: Whether everything is theirs to see and to change.
    """

    name: str
    administrator: bool = False

    @property
    def only(self) -> str | None:
        """Whose studies a list for the caller holds; None for everybody's."""
        return None if self.administrator else self.name

    def may_use(self, record: StudyRecord) -> bool:
        """Whether a study is the caller's. One that is nobody's is the administrators' alone."""
        return self.administrator or (record.owner != "" and record.owner == self.name)


def caller_of(request_context: Mapping[str, Any], administrators: Sequence[str]) -> Caller:
    """The caller, from the `requestContext` that API Gateway passes on.

    Args:
        request_context: Of a payload in format 2.0.
        administrators: ARNs of IAM users or roles, or names of groups in tokens.

    Raises:
        Unknown: If neither IAM nor a token says who it is.
    """
    authorizer = request_context.get("authorizer") or {}
    if arn := (authorizer.get("iam") or {}).get("userArn"):
        return Caller(f"iam:{arn}", bool({arn, _role_of(arn)} & set(administrators)))
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if claims.get("iss") and claims.get("sub"):
        groups = {group for claim in _GROUP_CLAIMS for group in _listed(claims.get(claim))}
        return Caller(f"jwt:{claims['iss']}#{claims['sub']}", bool(groups & set(administrators)))
    raise Unknown("the request carries neither an IAM identity nor a token with 'iss' and 'sub'")


def _role_of(arn: str) -> str:
    """The role of an assumed-role session, as IAM writes it; any other ARN unchanged.

    >>> _role_of("arn:aws:sts::123456789012:assumed-role/Modellers/anna@example.org")
    'arn:aws:iam::123456789012:role/Modellers'
    """
    start, found, rest = arn.partition(":assumed-role/")
    if not found:
        return arn
    return f"{start.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}"


def _listed(claim: Any) -> list[str]:
    """A claim with several values: API Gateway passes it on as the text ``[one two]``."""
    if isinstance(claim, str):
        return claim.strip("[]").split()
    return [str(each) for each in claim or ()]
