"""What checking and editing large IDF files takes: `python -m benchmarks.large_models [--megabytes 1 10 49]`.

Each measure in a fresh process, which has read a tiny model before, so that imports do not count.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measured import peak_memory_mb

_SOURCE = "RefBldgLargeOfficeNew2004_Chicago.idf"
_REPEATED = ("BuildingSurface:Detailed", "FenestrationSurface:Detailed", "Schedule:Compact", "People", "Lights")
_OBJECT = re.compile(rf"\s*(?:{'|'.join(_REPEATED)})\s*,\s*([^,]*?)\s*,")
_COORDINATE = re.compile(r"(?<=,)-?[0-9]+\.[0-9]{4}(?=,|$)")
_TINY = "Version,25.2;\nBuilding,Tiny;\nGlobalGeometryRules,UpperLeftCorner,Counterclockwise,World;\n"

ONE_OBJECT: list[dict[str, Any]] = [
    {"name": "x", "class": "Lights", "object": "* c1", "field": "Watts per Floor Area", "values": [5]}
]
"""Parameters that edit some objects of one class."""
EVERY_OBJECT: list[dict[str, Any]] = [
    {"name": "a", "class": "Lights", "field": "Watts per Floor Area", "values": [5]},
    {"name": "b", "class": "People", "field": "Fraction Radiant", "values": [0.4]},
    {"name": "c", "class": "Schedule:Compact", "field": "Field 1", "values": ["Through: 12/31"]},
    {"name": "d", "class": "BuildingSurface:Detailed", "field": "View Factor to Ground", "values": [0.5]},
    {"name": "e", "class": "FenestrationSurface:Detailed", "field": "Multiplier", "values": [1]},
]
"""Parameters that edit all the objects that are repeated: the worst that a study can ask for."""


def model(megabytes: float, *, comments: bool) -> str:
    """A reference building with its surfaces, schedules and gains repeated until it has that size.

    Args:
        megabytes: Size, 10^6 bytes.
        comments: Whether each field is on a line of its own with a comment, as editors write them.
    """
    import pyenergyplus

    path = Path(pyenergyplus.__file__).parent / "data" / "model" / _SOURCE
    lines = (line.split("!", 1)[0].strip() for line in path.read_text(encoding="latin-1").splitlines())
    text = "".join(line for line in lines if line)
    text = re.sub(r"Version,[\d.]+;", "Version,25.2;", text)
    objects = text.split(";")[:-1]
    parts, size = [], 0
    for copy in _and_copies(objects):
        written = copy.replace(",", ",  !- Field\n    " if comments else ",") + (";\n\n" if comments else ";\n")
        parts.append(written)
        size += len(written)
        if size >= megabytes * 1e6:
            break
    return "".join(parts)


def _and_copies(objects: list[str]) -> Iterator[str]:
    yield from objects
    repeated = [(object_, match.group(1)) for object_ in objects if (match := _OBJECT.match(object_))]
    number = 0
    while True:
        number += 1
        for text, name in repeated:
            # Storeys of a real building have corners of their own; equal texts would be kept once.
            yield _moved(text.replace(f",{name},", f",{name} c{number},", 1), number)


def _moved(text: str, metres: float) -> str:
    return _COORDINATE.sub(lambda match: f"{float(match[0]) + metres:.4f}", text)


def _study(parameters: list[dict[str, Any]]) -> Any:
    from epsm.study.schema import Study

    document = {"schema": 1, "models": ["m.idf"], "weather": ["w.epw"], "parameters": parameters}
    return Study.model_validate(document | {"options": {"run_period": "annual"}})


def measure(action: str, path: str) -> dict[str, float]:
    """Check or edit a model in this process.

    Args:
        action: `check`, `edit some` or `edit all`.
        path: The model.
    """
    study = _study(EVERY_OBJECT if action == "edit all" else ONE_OBJECT)
    act = _check if action == "check" else _edit
    act(_TINY.encode(), _study([]), {})
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before_mb, started = peak_memory_mb(), time.process_time()
    result = act(
        Path(path).read_bytes(), study, {parameter.name: parameter.levels[0] for parameter in study.parameters}
    )
    seconds = time.process_time() - started
    measured = {"cpu_seconds": seconds, "before_mb": before_mb, "peak_mb": peak_memory_mb(), "kept_mb": _resident_mb()}
    del result
    return measured


def _check(content: bytes, study: Any, values: dict[str, Any]) -> Any:
    from epsm.checks.models import check_model

    return check_model(content, "m.idf", study)


def _edit(content: bytes, study: Any, values: dict[str, Any]) -> Any:
    import pandas  # noqa: F401  # as in the function

    from epsm.energyplus.engine import installed_engine
    from epsm.energyplus.model_editor import prepare

    prepared = prepare(content, "m.idf", study, installed_engine().idd)
    del content
    prepared.render(values)
    return prepared


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", nargs="+", type=float, default=[1, 3.5, 10, 49])
    parser.add_argument("--what", nargs="+", default=["check", "edit some", "edit all"])
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure)))
        return
    print("| size_mb | comments | what | cpu_seconds | peak_mb, of it before | kept_mb |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.idf"
        for megabytes in arguments.megabytes:
            for comments in (True, False):
                path.write_text(model(megabytes, comments=comments))
                for action in arguments.what:
                    command = [sys.executable, "-m", "benchmarks.large_models", "--measure", action, str(path)]
                    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                    measures = json.loads(done.stdout.splitlines()[-1])
                    print(
                        f"| {megabytes:g} | {'yes' if comments else 'no'} | {action} | {measures['cpu_seconds']:.1f} "
                        f"| {measures['peak_mb']:.0f}, {measures['before_mb']:.0f} | {measures['kept_mb']:.0f} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
