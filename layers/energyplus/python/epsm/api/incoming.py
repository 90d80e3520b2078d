"""A study that comes with a request: check it at once, and put it into the inputs bucket, study.json last.

From there it goes the way of every upload; its simulation has its name before the first event has arrived.
"""

import base64
import hashlib
import json
import posixpath
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from epsm.checks.budget import check_budget, measured_run_times
from epsm.checks.order import check_order
from epsm.checks.study import take_in, with_hashes
from epsm.pipeline.owner_limits import NO_LIMITS, OverLimit, OwnerLimits, expected_cost_usd
from epsm.problems import Problem, StudyRejected
from epsm.store import keys
from epsm.store.files import OWNER_METADATA, Files, NotThere
from epsm.store.records import Records
from epsm.study.records import StudyRecord
from epsm.study.schema import MANIFEST_NAME, Limits

Given = TypeVar("Given")
Got = TypeVar("Got")

UPLOAD_SECONDS = 3600
"""How long a presigned upload may be used."""
_LONGEST_KEY_BYTES = 1024
_AT_A_TIME = 10
"""As many connections as a boto3 client keeps."""


class SentFiles(Protocol):
    """Files that belong to a request; an `epsm.checks.study.StudyFiles` that can also be put beside the study.json."""

    place: str

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]: ...
    def read(self, name: str) -> bytes | None: ...
    def sha256(self, name: str) -> str: ...
    def put(self, name: str, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A study that was taken in.

    Attributes:
        simulation_id: Name of its simulation.
        models: Number of models.
        variants: Number of variants.
    """

    simulation_id: str
    models: int
    variants: int


class FilesInRequest:
    """Files that were sent in the body of the request."""

    def __init__(self, s3: Any, bucket: str, contents: Mapping[str, bytes]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._contents = contents
        self.place = "the request"

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        return {name: len(content) for name, content in self._contents.items()}

    def read(self, name: str) -> bytes | None:
        return self._contents.get(name)

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self._contents[name]).hexdigest()

    def put(self, name: str, key: str) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=self._contents[name])


class FilesUploadedBefore:
    """Files that the caller uploaded before, named by their hash.

    Args:
        files: The store.
        s3: A boto3 S3 client.
        bucket: The inputs bucket.
        owner: The caller: only their own files can be named.
        hashes: For each path in the study the SHA-256 of the file, hexadecimal.
    """

    def __init__(self, files: Files, s3: Any, bucket: str, owner: str, hashes: Mapping[str, str]) -> None:
        self._files = files
        self._s3 = s3
        self._bucket = bucket
        self._hashes = {unicodedata.normalize("NFC", name): sha256 for name, sha256 in hashes.items()}
        self._keys = {name: keys.stored_file_key(owner, sha256) for name, sha256 in self._hashes.items()}
        self.place = "the files uploaded before"

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        sizes = _all_at_once(lambda key: self._files.size(self._bucket, key), self._keys.values())
        return {name: size for name, size in zip(self._keys, sizes, strict=True) if size is not None}

    def read(self, name: str) -> bytes | None:
        try:
            content, found = self._files.read(self._bucket, self._keys[name])
        except (NotThere, KeyError):
            return None
        if found.sha256 != self._hashes[name]:
            what = f"is stored with the SHA-256 {found.sha256}"
            raise StudyRejected([Problem(name, what, f"{self._hashes[name]}: upload it again")])
        return content

    def sha256(self, name: str) -> str:
        """The hash that was given; empty where none was."""
        return self._hashes.get(name, "")

    def put(self, name: str, key: str) -> None:
        self._s3.copy_object(Bucket=self._bucket, Key=key, CopySource={"Bucket": self._bucket, "Key": self._keys[name]})


def receive(
    document: bytes,
    sent: SentFiles,
    owner: str,
    *,
    s3: Any,
    records: Records,
    bucket: str,
    limits: Limits,
    memory_mb: int,
    owner_limits: OwnerLimits = NO_LIMITS,
) -> Received:
    """Check a study and start it on its way.

    Args:
        document: The content of study.json.
        sent: The files it names.
        owner: Who sends it.
        s3: A boto3 S3 client.
        records: The table.
        bucket: The inputs bucket.
        limits: What to accept at most.
        memory_mb: Memory of the function that runs a variant.
        owner_limits: Holds owners to their limits.

    Raises:
        StudyRejected: With every fault; nothing has been stored.
        OverLimit: If it is more than the owner may.
    """
    accepted = take_in(document, sent, limits, lambda study: check_order(study, records.study, owner))
    if too_dear := check_budget(accepted.study, sent.sha256, records.run_time, memory_mb):
        raise StudyRejected(too_dear)
    run_times = accepted.run_times | measured_run_times(accepted.study, sent.sha256, records.run_time)
    expected_usd = expected_cost_usd(accepted.study, run_times, memory_mb)
    owner_limits.check(owner, expected_usd)
    document = with_hashes(document, accepted.hashes)
    folder = _folder_name(accepted.study.name)
    key = keys.owned_study_key(owner, uuid.uuid4().hex, folder)
    places = {name: posixpath.join(posixpath.dirname(key), name) for name in accepted.inputs}
    _check_places(places)
    _all_at_once(lambda each: sent.put(*each), places.items())
    answer = s3.put_object(
        Bucket=bucket,
        Key=key,
        Body=document,
        ContentType="application/json",
        Metadata={OWNER_METADATA: quote(owner)},  # metadata are ASCII
    )
    source = {"bucket": bucket, "key": key, "version_id": str(answer["VersionId"])}
    simulation = keys.simulation_id(bucket, key, source["version_id"])
    # Submit would write it too, a moment later: whoever asks at once should find it.
    record = records.claim_study(simulation, accepted.study.name or folder, source, owner)
    claim_or_reject(owner_limits, records, record, expected_usd)
    return Received(simulation, len(accepted.study.models), accepted.study.variant_count)


def claim_or_reject(owner_limits: OwnerLimits, records: Records, record: StudyRecord, expected_usd: float) -> None:
    """Count a new study against its owner's limits; of two at once the second may be one too many only now.

    Raises:
        OverLimit: If it is; the study has ended as rejected.
    """
    try:
        owner_limits.claim(record, expected_usd)
    except OverLimit as over:
        records.reject_study(record.simulation_id, over.problems)
        raise


def _check_places(places: Mapping[str, str]) -> None:
    """Refuse files that cannot lie in the bucket beside the study.json."""
    problems = []
    for name, key in places.items():
        if posixpath.basename(name) == MANIFEST_NAME:
            # Put there, it would start a study of its own, and nobody's.
            problems.append(Problem(name, "is what a study is called; no model can read it", "another name"))
        elif len(key.encode()) > _LONGEST_KEY_BYTES:
            problems.append(Problem(name, "has too long a name to be stored", "a shorter one"))
    if problems:
        raise StudyRejected(problems)


def _folder_name(name: str) -> str:
    plain = re.sub(r"[^\w .+-]+", "-", unicodedata.normalize("NFC", name)).strip(" .-")
    return plain[:60] or "study"


def study_of_files(models: Mapping[str, bytes], weather: Mapping[str, bytes], name: str) -> bytes:
    """A study.json for models and weather that came without one: every model with every weather, nothing varied."""
    return json.dumps({"name": name, "models": list(models), "weather": list(weather)}, ensure_ascii=False).encode()


def with_names_of_their_own(sent: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Files by the last part of their names; a second ``office.idf`` becomes ``office-2.idf``."""
    named: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    for given, content in sent:
        last = unicodedata.normalize("NFC", given.replace("\\", "/")).rpartition("/")[2]
        path = PurePosixPath("unnamed" if last in ("", ".", "..") else last)
        name, wanted = path.name, path.name.casefold()
        while name.casefold() in numbers:
            numbers[wanted] += 1
            name = f"{path.stem}-{numbers[wanted]}{path.suffix}"
        numbers[name.casefold()] = 1
        named[name] = content
    return named


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that a caller wants to upload.

    Attributes:
        name: Its path in the study.
        sha256: Hash of its content.
        present: Whether it is there already.
        url, headers: Where and how to PUT it; empty where it is there.
    """

    name: str
    sha256: str
    present: bool
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def presign_uploads(
    wanted: Mapping[str, str], sizes: Mapping[str, int], owner: str, *, files: Files, s3: Any, bucket: str
) -> list[Upload]:
    """Where to upload files: by content, so that the same EPW is uploaded once.

    The signature covers hash and length: S3 refuses anything else under that name.

    Args:
        wanted: For each path in the study the SHA-256 of the file, hexadecimal.
        sizes: Their sizes, bytes.
        owner: Who uploads.
        files: The store.
        s3: A boto3 S3 client.
        bucket: The inputs bucket.
    """
    uploads = []
    places = {name: keys.stored_file_key(owner, sha256) for name, sha256 in wanted.items()}
    present = _all_at_once(lambda key: files.size(bucket, key), places.values())
    for (name, key), size in zip(places.items(), present, strict=True):
        sha256 = wanted[name]
        if size == sizes[name]:
            uploads.append(Upload(name, sha256, present=True))
            continue
        checksum = _base64_of(sha256)
        url = s3.generate_presigned_url(
            "put_object",
            Params={"Bucket": bucket, "Key": key, "ChecksumSHA256": checksum, "ContentLength": sizes[name]},
            ExpiresIn=UPLOAD_SECONDS,
        )
        uploads.append(Upload(name, sha256, False, url, {"x-amz-checksum-sha256": checksum}))
    return uploads


def _all_at_once(ask: Callable[[Given], Got], each: Iterable[Given]) -> list[Got]:
    """Ask S3 about several files side by side: one after the other, a hundred take longer than a caller waits."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(ask, each))


def _base64_of(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
