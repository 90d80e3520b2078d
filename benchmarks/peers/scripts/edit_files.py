"""Writes the owner's model once for each variant, edited with eppy; for the bare engine, which edits nothing."""

import copy
import json
import sys
from pathlib import Path

from eppy.modeleditor import IDF


def main() -> None:
    case, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    IDF.setiddname(f"{case['engine_folder']}/Energy+.idd")
    model = IDF(case["model"])
    model.outputtype = "nocomment"
    for index, factors in enumerate(case["factors"]):
        variant = copy.deepcopy(model)
        for factor, fields in zip(factors, case["fields"], strict=True):
            for class_name, field in fields:
                for item in variant.idfobjects[class_name.upper()]:
                    name = field.replace(" ", "_")
                    if item[name] != "":
                        item[name] *= factor
        variant.saveas(str(folder / f"{index:04}.idf"))


main()
