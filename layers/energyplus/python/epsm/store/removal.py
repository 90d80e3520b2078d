"""Deleting objects from S3 permanently, in batches."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from epsm.store import keys
from epsm.study.schema import MANIFEST_NAME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef, ObjectTypeDef, ObjectVersionTypeDef

BATCH = 1000
"""Maximum number of objects that S3 deletes, or lists, with one request."""


_AT_A_TIME = 4
"""Requests in flight, each for up to 1,000 objects; S3 accepts 3,500 deletions a second below a prefix, and boto3
repeats a request that it throttles."""


class NotRemoved(Exception):
    """S3 did not delete an object."""


class OutOfTime(Exception):
    """The function's time is too short for the rest, which a further call removes."""


def measure_prefix(s3: "S3Client", bucket: str, prefix: str) -> tuple[int, int]:
    """Number and total bytes of the objects below a prefix."""
    sizes = [entry["Size"] for page in _pages(s3, bucket, prefix) for entry in page]
    return len(sizes), sum(sizes)


def clear(s3: "S3Client", bucket: str, prefix: str, check_time: Callable[[], None] = lambda: None) -> tuple[int, int]:
    """Delete every object below a prefix of an unversioned bucket; returns their number and total bytes.

    Args:
        s3: A boto3 S3 client.
        bucket: The bucket.
        prefix: The prefix.
        check_time: Called before each request; raises `OutOfTime`.

    Raises:
        NotRemoved: If S3 refuses one; some may be deleted by then.
        OutOfTime: If `check_time` raises it; some are deleted by then.
    """
    number = size = 0
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        requests: deque[Future[None]] = deque()
        for page in _pages(s3, bucket, prefix):
            check_time()
            if len(requests) == _AT_A_TIME:
                requests.popleft().result()
            requests.append(pool.submit(_delete, s3, bucket, [{"Key": entry["Key"]} for entry in page]))
            number += len(page)
            size += sum(entry["Size"] for entry in page)
        for request in requests:
            request.result()
    return number, size


def delete_versions(s3: "S3Client", bucket: str, versions: Sequence[tuple[str, str]]) -> None:
    """Delete exactly these versions, given as key and version id; one that no longer exists is skipped.

    Raises:
        NotRemoved: If S3 refuses one; some may be deleted by then.
    """
    for start in range(0, len(versions), BATCH):
        batch = versions[start : start + BATCH]
        _delete(s3, bucket, [{"Key": key, "VersionId": version} for key, version in batch])


def orphaned_uploads(
    s3: "S3Client", bucket: str, before: datetime
) -> Iterator[tuple[str, list["ObjectVersionTypeDef"]]]:
    """Folders of API submissions without a study.json, with their versions (orphaned uploads).

    Args:
        s3: A boto3 S3 client.
        bucket: The inputs bucket.
        before: Folders with a later upload are skipped, as they may be incomplete.
    """
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=keys.HOMES)
    versions = (version for page in pages for version in page.get("Versions", []))
    for folder, group in groupby(versions, key=lambda version: keys.owned_study_folder(version["Key"])):
        found = list(group)
        if not folder or any(version["Key"] == f"{folder}{MANIFEST_NAME}" for version in found):
            continue
        if all(version["LastModified"] < before for version in found):
            yield folder, found


def _pages(s3: "S3Client", bucket: str, prefix: str) -> Iterator[list["ObjectTypeDef"]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        if objects := page.get("Contents"):
            yield objects


def _delete(s3: "S3Client", bucket: str, objects: Sequence["ObjectIdentifierTypeDef"]) -> None:
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    if errors := answer.get("Errors"):
        first = errors[0]
        where = f"s3://{bucket}/{first.get('Key', '')}"
        raise NotRemoved(f"{where}: {first.get('Code', '')}: {first.get('Message', '')}; {len(errors)} not removed")
