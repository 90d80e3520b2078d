"""The inputs bucket: uploads by EPSM itself."""

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from epsm.store import keys
from epsm.store.files import OWNER_METADATA
from epsm.study.manifest import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 3600
"""Validity of a presigned upload."""


class InputsBucket:
    """The bucket.

    Args:
        s3: A boto3 S3 client.
        name: Name of the bucket.
    """

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self.name = name

    def put(self, key: str, content: bytes) -> None:
        """Write a file that a study reads."""
        self._s3.put_object(Bucket=self.name, Key=key, Body=content)

    def put_study(self, key: str, document: bytes, owner: str = "") -> Source:
        """Write a study.json, which starts the study.

        Args:
            key: Its key.
            document: Its content.
            owner: The submitter; empty for none.

        Returns:
            The version that was written.
        """
        about: dict[str, Any] = {"Metadata": {OWNER_METADATA: quote(owner)}} if owner else {}  # metadata are ASCII
        answer = self._s3.put_object(Bucket=self.name, Key=key, Body=document, ContentType="application/json", **about)
        return Source(bucket=self.name, key=key, version_id=str(answer["VersionId"]))

    def copy(self, key: str, to: str) -> None:
        """Copy a file inside the bucket."""
        self._s3.copy_object(Bucket=self.name, Key=to, CopySource={"Bucket": self.name, "Key": key})

    def copy_study(self, source: Source) -> Source:
        """Write a version of a study.json again, which restarts the study."""
        copied = self._s3.copy_object(
            Bucket=source.bucket,
            Key=source.key,
            CopySource={"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id},
        )
        return Source(bucket=source.bucket, key=source.key, version_id=str(copied["VersionId"]))

    def presigned_upload(self, key: str, sha256: str, size_bytes: int) -> tuple[str, Mapping[str, str]]:
        """URL and headers for the upload of a file by PUT. S3 refuses any other content.

        Args:
            key: Its key.
            sha256: SHA-256 of the content, hexadecimal.
            size_bytes: Size of the content.
        """
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        url = self._s3.generate_presigned_url(
            "put_object",
            Params={"Bucket": self.name, "Key": key, "ChecksumSHA256": checksum, "ContentLength": size_bytes},
            ExpiresIn=UPLOAD_SECONDS,
        )
        return url, {"x-amz-checksum-sha256": checksum}

    def look(self) -> None:
        """Check that the bucket exists.

        Raises:
            botocore.exceptions.ClientError: If it does not answer.
        """
        self._s3.head_bucket(Bucket=self.name)


def simulation_of(source: Source) -> str:
    """Name of the simulation that an uploaded study.json starts."""
    return keys.simulation_id(source.bucket, source.key, source.version_id)
