"""An executable in place of EnergyPlus, with what a real run wrote; every test tells it how the next runs end."""

from pathlib import Path

import pytest

from epsm.energyplus.engine import Engine
from tests.unit.pipeline.fake_engine import FakeEngine


@pytest.fixture(scope="session")
def fake_engine(tmp_path_factory: pytest.TempPathFactory, engine: Engine, one_day: str, chicago: Path) -> FakeEngine:
    return FakeEngine(tmp_path_factory.mktemp("engine"), engine, one_day, chicago)
