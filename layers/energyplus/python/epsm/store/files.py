"""Objects in S3: the study's inputs and the run's results."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from epsm.store import keys
from epsm.store.collected_files import CollectedFiles
from epsm.store.ranged import open_ranged
from epsm.store.s3_errors import CHANGED, is_absent, is_missing, not_found
from epsm.study.budgets import STORED
from epsm.study.manifest import ObjectRef, RunManifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OWNER_METADATA = "epsm-owner"
"""Metadata key of a study.json submitted through the API: its owner."""


_MAX_IN_ONE_PART = 16 * 2**20
_BLOCK = 2**20
_GZIP = 31  # wbits of zlib: its largest window, in the format of gzip


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object, or a delete marker.

    Attributes:
        key, version_id: Key and version.
        bytes: Its size; 0 for a delete marker.
        modified: When it was written; S3 records it to the second.
        etag: Changes with the content; empty for a delete marker.
        deleted: Whether it is a delete marker.
        latest: Whether nothing has been written over it.
    """

    key: str
    version_id: str
    bytes: int
    modified: datetime
    etag: str
    deleted: bool
    latest: bool


def json_bytes(value: Any) -> bytes:
    """A JSON document as it is stored."""
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode()


def compress(path: Path) -> Path:
    """A gzipped copy of a file, beside it."""
    from isal import isal_zlib  # of the image: the other functions compress no files

    compressed = path.with_name(path.name + ".gz")
    # On EnergyPlus databases as small as zlib's level 1, or 2 % smaller, in a third to a quarter of its CPU time.
    packer = isal_zlib.compressobj(3, wbits=_GZIP)
    with path.open("rb") as source, compressed.open("wb") as target:
        while block := source.read(_BLOCK):
            target.write(packer.compress(block))
        target.write(packer.flush())
    return compressed


