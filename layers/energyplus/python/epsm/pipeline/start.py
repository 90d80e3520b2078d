"""Starting an accepted study: immediately, or when the study in `options.after` has completed.

Repeatable: the execution's name comes from the simulation, so a second start finds the first.
"""

import functools
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from epsm.checks.order import StartDecision, start_decision
from epsm.errors import NotFound
from epsm.pipeline.items import ATTEMPT, Attempt, attempt_of, write_items
from epsm.pipeline.notices import not_started_notification
from epsm.store import keys
from epsm.store.records import Records
from epsm.store.stack import Stack
from epsm.study.batches import children_at_a_time
from epsm.study.manifest import RunManifest
from epsm.study.preflight import MAX_TRIALS_AT_A_TIME, pairs_to_try
from epsm.study.records import StudyRecord, expiry
from epsm.study.variants import expand

logger = logging.getLogger(__name__)


def start_or_wait(stack: Stack, manifest: RunManifest, owner: str) -> bool:
    """Start the execution of an accepted study if it need not wait; returns whether this call started it.

    A study that can no longer start is cancelled, with the reason in its record, and subscribers are notified.
    """
    simulation, study = manifest.simulation_id, manifest.study
    after = study.options.after
    if after is not None:
        before = stack.records.study(after)
        match start_decision(before):
            case StartDecision.LATER:
                return False
            case StartDecision.NEVER:
                outcome = before.status.value if before else "removed"
                cause = f"Not started: {after}, which it had to wait for, is {outcome}."
                if stack.records.cancel_study(simulation, cause) and study.options.notify:
                    stack.notify(not_started_notification(study.name, simulation, cause))
                return False
    attempt = attempt_of(manifest, owner, stack.records, stack.settings, manifest.variants)
    preflight = pairs_to_try(study, attempt.in_containers, _has_run(manifest, owner, stack.records))
    items_key = keys.run_key(simulation, "items.json")
    if not stack.records.block_size(simulation):
        # Submitted to an earlier release, whose items lack what the state machine of this one reads.
        write_items(stack.files, items_key, expand(study), attempt)
    expires_at = expiry(manifest.created_at, study.options.retention_days)
    # The name is that of the simulation: a duplicate event, or a submit that died after this, finds the execution.
    return stack.executions.start(simulation, execution_input(manifest, items_key, attempt, expires_at, preflight))


def _has_run(manifest: RunManifest, owner: str, records: Records) -> Callable[[str, str], bool]:
    """Whether a model has run with a weather file in an earlier study of the owner."""

    @functools.cache
    def weather_of(model: str) -> Collection[str]:
        return records.weather_run_with(owner, manifest.inputs[model].sha256)

    return lambda model, weather: manifest.inputs[weather].sha256 in weather_of(model)


def start_followers(stack: Stack, studies: Iterable[StudyRecord]) -> list[str]:
    """Start the waiting studies among `studies` that can now start, and cancel those that can no longer start.

    Returns:
        Names of the simulations that were started.
    """
    started = []
    waiting = [study for study in studies if study.is_waiting]
    # The oldest first: a study that is cancelled here may have followers, which are younger.
    for study in sorted(waiting, key=lambda follower: follower.created_at):
        try:
            if start_decision(stack.records.study(study.options["after"])) is StartDecision.LATER:
                continue
            if start_or_wait(stack, stack.files.read_manifest(study.simulation_id), study.owner):
                started.append(study.simulation_id)
        except (BotoCoreError, ClientError, NotFound):
            # Retried in the next round; the other studies must not wait for it.
            logger.exception("study could not be started", extra={"simulation_id": study.simulation_id})
    return started


def execution_input(
    manifest: RunManifest, items_key: str, attempt: Attempt, expires_at: int, preflight: Sequence[int] = ()
) -> dict[str, Any]:
    """The input of an execution.

    Args:
        manifest: The run's manifest.
        items_key: The items that it runs.
        attempt: The variants in them.
        expires_at: When the table drops the study's items, seconds since 1970.
        preflight: The trials before the variants, from `epsm.study.preflight.pairs_to_try`.
    """
    options, variants = manifest.study.options, attempt.variants
    counted_by_map = not attempt.batching.batched
    return {
        "simulation_id": manifest.simulation_id,
        "variants": variants,
        ATTEMPT: attempt.number,
        "items_key": items_key,
        "preflight": list(preflight),
        "preflight_concurrency": min(options.max_concurrency, MAX_TRIALS_AT_A_TIME),
        "map_prefix": keys.run_key(manifest.simulation_id, "map"),
        "max_concurrency": children_at_a_time(
            options.compute, options.max_concurrency, attempt.batching.engines, attempt.tasks
        ),
        # The map would count batches: failed variants of batches are counted on the study's record.
        "tolerated_failure_percentage": options.tolerated_failure_percentage if counted_by_map else 100,
        # The state requires a number: that of all variants means no limit.
        "tolerated_failure_count": (
            options.max_failures if counted_by_map and options.max_failures is not None else variants
        ),
        "expires_at": str(expires_at),
    }
