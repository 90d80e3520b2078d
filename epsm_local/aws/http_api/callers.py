"""Callers of an HTTP API, and authorization.

No signature is checked, neither of a request nor of a token. So every caller can act as any user; tests use this to act
as several users.
"""

import base64
import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from moto.apigatewayv2.models import Authorizer
from moto.sts.models import sts_backends

from epsm_local.aws.session import ACCOUNT, OWNER

_SIGNED = re.compile(r"AWS4-HMAC-SHA256 .*Credential=(?P<key>[\w-]+)/")


class Refused(Exception):
    """The gateway refuses a request.

    Attributes:
        status: HTTP status.
        headers: Headers of the response, in addition to the message.
    """

    def __init__(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


def signed_by(headers: Mapping[str, str]) -> dict[str, Any]:
    """The caller of a route with IAM authorization: the role or user of the signing access key, or the local owner.

    Raises:
        Refused: If the Authorization header has anything but a signature (SigV4).
    """
    key = OWNER
    if "authorization" in headers:
        signed = _SIGNED.match(headers["authorization"])
        if signed is None:
            raise Refused(403, "Forbidden")
        key = signed["key"]
    session = sts_backends[ACCOUNT]["aws"].get_assumed_role_from_access_key(key)
    user_id = session.user_id if session else key
    return {
        "iam": {
            "accessKey": key,
            "accountId": ACCOUNT,
            "callerId": user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": session.arn if session else f"arn:aws:iam::{ACCOUNT}:user/{key}",
            "userId": user_id,
        }
    }


def bearer(
    headers: Mapping[str, str], authorizer: Authorizer, wanted_scopes: Collection[str], now: datetime
) -> dict[str, Any]:
    """The caller of a route with a JWT authorizer.

    Args:
        headers: Headers of the request.
        authorizer: From moto: issuer and audiences.
        wanted_scopes: The token must have one of them, if any are required.
        now: Time of the request.

    Raises:
        Refused: If the token is missing, is not for this API, is not valid now, or lacks the scopes.
    """
    try:
        claims = _claims(headers.get("authorization", ""))
        _check(claims, authorizer.jwt_config, now.timestamp())
    except (ValueError, TypeError):
        raise Refused(401, "Unauthorized", ("www-authenticate", "Bearer")) from None
    scopes = _words(claims.get("scp", claims.get("scope")))
    if wanted_scopes and not set(wanted_scopes) & set(scopes):
        raise Refused(403, "Forbidden")
    texts = {name: _claim_text(value) for name, value in claims.items()}
    return {"jwt": {"claims": texts, "scopes": scopes if wanted_scopes else None}}


def _claims(authorization: str) -> dict[str, Any]:
    """The token's claims.

    Raises:
        ValueError: If it is not a JWT.
    """
    token = re.sub(r"^Bearer +", "", authorization, flags=re.IGNORECASE)
    _header, payload, _signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if not isinstance(claims, dict):
        raise ValueError("the claims of a token must be an object")
    return claims


def _check(claims: Mapping[str, Any], config: Mapping[str, Any], now: float) -> None:
    """Raise ValueError, or TypeError for an invalid time, unless a token is for this API and valid now."""
    audience = claims.get("aud", claims.get("client_id"))
    if claims.get("iss") != config["issuer"]:
        raise ValueError("another issuer")
    if not set(audience if isinstance(audience, list) else [audience]) & set(config["audience"]):
        raise ValueError("another audience")
    if not max(claims.get("nbf", 0), claims.get("iat", 0)) <= now < claims.get("exp", 0):
        raise ValueError("not valid now")


def _words(value: Any) -> list[str]:
    """The words of a claim, which is a list of words or a text."""
    return [str(word) for word in value] if isinstance(value, list) else str(value or "").split()


def _claim_text(value: Any) -> str:
    """A claim as API Gateway passes it: always a text; a list in brackets, without commas."""
    if isinstance(value, list):
        return f"[{' '.join(_claim_text(element) for element in value)}]"
    return value if isinstance(value, str) else json.dumps(value)
