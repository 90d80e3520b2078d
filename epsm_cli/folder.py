"""A study in a folder on disk: checking it before anything is sent, and uploading it."""

import getpass
import hashlib
import io
import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from epsm.checks.study import Accepted, take_in, with_hashes
from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.problems import Problem, StudyRejected
from epsm.study.manifest import Source
from epsm.study.schema import MANIFEST_NAME, Limits
from epsm_cli.target import Target

_HASH_KEY = "sha256"


class FolderOnDisk:
    """The files of a study on disk; an `epsm.checks.study.StudyFiles`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.place = str(folder)

    def paths(self) -> dict[str, Path]:
        """Every file below the folder by its path in it, Unicode NFC."""
        return {
            unicodedata.normalize("NFC", path.relative_to(self._folder).as_posix()): path
            for path in sorted(self._folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(self._folder).parts)
        }

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        return {name: path.stat().st_size for name, path in self.paths().items()}

    def read(self, name: str) -> bytes | None:
        path = self.paths().get(name)
        return None if path is None else path.read_bytes()


def check_folder(folder: Path, max_variants: int, memory_mb: int = DEFAULT_MEMORY_MB) -> Accepted:
    """Check a study on disk as the stack will check it.

    Args:
        folder: The study's folder.
        max_variants: Largest study that the stack accepts.
        memory_mb: Memory of the stack's functions that run variants, MiB.

    Raises:
        StudyRejected: With every fault.
    """
    manifest = folder / MANIFEST_NAME
    if not manifest.is_file():
        raise StudyRejected([Problem(str(folder), f"holds no {MANIFEST_NAME}", "the folder of a study")])
    return take_in(manifest.read_bytes(), FolderOnDisk(folder), Limits(max_variants, variant_memory_mb=memory_mb))


def upload(folder: Path, accepted: Accepted, target: Target, report: Callable[[str, int], None]) -> Source:
    """Upload a study: first what it reads, study.json last, because that starts it.

    Files that are there already with the same content are not sent again. study.json gets the hashes of what was
    checked, so that another upload to the same folder at the same time changes nothing.

    Args:
        folder: The study's folder.
        accepted: What `check_folder` found.
        target: Where to.
        report: Called with a file's name and the bytes that were sent of it.

    Returns:
        The study.json as it was uploaded.

    Raises:
        StudyRejected: If a file has changed since it was checked.
    """
    s3 = target.client("s3")
    # Two people's folders of the same name must not mix.
    prefix = f"{_user()}/{folder.resolve().name}/"
    files = FolderOnDisk(folder)
    body = with_hashes((folder / MANIFEST_NAME).read_bytes(), accepted.hashes)
    for name, sha256 in accepted.hashes.items():
        content = files.read(name) or b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StudyRejected([Problem(name, "has changed since it was checked", "the study submitted again")])
        _put(
            s3,
            target.stack.settings.inputs_bucket,
            prefix + name,
            content,
            sha256,
            partial(report, name),
        )
    key = prefix + MANIFEST_NAME
    answer = s3.put_object(
        Bucket=target.stack.settings.inputs_bucket, Key=key, Body=body, ContentType="application/json"
    )
    report(MANIFEST_NAME, len(body))
    return Source(bucket=target.stack.settings.inputs_bucket, key=key, version_id=answer["VersionId"])


def _user() -> str:
    try:
        return getpass.getuser().replace("/", "-")
    except (KeyError, OSError):  # a user without an entry in passwd, as in a container
        return f"uid-{os.getuid()}"


def _put(s3: Any, bucket: str, key: str, content: bytes, sha256: str, report: Callable[[int], None]) -> None:
    try:
        present = s3.head_object(Bucket=bucket, Key=key)["Metadata"].get(_HASH_KEY)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "403"):
            raise
        present = None
    if present == sha256:
        report(len(content))
        return
    extra = {"Metadata": {_HASH_KEY: sha256}}
    s3.upload_fileobj(io.BytesIO(content), bucket, key, ExtraArgs=extra, Callback=report)
