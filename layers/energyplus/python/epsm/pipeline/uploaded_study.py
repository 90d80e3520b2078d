"""The files of a study in a bucket: selection of their object versions.

Folders are shared: a file may be replaced before submit has read it. A study.json with hashes selects the versions with
exactly those contents. One without hashes selects the versions that existed when it was written, or else the first that
arrived after it; if S3's time stamps leave that ambiguous, the study is rejected.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from epsm.checks.study_files import MAX_FILE_BYTES
from epsm.errors import NotFound, StudyRejected
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.files import Files, Version
from epsm.study.manifest import ObjectRef, Source
from epsm.study.parsing import load_document

_POLL_INTERVAL_S = 1.0
_MAX_POLLS = 60
_MAX_VERSIONS_READ = 25
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class UploadedStudy:
    """The files of a study in a bucket; an `epsm.checks.study_files.StudyFiles`.

    Args:
        files: The store.
        source: The study.json they belong to.
        document: Its content.
        quiet_for: Time without any new file after which missing files are no longer waited for. Files that are uploaded
            together with a study.json arrive within it.
        sleep: Waits between two polls.

    Attributes:
        refs: Every file that was read, pinned to the version that was read.
        problems: Files whose intended version is ambiguous.
    """

    def __init__(
        self, files: Files, source: Source, document: bytes, quiet_for: timedelta, sleep: Callable[[float], None]
    ) -> None:
        self._files = files
        self._source = source
        self._prefix = keys.study_prefix(source.key)
        self._hashes = _hashes_in(document)
        self._quiet_for = quiet_for
        self._sleep = sleep
        self._versions: dict[str, list[Version]] = {}
        self._written = self._written_before = _LONG_AGO
        self.place = f"s3://{source.bucket}/{self._prefix}"
        self.refs: dict[str, ObjectRef] = {}
        self.problems: list[Problem] = []

    def sizes(self, needed: Iterable[str]) -> Mapping[str, int]:
        """Waits for missing files while any still arrive: a parallel upload has no defined order."""
        names = set(needed)
        for _ in range(_MAX_POLLS):
            self._list_versions()
            versions = {name: version for name in self._versions if (version := self._intended_version(name))}
            if names <= versions.keys() and not any(map(self._may_follow, names)):
                break
            if not names <= versions.keys() and self._is_quiet():
                break
            self._sleep(_POLL_INTERVAL_S)
        return {name: version.bytes for name, version in versions.items()}

    def read(self, name: str) -> bytes | None:
        version = self._intended_version(name)
        if version is None:
            return None
        if sha256 := self._hashes.get(name):
            return self._read_hashed(name, sha256)
        if fault := self._ambiguity(name, version):
            self.problems.append(Problem(name, fault, "study.json uploaded last, again, or hashes in its 'files'"))
        return self._read(name, version)

    def _read_hashed(self, name: str, sha256: str) -> bytes | None:
        """The version with this hash; if none arrives, another version, for the error message."""
        seen: set[str] = set()
        for _ in range(_MAX_POLLS):
            for version in islice(self._nearest_first(name), _MAX_VERSIONS_READ):
                if version.version_id in seen or version.bytes > MAX_FILE_BYTES:
                    continue
                seen.add(version.version_id)
                content = self._read(name, version)
                if content is not None and self.refs[name].sha256 == sha256:
                    return content
            if self._is_quiet():
                break
            self._sleep(_POLL_INTERVAL_S)
            self._list_versions()
        other = self._intended_version(name)
        return self._read(name, other) if other and other.bytes <= MAX_FILE_BYTES else None

    def _read(self, name: str, version: Version) -> bytes | None:
        try:
            content, self.refs[name] = self._files.read(self._source.bucket, version.key, version.version_id)
        except NotFound:
            return None
        return content

    def _list_versions(self) -> None:
        listed = self._files.list_study(self._source.bucket, self._prefix)
        self._versions = {
            name: versions
            for name, versions in listed.items()
            if keys.may_be_of_study(self._source.key, versions[0].key)
        }
        own = [version for versions in listed.values() for version in versions if version.key == self._source.key]
        number = next((n for n, version in enumerate(own) if version.version_id == self._source.version_id), None)
        if number is not None:
            self._written = own[number].modified
            self._written_before = own[number + 1].modified if number + 1 < len(own) else _LONG_AGO

    def _is_quiet(self) -> bool:
        newest = max((history[0].modified for history in self._versions.values()), default=_LONG_AGO)
        return datetime.now(UTC) - newest >= self._quiet_for

    def _intended_version(self, name: str) -> Version | None:
        """The version that existed when study.json was written, or the first after it."""
        return next(self._nearest_first(name), None)

    def _nearest_first(self, name: str) -> Iterator[Version]:
        """Versions in order of likelihood: backwards from the time of study.json, then forwards."""
        versions = self._versions.get(name, [])
        before = [version for version in versions if version.modified <= self._written]
        after = [version for version in reversed(versions) if version.modified > self._written and not version.deleted]
        if before and before[0].deleted:
            yield from after
            after = []
        yield from (
            candidate
            for candidate in before
            if not candidate.deleted and (not before[0].deleted or self._hashes.get(name))
        )
        yield from after

    def _is_older(self, version: Version) -> bool:
        """Whether a version was not uploaded together with study.json."""
        return version.modified < self._written - self._quiet_for

    def _may_follow(self, name: str) -> bool:
        """Whether study.json may have come before a new version that was uploaded together with it."""
        version = self._intended_version(name)
        if name in self._hashes or version is None or not self._is_older(version):
            return False
        return datetime.now(UTC) <= self._written + self._quiet_for

    def _ambiguity(self, name: str, version: Version) -> str:
        """Why the intended version is ambiguous; empty if it is not."""
        other_contents = [
            candidate for candidate in self._versions[name] if not candidate.deleted and candidate.etag != version.etag
        ]
        following = [
            candidate
            for candidate in other_contents
            if self._written < candidate.modified <= self._written + self._quiet_for
        ]
        if self._is_older(version) and following:
            seconds = (following[-1].modified - self._written).total_seconds()
            return f"was uploaded again {seconds:.0f} s after study.json, and existed before"
        since = max(self._written_before, self._written - self._quiet_for)
        together = [
            candidate
            for candidate in other_contents
            if candidate.modified == self._written or since < candidate.modified < self._written
        ]
        if version.modified == self._written and together:
            return "was uploaded more than once with study.json, the last time within the same second"
        return ""


def _hashes_in(document: bytes) -> dict[str, str]:
    """The hashes in a study.json, as far as they can be parsed; the checks of the study report invalid ones."""
    try:
        found = load_document(document)["files"]
        return {str(name): str(sha256).lower() for name, sha256 in found.items()}
    except (StudyRejected, LookupError, TypeError, AttributeError):
        return {}
