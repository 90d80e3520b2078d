"""An object in S3 as a file of which only the parts that are read are transferred."""

import io
from typing import IO, TYPE_CHECKING, cast

from epsm.store.s3_errors import not_found

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TAIL_BYTES = 256 * 1024
"""End of the object that is transferred at once: a Parquet file begins there, and a small object is complete."""


def open_ranged(s3: "S3Client", bucket: str, key: str) -> IO[bytes]:
    """An object, read by ranges of the version that it has now.

    Raises:
        NotFound: If there is no such object.
    """
    with not_found(bucket, key):
        answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{TAIL_BYTES}")
    tail = answer["Body"].read()
    size = int(answer["ContentRange"].rpartition("/")[2])
    if len(tail) == size:
        return io.BytesIO(tail)
    return cast("IO[bytes]", _RangedObject(s3, bucket, key, answer["ETag"], size, tail))


class _RangedObject(io.RawIOBase):
    def __init__(self, s3: "S3Client", bucket: str, key: str, etag: str, size: int, tail: bytes) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._etag = etag
        self._size = size
        self._tail = tail
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._at + size, self._size)
        content = self._range(self._at, end) if end > self._at else b""
        self._at += len(content)
        return content

    def _range(self, start: int, end: int) -> bytes:
        in_tail = start - (self._size - len(self._tail))
        if in_tail >= 0:
            return self._tail[in_tail : in_tail + end - start]
        answer = self._s3.get_object(
            Bucket=self._bucket, Key=self._key, Range=f"bytes={start}-{end - 1}", IfMatch=self._etag
        )
        return answer["Body"].read()
