"""Callers of the API and their access to studies.

API Gateway has authenticated the caller, by IAM or by a token; here the identity is only read. A study belongs to its
submitter: only the submitter and administrators see, change or download it. To others it does not exist.
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
    """The request has no identity; API Gateway should never pass such a request on."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    Attributes:
        name: Name as an owner: ``iam:<ARN>``, of an assumed role without its session (`epsm.study.owners`), or
            ``jwt:<issuer>#<subject>``.
        administrator: Whether the caller may see and change all studies.
    """

    name: str
    administrator: bool = False

    @property
    def only(self) -> str | None:
        """The owner whose studies a list for the caller holds; None for all studies."""
        return None if self.administrator else self.name

    def may_use(self, record: StudyRecord) -> bool:
        """Whether the caller may use a study. Only administrators may use studies without an owner."""
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
        trusted_session_roles: ARNs of roles whose session names callers cannot choose.

    Raises:
        Unknown: If the request has neither an IAM identity nor a token.
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
    """The caller's groups."""
    return {group for name in _GROUP_CLAIMS for group in _listed(claims.get(name), token.get(name))}


def _listed(claim: Any, in_token: Any) -> list[str]:
    """The groups of a claim.

    API Gateway passes an array on as a text, ``[one two]``, in which one group ``HVAC admins`` cannot be
    distinguished from two. So the array is taken from the token itself, and only if it yields exactly the text that API
    Gateway has verified. Otherwise a text with blanks counts as no group at all: no one becomes
    administrator by a guess.

    >>> _listed("[HVAC admins]", ["HVAC admins"]), _listed("[admins]", None), _listed("[HVAC admins]", None)
    (['HVAC admins'], ['admins'], [])
    """
    if not isinstance(claim, str):
        return [str(group) for group in claim or ()]
    if isinstance(in_token, list) and claim == f"[{' '.join(map(str, in_token))}]":
        return [str(group) for group in in_token]
    if in_token == claim:
        return [claim]
    text = claim[1:-1] if claim.startswith("[") and claim.endswith("]") else claim
    return [text] if text and not _BLANK.search(text) else []


def _claims_in(authorization: str) -> Mapping[str, Any]:
    """Claims of the token in an Authorization header, unverified; none if it cannot be read."""
    found = _TOKEN.fullmatch(authorization.strip())
    if found is None:
        return {}
    part = found.group(1)
    try:
        claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
