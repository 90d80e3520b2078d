"""Who calls the API, and what is theirs.

API Gateway has checked who it is, by IAM or by a token; here it is only read. A study belongs to whoever submitted it:
nobody else sees, changes or downloads it but administrators. To everybody else it is as if it did not exist.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epsm.study.owners import owner_of, owns, role_of, without_path
from epsm.study.records import StudyRecord

_GROUP_CLAIMS = ("cognito:groups", "groups", "roles")
_BLANK = re.compile(r"\s")
_TOKEN = re.compile(r"(?:Bearer +)?[\w-]+\.([\w-]+)\.[\w-]+", re.ASCII | re.IGNORECASE)


class Unknown(Exception):
    """The request does not say who calls; API Gateway should never let it through."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        name: What studies are owned by: ``iam:<ARN>``, of an assumed role without its session (`epsm.study.owners`), or
            ``jwt:<issuer>#<subject>``.
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
        return self.administrator or owns(self.name, record.owner)


def caller_of(
    request_context: Mapping[str, Any],
    administrators: Sequence[str],
    authorization: str = "",
    trusted_session_roles: Sequence[str] = (),
) -> Caller:
    """The caller, from the `requestContext` that API Gateway passes on.

    Args:
        request_context: Of a payload in format 2.0.
        administrators: ARNs of IAM users or roles, or names of groups in tokens.
        authorization: The request's header of that name, whose token API Gateway has verified.
        trusted_session_roles: ARNs of the roles whose session names cannot be chosen freely.

    Raises:
        Unknown: If neither IAM nor a token says who it is.
    """
    authorizer = request_context.get("authorizer") or {}
    if arn := (authorizer.get("iam") or {}).get("userArn"):
        is_administrator = bool({arn, role_of(arn)} & set(map(without_path, administrators)))
        return Caller(owner_of(arn, trusted_session_roles), is_administrator)
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if claims.get("iss") and claims.get("sub"):
        groups = _groups(claims, _claims_in(authorization))
        return Caller(f"jwt:{claims['iss']}#{claims['sub']}", bool(groups & set(administrators)))
    raise Unknown("the request carries neither an IAM identity nor a token with 'iss' and 'sub'")


def _groups(claims: Mapping[str, Any], token: Mapping[str, Any]) -> set[str]:
    """The groups that a caller is in."""
    return {group for name in _GROUP_CLAIMS for group in _listed(claims.get(name), token.get(name))}


def _listed(claim: Any, in_token: Any) -> list[str]:
    """The groups of a claim.

    API Gateway passes an array on as a text, ``[one two]``, in which one group ``HVAC admins`` cannot be told from two.
    So the array is taken from the token itself, and only if it gives the very text that API Gateway has verified.
    Without it a text with blanks counts as no group at all: nobody becomes an administrator by a guess.

    >>> _listed("[HVAC admins]", ["HVAC admins"]), _listed("[admins]", None), _listed("[HVAC admins]", None)
    (['HVAC admins'], ['admins'], [])
    """
    if not isinstance(claim, str):
        return [str(group) for group in claim or ()]
    if isinstance(in_token, list) and claim == f"[{' '.join(map(str, in_token))}]":
        return [str(group) for group in in_token]
    if in_token == claim:
        return [claim]
    whole = claim[1:-1] if claim.startswith("[") and claim.endswith("]") else claim
    return [whole] if whole and not _BLANK.search(whole) else []


def _claims_in(authorization: str) -> Mapping[str, Any]:
    """What the token in an Authorization header says, unverified; nothing where it cannot be read."""
    found = _TOKEN.fullmatch(authorization.strip())
    if found is None:
        return {}
    part = found.group(1)
    try:
        claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
