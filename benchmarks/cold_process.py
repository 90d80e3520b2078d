"""What a function does from its start to its first result, by stages: run by `benchmarks.cold` in a new interpreter.

Prints JSON: for each stage its seconds, CPU seconds, the files that it opens, and the bytes that it reads from disk.
"""

import time

_STARTED, _CPU = time.perf_counter(), time.process_time()

import importlib  # noqa: E402 - the clock comes first
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

_BLOCK = 512  # of ru_inblock
_opened: set[str] = set()


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        _opened.add(arguments[0])


class _Stages:
    """The stages so far."""

    def __init__(self) -> None:
        self.found: list[dict[str, object]] = []
        self._files: set[str] = set()
        self._read = 0
        self._wall_s, self._cpu_s = _STARTED, 0.0

    def end(self, name: str) -> None:
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        wall_s = time.perf_counter()
        cpu_s = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
        read = _BLOCK * (own.ru_inblock + children.ru_inblock)
        files = {path for path in _opened | _mapped() if Path(path).is_file()}
        self.found.append(
            {
                "stage": name,
                "seconds": wall_s - self._wall_s,
                "cpu_seconds": cpu_s - self._cpu_s,
                "files": len(files - self._files),
                "read_mb": (read - self._read) / 1e6,
            }
        )
        self._files |= files
        self._read, self._wall_s, self._cpu_s = read, time.perf_counter(), cpu_s


def _mapped() -> set[str]:
    """Files that are mapped into memory: shared libraries, which Python does not open itself."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split(None, 5)[5] for line in lines if line.count("/")}


def main(handler: str, model: str, weather: str, folder: str) -> None:
    sys.addaudithook(_note)
    stages = _Stages()
    stages.end("interpreter")
    importlib.import_module(f"functions.{handler}.handler")
    stages.end("import of the handler")
    if handler == "run_variant":
        _first_variant(stages, Path(model), Path(weather), Path(folder))
    print(json.dumps(stages.found))


def _first_variant(stages: _Stages, model: Path, weather: Path, folder: Path) -> None:
    from epsm.energyplus.engine import command, installed_engine, run
    from epsm.energyplus.model_editor import prepare
    from epsm.energyplus.verdict import judge
    from epsm.results.reader import read_results
    from epsm.study.schema import Study

    study = Study.model_validate({"name": "cold", "models": ["model.idf"], "weather": ["in.epw"]})
    engine = installed_engine()
    prepared = prepare(model.read_bytes(), "model.idf", study, engine.idd)
    (folder / "in.idf").write_text(prepared.render({}, first_day=True), encoding="utf-8")
    stages.end("first edit")
    engine.version()
    stages.end("version of the engine")
    ended = run(command(engine, folder / "in.idf", weather, folder / "out"), folder, timeout_s=300)
    stages.end("first run, of one day")
    diagnosis = judge(ended, folder / "out")
    if not diagnosis.verdict.has_results:
        raise RuntimeError(diagnosis.message)
    read_results(folder / "out" / "eplusout.sql", diagnosis.environments)
    stages.end("verdict and results")


if __name__ == "__main__":
    main(*sys.argv[1:])
