"""Names of owners: the identity of a caller with AWS credentials, as far as callers cannot choose it.

The session name of an assumed role is an argument of `sts:AssumeRole`: a principal that may assume the role can use a
colleague's name, unless the role's trust policy demands a certain one (condition key `sts:RoleSessionName`). So
sessions of one role are one owner, but for roles of which it is known that their session names are true. The name of a
federated user is an argument of `sts:GetFederationToken` in the same way.

The path of a role is in its own ARN but not in those of its sessions. A role's name is unique in its account without
the path, so owners are named without it.
"""

import re
from collections.abc import Collection

IAM = "iam:"
"""Prefix of the owner's name for a caller with AWS credentials, before its ARN."""

_SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/.+")
_ROLE = re.compile(r"(?P<start>arn:[^:]+:iam::\d{12}:role)/(?:.+/)?(?P<name>[^/]+)")
_FEDERATED = re.compile(r"(?P<start>arn:[^:]+:sts::\d{12}:federated-user)/.+")
_OF_IDENTITY_CENTER = re.compile(r"AWSReservedSSO_.+_[0-9a-f]{16}")
"""Roles that IAM Identity Center makes, one for each permission set: only it may assume them (by SAML), and it gives
the user's name as the session name."""


def without_path(arn: str) -> str:
    """The ARN of a role without its path; any other ARN unchanged.

    >>> without_path("arn:aws:iam::123456789012:role/teams/energy/Modellers")
    'arn:aws:iam::123456789012:role/Modellers'
    """
    found = _ROLE.fullmatch(arn)
    return f"{found['start']}/{found['name']}" if found else arn


def role_of(arn: str) -> str:
    """The role of an assumed-role session, without path; any other ARN unchanged.

    >>> role_of("arn:aws:sts::123456789012:assumed-role/Modellers/anna@example.org")
    'arn:aws:iam::123456789012:role/Modellers'
    """
    found = _SESSION.fullmatch(arn)
    return f"arn:{found['partition']}:iam::{found['account']}:role/{found['role']}" if found else arn


def owner_of(arn: str, trusted_session_roles: Collection[str] = ()) -> str:
    """The owner name of a caller.

    Args:
        arn: The caller, as API Gateway names it (`userArn`).
        trusted_session_roles: ARNs of the roles whose session names cannot be chosen freely.

    >>> owner_of("arn:aws:sts::123456789012:assumed-role/Modellers/anna")
    'iam:arn:aws:iam::123456789012:role/Modellers'
    >>> role = "arn:aws:iam::123456789012:role/teams/Modellers"
    >>> owner_of("arn:aws:sts::123456789012:assumed-role/Modellers/anna", [role])
    'iam:arn:aws:sts::123456789012:assumed-role/Modellers/anna'
    """
    session = _SESSION.fullmatch(arn)
    if session and not (
        _OF_IDENTITY_CENTER.fullmatch(session["role"]) or role_of(arn) in set(map(without_path, trusted_session_roles))
    ):
        return f"{IAM}{role_of(arn)}"
    federated = _FEDERATED.fullmatch(arn)
    return f"{IAM}{federated['start'] if federated else without_path(arn)}"


def owns(caller: str, owner: str) -> bool:
    """Whether an owner in a record is the caller.

    Records older than this rule name sessions as their owners. Such a record is every session's of the role where
    session names can be chosen: each could have taken that name at any time.

    Args:
        caller: Name of the caller; empty for none.
        owner: Owner in a record; empty for none.

    >>> session = "iam:arn:aws:sts::123456789012:assumed-role/Modellers/anna"
    >>> owns("iam:arn:aws:iam::123456789012:role/Modellers", session), owns(session, session)
    (True, True)
    """
    if not owner or not caller:
        return False
    return caller == owner or (owner.startswith(IAM) and caller == owner_without_session(owner))


def owner_without_session(owner: str) -> str:
    """The owner shared by all callers that could have chosen this name; the name itself if it cannot be chosen."""
    return owner_of(role_of(owner.removeprefix(IAM))) if owner.startswith(IAM) else owner
