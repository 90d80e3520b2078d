"""A software bill of materials (CycloneDX) of an image's file system: its Python packages and its Debian packages.

`python -m tests.image.sbom ROOT FILE` writes that of any file system that is laid out in a folder, for instance of the
image that a deployment pushed, unpacked with `docker export`.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

PYTHON_PACKAGES = "opt/epsm/lib/python3.13/site-packages"
_DEBIAN_FIELDS = "${binary:Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n"
_MAX_LICENSE = 200
"""Some packages put the whole text where its name belongs."""


def write_sbom(root: Path, name: str, version: str, target: Path) -> Bom:
    """Write the bill of materials of a file system as CycloneDX 1.6 in JSON.

    Args:
        root: The file system.
        name, version: What it is the file system of.
        target: The file to write.

    Raises:
        subprocess.CalledProcessError: If Debian's database cannot be read.
    """
    image = Component(type=ComponentType.CONTAINER, name=name, version=version, bom_ref=name)
    packages = [*python_components(root / PYTHON_PACKAGES), *debian_components(root)]
    bom = Bom(components=packages)
    bom.metadata.component = image
    bom.register_dependency(image, packages)
    target.write_text(JsonV1Dot6(bom).output_as_string(indent=1), encoding="utf-8")
    return bom


def python_components(site_packages: Path) -> Iterator[Component]:
    """The packages that are installed in a folder, by their own metadata."""
    for package in distributions(path=[str(site_packages)]):
        name, version = package.metadata["Name"], package.version
        url = PackageURL("pypi", name=name.lower().replace("_", "-"), version=version)
        yield Component(
            type=ComponentType.LIBRARY,
            name=name,
            version=version,
            purl=url,
            bom_ref=str(url),
            licenses=_licenses(package),
        )


def _licenses(package: Distribution) -> list[License]:
    metadata = package.metadata.json
    name = str(metadata.get("license_expression") or metadata.get("license") or "")
    return [LicenseFactory().make_from_string(name)] if 0 < len(name) <= _MAX_LICENSE else []


def debian_components(root: Path) -> Iterator[Component]:
    """The Debian packages of a file system, by its own database."""
    query = ["dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show", f"--showformat={_DEBIAN_FIELDS}"]
    listed = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        package, version, architecture, status = line.split("\t")
        if status == "installed":
            name = package.partition(":")[0]
            url = PackageURL("deb", "debian", name, version, {"arch": architecture})
            yield Component(type=ComponentType.LIBRARY, name=name, version=version, purl=url, bom_ref=str(url))


if __name__ == "__main__":
    write_sbom(Path(sys.argv[1]), "epsm", "unknown", Path(sys.argv[2]))
