"""The inputs of the comparison: one study of each model, as a folder for this project and as a `case.json` for others.

Each study multiplies the lighting power and the infiltration of the whole building: the baseline, and rows between
0.6 and 0.95 for the one, 1.4 and 1.05 for the other. No two variants are equal, and each round has rows of its own, so
that nothing that was computed in one round can be used in another.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.studies import LARGE_OFFICE, ONE_ZONE, SMALL_OFFICE, WEATHER, Model
from epsm.energyplus.engine import installed_engine
from epsm.energyplus.model_editor import prepare
from epsm.results.metrics import END_USES, FUELS, snake
from epsm.study.schema import Study
from infra.tools.packaging import ROOT

MODELS = {"one-zone": ONE_ZONE, "small-office": SMALL_OFFICE, "large-office": LARGE_OFFICE}
_LIGHTING = (("Lights", "Watts per Floor Area"),)
_INFILTRATION = "ZoneInfiltration:DesignFlowRate"
_INFILTRATION_FIELDS = ("Air Changes per Hour", "Flow Rate per Exterior Surface Area")
SCRIPTS = Path(__file__).with_name("scripts")
"""Programs that run with the interpreter of a peer, or in a process of their own."""
_METERS = {"Interior Lighting": "InteriorLights", "Exterior Lighting": "ExteriorLights"}
"""Names of the meters of end uses, where the two names differ."""


@dataclass(frozen=True, slots=True)
class Case:
    """A study of one round.

    Attributes:
        name: Of the model, as `--sizes` gives it.
        folder: Everything of it: `study/` for this project, `owner/` and `edited/` with the files for the bare engine.
        content: What the scripts of the other runners read.
    """

    name: str
    folder: Path
    content: dict[str, Any]

    @property
    def variants(self) -> int:
        return len(self.content["factors"])

    def written(self, **changes: Any) -> Path:
        """Path of a case.json with some entries changed."""
        path = self.folder / "case.json"
        path.write_text(json.dumps(self.content | changes), encoding="utf-8")
        return path

    def files(self, kind: str) -> list[str]:
        """The models of all variants: `owner`, with the owner's outputs, or `edited`, as this project runs them."""
        return [str(self.folder / kind / f"{index:04}.idf") for index in range(self.variants)]

    def with_meters(self) -> "Case":
        """The same with the meters that a modeller would ask for, by a run of the baseline, and the building's area.

        Some peers read meters instead of tables.
        """
        out = self.folder / "baseline"
        out.mkdir()
        bare = [sys.executable, str(SCRIPTS / "bare.py"), str(self.written(files=self.files("owner")[:1])), str(out)]
        subprocess.run(bare, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
        with (out / "table.csv").open(encoding="utf-8", newline="") as file:
            baseline = next(csv.DictReader(file))
        meters = [
            (f"{_METERS.get(end_use, end_use.replace(' ', ''))}:{fuel.replace(' ', '')}", column)
            for end_use in END_USES
            for fuel in FUELS
            if (column := f"{snake(end_use)}_{snake(fuel)}_kwh") in baseline
        ]
        return replace(self, content=self.content | {"meters": meters, "area_m2": float(baseline["area_m2"])})


def make(name: str, folder: Path, variants: int, number: int, places: int, engine_folder: Path) -> Case:
    """Write the inputs of a study. None of this is measured.

    Args:
        name: One of `MODELS`.
        folder: Where to; it is made.
        variants: Number of variants, the baseline included.
        number: Of the round.
        places: How many engines may run at a time.
        engine_folder: An installed EnergyPlus.
    """
    model, factors = MODELS[name], factors_of(variants, number)
    folder.mkdir(parents=True)
    for part in ("study", "owner", "edited"):
        (folder / part).mkdir()
    shutil.copyfile(model.path, folder / "model.idf")
    for suffix in (".epw", ".stat"):
        shutil.copyfile(WEATHER.with_suffix(suffix), folder / f"chicago{suffix}")
    annual = model.run_period == "annual"
    infiltration = [(_INFILTRATION, field) for field in _INFILTRATION_FIELDS if _has(model, field)]
    content = {
        "engine_folder": str(engine_folder),
        "model": str(folder / "model.idf"),
        "weather": str(folder / "chicago.epw"),
        "annual": annual,
        "hours": 8760,
        "arguments": ["--annual"] if annual else [],
        "places": places,
        "factors": factors,
        "fields": [_LIGHTING, infiltration],
    }
    case = Case(name, folder, content)
    edit = [sys.executable, str(SCRIPTS / "edit_files.py"), str(case.written()), str(folder / "owner")]
    subprocess.run(edit, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    _write_study(case, model, infiltration)
    return case


def factors_of(variants: int, number: int) -> list[tuple[float, float]]:
    """For each variant the factors of lighting power and infiltration."""
    steps = [(step + number / 100) / max(variants - 1, 1) for step in range(variants - 1)]
    return [(1.0, 1.0), *((round(0.6 + 0.35 * step, 9), round(1.4 - 0.35 * step, 9)) for step in steps)]


def _has(model: Model, field: str) -> bool:
    """Whether one of the model's objects uses a field: a parameter without any object would be refused."""
    method = {"Air Changes per Hour": "AirChanges/Hour"}.get(field, "Flow/ExteriorArea")
    return method.lower() in model.path.read_text(encoding="latin-1").lower()


def _write_study(case: Case, model: Model, infiltration: Sequence[tuple[str, str]]) -> None:
    names, folder = ("lighting", "infiltration"), case.folder
    for name in ("model.idf", "chicago.epw", "chicago.stat"):
        shutil.copyfile(folder / name, folder / "study" / name)
    document = {
        "name": f"Peers {case.name}",
        "models": ["model.idf"],
        "weather": ["chicago.epw"],
        "parameters": [
            {"name": name, "targets": [_target(class_name, field) for class_name, field in fields]}
            for name, fields in zip(names, (_LIGHTING, infiltration), strict=True)
        ],
        "sampling": {
            "method": "list",
            "rows": [dict(zip(names, factors, strict=True)) for factors in case.content["factors"][1:]],
        },
        "options": {"run_period": model.run_period},
    }
    (folder / "study" / "study.json").write_text(json.dumps(document), encoding="utf-8")
    study = Study.model_validate(document)
    prepared = prepare(model.path.read_bytes(), "model.idf", study, installed_engine().idd)
    rows: list[dict[str, float | str]] = [{}, *document["sampling"]["rows"]]  # type: ignore[index]
    for index, row in enumerate(rows):
        (folder / "edited" / f"{index:04}.idf").write_text(prepared.render(row), encoding="utf-8")


def _target(class_name: str, field: str) -> dict[str, str]:
    return {"class": class_name, "object": "*", "field": field, "apply": "multiply", "blank": "skip"}
