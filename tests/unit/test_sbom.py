"""The bill of materials of a file system: tests.image.sbom."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.image.sbom import PYTHON_PACKAGES, write_sbom

LIBC = """Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Maintainer: nobody
Version: 2.41-12
Description: the C library

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Maintainer: nobody
Version: 1.0-1
Description: only its configuration is left

"""


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this is no Debian")
def test_packages_of_python_and_debian_are_listed_with_their_versions(tmp_path: Path) -> None:
    (tmp_path / "var/lib/dpkg/updates").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(LIBC, encoding="utf-8")
    (tmp_path / PYTHON_PACKAGES).parent.mkdir(parents=True)
    (tmp_path / PYTHON_PACKAGES).symlink_to(Path(boto3.__file__).parent.parent)
    write_sbom(tmp_path, "epsm", "0.1.0", tmp_path / "sbom.cdx.json")
    document: dict[str, Any] = json.loads((tmp_path / "sbom.cdx.json").read_text(encoding="utf-8"))
    urls = {each["purl"] for each in document["components"]}
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "epsm")
    assert {f"pkg:pypi/boto3@{version('boto3')}", "pkg:deb/debian/libc6@2.41-12?arch=amd64"} <= urls
    assert not [each for each in urls if "gone" in each]
