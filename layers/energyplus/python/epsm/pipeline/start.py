"""Starting a study that was accepted: now, or when the one that it is to follow has completed.

Repeatable: an execution is started under a name of its own, so a second start finds the first.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from epsm.pipeline.items import models_for_containers
from epsm.pipeline.notices import Notice, of_study_not_started
from epsm.problems import Problem
from epsm.store import keys
from epsm.store.files import Files, NotThere
from epsm.store.records import Records, StudyRecord, StudyStatus, expiry
from epsm.study.manifest import RunManifest
from epsm.study.owners import owns
from epsm.study.preflight import MOST_AT_A_TIME, pairs_to_try
from epsm.study.schema import MANIFEST_NAME, Study

logger = logging.getLogger(__name__)


class Turn(Enum):
    """When a study may start."""

    NOW = auto()
    LATER = auto()
    NEVER = auto()


def turn_of(before: StudyRecord | None) -> Turn:
    """When a study may start that is to follow `before`; None if that has been removed."""
    if before is None:
        return Turn.NEVER
    if before.status is StudyStatus.COMPLETED:
        return Turn.NOW
    return Turn.NEVER if before.status.final else Turn.LATER


def check_order(study: Study, records: Records, owner: str) -> list[Problem]:
    """What is wrong with the simulation that a study is to follow; somebody else's is not there."""
    after = study.options.after
    if after is None:
        return []
    where = f"{MANIFEST_NAME}: options.after"
    before = records.study(after)
    if before is None or not (before.owner == owner or owns(owner, before.owner)):
        return [Problem(where, f"there is no simulation '{after}'", "the name of one of your simulations")]
    if turn_of(before) is Turn.NEVER:
        what = f"'{after}' has ended as {before.status.value}, so nothing can follow it"
        return [Problem(where, what, "one that has completed, or has not ended")]
    return []


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


def start(step_functions: Any, state_machine_arn: str, manifest: RunManifest, preflight: Sequence[int] = ()) -> bool:
    """Start the execution; False if it exists: a duplicate event, or a submit that died after this."""
    expires_at = expiry(manifest.created_at, manifest.study.options.retention_days)
    items_key = keys.run_key(manifest.simulation_id, "items.json")
    given = execution_input(manifest, items_key, manifest.variants, expires_at, preflight)
    try:
        step_functions.start_execution(
            stateMachineArn=state_machine_arn, name=manifest.simulation_id, input=json.dumps(given)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
            return False
        raise
    return True


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


def execution_input(
    manifest: RunManifest, items_key: str, variants: int, expires_at: int, preflight: Sequence[int] = ()
) -> dict[str, Any]:
    """What an execution is started with.

    Args:
        manifest: The run's manifest.
        items_key: The items that it runs.
        variants: How many they are.
        expires_at: When the table drops the study's items, seconds since 1970.
        preflight: What is tried before, from `epsm.study.preflight.pairs_to_try`.
    """
    options = manifest.study.options
    return {
        "simulation_id": manifest.simulation_id,
        "variants": variants,
        "items_key": items_key,
        "preflight": list(preflight),
        "preflight_concurrency": min(options.max_concurrency, MOST_AT_A_TIME),
        "map_prefix": keys.run_key(manifest.simulation_id, "map"),
        "max_concurrency": options.max_concurrency,
        "tolerated_failure_percentage": options.tolerated_failure_percentage,
        # The state always asks for a number, and no more can fail than there are.
        "tolerated_failure_count": variants if options.max_failures is None else options.max_failures,
        "expires_at": str(expires_at),
    }
