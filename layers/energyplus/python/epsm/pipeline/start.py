"""Starting a study that was accepted: now, or when the one that it is to follow has completed.

Repeatable: an execution is started under a name of its own, so a second start finds the first.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from epsm.checks.order import Turn, turn_of
from epsm.pipeline.items import models_for_containers
from epsm.pipeline.notices import of_study_not_started
from epsm.store.executions import start
from epsm.store.files import Files, NotThere
from epsm.store.notifications import Notice
from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.preflight import pairs_to_try
from epsm.study.records import StudyRecord, StudyStatus

logger = logging.getLogger(__name__)


def waits(record: StudyRecord) -> bool:
    """Whether a study was accepted and has not been started because it is to follow another one."""
    return record.status is StudyStatus.PENDING and record.attempt == 1 and bool(record.options.get("after"))


def start_or_wait(
    records: Records,
    step_functions: Any,
    state_machine_arn: str,
    manifest: RunManifest,
    tell: Callable[[Notice], None],
) -> bool:
    """Start the execution of an accepted study if its turn has come; whether this call started it.

    A study whose turn will never come is cancelled, with the reason in its record, and who subscribed is told.
    """
    simulation, study = manifest.simulation_id, manifest.study
    after = study.options.after
    if after is not None:
        before = records.study(after)
        match turn_of(before):
            case Turn.LATER:
                return False
            case Turn.NEVER:
                how = before.status.value if before else "removed"
                why = f"Not started: {after}, which it was to follow, is {how}."
                if records.cancel_study(simulation, why) and study.options.notify:
                    tell(of_study_not_started(study.name, simulation, why))
                return False
    preflight = pairs_to_try(study, models_for_containers(manifest, records)) if study.has_preflight else []
    return start(step_functions, state_machine_arn, manifest, preflight)


def start_followers(
    files: Files,
    records: Records,
    step_functions: Any,
    state_machine_arn: str,
    studies: Iterable[StudyRecord],
    tell: Callable[[Notice], None],
) -> list[str]:
    """Start the waiting ones among some studies whose turn has come, and cancel those whose turn never will.

    Returns:
        Names of the simulations that were started.
    """
    started = []
    waiting = [study for study in studies if waits(study)]
    # The oldest first: one that is cancelled here may have followers of its own, which are younger.
    for study in sorted(waiting, key=lambda each: each.created_at):
        try:
            if turn_of(records.study(study.options["after"])) is Turn.LATER:
                continue
            manifest = files.read_manifest(study.simulation_id)
            if start_or_wait(records, step_functions, state_machine_arn, manifest, tell):
                started.append(study.simulation_id)
        except (BotoCoreError, ClientError, NotThere):
            # The next round tries again; it must not keep the others waiting.
            logger.exception("study could not be started", extra={"simulation_id": study.simulation_id})
    return started
