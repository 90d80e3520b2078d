"""Submitting: from an uploaded study.json to a started execution, or to a rejection with all problems.

Idempotent from end to end. The name of the simulation comes from the upload itself, so a duplicate event finds the
record and the execution of the first one; an interrupted submit is completed by the next delivery.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from epsm import __version__
from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.energyplus.versions import RELEASES
from epsm.errors import StudyRejected
from epsm.pipeline.items import attempt_of, write_items
from epsm.pipeline.notices import rejection_notification
from epsm.pipeline.owner_limits import NO_LIMITS, OwnerLimits, expected_cost_usd
from epsm.pipeline.start import start_or_wait
from epsm.pipeline.uploaded_study import UploadedStudy
from epsm.problems import Problem, shortened
from epsm.results.metrics import EXTRACTION_VERSION
from epsm.store import keys
from epsm.store.stack import Stack
from epsm.study.manifest import RunManifest, Source
from epsm.study.records import StudyRecord, StudyStatus, expiry
from epsm.study.sampling import InUnitCube
from epsm.study.variants import expand

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """The outcome of an upload.

    Attributes:
        simulation_id: Name of the simulation.
        status: Status of its record: pending if it was accepted, rejected, or the status that it already had.
        variants: Number of variants; 0 if it was rejected.
        problems: Why it was rejected.
        started: Whether this call started the execution.
    """

    simulation_id: str
    status: StudyStatus
    variants: int
    problems: tuple[Problem, ...] = ()
    started: bool = False


class Submitter:
    """Submits studies.

    Args:
        stack: The stack that runs them.
        sleep: Waits between polls for a missing file.
        limits: Holds owners to their limits.
    """

    def __init__(
        self, stack: Stack, sleep: Callable[[float], None] = time.sleep, limits: OwnerLimits = NO_LIMITS
    ) -> None:
        self._stack = stack
        self._limits = limits
        self._files = stack.files
        self._records = stack.records
        self._settings = stack.settings
        self._sleep = sleep

    def submit(self, source: Source) -> Submission:
        """Submit the study.json at `source`.

        Raises:
            NotFound: If that version of the object is gone.
            botocore.exceptions.ClientError: If AWS refuses a call; the event should be delivered again.
        """
        simulation = keys.simulation_id(source.bucket, source.key, source.version_id)
        folder = keys.study_folder(source.key)
        document, owner = self._files.read_study(source.bucket, source.key, source.version_id)
        owner = owner or self._settings.bucket_owner
        record = self._records.create_or_get_study(simulation, folder, source.model_dump(), owner)
        if record.status is not StudyStatus.PENDING:
            return Submission(simulation, record.status, record.variants, record.problems)
        if record.variants:
            # Accepted by an earlier delivery of this event: the versions that it pinned are used.
            return self._start(self._files.read_manifest(simulation), owner)
        quiet_for = timedelta(seconds=self._settings.missing_file_grace_s)
        uploaded = UploadedStudy(self._files, source, document, quiet_for, self._sleep)
        try:
            rules = Rules(self._settings.limits, owner, self._records.study, partial(self._records.run_time, owner))
            accepted = check_study(document, uploaded, rules)
            if uploaded.problems:
                raise StudyRejected(uploaded.problems)
            self._claim(record, accepted)
        except StudyRejected as rejection:
            problems = dict.fromkeys((*rejection.problems, *uploaded.problems))
            return self._reject(simulation, source, tuple(problems))
        study = accepted.study.with_seed(simulation)
        manifest = RunManifest(
            simulation_id=simulation,
            created_at=datetime.fromisoformat(record.created_at),
            study=study if study.name else study.model_copy(update={"name": folder}),
            source=source,
            inputs={name: uploaded.refs[name] for name in accepted.inputs},
            external_files=accepted.external_files,
            remarks=accepted.remarks,
            input_remarks=accepted.input_remarks,
            baseline_values=accepted.baseline_values,
            variants=study.variant_count,
            seed=study.sampling.seed if isinstance(study.sampling, InUnitCube) else None,
            engine_version=RELEASES[accepted.energyplus].version,
            image_id=self._settings.image_id,
            code_version=__version__,
            extraction_version=EXTRACTION_VERSION,
            assumed_run_times_s={model: run_time.engine_seconds for model, run_time in accepted.run_times.items()},
        )
        return self._accept(manifest, owner)

    def _claim(self, record: StudyRecord, accepted: CheckedStudy) -> None:
        """Count the study against its owner's limits; a canary, one small run, is the stack's own.

        Raises:
            OverLimit: If that exceeds the owner's limits.
        """
        study = accepted.study
        if not self._limits.any or (keys.is_canary(record.source["key"]) and study.variant_count == 1):
            return
        expected_usd = expected_cost_usd(study, accepted.expected_run_times, self._settings.variant_memory_mb)
        self._limits.claim(record, expected_usd)

    def _accept(self, manifest: RunManifest, owner: str) -> Submission:
        simulation = manifest.simulation_id
        key = keys.run_key(simulation, "manifest.json")
        if not self._files.put_text_once(key, manifest.to_json(), "application/json"):
            # Another delivery of this event was faster, or stopped after this: the pinned versions of a simulation
            # never change.
            manifest = self._files.read_manifest(simulation)
        study = manifest.study
        expires_at = expiry(manifest.created_at, study.options.retention_days)
        attempt = attempt_of(manifest, owner, self._records, self._settings, manifest.variants)
        write_items(self._files, keys.run_key(simulation, "items.json"), expand(study), attempt)
        self._records.accept_study(
            simulation,
            name=study.name,
            variants=manifest.variants,
            options=study.options.model_dump(),
            expires_at=expires_at,
            batched=attempt.batching.batched,
            engines=attempt.batching.engines,
        )
        return self._start(manifest, owner)

    def _start(self, manifest: RunManifest, owner: str) -> Submission:
        simulation = manifest.simulation_id
        # Checked only now: either the study it waits for ends later and finds it waiting, or it has ended and is seen
        # here.
        started = start_or_wait(self._stack, manifest, owner)
        return Submission(simulation, StudyStatus.PENDING, manifest.variants, started=started)

    def _reject(self, simulation: str, source: Source, problems: tuple[Problem, ...]) -> Submission:
        shown = shortened(problems)
        # The list first: a client that sees the record can then read it.
        self._files.put_json(
            keys.run_key(simulation, "errors.json"),
            {
                "simulation_id": simulation,
                "status": StudyStatus.REJECTED.value,
                "study": f"s3://{source.bucket}/{source.key}",
                "problems": [problem.as_dict() for problem in shown],
            },
        )
        if self._records.reject_study(simulation, shown):
            place = f"s3://{source.bucket}/{source.key}"
            self._stack.notify(rejection_notification(keys.study_folder(source.key), simulation, place, shown))
        logger.info("study rejected", extra={"simulation_id": simulation, "problems": len(problems)})
        return Submission(simulation, StudyStatus.REJECTED, 0, tuple(shown))
