"""A study in a request: it is checked within the request, and uploaded to the inputs bucket, study.json last.

From there it is processed like every upload; the name of its simulation is known before the first event has arrived.
"""

import hashlib
import json
import posixpath
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Protocol, TypeVar

from epsm.checks.rules import Rules
from epsm.checks.study import check_study
from epsm.errors import NotFound, OverLimit, StudyRejected
from epsm.pipeline.owner_limits import NO_LIMITS, OwnerLimits, expected_cost_usd
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.inputs import InputsBucket, simulation_of
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.hashed_document import with_hashes
from epsm.study.records import StudyRecord
from epsm.study.schema import MANIFEST_NAME

Given = TypeVar("Given")
Got = TypeVar("Got")

_MAX_KEY_BYTES = 1024
_AT_A_TIME = 10
"""Number of connections in a boto3 client's pool."""


class SentFiles(Protocol):
    """Files of a request; an `epsm.checks.study_files.StudyFiles` that can also be stored beside the study.json."""

    place: str

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]: ...
    def read(self, name: str) -> bytes | None: ...
    def sha256(self, name: str) -> str: ...
    def put(self, name: str, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SubmittedStudy:
    """A study that was accepted.

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

    def __init__(self, inputs: InputsBucket, contents: Mapping[str, bytes]) -> None:
        self._inputs = inputs
        self._contents = contents
        self.place = "the request"

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        return {name: len(content) for name, content in self._contents.items()}

    def read(self, name: str) -> bytes | None:
        return self._contents.get(name)

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self._contents[name]).hexdigest()

    def put(self, name: str, key: str) -> None:
        self._inputs.put(key, self._contents[name])


class FilesUploadedBefore:
    """Files that the caller uploaded earlier, named by their hash.

    Args:
        stack: The stack that holds them.
        owner: The caller, who can name only their own files.
        hashes: For each path in the study the SHA-256 of the file, hexadecimal.
    """

    def __init__(self, stack: Stack, owner: str, hashes: Mapping[str, str]) -> None:
        self._files = stack.files
        self._inputs = stack.inputs
        self._hashes = {unicodedata.normalize("NFC", name): sha256 for name, sha256 in hashes.items()}
        self._keys = {name: keys.stored_file_key(owner, sha256) for name, sha256 in self._hashes.items()}
        self.place = "the files uploaded earlier"

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        sizes = _map_concurrently(lambda key: self._files.size(self._inputs.name, key), self._keys.values())
        return {name: size for name, size in zip(self._keys, sizes, strict=True) if size is not None}

    def read(self, name: str) -> bytes | None:
        try:
            content, found = self._files.read(self._inputs.name, self._keys[name])
        except (NotFound, KeyError):
            return None
        if found.sha256 != self._hashes[name]:
            fault = f"is stored with the SHA-256 {found.sha256}"
            raise StudyRejected([Problem(name, fault, f"{self._hashes[name]}: upload it again")])
        return content

    def sha256(self, name: str) -> str:
        """The hash in the request; empty if there is none."""
        return self._hashes.get(name, "")

    def put(self, name: str, key: str) -> None:
        self._inputs.copy(self._keys[name], key)


def submit_from_request(
    stack: Stack, document: bytes, sent: SentFiles, owner: str, owner_limits: OwnerLimits = NO_LIMITS
) -> SubmittedStudy:
    """Check a study and submit it.

    Args:
        stack: The stack that is to run it.
        document: The content of study.json.
        sent: The files it names.
        owner: The caller.
        owner_limits: Limits of owners.

    Raises:
        StudyRejected: With every fault; nothing has been stored.
        OverLimit: If it exceeds the owner's limits.
    """
    records, settings = stack.records, stack.settings
    rules = Rules(settings.limits, owner, records.study, partial(records.run_time, owner))
    accepted = check_study(document, sent, rules)
    expected_usd = expected_cost_usd(accepted.study, accepted.expected_run_times, settings.variant_memory_mb)
    owner_limits.check(owner, expected_usd)
    document = with_hashes(document, accepted.hashes)
    folder = _folder_name(accepted.study.name)
    key = keys.owned_study_key(owner, uuid.uuid4().hex, folder)
    places = {name: posixpath.join(posixpath.dirname(key), name) for name in accepted.inputs}
    _check_places(places)
    _map_concurrently(lambda item: sent.put(*item), places.items())
    source = stack.inputs.put_study(key, document, owner)
    simulation = simulation_of(source)
    # Submit would write it too, a moment later; a client that polls immediately must find it.
    record = records.create_or_get_study(simulation, accepted.study.name or folder, source.model_dump(), owner)
    claim_or_reject(owner_limits, records, record, expected_usd)
    return SubmittedStudy(simulation, len(accepted.study.models), accepted.study.variant_count)


def claim_or_reject(owner_limits: OwnerLimits, records: Records, record: StudyRecord, expected_usd: float) -> None:
    """Count a new study against its owner's limits; of two concurrent ones, the second may exceed them only now.

    Raises:
        OverLimit: If it is; the study has ended as rejected.
    """
    try:
        owner_limits.claim(record, expected_usd)
    except OverLimit as over:
        records.reject_study(record.simulation_id, over.problems)
        raise


def _check_places(places: Mapping[str, str]) -> None:
    """Refuse files that cannot be stored in the bucket beside the study.json."""
    problems = []
    for name, key in places.items():
        if posixpath.basename(name) == MANIFEST_NAME:
            # Stored there, it would start another study, without an owner.
            problems.append(Problem(name, "is reserved for the study; no model can read it", "another name"))
        elif len(key.encode()) > _MAX_KEY_BYTES:
            problems.append(Problem(name, "has too long a name to be stored", "a shorter one"))
    if problems:
        raise StudyRejected(problems)


def _folder_name(name: str) -> str:
    plain = re.sub(r"[^\w .+-]+", "-", unicodedata.normalize("NFC", name)).strip(" .-")
    return plain[:60] or "study"


def study_of_files(models: Mapping[str, bytes], weather: Mapping[str, bytes], name: str) -> bytes:
    """A study.json for models and weather without one: every model with every weather file, nothing varied."""
    return json.dumps({"name": name, "models": list(models), "weather": list(weather)}, ensure_ascii=False).encode()


def with_unique_names(sent: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Files by the last part of their names; a second ``office.idf`` becomes ``office-2.idf``."""
    files_by_name: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    for file_name, content in sent:
        last = unicodedata.normalize("NFC", file_name.replace("\\", "/")).rpartition("/")[2]
        path = PurePosixPath("unnamed" if last in ("", ".", "..") else last)
        name, folded = path.name, path.name.casefold()
        while name.casefold() in numbers:
            numbers[folded] += 1
            name = f"{path.stem}-{numbers[folded]}{path.suffix}"
        numbers[name.casefold()] = 1
        files_by_name[name] = content
    return files_by_name


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that a caller wants to upload.

    Attributes:
        name: Its path in the study.
        sha256: Hash of its content.
        present: Whether it is already uploaded.
        url, headers: URL and headers to PUT it; empty if it is present.
    """

    name: str
    sha256: str
    present: bool
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def presign_uploads(hashes: Mapping[str, str], sizes: Mapping[str, int], owner: str, stack: Stack) -> list[Upload]:
    """Presigned URLs for files, by content, so that the same EPW is uploaded once.

    The signature covers hash and length: S3 refuses any other content under that name.

    Args:
        hashes: For each path in the study the SHA-256 of the file, hexadecimal.
        sizes: Their sizes, bytes.
        owner: The caller.
        stack: The stack to upload to.
    """
    uploads = []
    places = {name: keys.stored_file_key(owner, sha256) for name, sha256 in hashes.items()}
    present = _map_concurrently(lambda key: stack.files.size(stack.inputs.name, key), places.values())
    for (name, key), size in zip(places.items(), present, strict=True):
        if size == sizes[name]:
            uploads.append(Upload(name, hashes[name], present=True))
            continue
        url, headers = stack.inputs.presigned_upload(key, hashes[name], sizes[name])
        uploads.append(Upload(name, hashes[name], False, url, headers))
    return uploads


def _map_concurrently(ask: Callable[[Given], Got], items: Iterable[Given]) -> list[Got]:
    """Call S3 for several files concurrently: one after the other, a hundred would exceed the request's time limit."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(ask, items))
