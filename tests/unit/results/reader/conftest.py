"""A reader of such databases."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from epsm.energyplus.verdict import Environment
from epsm.results.reader import Results, read_results
from tests.unit.results.reader.databases import YEAR, Cells, Reader, write_database


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Writes tables and reads the results of a run with them."""

    def read(cells: Cells, zones: Sequence[str | bytes] = (), environments: Sequence[Environment] = (YEAR,)) -> Results:
        write_database(tmp_path / "eplusout.sql", cells, zones)
        return read_results(tmp_path / "eplusout.sql", environments)

    return read
