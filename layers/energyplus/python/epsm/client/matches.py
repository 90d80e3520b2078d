"""Finding a simulation by its name or a prefix of it."""

from epsm.client.connection import Connection
from epsm.study.records import StudyRecord


def matches(connection: Connection, simulation_id: str) -> list[StudyRecord]:
    """The simulation of that name, or those with that prefix among the newest."""
    record = connection.stack.records.study(simulation_id)
    if record is not None:
        return [record]
    return [study for study in connection.stack.records.studies() if study.simulation_id.startswith(simulation_id)]
