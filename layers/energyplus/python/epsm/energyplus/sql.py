"""Reading eplusout.sql."""

import sqlite3
from pathlib import Path

WEATHER_FILE_PERIOD = 3
"""`EnvironmentPeriods.EnvironmentType` of run periods; 1 and 2 are design days and sizing run periods."""
FREQUENCY_IN_DATABASE = {
    "Timestep": "Zone Timestep",
    "Hourly": "Hourly",
    "Daily": "Daily",
    "Monthly": "Monthly",
    "RunPeriod": "Run Period",
}
"""`ReportDataDictionary.ReportingFrequency` of each frequency that a model can request."""


def read_only(database: Path) -> sqlite3.Connection:
    """A connection that cannot change the database, whatever its path looks like."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)


def bytes_of(database: Path) -> sqlite3.Connection:
    """The same, with texts as bytes: decoding all of them in Python takes longer than reading them."""
    connection = read_only(database)
    connection.text_factory = bytes
    return connection
