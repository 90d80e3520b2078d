"""An output folder of a run in which all went well."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.energyplus.verdict.outputs import CALM, OPENED, SUCCESS, WHOLE_YEAR


def write_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # waiting for the disk is most of the time otherwise
        connection.execute("CREATE TABLE Simulations (SimulationIndex INTEGER)")
        connection.execute("CREATE TABLE TabularData (TabularDataIndex INTEGER, Value TEXT)")
        connection.executemany("INSERT INTO TabularData VALUES (?, ?)", [(i, "x" * 100) for i in range(500)])
        connection.commit()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The output folder of a run of a whole year in which all went well."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "eplusout.end").write_text(SUCCESS)
    (folder / "eplusout.err").write_text(CALM)
    (folder / "eplusout.eio").write_text(WHOLE_YEAR)
    (folder / "sqlite.err").write_text(OPENED)
    write_database(folder / "eplusout.sql")
    return folder
