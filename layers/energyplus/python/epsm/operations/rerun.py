"""Rerunning failed variants: the same simulation, the same pinned inputs, one more attempt."""

from collections.abc import Iterable
from itertools import islice

from epsm.pipeline.items import attempt_of, write_items
from epsm.pipeline.start import execution_input
from epsm.store import keys
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord, StudyStatus, expiry
from epsm.study.variants import Variant, expand


def rerun_missing(stack: Stack, record: StudyRecord) -> int:
    """Rerun the variants of a study that have not succeeded; results of the others are kept.

    If all have succeeded and the study is still not completed, its results were never collected: the first variant is
    submitted again, is found to have succeeded, and the results are collected after it.

    Returns:
        The number of variants submitted; 0, and nothing started, if the study is completed or another attempt has begun
        in the meantime.

    Raises:
        NotFound: If the run has no manifest.
    """
    if record.status is StudyStatus.COMPLETED:
        return 0
    files, records, simulation = stack.files, stack.records, record.simulation_id
    manifest = files.read_manifest(simulation)
    number = record.attempt + 1
    items_key = keys.run_key(simulation, f"items-{number}.json")
    succeeded = records.succeeded_indices(simulation)
    missing = manifest.variants - len(succeeded)
    variants: Iterable[Variant] = (variant for variant in expand(manifest.study) if variant.index not in succeeded)
    if not missing:
        missing, variants = 1, islice(expand(manifest.study), 1)
    attempt = attempt_of(manifest, record.owner, records, stack.settings, missing, number)
    write_items(files, items_key, variants, attempt)
    batching, counted = attempt.batching, len(succeeded)
    if not records.reopen_study(
        simulation, number, succeeded=counted, batched=batching.batched, engines=batching.engines
    ):
        return 0
    expires_at = expiry(manifest.created_at, manifest.study.options.retention_days)
    stack.executions.start(
        keys.execution_name(simulation, number), execution_input(manifest, items_key, attempt, expires_at)
    )
    return missing
