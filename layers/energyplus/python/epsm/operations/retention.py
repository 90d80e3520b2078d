"""Deletes studies past their retention period: inputs, results and items; writes a report of the deletions.

The study's own item is deleted last, so that an interrupted removal is found again. Of the inputs only the versions
that the run has pinned are deleted, and only if no other study may need them.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from epsm.errors import NotFound
from epsm.store import keys
from epsm.store.removal import NotRemoved, OutOfTime, clear, delete_versions, measure_prefix, orphaned_uploads
from epsm.store.stack import Stack
from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus, expiry, timestamp
from epsm.study.schema import Options

logger = logging.getLogger(__name__)

_LAMBDA_MAX_RUNTIME = timedelta(minutes=15)
"""No function runs longer, and a container stops within seconds of a cancellation: a variant that has been running for
longer than this in an ended study was lost."""
_COLLECTING = timedelta(seconds=150)
"""Usual time for waiting for workers and collecting: 45 s, and a minute for 100,000 variants."""
_BEFORE_THE_TABLE = timedelta(days=2)
"""A study is deleted this long before the table's TTL deletes its items: without them its objects cannot be found."""

_STILL_BEING_SENT = timedelta(days=1)
_ON_REQUEST = "on request"
_MIN_SECONDS_LEFT = 60.0
"""A request of 1,000 deletions, its retries and the report take less."""


class StillRuns(Exception):
    """The study has not ended, or some of its variants are still running; it can be removed later."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A study that was removed, or would be.

    Attributes:
        simulation_id, name: The study; for an orphaned upload no simulation, and its folder.
        reason: Why it is removed.
        objects: Number of objects in S3.
        bytes: Of these objects, study.json not counted.
        removed: Whether it was deleted; False in a dry run.
        error: Why it could not be removed; empty otherwise.
    """

    simulation_id: str
    name: str
    reason: str
    objects: int = 0
    bytes: int = 0
    removed: bool = False
    error: str = ""


