"""Manifests of runs, and the inputs in them."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from epsm.study.manifest import ObjectRef, RunManifest, Source
from epsm.study.schema import Study


def stored_input(s3: Any, name: str, content: bytes) -> ObjectRef:
    """A file put into the inputs bucket, pinned to its version."""
    version = s3.put_object(Bucket="inputs", Key=name, Body=content)["VersionId"]
    digest = hashlib.sha256(content).hexdigest()
    return ObjectRef(bucket="inputs", key=name, version_id=version, sha256=digest, bytes=len(content))


def manifest_of(study: Study, **changes: Any) -> RunManifest:
    """The manifest of a run of a study; `changes` are fields of the manifest."""
    fields: dict[str, Any] = {
        "simulation_id": "retrofit-0123456789abcdef",
        "created_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "study": study,
        "source": Source(bucket="inputs", key="retrofit/study.json", version_id="v1"),
        "inputs": {},
        "external_files": {},
        "variants": study.variant_count,
        "engine_version": "25.2.0",
        "image_id": "sha256:0",
        "code_version": "0.1.0",
        "extraction_version": 1,
    }
    return RunManifest.model_validate(fields | changes)
