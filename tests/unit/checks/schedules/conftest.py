"""Models with schedules of every kind, with thermostats and without."""

import pytest

from tests.conftest import DATA
from tests.unit.checks.study.folders import DAY_OF_WEATHER

ACTUATED = """
EnergyManagementSystem:Actuator, Override, Heating Setpoint, Schedule:Constant, Schedule Value;
Schedule:File, Measured, Any Number, use.csv, 1, 0, 8760, Comma;
"""


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    many = one_zone + (DATA / "schedules.idf").read_text(encoding="utf-8")
    before, _, rest = one_zone.partition("ZoneControl:Thermostat,")
    after = rest[rest.index("ZoneHVAC:EquipmentConnections,") :]
    return {
        "room.idf": one_zone.encode(),
        "many.idf": many.encode(),
        "actuated.idf": (one_zone + ACTUATED).encode(),
        "free.idf": (before + after).encode(),
        "use.csv": b"1\n" * 8760,
        "chicago.epw": DAY_OF_WEATHER.encode(),
    }
