"""Where the results of a run are read from: a folder on disk, or S3."""

import io
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from epsm.errors import NotFound
from epsm.store import keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESULTS = "results.parquet"
_SERIES = re.compile(
    rf"(?:{keys.SERIES_FOLDER}part-([0-9]+)\.parquet|{keys.VARIANTS}([0-9]+)/{re.escape(keys.SERIES)})$"
)
"""The series of a variant; version 0.2.0 kept them with its other files."""


class ResultsSource(Protocol):
    """The files of a run, by their names in its folder."""

    def open(self, name: str) -> IO[bytes]:
        """A file.

        Raises:
            NotFound: If there is none of that name.
            StackError: If S3 refuses, or cannot be reached.
        """

    def open_partly(self, name: str) -> IO[bytes]:
        """A file of which only parts are read; raises what `open` does."""

    def series(self) -> dict[int, str]:
        """Names of the series of all variants, by index, in order."""

    def faults(self) -> AbstractContextManager[None]:
        """Raises `StackError` for faults of S3 that occur within, while a file is read partly."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Results on disk."""

    folder: Path

    def open(self, name: str) -> IO[bytes]:
        path = self.folder / name
        try:
            return path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{path} does not exist") from None

    def open_partly(self, name: str) -> IO[bytes]:
        return self.open(name)

    def series(self) -> dict[int, str]:
        patterns = (f"{keys.VARIANTS}*/{keys.SERIES}", f"{keys.SERIES_FOLDER}part-*.parquet")
        return _by_variant(
            path.relative_to(self.folder).as_posix() for pattern in patterns for path in self.folder.glob(pattern)
        )

    def faults(self) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass(frozen=True, slots=True)
class S3Source:
    """Results in S3.

    Attributes:
        s3: A boto3 S3 client.
        bucket: The bucket.
        prefix: The folder of the run, with its slash.
    """

    s3: "S3Client"
    bucket: str
    prefix: str

    def open(self, name: str) -> IO[bytes]:
        from epsm.store.files import Files

        with self.faults():
            return io.BytesIO(Files(self.s3, self.bucket).open_result(self.prefix + name).read())

    def open_partly(self, name: str) -> IO[bytes]:
        from epsm.store.ranged import open_ranged

        with self.faults():
            return open_ranged(self.s3, self.bucket, self.prefix + name)

    def series(self) -> dict[int, str]:
        with self.faults():
            return _by_variant(name for folder in (keys.VARIANTS, keys.SERIES_FOLDER) for name in self._names(folder))

    def faults(self) -> AbstractContextManager[None]:
        from epsm.client.aws_faults import stack_errors

        return stack_errors()

    def _names(self, folder: str) -> Iterator[str]:
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + folder):
            for entry in page.get("Contents", []):
                yield entry["Key"].removeprefix(self.prefix)


def source_of(place: str | Path) -> ResultsSource:
    """Results by their place, as `epsm.read_results` has it: a folder, `results.parquet` in it, or an s3:// URL."""
    if isinstance(place, str) and place.startswith("s3://"):
        import boto3

        url = urlsplit(place)
        folder = url.path.strip("/").removesuffix(RESULTS).strip("/")
        s3 = boto3.Session(region_name=os.environ.get("AWS_REGION") or None).client("s3")
        return S3Source(s3, url.netloc, f"{folder}/" if folder else "")
    path = Path(place)
    return FolderSource(path.parent if path.is_file() and path.name == RESULTS else path)


def _by_variant(names: Iterable[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for name in names:
        if match := _SERIES.match(name):
            found[int(match[1] or match[2])] = name
    return dict(sorted(found.items()))
