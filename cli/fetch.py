"""Bringing the results of a run to a folder."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli.target import Target
from epsm.store import keys

SUMMARY_FILES = ("manifest.json", "errors.json", "results.csv", "results.parquet", "report.html")
_CONNECTIONS = 8


def fetch(
    target: Target, simulation: str, folder: Path, *, with_variants: bool, report: Callable[[int, int], None]
) -> Path:
    """Download a run.

    A folder that holds another run is not overwritten: it is renamed after that run first. A run that was renamed so
    itself, and has gone on since, is brought up to date where it lies.

    Args:
        target: The stack.
        simulation: The run.
        folder: Where to; made if it is not there.
        with_variants: Whether to bring every variant's own files too.
        report: Called with the number of files that are there, and of all files.

    Returns:
        The folder that holds it now.
    """
    folder = _room(folder, simulation)
    names = list(_names(target, simulation, with_variants))
    done = 0
    s3 = target.client("s3")

    def bring(name: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        s3.download_file(target.results_bucket, keys.run_key(simulation, name), str(part))
        part.replace(path)

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        for _ in pool.map(bring, names):
            done += 1
            report(done, len(names))
    return folder


def _names(target: Target, simulation: str, with_variants: bool) -> Iterator[str]:
    prefix = keys.run_key(simulation)
    folder = "variants/" if with_variants else ""
    pages = target.client("s3").get_paginator("list_objects_v2")
    where = {"Bucket": target.results_bucket, "Prefix": prefix}
    for page in pages.paginate(**where, **({} if with_variants else {"Delimiter": "/"})):
        for each in page.get("Contents", []):
            name = each["Key"].removeprefix(prefix)
            if name in SUMMARY_FILES or (folder and name.startswith(folder)):
                yield name


def _room(folder: Path, simulation: str) -> Path:
    present = run_in(folder)
    if present is not None and present != simulation:
        own = folder.with_name(simulation)
        if run_in(own) == simulation:
            return own
        folder.rename(folder.with_name(present))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_in(folder: Path) -> str | None:
    """The simulation whose results a folder holds, or None."""
    for name in ("manifest.json", "errors.json"):
        try:
            return str(json.loads((folder / name).read_text(encoding="utf-8"))["simulation_id"])
        except (OSError, ValueError, KeyError):
            continue
    return None
