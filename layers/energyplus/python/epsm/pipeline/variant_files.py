"""Storing a variant's files, also when the disk is full."""

import dataclasses
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from http import HTTPStatus
from pathlib import Path

from botocore.exceptions import ClientError

from epsm.energyplus.verdict import Verdict
from epsm.footprint import MAX_PACKED_BYTES
from epsm.pipeline.variant_documents import Finished, result_document
from epsm.pipeline.workspace import is_full
from epsm.store import keys
from epsm.store.files import Files, compress, json_bytes
from epsm.store.packs import RESULT
from epsm.study.manifest import RunManifest
from epsm.study.schema import Outputs
from epsm.study.variants import Variant

logger = logging.getLogger(__name__)

_uploads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="upload")
"""Kept for the next variant: starting threads for each takes longer than a small upload."""


def store_files(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> Finished:
    """Store each file of a run as an object; returns the run as it was, or as failed if the disk has no room for
    them."""
    return _unless_full(functools.partial(_store, files, manifest, variant), variant, finished)


def collect_files(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> Finished:
    """Collect the small files of a run for a pack, and store the others as objects; returns the run as above."""
    return _unless_full(functools.partial(_collect, files, manifest, variant), variant, finished)


def _unless_full(store: Callable[[Finished], Finished], variant: Variant, finished: Finished) -> Finished:
    try:
        return store(finished)
    except (OSError, ClientError) as error:
        finished = result_of_full_disk(finished, error)
    try:
        return store(finished)  # without the database, by far the largest
    except (OSError, ClientError) as error:
        finished = result_of_full_disk(finished, error)
        logger.warning("no room for any file of the variant", extra={"variant_index": variant.index})
    return finished


def _store(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> Finished:
    key = functools.partial(keys.variant_key, manifest.simulation_id, variant.index)

    def upload(path: Path) -> tuple[str, str]:
        if path.suffix == ".sql":
            name = f"{path.name}.gz"
            return name, files.put_file_compressed(key(name), path)
        return path.name, files.put_file(key(path.name), path)

    uploads = [_uploads.submit(upload, path) for path in _files_to_keep(manifest.study.outputs, finished)]
    try:
        etag = files.put_json(key(RESULT), result_document(manifest, variant, finished))
    finally:
        wait(uploads)  # also before an error is handled: the files may be stored again
    etags = dict(done.result() for done in uploads)
    return dataclasses.replace(finished, etags={**etags, RESULT: etag})


def _collect(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> Finished:
    etags: dict[str, str] = {}
    packed: dict[str, bytes] = {}
    for path in _files_to_keep(manifest.study.outputs, finished):
        stored = compress(path) if path.suffix == ".sql" else path
        if stored.stat().st_size <= MAX_PACKED_BYTES and stored != finished.series:
            packed[stored.name] = stored.read_bytes()
        else:
            etags[stored.name] = files.put_file(
                keys.variant_key(manifest.simulation_id, variant.index, stored.name), stored
            )
    packed[RESULT] = json_bytes(result_document(manifest, variant, finished))
    return dataclasses.replace(finished, etags=etags, packed=packed)


def store_copies(files: Files, manifest: RunManifest, variant: Variant, finished: Finished) -> Finished:
    """Store the files of a variant that were copied from a pack of an earlier run, each as an object."""
    etags = {
        name: files.put_bytes(
            keys.variant_key(manifest.simulation_id, variant.index, name),
            content,
            "application/json" if name == RESULT else "application/octet-stream",
        )
        for name, content in finished.packed.items()
    }
    return dataclasses.replace(finished, etags={**finished.etags, **etags}, packed={})


def without_room(manifest: RunManifest, variant: Variant, finished: Finished, error: ClientError) -> Finished:
    """A collected run whose pack was refused because the disk is full: failed, and without its database.

    Raises:
        ClientError: If S3 refused it for another reason.
    """
    finished = dataclasses.replace(result_of_full_disk(finished, error), reused=None, content_key="")
    small = {name: content for name, content in finished.packed.items() if not name.endswith(".gz")}
    document = json_bytes(result_document(manifest, variant, finished))
    return dataclasses.replace(finished, packed=small | {RESULT: document})


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
