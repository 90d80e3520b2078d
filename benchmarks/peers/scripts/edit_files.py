"""Writes the owner's model once for each variant, edited with eppy; for the bare engine, which edits nothing."""

import json
import sys
from pathlib import Path

from eppy.modeleditor import IDF

from benchmarks.peers.scripts.eppy_edits import edited


def main() -> None:
    case, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    IDF.setiddname(f"{case['engine_folder']}/Energy+.idd")
    for index, variant in enumerate(edited(IDF(case["model"]), case)):
        variant.saveas(str(folder / f"{index:04}.idf"))


main()
