"""Faults of AWS and of this machine: whether they are transient, and one line for each known kind."""

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError

from epsm.errors import EpsmError, StackError
from epsm.store.executions import is_throttle

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
INVALID = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation", "403"})
_NOT_LOGGED_IN = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.NoAuthTokenError,
    aws.RefreshWithMFAUnsupportedError,
    aws.MetadataRetrievalError,
)
_EXPIRED_SSO = (aws.UnauthorizedSSOTokenError, aws.SSOTokenLoadError)
_NETWORK = (aws.HTTPClientError, aws.ConnectionError)
_SERVER = frozenset({"500", "502", "503", "504", "InternalError", "InternalFailure", "InternalServerError"})
_UNAVAILABLE = frozenset({"ServiceUnavailable", "ServiceUnavailableException", "SlowDown", "RequestTimeout"})
_RENEW = "renew your credentials (for instance with 'aws sso login') and try again"


def is_expired(error: BaseException) -> bool:
    """Whether credentials have expired or cannot be renewed."""
    return isinstance(error, (*_EXPIRED_SSO, *_NOT_LOGGED_IN)) or _code(error) in EXPIRED


def is_passing(error: BaseException) -> bool:
    """Whether a retry of the request may succeed: network, throttling, an error of the service."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return is_throttle(error) or status >= 500 or _code(error) in _SERVER | _UNAVAILABLE
    return isinstance(error, _NETWORK) and not isinstance(error, (aws.SSLError, aws.InvalidProxiesConfigError))


def line(error: BaseException) -> str | None:
    """A fault of a known kind in one line, with what to do; None for any other."""
    if isinstance(error, ClientError):
        return _aws_message(error)
    if isinstance(error, (EpsmError, Boto3Error)):
        return one_line(error)
    if isinstance(error, _EXPIRED_SSO):
        return f"Your AWS credentials have expired: {_RENEW}"
    if isinstance(error, aws.NoRegionError):
        return "No AWS region is set: set AWS_REGION, or a region in your AWS profile"
    if isinstance(error, aws.ProfileNotFound):
        return f"{one_line(error)}: check AWS_PROFILE and your AWS config file"
    if isinstance(error, aws.ConfigParseError):
        return f"Your AWS config file cannot be read: {one_line(error)}"
    if isinstance(error, _NOT_LOGGED_IN):
        return f"AWS credentials are not available: {one_line(error)}"
    if isinstance(error, _NETWORK):
        return f"The stack does not answer: {one_line(error)}"
    if isinstance(error, BotoCoreError):
        return one_line(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return None


def _aws_message(error: ClientError) -> str:
    code, message = _code(error), one_line(error)
    if is_throttle(error):
        return "AWS is throttling requests in this account; try again in a few seconds"
    if code in EXPIRED:
        return f"Your AWS credentials have expired: {_RENEW}"
    if code in INVALID:
        return f"AWS does not accept your credentials: {message}"
    if code in DENIED:
        return f"AWS denies access: {message}"
    return message


def _code(error: BaseException) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def one_line(error: BaseException) -> str:
    """The message of an error without line breaks; its type if the message is empty."""
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def stack_errors() -> Iterator[None]:
    """Convert faults of AWS to the library's exceptions.

    Raises:
        StackError: For each of them; the original one is its cause.
    """
    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise StackError(line(error) or one_line(error)) from error
