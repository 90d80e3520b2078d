"""Rerunning failed variants: the same simulation, the same pinned inputs, one more attempt."""

from itertools import islice

from epsm.pipeline.items import models_for_containers, write_items
from epsm.pipeline.start import execution_input
from epsm.store import keys
from epsm.store.stack import Stack
from epsm.study.records import StudyRecord, StudyStatus, expiry
from epsm.study.variants import expand


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
    attempt = record.attempt + 1
    items_key = keys.run_key(simulation, f"items-{attempt}.json")
    succeeded = records.succeeded_indices(simulation)
    variants = (variant for variant in expand(manifest.study) if variant.index not in succeeded)
    missing = write_items(files, items_key, variants, models_for_containers(manifest, records))
    if not missing:
        missing = write_items(files, items_key, islice(expand(manifest.study), 1), in_containers=())
    if not records.reopen_study(simulation, attempt):
        return 0
    expires_at = expiry(manifest.created_at, manifest.study.options.retention_days)
    stack.executions.start(
        keys.execution_name(simulation, attempt), execution_input(manifest, items_key, missing, expires_at)
    )
    return missing
