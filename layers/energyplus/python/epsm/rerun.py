"""Running again what did not succeed: the same simulation, the same pinned inputs, one more attempt."""

import json
import tempfile
from pathlib import Path
from typing import Any

from epsm.manifest import RunManifest
from epsm.store import keys
from epsm.store.files import Files
from epsm.store.records import Records, StudyRecord, VariantStatus, expiry
from epsm.submission import execution_input
from epsm.variants import expand


def rerun_missing(
    files: Files, records: Records, step_functions: Any, state_machine_arn: str, record: StudyRecord
) -> int:
    """Run the variants of a study that have not succeeded once more; what has succeeded is kept.

    Returns:
        How many are run; 0, and nothing started, if all have succeeded or another attempt has begun meanwhile.

    Raises:
        NotThere: If the run has no manifest.
    """
    manifest = files.read_manifest(record.simulation_id)
    attempt = record.attempt + 1
    items_key = keys.run_key(record.simulation_id, f"items-{attempt}.json")
    missing = _write_missing(files, records, manifest, items_key)
    if not missing or not records.reopen_study(record.simulation_id, attempt):
        return 0
    expires_at = expiry(manifest.created_at, manifest.study.options.retention_days)
    step_functions.start_execution(
        stateMachineArn=state_machine_arn,
        name=keys.execution_name(record.simulation_id, attempt),
        input=json.dumps(execution_input(manifest, items_key, missing, expires_at)),
    )
    return missing


def _write_missing(files: Files, records: Records, manifest: RunManifest, items_key: str) -> int:
    succeeded = {
        each.index for each in records.variants(manifest.simulation_id) if each.status is VariantStatus.SUCCEEDED
    }
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.json"
        with path.open("w", encoding="utf-8") as file:
            separator = "["
            for variant in expand(manifest.study):
                if variant.index not in succeeded:
                    file.write(separator + json.dumps(variant.as_item(), ensure_ascii=False))
                    separator = ",\n"
                    count += 1
            file.write("]\n")
        if count:
            files.put_file(items_key, path, "application/json")
    return count
