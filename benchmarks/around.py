"""CPU time of what a variant costs around the engine, by parts: the verdict, reading the results, compression."""

import argparse
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from isal import isal_zlib

from benchmarks.output import print_machine, print_table
from benchmarks.studies import LARGE_OFFICE, ONE_ZONE, SMALL_OFFICE, WEATHER, Model
from epsm.energyplus.engine import command, installed_engine, run
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.verdict import judge
from epsm.results.reader import read_results
from epsm.store.files import compress
from epsm.study.schema import Study

MODELS = {model.name: model for model in (ONE_ZONE, SMALL_OFFICE, LARGE_OFFICE)}

COMPRESSORS = (("zlib", zlib, (1, 4, 6)), ("isal", isal_zlib, (1, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.around", description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["one zone", "small office"])
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    print_machine()
    print(f"CPU of one run, ms, median of {chosen.rounds} (least):\n")
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / model for model in chosen.models]
        rows = [_row(MODELS[folder.name], folder, chosen.rounds) for folder in folders]
        databases = [(folder / "out" / "eplusout.sql").read_bytes() for folder in folders]
    print_table(["model", "database_mb", "compressed_mb", "judge", "read_results", "compress", "total"], rows)
    print("Compression of their databases, least CPU, ms, and size, MB:\n")
    print_table(
        ["compressor", *chosen.models],
        [
            [f"{name} {level}", *(_compressed(module, level, content) for content in databases)]
            for name, module, levels in COMPRESSORS
            for level in levels
        ],
    )


def _compressed(module: Any, level: int, content: bytes) -> str:
    sizes: list[int] = []

    def act() -> None:
        packer = module.compressobj(level, wbits=31)
        sizes.append(len(packer.compress(content)) + len(packer.flush()))

    least_ms = min(_cpu_ms(act) for _ in range(3))
    return f"{least_ms:.1f}, {sizes[0] / 1e6:.3f}"


def _row(model: Model, folder: Path, rounds: int) -> list[str]:
    folder.mkdir()
    study = Study.model_validate(
        {
            "name": "around",
            "models": ["model.idf"],
            "weather": ["in.epw"],
            "options": {"run_period": model.run_period},
        }
    )
    engine = installed_engine()
    prepared = prepare(model.path.read_bytes(), "model.idf", study, engine.idd)
    (folder / "in.idf").write_text(prepared.render({}), encoding="utf-8")
    line = command(engine, folder / "in.idf", WEATHER, folder / "out", run_period=model.run_period)
    ended, output = run(line, folder, timeout_s=600), folder / "out"
    database = output / "eplusout.sql"
    diagnosis = judge(ended, output, model.run_period)
    if not diagnosis.verdict.has_results:
        raise RuntimeError(diagnosis.message)
    parts: dict[str, Callable[[], object]] = {
        "judge": lambda: judge(ended, output, model.run_period),
        "read_results": lambda: read_results(database, diagnosis.environments),
        "compress": lambda: compress(database),
    }
    found = {part: [_cpu_ms(act) for _ in range(rounds + 1)][1:] for part, act in parts.items()}
    total = [sum(times) for times in zip(*found.values(), strict=True)]
    sizes = [f"{path.stat().st_size / 1e6:.2f}" for path in (database, compress(database))]
    shown = [f"{statistics.median(times):.1f} ({min(times):.1f})" for times in (*found.values(), total)]
    return [model.name, *sizes, *shown]


def _cpu_ms(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return 1000 * (time.process_time() - started)


if __name__ == "__main__":
    main()
