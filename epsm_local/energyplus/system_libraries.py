"""The system libraries that EnergyPlus needs and a machine without a desktop lacks.

EnergyPlus is linked against libX11, although a simulation never opens a window. On Debian and Ubuntu the missing
packages are downloaded from the distribution's archive and unpacked into the user's cache; nothing is installed, so
root access is not needed. `python -m epsm_local.energyplus.system_libraries` does this, and so does starting the local
stack.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from epsm_local.cache import cache_folder

PACKAGES = ("libx11-6", "libxcb1", "libxau6", "libxdmcp6", "libbsd0", "libmd0")
_NEEDED = "libX11.so.6"


class MissingLibraries(Exception):
    """EnergyPlus cannot start on this machine; the message names the package to install."""


def prepare() -> None:
    """Make sure that child processes find the libraries that EnergyPlus needs.

    Raises:
        MissingLibraries: If one is missing and cannot be downloaded.
    """
    if _loads():
        return
    if not _folders():
        _download()
    search_path = os.environ.get("LD_LIBRARY_PATH")
    os.environ["LD_LIBRARY_PATH"] = os.pathsep.join([*map(str, _folders()), *([search_path] if search_path else [])])


def _loads() -> bool:
    try:
        ctypes.CDLL(_NEEDED)
    except OSError:
        return False
    return True


def _folder() -> Path:
    return cache_folder() / "system-libraries"


def _folders() -> list[Path]:
    return sorted({path.parent for path in _folder().rglob("*.so.*")})


def _download() -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingLibraries(f"EnergyPlus needs {_NEEDED}; install your distribution's package of libX11")
    with tempfile.TemporaryDirectory(dir=cache_folder()) as name:
        folder = Path(name)
        unpacked = folder / "unpacked"
        lists = folder / "lists"
        (lists / "partial").mkdir(parents=True)
        options = ["-qq", "-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={folder}", "-o", "APT::Sandbox::User="]
        try:
            _run(["apt-get", *options, "update"], folder)
            _run(["apt-get", *options, "download", *PACKAGES], folder)
            for package in sorted(folder.glob("*.deb")):
                _run(["dpkg-deb", "-x", str(package), str(unpacked)], folder)
        except subprocess.CalledProcessError as error:
            output = (error.stderr or error.stdout or "").strip()
            message = f"EnergyPlus needs {_NEEDED}, and it could not be downloaded; as root: apt-get install libx11-6"
            raise MissingLibraries(f"{message}\n{output}") from error
        try:
            unpacked.rename(_folder())  # atomic
        except OSError:
            if not _folders():  # unless another process was faster
                raise


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    try:
        prepare()
    except MissingLibraries as error:
        sys.exit(str(error))
