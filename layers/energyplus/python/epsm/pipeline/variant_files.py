"""Storing a variant's files, also when the disk is full."""

import dataclasses
import logging
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

from botocore.exceptions import ClientError

from epsm.energyplus.verdict import Verdict
from epsm.pipeline.variant_documents import RESULT, Finished, result_document
from epsm.pipeline.workspace import is_full
from epsm.store import keys
from epsm.store.files import Files
from epsm.study.manifest import RunManifest
from epsm.study.schema import Outputs
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)


def store_files(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> Finished:
    """Store a run's files; returns the run as it was, or as failed if the disk has no room for them."""
    try:
        return dataclasses.replace(finished, etags=_store(files, manifest, variant, finished))
    except (OSError, ClientError) as error:
        finished = result_of_full_disk(finished, error)
    try:
        _store(files, manifest, variant, finished)  # without the database, by far the largest
    except (OSError, ClientError) as error:
        finished = result_of_full_disk(finished, error)
        logger.warning("no room for any file of the variant", extra={"variant_index": variant.index})
    return finished


def _store(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> dict[str, str]:
    """The ETag of each stored file, by name."""

    def upload(path: Path) -> tuple[str, str]:
        key = keys.variant_key(manifest.simulation_id, variant.index, path.name)
        if path.suffix == ".sql":
            return f"{path.name}.gz", files.put_file_compressed(f"{key}.gz", path)
        return path.name, files.put_file(key, path)

    with ThreadPoolExecutor(max_workers=4) as pool:
        etags = dict(pool.map(upload, _files_to_keep(manifest.study.outputs, finished)))
    document = result_document(manifest, variant, finished)
    return etags | {RESULT: files.put_json(keys.variant_key(manifest.simulation_id, variant.index, RESULT), document)}


def result_of_full_disk(finished: Finished, error: OSError | ClientError) -> Finished:
    """A completed run whose results did not fit on the disk; any other error is raised again."""
    if isinstance(error, ClientError):
        # S3 on this machine, which may share the function's disk: the local stack.
        full = error.response["ResponseMetadata"].get("HTTPStatusCode") == HTTPStatus.INSUFFICIENT_STORAGE
    else:
        full = is_full(error)
    if not full:
        raise error
    message = "The disk was full when the results were stored."
    diagnosis = dataclasses.replace(finished.diagnosis, verdict=Verdict.DISK_FULL, message=message)
    return dataclasses.replace(finished, diagnosis=diagnosis, results=None, series=None)


def _files_to_keep(outputs: Outputs, finished: Finished) -> list[Path]:
    if finished.files is None:
        return []
    output = finished.files.output
    names = ["eplustbl.htm" if files == "htm" else f"eplusout.{files}" for files in outputs.keep]
    if finished.diagnosis.verdict is Verdict.DISK_FULL:
        names = [name for name in names if name != "eplusout.sql"]  # it is broken, and there is no room to pack it
    files = [finished.files.model, *(output / name for name in names if (output / name).is_file())]
    return [*files, finished.series] if finished.series else files
