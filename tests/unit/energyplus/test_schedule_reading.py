"""Schedules and thermostats as they are read from a model."""

from typing import Any

import pytest

from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.energyplus.schedule_values import values_in
from epsm.energyplus.schedules import ModelSchedule, find_schedule, read_schedule
from epsm.energyplus.setpoints import thermostats_of
from epsm.study.schedule_targets import Period

STEPS = "Until: 08:00, 0.1, Until: 18:00, 1.0, Until: 24:00, 0.2"
COMPACT = f"Schedule:Compact, Hours, Any, Through: 12/31, For: Weekdays, {STEPS}, For: AllOtherDays, Until: 24:00, 0.3"


def outline_of(text: str) -> ModelOutline:
    return read_outline(f"Version,25.2;\n{text}".encode(), "room.idf")


def schedule(text: str) -> ModelSchedule:
    outline = outline_of(text)
    found = find_schedule(outline, "hours")
    assert found is not None
    return read_schedule(outline, found)


def test_blanks_at_the_end_are_no_fields() -> None:
    assert schedule(f"{COMPACT}, , ;").spans == schedule(f"{COMPACT};").spans


@pytest.mark.parametrize(
    ("period", "values"),
    [
        ({"days": ["Weekdays"]}, [0.1, 1.0, 0.2]),
        ({"days": ["Weekdays"], "from": "08:00", "until": "18:00"}, [1.0]),
        ({"days": ["Weekdays"], "from": "07:59", "until": "18:00"}, [0.1, 1.0]),
        ({"days": ["Weekdays"], "from": "08:00", "until": "18:01"}, [1.0, 0.2]),
        ({"days": ["Weekdays"], "from": "18:00", "until": "08:00"}, [0.1, 0.2]),
        ({"days": ["Sunday"], "from": "08:00"}, [0.3]),
        ({}, [0.1, 1.0, 0.2, 0.3]),
    ],
)
def test_values_on_chosen_days_and_hours(period: dict[str, Any], values: list[float]) -> None:
    assert values_in(schedule(f"{COMPACT};"), Period.model_validate(period)) == values


def test_a_thermostat_for_a_list_of_zones_is_that_of_each() -> None:
    thermostats = """
        ZoneList, Rooms, North, East, South, West;
        ZoneControl:Thermostat, All, Rooms, Type, ThermostatSetpoint:SingleHeating, Warm;
        ZoneControl:Thermostat, One, Attic, Type, ThermostatSetpoint:SingleHeating, Warm;
        ThermostatSetpoint:SingleHeating, Warm, Setpoints;
    """
    (found,) = thermostats_of(outline_of(thermostats))
    assert [each.zones for each in found.controls] == [("North", "East", "South", "West"), ("Attic",)]
