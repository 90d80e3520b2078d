"""Manifests of studies whose files are in a bucket."""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from epsm.pipeline.workspace import RunFolder, Workspace
from epsm.study.manifest import ObjectRef, RunManifest
from epsm.study.schema import Study
from epsm.study.variants import Variant
from tests.conftest import study_document
from tests.unit.manifests import manifest_of


class Bucket:
    """What `Files` uses of an S3 client to read, over contents in memory."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.reads: list[str] = []

    def put(self, key: str, content: bytes) -> ObjectRef:
        self.contents[key] = content
        digest = hashlib.sha256(content).hexdigest()
        return ObjectRef(bucket="inputs", key=key, version_id="v1", sha256=digest, bytes=len(content))

    def get_object(self, *, Key: str, **which: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if Key not in self.contents:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        self.reads.append(Key)
        return {"Body": io.BytesIO(self.contents[Key]), "VersionId": which["VersionId"]}


def manifest(
    bucket: Bucket, files: dict[str, bytes], model: str = "room.idf", external: Iterable[str] = ()
) -> RunManifest:
    """The manifest of a run of one model with these files."""
    weather = next(name for name in files if name.lower().endswith(".epw"))
    return manifest_of(
        Study.model_validate(study_document(models=[model], weather=[weather], parameters=[])),
        inputs={name: bucket.put(f"study/{name}", content) for name, content in files.items()},
        external_files={model: tuple(external)},
    )


def first_variant(of: RunManifest) -> Variant:
    return Variant(0, of.study.models[0], of.study.weather[0])


def kept_files(workspace: Workspace) -> list[Path]:
    """The inputs that are kept between runs."""
    return sorted(workspace.kept.iterdir())


def lay_out(workspace: Workspace, folder: Path, of: RunManifest, text: str = "the model") -> RunFolder:
    return workspace.lay_out(folder, of, first_variant(of), "in.idf", text)