class Files:
    """S3 as this project uses it.

    Args:
        s3: A boto3 S3 client.
        results_bucket: Bucket that runs are written to.
    """

    def __init__(self, s3: "S3Client", results_bucket: str) -> None:
        self._s3 = s3
        self.results_bucket = results_bucket

    def list_study(self, bucket: str, prefix: str) -> dict[str, list[Version]]:
        """The versions of the files below a study's folder by their path in it, in Unicode NFC; the newest first."""
        found: dict[str, list[Version]] = {}
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            listed: dict[str, Any] = {**page}
            for kind in ("Versions", "DeleteMarkers"):
                for entry in listed.get(kind, []):
                    version = Version(
                        entry["Key"],
                        entry["VersionId"],
                        entry.get("Size", 0),
                        entry["LastModified"],
                        entry.get("ETag", ""),
                        deleted=kind == "DeleteMarkers",
                        latest=entry.get("IsLatest", False),
                    )
                    found.setdefault(unicodedata.normalize("NFC", entry["Key"][len(prefix) :]), []).append(version)
        # A stable sort: S3 lists the versions of a key newest first, also within one second; delete markers separately.
        return {
            name: sorted(entry, key=lambda one: (one.modified, one.latest), reverse=True)
            for name, entry in found.items()
        }

    def read_study(self, bucket: str, key: str, version_id: str) -> tuple[bytes, str]:
        """A study.json's content, and its owner if it was submitted through the API, else an empty text.

        Any writer to the bucket can set metadata: the owner is trusted only below the owner's own prefix, where the API
        alone can write.

        Raises:
            NotFound: If there is no such version.
        """
        answer = self._get(bucket, key, version_id)
        owner = unquote(answer.get("Metadata", {}).get(OWNER_METADATA, ""))
        return answer["Body"].read(), owner if owner and key.startswith(keys.home(owner)) else ""

    def _get(self, bucket: str, key: str, version_id: str | None) -> Any:
        which: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        with not_found(bucket, key):
            return self._s3.get_object(Bucket=bucket, Key=key, **which)

    def read(self, bucket: str, key: str, version_id: str | None = None) -> tuple[bytes, ObjectRef]:
        """An object's content, and a reference that pins it.

        Raises:
            NotFound: If there is no such object or version.
        """
        answer = self._get(bucket, key, version_id)
        content = answer["Body"].read()
        digest = hashlib.sha256(content).hexdigest()
        version = answer.get("VersionId", "null")
        return content, ObjectRef(bucket=bucket, key=key, version_id=version, sha256=digest, bytes=len(content))

    def fetch(self, ref: ObjectRef, target: Path) -> None:
        """Download a pinned object to a file, atomically.

        Raises:
            NotFound: If the object is gone.
            RuntimeError: If the downloaded content is not the pinned one.
        """
        content, found = self.read(ref.bucket, ref.key, None if ref.version_id == "null" else ref.version_id)
        if found.sha256 != ref.sha256:
            raise RuntimeError(f"s3://{ref.bucket}/{ref.key} has changed since the study was accepted")
        part = target.with_name(target.name + ".part")
        part.write_bytes(content)
        part.replace(target)

    def size(self, bucket: str, key: str) -> int | None:
        """Size of an object in bytes, None if it does not exist."""
        try:
            return int(self._s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
        except ClientError as error:
            if is_absent(error):
                return None
            raise

    def put_json(self, key: str, value: Any) -> str:
        """Write a JSON document; its ETag."""
        return self.put_bytes(key, json_bytes(value), "application/json")

    def put_bytes(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> str:
        """Write an object; its ETag."""
        answer = self._s3.put_object(Bucket=self.results_bucket, Key=key, Body=content, ContentType=content_type)
        return answer["ETag"]

    def put_text(self, key: str, text: str, content_type: str) -> None:
        self.put_bytes(key, text.encode(), content_type)

    def put_text_once(self, key: str, text: str, content_type: str) -> bool:
        """Write an object that does not exist yet; False, and nothing written, if it does."""
        return self.put_once(key, text.encode(), content_type)

    def put_once(self, key: str, content: bytes, content_type: str) -> bool:
        """Write an object that does not exist yet; False, and nothing written, if it does."""
        try:
            self._s3.put_object(
                Bucket=self.results_bucket, Key=key, Body=content, ContentType=content_type, IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != CHANGED:
                raise
            return False
        return True

    def collected(self, attempt: int) -> CollectedFiles:
        """Where the end of an attempt of a study writes its results."""
        return CollectedFiles(self._s3, self.results_bucket, attempt)

    def put_file(self, key: str, path: Path, content_type: str = "application/octet-stream") -> str:
        """Upload a file, a large one in parts; returns its ETag."""
        if path.stat().st_size <= _MAX_IN_ONE_PART:
            # boto3's transfer manager starts threads for every file: 10 ms, and a variant has several small ones.
            with path.open("rb") as body:
                answer = self._s3.put_object(Bucket=self.results_bucket, Key=key, Body=body, ContentType=content_type)
            return answer["ETag"]
        self._s3.upload_file(str(path), self.results_bucket, key, ExtraArgs={"ContentType": content_type})
        return self._s3.head_object(Bucket=self.results_bucket, Key=key)["ETag"]

    def put_file_compressed(self, key: str, path: Path) -> str:
        """Upload a file gzipped; its ETag. `key` should end in .gz."""
        compressed = compress(path)
        etag = self.put_file(key, compressed, "application/gzip")
        compressed.unlink()
        return etag

    def read_unchanged(self, key: str, etag: str) -> bytes:
        """A result object's content.

        Raises:
            NotFound: If it is gone, or is no longer the one with that ETag.
        """
        with not_found(self.results_bucket, key, is_missing):
            return self._s3.get_object(Bucket=self.results_bucket, Key=key, IfMatch=etag)["Body"].read()

    def copy_unchanged(self, key: str, etag: str, target: str) -> str:
        """Copy a result object within the bucket; the ETag of the copy.

        Raises:
            NotFound: If it is gone, or is no longer the one with that ETag.
        """
        source: Any = {"Bucket": self.results_bucket, "Key": key}
        with not_found(self.results_bucket, key, is_missing):
            self._s3.head_object(Bucket=self.results_bucket, Key=key, IfMatch=etag)
            # It may be removed in between.
            answer = self._s3.copy_object(Bucket=self.results_bucket, Key=target, CopySource=source)
        return answer["CopyObjectResult"]["ETag"]

    def presigned_download(self, key: str, seconds: int) -> str:
        """A presigned URL of a result object, valid for `seconds`."""
        url: str = self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.results_bucket, "Key": key}, ExpiresIn=seconds
        )
        return url

    def look(self) -> None:
        """Check that the results bucket exists.

        Raises:
            botocore.exceptions.ClientError: If it does not answer.
        """
        self._s3.head_bucket(Bucket=self.results_bucket)

    def open_result(self, key: str) -> IO[bytes]:
        """A result object as a stream.

        Raises:
            NotFound: If there is no such object.
        """
        with not_found(self.results_bucket, key):
            return self._s3.get_object(Bucket=self.results_bucket, Key=key)["Body"]  # type: ignore[return-value] # has all of it but writing

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """Bytes of a result object from `start` on; fewer at its end.

        Raises:
            NotFound: If there is no such object.
        """
        if not size:
            return b""
        with not_found(self.results_bucket, key):
            try:
                answer = self._s3.get_object(
                    Bucket=self.results_bucket, Key=key, Range=f"bytes={start}-{start + size - 1}"
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "InvalidRange":  # it ends before
                    raise
                return b""
        return answer["Body"].read()

    def open_ranged(self, key: str) -> IO[bytes]:
        """A result object as a file of which only the parts that are read are transferred.

        Raises:
            NotFound: If there is no such object.
        """
        return open_ranged(self._s3, self.results_bucket, key)

    def read_manifest(self, simulation: str) -> RunManifest:
        """The run's manifest.

        Raises:
            NotFound: If the run has none.
        """
        with self.open_result(keys.run_key(simulation, "manifest.json")) as stream:
            return RunManifest.model_validate_json(stream.read(), context=STORED)
