"""The product that the local stack deploys: the synthesised template, and the code of functions, layer and image.

`template.json` is what `infra/` synthesises for the stage `local`, written by `python -m infra.tools.product`;
`make check` fails if it is out of date. It names an asset by its content, `asset-submit`, where CDK uses a hash, so a
change of code does not change the template. The wheel has the functions' code beside this module; in a clone the source
folders are used.
"""

import functools
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import epsm
from epsm_local.aws.session import ACCOUNT, OWNER

STAGE = "local"
STACK_NAME = f"epsm-{STAGE}"
CONTEXT: Mapping[str, str] = {
    "stage": STAGE,
    "missing_file_grace_s": "3",
    "canary_every_hours": "0",
    "bucket_owner": f"iam:arn:aws:iam::{ACCOUNT}:user/{OWNER}",
    "reserved_concurrency": "2",
}
"""Settings for a single user's machine: files arrive fast, no canary is needed, and studies uploaded to the bucket
belong to the API's default user. The concurrency is set to the number of engines."""

TEMPLATE = Path(__file__).with_name("template.json")
_CLONE = Path(__file__).parents[2]
_PACKAGED = Path(__file__).with_name("functions")
FUNCTIONS = _PACKAGED if _PACKAGED.is_dir() else _CLONE / "functions"
"""Folder with one package per function."""
_PACKAGED_ENGINES = Path(__file__).with_name("engines")
ENGINES = _PACKAGED_ENGINES if _PACKAGED_ENGINES.is_dir() else _CLONE / "layers" / "energyplus" / "engines"
"""Folder with the pinned requirements of each older EnergyPlus version."""

IMAGE, LIBRARY, DEPENDENCIES = "image", "library", "dependencies"
IN_IMAGE = ("run_variant", "aggregate")
"""Functions in the container image; each of the others is a separate asset."""

_ASSET = re.compile(r"\basset-([a-z_]+)\b")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Deployment:
    """The template and assets to deploy.

    Attributes:
        template: CloudFormation template, JSON.
        files: Zips by their key in the assets bucket.
        images: The build context of each container image, a zip, by the image's tag.
    """

    template: str
    files: Mapping[str, bytes]
    images: Mapping[str, bytes]


def deployment(engines: int, template: str | None = None) -> Deployment:
    """The template for a number of engines, with its assets named by hashes of their content.

    Args:
        engines: Engines that may run at a time.
        template: A template with names of assets; None for the packaged one.
    """
    text = TEMPLATE.read_text(encoding="utf-8") if template is None else template
    zips = {name: _zipped(name) for name in sorted(set(_ASSET.findall(text)))}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in zips.items()}
    template_text = _ASSET.sub(lambda match: hashes[match[1]], text)
    return Deployment(
        json.dumps(with_engines(json.loads(template_text), engines)),
        {f"{hashes[name]}.zip": content for name, content in zips.items() if name != IMAGE},
        {hashes[name]: content for name, content in zips.items() if name == IMAGE},
    )


def with_engines(template: dict[str, Any], engines: int) -> dict[str, Any]:
    """The template as `infra/` synthesises it with another `reserved_concurrency`, except the threshold of an alarm.

    An engine occupies a core: the number of engines is the concurrency that is shared by the running studies.
    """
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "ReservedConcurrentExecutions" in properties:
            properties["ReservedConcurrentExecutions"] = engines
        if resource["Type"] == "AWS::Lambda::Function":
            variables = properties.get("Environment", {}).get("Variables", {})
            if "VARIANT_CONCURRENCY" in variables:
                variables["VARIANT_CONCURRENCY"] = str(engines)
    return template


def files(asset: str) -> dict[str, Path]:
    """The files of an asset by their path in it, as `infra/` stages them, but without dependencies.

    On this machine dependencies come from the environment; their layer is empty.
    """
    if asset == DEPENDENCIES:
        return {}
    if asset == LIBRARY:
        return _library("python/epsm")
    if asset != IMAGE:
        return dict(_walk(FUNCTIONS / asset, ""))
    return {
        "functions/__init__.py": FUNCTIONS / "__init__.py",
        **{path: file for name in IN_IMAGE for path, file in _walk(FUNCTIONS / name, f"functions/{name}/")},
        **_library("layers/energyplus/python/epsm"),
        **dict(_walk(ENGINES, "layers/energyplus/engines/")),
    }


def _library(prefix: str) -> dict[str, Path]:
    return dict(_walk(Path(epsm.__file__).parent, f"{prefix}/"))


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{prefix}{path.relative_to(folder).as_posix()}", path


@functools.cache
def _zipped(asset: str) -> bytes:
    """The same files always give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        if asset == DEPENDENCIES:
            archive.writestr(zipfile.ZipInfo("python/", _LONG_AGO), b"")
        for path, file in files(asset).items():
            archive.writestr(zipfile.ZipInfo(path, _LONG_AGO), file.read_bytes(), zipfile.ZIP_DEFLATED, 1)
    return target.getvalue()
