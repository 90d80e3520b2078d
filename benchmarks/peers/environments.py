"""Where the peers are installed: a virtual environment for each, and a folder of EnergyPlus as they expect it.

Nothing of them is a dependency of this project. They are kept in `build/peers`, installed once.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from epsm.energyplus.engine import installed_engine
from infra.tools.packaging import ROOT

CACHE = ROOT / "build" / "peers"
PEERS = {"eppy": "0.6.7", "idfkit": "1.1.1", "besos": "2.2.3", "energytool": "0.2.2"}
_AS_OF = "2026-11-27"
"""Their dependencies are the newest of this day, so that another day installs the same."""
_ENGINE_FILES = (
    "energyplus",
    "ExpandObjects",
    "Energy+.idd",
    "Energy+.schema.epJSON",
    "libenergyplusapi.so.25.2.0",
    "libeplus-python3.12.so.1.0",
)


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer that is installed.

    Attributes:
        name: Of its package.
        version: Of its package.
        python: The interpreter that has it.
        size_mb: Of the environment on disk.
    """

    name: str
    version: str
    python: Path
    size_mb: float


def install(name: str) -> Environment:
    """Install a peer, unless that has been done.

    Raises:
        subprocess.CalledProcessError: If it cannot be installed.
    """
    version = PEERS[name]
    folder = CACHE / f"{name}-{version}"
    python, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        package = [f"{name}=={version}", "--exclude-newer", _AS_OF]
        # Compiled, as pip would have left it; without this project's own settings, which replace dependencies of eppy.
        options = ["--no-config", "--quiet", "--compile-bytecode", "--python", str(python)]
        subprocess.run([uv, "pip", "install", *options, *package], check=True)
        complete.touch()
    return Environment(name, version, python, disk_mb(folder))


def engine_folder() -> Path:
    """A folder with this project's engine, laid out as an installed EnergyPlus.

    The peers find their executable beside `Energy+.idd`. The files are the same, as hard links where that is possible.
    `ReadVarsESO`, which energytool needs, comes from the package of the reference models.
    """
    folder = CACHE / "energyplus"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "PostProcess").mkdir(parents=True)
        source = installed_engine().executable.parent
        for name in _ENGINE_FILES:
            _link(source / name, folder / name)
        reader = folder / "PostProcess" / "ReadVarsESO"
        import pyenergyplus

        shutil.copyfile(Path(pyenergyplus.__file__).parents[1] / "ReadVarsESO", reader)
        reader.chmod(0o755)
        (folder / "complete").touch()
    return folder


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def disk_mb(folder: Path) -> float:
    """Size of a folder on disk, MB (10^6 bytes)."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_dir()) / 1e6
