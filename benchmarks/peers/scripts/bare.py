"""The engine alone: `xargs -P` on files edited beforehand, then the table from EnergyPlus's own reports."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.scripts import collect


def main() -> None:
    case, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    folders = [out / f"{index:04}" for index in range(len(case["files"]))]
    command = [f"{case['engine_folder']}/energyplus", *case["arguments"], "--weather", case["weather"]]
    script = f'{shlex.join(command)} --output-directory "$2" "$1" >"$2.txt" 2>&1'
    pairs = [text for file, folder in zip(case["files"], folders, strict=True) for text in (file, str(folder))]
    subprocess.run(
        ["xargs", "-d", "\n", "-P", str(case["places"]), "-n", "2", "sh", "-c", script, "sh"],
        input="\n".join(pairs),
        text=True,
        check=True,
    )
    collect.write_table(out / "table.csv", map(collect.results_of, folders))


main()
