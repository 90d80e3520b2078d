"""Writing the results of a study so that an earlier attempt does not replace those of a later one.

A study that was cancelled may be rerun while its results are still being collected. Each object has the attempt in its
metadata, and is replaced only if it is still the one whose attempt was read (conditional writes of Amazon S3).
"""

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from epsm.store.s3_errors import CHANGED, is_absent, is_missing

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPT = "epsm-attempt"
_MAX_WRITES = 10
_CHANGED_MEANWHILE = (CHANGED, "ConditionalRequestConflict", "412")
_PART_BYTES = 16 * 2**20
_MAX_PARTS = 10_000
_PARTS_AT_A_TIME = 4


class CollectedFiles:
    """Objects of the results bucket that the end of a study writes.

    Args:
        s3: A boto3 S3 client.
        bucket: The results bucket.
        attempt: The attempt of the study that has ended.
    """

    def __init__(self, s3: "S3Client", bucket: str, attempt: int) -> None:
        self._s3: Any = s3
        self._bucket = bucket
        self._attempt = attempt

    def put(self, key: str, content: bytes | Path, content_type: str) -> bool:
        """Write an object; False, and nothing written, if a later attempt has written it.

        Args:
            key: Its key.
            content: Its content, or a file with it; a large one is uploaded in parts.
            content_type: Its media type.

        Raises:
            botocore.exceptions.ClientError: If S3 refuses the write.
        """
        large = isinstance(content, Path) and content.stat().st_size > _PART_BYTES
        # In a first attempt, there is rarely such an object; large files are not uploaded before that is known.
        expected: Mapping[str, str] | None = {"IfNoneMatch": "*"}
        if self._attempt > 1 or large:
            expected = self._expected(key)
        for number in range(_MAX_WRITES):
            if expected is None:
                return False
            try:
                self._write(key, content, content_type, expected)
            except ClientError as error:
                has_changed = error.response["Error"]["Code"] in _CHANGED_MEANWHILE or is_absent(error)
                if not has_changed or number == _MAX_WRITES - 1:
                    raise
            else:
                return True
            expected = self._expected(key)
        raise AssertionError("the last attempt returns or raises")

    def _expected(self, key: str) -> Mapping[str, str] | None:
        """Condition of a write: the present object is replaced, or there is none; None if it must not be replaced."""
        try:
            present = self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if not is_missing(error):
                raise
            return {"IfNoneMatch": "*"}
        # Releases without this metadata did not compare attempts either.
        if int(present["Metadata"].get(_ATTEMPT, "1")) > self._attempt:
            return None
        return {"IfMatch": present["ETag"]}

    def _write(self, key: str, content: bytes | Path, content_type: str, expected: Mapping[str, str]) -> None:
        where = {"Bucket": self._bucket, "Key": key}
        properties = {"ContentType": content_type, "Metadata": {_ATTEMPT: str(self._attempt)}}
        if isinstance(content, Path) and content.stat().st_size > _PART_BYTES:
            self._write_in_parts(content, where, properties, expected)
            return
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as body:
            self._s3.put_object(**where, **properties, **expected, Body=body)

    def _write_in_parts(
        self, path: Path, where: dict[str, str], properties: dict[str, Any], expected: Mapping[str, str]
    ) -> None:
        size = path.stat().st_size
        part_bytes = max(_PART_BYTES, -(-size // _MAX_PARTS))
        upload = {**where, "UploadId": self._s3.create_multipart_upload(**where, **properties)["UploadId"]}

        def send(number: int) -> dict[str, Any]:
            with path.open("rb") as file:
                file.seek((number - 1) * part_bytes)
                answer = self._s3.upload_part(**upload, PartNumber=number, Body=file.read(part_bytes))
            return {"PartNumber": number, "ETag": answer["ETag"]}

        try:
            with ThreadPoolExecutor(_PARTS_AT_A_TIME) as pool:
                parts = list(pool.map(send, range(1, -(-size // part_bytes) + 1)))
            self._s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **expected)
        except BaseException:
            with suppress(ClientError):  # the bucket drops unfinished uploads after two days
                self._s3.abort_multipart_upload(**upload)
            raise
