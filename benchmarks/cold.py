"""What a cold start has to load: seconds to import each handler, files and bytes by stages, and sizes of what is
shipped."""

import argparse
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.handlers import variables
from benchmarks.output import print_machine, print_table
from benchmarks.studies import ONE_ZONE, WEATHER
from infra.tools.packaging import (
    LIBRARY,
    MAX_UNZIPPED_MB,
    ROOT,
    dependencies_folder,
    exported_requirements,
    library_folder,
)

_HANDLERS = ("submit", "api", "cleanup", "canary", "run_variant", "aggregate")
_IMPORT = """
import time
started = time.perf_counter()
import functions.{name}.handler
print(time.perf_counter() - started)
"""
_LISTED = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=__doc__)
    parser.add_argument("--interpreters", type=int, default=9, help="fresh ones for each handler; the median counts")
    parser.add_argument("--stages", action="store_true", help="only what each function does by stages")
    chosen = parser.parse_args()
    print_machine()
    if chosen.stages:
        _print_stages(chosen.interpreters)
        return
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as empty:
        _compile_standard_library(Path(empty))
        for kind, more in (
            ("compiled, as in the image and the layers", {}),
            ("not compiled", {"PYTHONPYCACHEPREFIX": empty, "PYTHONDONTWRITEBYTECODE": "1"}),
        ):
            for name in _HANDLERS:
                _import_seconds(name, more)  # loads the files into the page cache, and compiles them if requested
                seconds = [_import_seconds(name, more) for _ in range(chosen.interpreters)]
                rows.append([name, kind, statistics.median(seconds), min(seconds), max(seconds)])
    print_table(["handler", "packages", "median import_seconds", "least", "most"], rows)
    _print_stages(chosen.interpreters)
    layer, library = dependencies_folder() / "python", library_folder()
    print(f"Layers unzipped, of the {MAX_UNZIPPED_MB} MB that Lambda allows with the function:\n")
    print_table(["layer", "size_mb"], [["dependencies", _size_mb(layer, "")], ["library", _size_mb(library, "")]])
    print("Largest in the layer of dependencies:\n")
    _print_largest({path.name: _size_mb(path) for path in layer.iterdir()})
    print("Largest packages that the image installs, before its Dockerfile drops parts of them:\n")
    _print_largest(_package_sizes_mb("image"))


def _compile_standard_library(folder: Path) -> None:
    """Put the standard library's compiled files where PYTHONPYCACHEPREFIX=`folder` finds them: Lambda has them too."""
    options = ["-q", "-j", "0", "-x", "site-packages|test"]
    subprocess.run(
        [sys.executable, "-X", f"pycache_prefix={folder}", "-m", "compileall", *options, sysconfig.get_path("stdlib")],
        check=True,
    )


def _import_seconds(name: str, more: Mapping[str, str]) -> float:
    """Seconds to import a handler in a fresh interpreter, without the start of the interpreter itself."""
    # No call of AWS is made while a handler is loaded, so nobody needs to listen there.
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(name=name)],
        cwd=ROOT,
        env={**variables("http://127.0.0.1:9"), **more},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout.splitlines()[-1])


def _print_stages(interpreters: int) -> None:
    """What each function does until its first result: the median of its CPU seconds, files, and bytes from the disk.

    Before each interpreter, what Linux has kept in memory of Python's and the engine's files is dropped.
    """
    rows: list[list[object]] = []
    for name in _HANDLERS:
        runs = [_stages(name) for _ in range(interpreters)]
        for stages in zip(*runs, strict=True):
            medians = [
                statistics.median(stage[key] for stage in stages)
                for key in ("seconds", "cpu_seconds", "files", "read_mb")
            ]
            rows.append([name, stages[0]["stage"], *medians[:2], int(medians[2]), medians[3]])
    print("By stages, with nothing in the page cache:\n")
    print_table(["function", "stage", "seconds", "cpu_seconds", "files", "read_mb"], rows)


def _stages(name: str) -> list[dict[str, Any]]:
    _drop_pages()
    with tempfile.TemporaryDirectory() as folder:
        arguments = [name, str(ONE_ZONE.path), str(WEATHER), folder]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.cold_process", *arguments],
            cwd=ROOT,
            env=variables("http://127.0.0.1:9"),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    stages: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return stages


def _drop_pages() -> None:
    """Drop the pages of the files that functions load from the page cache; other programs may keep some of them."""
    os.sync()
    for folder in (Path(sys.prefix), Path(sysconfig.get_path("stdlib")), LIBRARY, ROOT / "functions"):
        for path in folder.rglob("*"):
            if path.is_file():
                descriptor = os.open(path, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)


def _size_mb(path: Path, without: str = ".pyc") -> float:
    """Size of a file, or of all files in a folder, MB; without those that end so: by default, what is compiled."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != (without or "/")) / 1e6


def _package_sizes_mb(group: str) -> dict[str, float]:
    """Installed size of each locked package of the library and a dependency group, MB."""
    sizes = {}
    for name in re.findall(r"^([\w.-]+)==", exported_requirements(group), re.MULTILINE):
        try:
            files = importlib.metadata.distribution(name).files or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        sizes[name] = sum(_size_mb(Path(str(file.locate()))) for file in files)
    return sizes


def _print_largest(sizes_mb: dict[str, float]) -> None:
    largest = sorted(sizes_mb.items(), key=lambda item: -item[1])[:_LISTED]
    print_table(["", "size_mb"], [*largest, ("all", sum(sizes_mb.values()))])


if __name__ == "__main__":
    main()
