"""eppy: one model read, edited for each variant, and `runIDFs` on all cores."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eppy.modeleditor import IDF
from eppy.runner.run_functions import runIDFs

from benchmarks.peers.scripts import collect
from benchmarks.peers.scripts.eppy_edits import edited


def _runs(case: dict[str, Any], out: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    for index, variant in enumerate(edited(IDF(case["model"], case["weather"]), case)):
        options = {"output_directory": str(out / f"{index:04}"), "annual": case["annual"], "verbose": "q"}
        # The folder of the dictionary is where it looks for the executable.
        yield variant, {**options, "idd": f"{case['engine_folder']}/Energy+.idd", "ep_version": "25-2-0"}


def main() -> None:
    case, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]).resolve()
    os.chdir(out)
    IDF.setiddname(f"{case['engine_folder']}/Energy+.idd")
    # A generator is taken one by one, as the documentation recommends for many variants.
    runIDFs(_runs(case, out), processors=case["places"])
    folders = [out / f"{index:04}" for index in range(len(case["factors"]))]
    collect.write_table(out / "table.csv", map(collect.results_of, folders))


if __name__ == "__main__":
    main()
