"""Accepted studies."""

from pathlib import Path
from typing import Any

import pytest

from epsm.store.files import Files
from epsm.store.records import Records
from tests.unit.pipeline.fake_engine import FakeEngine
from tests.unit.pipeline.run_variant.cases import Case


@pytest.fixture
def case(files: Files, records: Records, s3: Any, tmp_path: Path, fake_engine: FakeEngine) -> Case:
    return Case(files, records, s3, tmp_path / "runs", fake_engine)


@pytest.fixture
def room(case: Case, one_day: str) -> Case:
    """With a study of one variant."""
    case.accept(one_day.encode())
    return case
