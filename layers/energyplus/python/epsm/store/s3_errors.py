"""What S3's errors mean."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from epsm.errors import NotFound

CHANGED = "PreconditionFailed"


def is_absent(error: ClientError) -> bool:
    """Whether S3 reports that an object or version does not exist."""
    return error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404")


def is_missing(error: ClientError) -> bool:
    """Whether there is no such object, or no longer the one with that ETag; a HEAD has no body, so only the status.

    A worker may not list the bucket. To such a caller, S3 answers 403 instead of 404 for an object that does not exist
    ("Permissions" of GetObject in the Amazon S3 API Reference).
    """
    return is_absent(error) or error.response["Error"]["Code"] in (CHANGED, "412", "AccessDenied", "403")


@contextmanager
def not_found(bucket: str, key: str, means: Callable[[ClientError], bool] = is_absent) -> Iterator[None]:
    """Turns the errors of S3 that mean that an object is missing into `NotFound`.

    Args:
        bucket, key: The object.
        means: Which errors; by default those of an object that does not exist.
    """
    try:
        yield
    except ClientError as error:
        if means(error):
            raise NotFound(f"s3://{bucket}/{key}") from error
        raise