class Remover:
    """Removes studies.

    Args:
        stack: The stack that they are on.
        now: Returns the current time, UTC.
        seconds_left: Time that the function has left.
    """

    def __init__(
        self,
        stack: Stack,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds_left: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._s3 = stack.s3
        self._inputs_bucket = stack.settings.inputs_bucket
        self._files = stack.files
        self._records = stack.records
        self._now = now
        self._seconds_left = seconds_left

    def _check_time(self) -> None:
        if self._seconds_left() < _MIN_SECONDS_LEFT:
            raise OutOfTime

    def remove_expired(self, *, dry_run: bool = False) -> tuple[Removal, ...]:
        """Remove every expired study, the oldest first, and orphaned uploads, and write the report.

        The report is `cleanup/<time>.json` in the results bucket; a dry run's name says so.

        Returns:
            The content of the report. A study that cannot be removed is included with the reason, and does not stop the
            others. One that could not be removed in time is marked, and `continue_removals` removes the rest.
        """
        studies = list(self._records.every_study())
        due = [study for study in studies if self._is_due(study)]
        remaining = [study for study in studies if not self._is_due(study)]
        removals = (
            *(self._try_remove(study, remaining, dry_run) for study in reversed(due)),
            *self._remove_unfinished(dry_run),
        )
        self._report(removals, dry_run)
        return removals

    def remove(self, simulation: str) -> Removal | None:
        """Remove one study of any age; None if it does not exist.

        Raises:
            StillRuns: If it has not ended, or was cancelled and some of its variants are still running or its results
                may still be collected.
            NotRemoved: If S3 refuses.
            OutOfTime: If the function's time is too short; the rest is removed by `continue_removals`.
            botocore.exceptions.ClientError: If AWS refuses another call. A retry removes the rest.
        """
        study = self._records.study_including_removed(simulation)
        if study is None:
            return None
        if not study.status.final:
            raise StillRuns(f"{simulation} is {study.status.value}")
        if study.status is StudyStatus.CANCELLED:
            if self._has_running_variants(simulation):
                raise StillRuns(f"{simulation} was cancelled, but some of its variants have not stopped yet")
            if self._now() - _end(study) < _COLLECTING:
                raise StillRuns(f"{simulation} was cancelled, and its results may still be collected")
        others = (study for study in self._records.every_study() if study.simulation_id != simulation)
        remaining = [other for other in others if not other.removing]
        return self._remove(study, _ON_REQUEST, remaining, dry_run=False)

    def continue_removals(self) -> int:
        """Remove what is left of the studies that are marked as being removed; returns the number of studies that are
        gone.

        The removal of a large study takes longer than a function may run.
        """
        removed = 0
        for study in [study for study in self._records.every_study() if study.removing]:
            try:
                removed += self.remove(study.simulation_id) is not None
            except StillRuns:
                continue
            except OutOfTime:
                break
            except (BotoCoreError, ClientError, NotRemoved, ValidationError):
                logger.exception("study could not be removed", extra={"simulation_id": study.simulation_id})
        return removed

    def _is_due(self, study: StudyRecord) -> bool:
        return study.removing or (study.status.final and self._now() >= _end_of_retention(study))

    def _has_running_variants(self, simulation: str) -> bool:
        alive_since = timestamp(self._now() - _LAMBDA_MAX_RUNTIME)
        return any(started_at > alive_since for started_at in self._records.running_since(simulation).values())

    def _try_remove(self, study: StudyRecord, remaining: Sequence[StudyRecord], dry_run: bool) -> Removal:
        time_over = f"ended {_end(study):%Y-%m-%d}, kept for {_retention_days(study)} days"
        reason = _ON_REQUEST if study.removing else time_over
        try:
            # Read again: a rerun may have been requested since the list was made.
            current = self._records.study_including_removed(study.simulation_id)
            if current is not None and not self._is_due(current):
                return Removal(study.simulation_id, study.name, reason, error="It was started again.")
            return self._remove(study, reason, remaining, dry_run)
        except OutOfTime:
            return Removal(study.simulation_id, study.name, f"{reason}; to be continued")
        except StillRuns:
            return Removal(study.simulation_id, study.name, reason, error="It was started again.")
        except (BotoCoreError, ClientError, NotRemoved, ValidationError) as fault:
            logger.exception("study could not be removed", extra={"simulation_id": study.simulation_id})
            return Removal(study.simulation_id, study.name, reason, error=str(fault)[:500])

    def _remove(self, study: StudyRecord, reason: str, remaining: Sequence[StudyRecord], dry_run: bool) -> Removal:
        inputs = self._inputs_of(study, remaining)
        run = (self._s3, self._files.results_bucket, keys.run_key(study.simulation_id))
        if dry_run:
            number, size = measure_prefix(*run)
        else:
            # Before anything is deleted: it can be rerun until then, and not from then on.
            if not study.removing and not self._records.mark_removing(study.simulation_id):
                raise StillRuns(f"{study.simulation_id} was started again")
            # Inputs before the manifest that lists them, items after everything that they refer to.
            for bucket in {input_.bucket for input_ in inputs}:
                versions = [(input_.key, input_.version_id) for input_ in inputs if input_.bucket == bucket]
                delete_versions(self._s3, bucket, versions)
            number, size = clear(*run, self._check_time)
            self._records.remove_study(study.simulation_id, self._check_time)
        removal = Removal(
            study.simulation_id,
            study.name,
            reason,
            objects=number + len(inputs),
            bytes=size + sum(input_.bytes for input_ in inputs if isinstance(input_, ObjectRef)),
            removed=not dry_run,
        )
        logger.info("study would be removed" if dry_run else "study removed", extra={"removal": asdict(removal)})
        return removal

    def _remove_unfinished(self, dry_run: bool) -> Iterator[Removal]:
        """Orphaned uploads: the request failed before it wrote study.json, which comes last."""
        reason = "orphaned upload: the request failed before study.json was written"
        try:
            for folder, versions in orphaned_uploads(self._s3, self._inputs_bucket, self._now() - _STILL_BEING_SENT):
                if not dry_run:
                    pairs = [(version["Key"], version["VersionId"]) for version in versions]
                    delete_versions(self._s3, self._inputs_bucket, pairs)
                size = sum(version["Size"] for version in versions)
                yield Removal("", folder, reason, objects=len(versions), bytes=size, removed=not dry_run)
        except (BotoCoreError, ClientError, NotRemoved) as fault:
            logger.exception("orphaned uploads could not be removed")
            yield Removal("", "", reason, error=str(fault)[:500])

    def _inputs_of(self, study: StudyRecord, remaining: Sequence[StudyRecord]) -> list[ObjectRef | Source]:
        """The versions in the inputs bucket that are deleted with a study."""
        if not study.source:
            return []
        source = Source.model_validate(study.source)
        if any(_same_folder(study, other) and other.created_at > study.created_at for other in remaining):
            # Its inputs may be shared with a younger study, which may not have read them yet.
            return []
        pinned = [input_ for input_ in self._pinned(study) if not keys.is_stored_file(input_.key)]
        pinned_elsewhere = {
            _version(ref) for other in remaining if _nested(study, other) for ref in self._pinned(other)
        }
        own: list[ObjectRef | Source] = [*pinned, source]
        return [input_ for input_ in own if _version(input_) not in pinned_elsewhere]

    def _pinned(self, study: StudyRecord) -> list[ObjectRef]:
        try:
            manifest: RunManifest = self._files.read_manifest(study.simulation_id)
        except NotFound:
            return []
        return list(manifest.inputs.values())

    def _report(self, removals: Sequence[Removal], dry_run: bool) -> None:
        name = f"{self._now():%Y-%m-%dT%H-%M-%SZ}{'-dry-run' if dry_run else ''}.json"
        report = {"dry_run": dry_run, "studies": [asdict(removal) for removal in removals]}
        self._files.put_json(f"{keys.CLEANUP}{name}", report)


def _end(study: StudyRecord) -> datetime:
    return datetime.fromisoformat(study.ended_at or study.created_at)


def _retention_days(study: StudyRecord) -> int:
    """A rejected study has no options."""
    return int(study.options.get("retention_days", Options().retention_days))


def _end_of_retention(study: StudyRecord) -> datetime:
    days = _retention_days(study)
    dropped = datetime.fromtimestamp(expiry(datetime.fromisoformat(study.created_at), days), UTC)
    return min(_end(study) + timedelta(days=days), dropped - _BEFORE_THE_TABLE)


def _version(ref: ObjectRef | Source) -> tuple[str, str, str]:
    return ref.bucket, ref.key, ref.version_id


def _same_folder(one: StudyRecord, other: StudyRecord) -> bool:
    return _folder(one) == _folder(other)


def _nested(one: StudyRecord, other: StudyRecord) -> bool:
    """Whether the folders of two studies are the same or nested: only then can they share files."""
    (bucket, prefix), (other_bucket, other_prefix) = _folder(one), _folder(other)
    return bucket == other_bucket and (prefix.startswith(other_prefix) or other_prefix.startswith(prefix))


def _folder(study: StudyRecord) -> tuple[str, str]:
    return study.source.get("bucket", ""), keys.study_prefix(study.source.get("key", ""))
