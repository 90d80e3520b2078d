"""Checks of the context values that are texts: names, addresses, ARNs, owners, images."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.config import Config

BASE_IMAGE = "python:3.13-slim-trixie@sha256:ffb752e139c0a19692a43af8d8523b274222dd68eebad5d583b45c2201c6e30a"
"""Python 3.13.15 on Debian 13, for all platforms. docs/deploying.md says how to renew it."""

LOG_RETENTION_DAYS = {
    1: "ONE_DAY", 3: "THREE_DAYS", 5: "FIVE_DAYS", 7: "ONE_WEEK", 14: "TWO_WEEKS", 30: "ONE_MONTH", 60: "TWO_MONTHS",
    90: "THREE_MONTHS", 120: "FOUR_MONTHS", 150: "FIVE_MONTHS", 180: "SIX_MONTHS", 365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS", 545: "EIGHTEEN_MONTHS", 731: "TWO_YEARS", 1096: "THREE_YEARS", 1827: "FIVE_YEARS",
    2192: "SIX_YEARS", 2557: "SEVEN_YEARS", 2922: "EIGHT_YEARS", 3288: "NINE_YEARS", 3653: "TEN_YEARS",
}  # fmt: skip
"""CloudWatch's retention steps and their names in the CDK (PutRetentionPolicy in the CloudWatch Logs API reference)."""

_MAX_STAGE = 47
"""The longest derived name is a function's, `epsm-<stage>-run-variant`; Lambda allows 64 characters."""
_STAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(\.[^\s@,;<>.]+)+")
_ISSUER = re.compile(r"https://[^\s/?#,]+(/[^\s?#,]*)?")
_IAM_CALLER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)/[\w+=,.@/-]+)")
_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/([\w+=,.@-]+)/[\w+=,.@-]+")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_OWNER_OF_TOKEN = re.compile(r"jwt:[^\s#]+#\S.*")
_PINNED_IMAGE = re.compile(r"[a-z0-9][\w./:-]*@sha256:[0-9a-f]{64}")
_MAX_CHARACTERS = 1500
"""Maximum for each list: all variables of a function together are limited to 4 KB."""


def texts_faults(config: "Config") -> Iterator[tuple[str, str]]:
    """Each invalid text: the key, its fault and the allowed values."""
    if not _STAGE.fullmatch(config.stage) or len(config.stage) > _MAX_STAGE:
        allowed = f"1 to {_MAX_STAGE} letters, digits and hyphens, no hyphen at an end"
        yield "stage", f"'{config.stage}' does not fit into the names of resources; allowed are {allowed}"
    if config.notify_email and not _EMAIL.fullmatch(config.notify_email):
        yield "notify_email", f"'{config.notify_email}' is not one e-mail address, like anna@example.org"
    if config.jwt_issuer and not _ISSUER.fullmatch(config.jwt_issuer):
        yield "jwt_issuer", f"'{config.jwt_issuer}' is not an address that begins with https://"
    if config.jwt_issuer and not config.jwt_audiences:
        yield "jwt_issuer", "needs jwt_audience, the audience of its tokens"
    if config.jwt_audience and not config.jwt_issuer:
        yield "jwt_audience", "has no effect without jwt_issuer"
    if not _PINNED_IMAGE.fullmatch(config.base_image):
        yield "base_image", f"'{config.base_image}' has no digest; allowed is name:tag@sha256:<64 hex digits>"
    for key in ("jwt_audience", "administrators", "trusted_session_roles", "bucket_owner"):
        if (length := len(getattr(config, key))) > _MAX_CHARACTERS:
            yield key, f"has {length:,} characters, at most {_MAX_CHARACTERS:,} fit"
    yield from _caller_faults(config)


def _caller_faults(config: "Config") -> Iterator[tuple[str, str]]:
    """Names of callers that no caller can have, or that any caller could choose."""
    for administrator in listed(config.administrators):
        if config.jwt_issuer:
            if administrator.startswith("arn:"):
                yield "administrators", f"'{administrator}' is an ARN; with jwt_issuer, groups in tokens are needed"
        elif not _IAM_CALLER.fullmatch(administrator):
            allowed = "that of an IAM user or role; groups need jwt_issuer"
            yield "administrators", f"'{administrator}' is not such an ARN; allowed is {allowed}"
    for role in listed(config.trusted_session_roles):
        if config.jwt_issuer:
            yield "trusted_session_roles", "has no effect with jwt_issuer"
            break
        if not _ROLE.fullmatch(role):
            yield "trusted_session_roles", f"'{role}' is not the ARN of an IAM role"
    owner = config.bucket_owner
    if not owner or _OWNER_OF_TOKEN.fullmatch(owner):
        return
    arn = owner.removeprefix("iam:")
    if owner == arn or not (_IAM_CALLER.fullmatch(arn) or _SESSION.fullmatch(arn)):
        allowed = "iam:<ARN of a user, role or session> or jwt:<issuer>#<subject>"
        yield "bucket_owner", f"'{owner}' is not an owner; allowed is {allowed}"
    elif _SESSION.fullmatch(arn) and config.owner_of_uploads != owner:
        reason = "callers of the role can choose this session name"
        yield "bucket_owner", f"'{owner}': {reason}; name the role, or list it in trusted_session_roles"


def listed(text: str) -> list[str]:
    """The non-empty parts of a comma-separated text, stripped of blanks."""
    return [part.strip() for part in text.split(",") if part.strip()]
