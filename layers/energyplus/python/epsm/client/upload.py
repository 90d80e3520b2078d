"""Uploading a study that has been checked to the inputs bucket."""

import getpass
import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from epsm.client.connection import Connection
from epsm.client.folder import FolderOnDisk
from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.compute import Compute
from epsm.study.hashed_document import with_hashes
from epsm.study.manifest import Source
from epsm.study.parsing import load_document
from epsm.study.schema import MANIFEST_NAME

if TYPE_CHECKING:
    from epsm.checks.study_files import StudyFiles

_HASH_KEY = "sha256"
_MAX_IN_ONE_REQUEST = 2 * 2**20
"""Larger files are uploaded by boto3's transfer manager, which starts threads for each, and reports in between."""


def upload(
    folder: Path,
    hashes: Mapping[str, str],
    connection: Connection,
    report: Callable[[str, int], None],
    *,
    cache: bool = True,
    compute: Compute | None = None,
) -> Source:
    """Upload a study in a folder; see `upload_files`.

    Args:
        folder: The study's folder.
        hashes: Of its files, from `check_folder`.
        connection: The stack.
        report: Called with a file's name and the number of its bytes sent.
        cache: False to run every variant, whatever study.json says.
        compute: Where variants run; None for what study.json says.
    """
    document = (folder / MANIFEST_NAME).read_bytes()
    changed = ({} if cache else {"cache": False}) | ({"compute": compute} if compute else {})
    if changed:
        content = load_document(document)
        document = json.dumps(content | {"options": {**content.get("options", {}), **changed}}).encode()
    return upload_files(document, FolderOnDisk(folder), folder.resolve().name, hashes, connection, report)


def upload_files(
    document: bytes,
    files: "StudyFiles",
    name: str,
    hashes: Mapping[str, str],
    connection: Connection,
    report: Callable[[str, int], None],
) -> Source:
    """Upload a study: its files first, study.json last, because that starts it.

    Files that exist with the same content are not uploaded again. study.json gets the hashes of the checked files, so
    that a concurrent upload to the same folder has no effect.

    Args:
        document: The content of study.json.
        files: The files beside it.
        name: Name of the study's folder in the bucket.
        hashes: SHA-256, hexadecimal, of each file, from checking both.
        connection: The stack.
        report: Called with a file's name and the number of its bytes sent.

    Returns:
        The study.json as it was uploaded.

    Raises:
        StudyRejected: If a file has changed since it was checked.
    """
    s3, bucket = connection.client("s3"), connection.stack.settings.inputs_bucket
    # Folders of the same name from different users must not mix.
    prefix = f"{_user()}/{name}/"
    body = with_hashes(document, hashes)
    for path, sha256 in hashes.items():
        content = files.read(path) or b""
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StudyRejected([Problem(path, "has changed since it was checked", "the study submitted again")])
        _put(s3, bucket, prefix + path, content, sha256, partial(report, path))
    key = prefix + MANIFEST_NAME
    answer = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    report(MANIFEST_NAME, len(body))
    return Source(bucket=bucket, key=key, version_id=answer["VersionId"])


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
    metadata = {_HASH_KEY: sha256}
    if len(content) <= _MAX_IN_ONE_REQUEST:
        s3.put_object(Bucket=bucket, Key=key, Body=content, Metadata=metadata)
        report(len(content))
    else:
        s3.upload_fileobj(io.BytesIO(content), bucket, key, ExtraArgs={"Metadata": metadata}, Callback=report)
