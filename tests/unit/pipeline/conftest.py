"""An executable in place of EnergyPlus, with what a real run wrote; every test tells it how the next runs end."""

from pathlib import Path
from typing import Any

import pytest

from epsm.energyplus.engine import Engine
from epsm.store.files import Files
from epsm.store.records import Records
from tests.unit.pipeline.batch_case import Case
from tests.unit.pipeline.fake_engine import FakeEngine


@pytest.fixture(scope="session")
def fake_engine(tmp_path_factory: pytest.TempPathFactory, engine: Engine, one_day: str, chicago: Path) -> FakeEngine:
    return FakeEngine(tmp_path_factory.mktemp("engine"), engine, one_day, chicago)


@pytest.fixture
def case(files: Files, records: Records, s3: Any, tmp_path: Path, fake_engine: FakeEngine, one_day: str) -> Case:
    """A study in one batch."""
    fake_engine.mode("ok")
    case = Case(files, records, s3, tmp_path / "runs", fake_engine)
    case.accept(one_day.encode())
    return case
