"""Publishing what CDK staged: assets into the bootstrap bucket, images as the folders of their build contexts."""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from epsm_local.aws.session import ACCOUNT, REGION


def read_assets(cloud_assembly: Path, stack: str) -> dict[str, Any]:
    """The stack's asset manifest, as `cdk synth` wrote it."""
    return json.loads((cloud_assembly / f"{stack}.assets.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def image_folders(cloud_assembly: Path, assets: Mapping[str, Any]) -> dict[str, Path]:
    """For each image tag the folder that was staged as its build context."""
    return {
        destination["imageTag"]: cloud_assembly / image["source"]["directory"]
        for image in assets.get("dockerImages", {}).values()
        for destination in image["destinations"].values()
    }


def publish_files(cloud_assembly: Path, assets: Mapping[str, Any], s3: Any) -> None:
    """Put every file asset where the template expects it; folders are zipped once and kept beside."""
    for asset in assets["files"].values():
        source = cloud_assembly / asset["source"]["path"]
        if asset["source"]["packaging"] == "zip":
            source = _zipped(source)
        for destination in asset["destinations"].values():
            bucket = _resolved(destination["bucketName"])
            if bucket not in (each["Name"] for each in s3.list_buckets()["Buckets"]):
                s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key=_resolved(destination["objectKey"]), Body=source.read_bytes())


def _resolved(text: str) -> str:
    return text.replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Region}", REGION)


def _zipped(folder: Path) -> Path:
    """The folder as a zip; its name holds a hash of its content, so an existing one is right."""
    archive = folder.with_name(folder.name + ".zip")
    if not archive.is_file():
        part = archive.with_name(f"{archive.name}.{os.getpid()}.part")  # another stack may be starting, too
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    target.write(path, path.relative_to(folder))
        part.rename(archive)
    return archive
