"""Shifts of setpoints on submission: the thermostats that they match, and what is refused."""

from typing import Any

import pytest

from tests.unit.checks.schedules.studies import PARAMETER, SHIFT, accept, faults, measure


def test_setpoints_that_cross_only_together_get_a_remark(files: dict[str, bytes]) -> None:
    """Some variants will fail; others may be what the study is for."""
    up = {"name": "x", "values": [0, 4], "schedule": "Heating Setpoint", "apply": "add"}
    down = {"name": "y", "values": [-4, 0], "schedule": "Cooling Setpoint", "apply": "add"}
    (remark,) = accept(files, up, down).remarks
    assert remark.startswith(
        "many.idf: with some values of 'x' and 'y' together, ThermostatSetpoint:DualSetpoint 'Room"
    )
    assert "would heat to 24 C and cool to 22 C" in remark
    assert accept(files, up, down | {"values": [-2, 0]}).remarks == ()


def test_copy_of_a_schedule_that_an_ems_program_sets(files: dict[str, bytes]) -> None:
    heater = b"ZoneHVAC:Baseboard:Convective:Electric, Heater, Heating Setpoint, HeatingDesignCapacity, 0;"
    files |= {"actuated.idf": files["actuated.idf"] + heater}
    (what,) = faults(files, SHIFT, model="actuated.idf", **measure(heating_shift_k=1, days=["AllDays"])).values()
    assert what.endswith(
        "sets Schedule:Constant 'Heating Setpoint', which other objects use too | a target for the schedule"
    )


def test_setpoints_that_cross_in_the_model_itself(files: dict[str, bytes], one_zone: str) -> None:
    """Only further crossings are refused: some models switch one side off on days that are never simulated."""
    cooling = """
    Schedule:Compact, Cooling, Any Number, Through: 12/31, For: CustomDay1, Until: 24:00, 10, For: AllOtherDays,
      Until: 24:00, 26;
    """
    files |= {"odd.idf": (one_zone.replace("  Cooling Setpoint;  ", "  Cooling;  ") + cooling).encode()}
    shift = {"name": "x", "schedule": "Heating Setpoint", "apply": "add", "days": ["AllDays"]}
    assert accept(files, shift | {"values": [0, 5]}, model="odd.idf")
    (what,) = faults(files, shift | {"values": [0, 7]}, model="odd.idf").values()
    assert "heat to 27 C and cool to 26 C on Sunday at 00:00" in what


def test_setpoint_shift_with_old_and_new_values(files: dict[str, bytes]) -> None:
    checked = accept(files, SHIFT, **measure(heating_shift_k=-1, cooling_shift_k=1.5, days=["AllDays"]))
    assert [str(each) for each in checked.targets] == [
        "x on: heating setpoints (AllDays) of 1 object in many.idf: 20 -> 19",
        "x on: cooling setpoints (AllDays) of 1 object in many.idf: 26 -> 27.5",
    ]


@pytest.mark.parametrize(
    ("edit", "more", "expected"),
    [
        ({"heating_shift_k": 1, "zones": "Attic"}, {}, {".zones": "none of the selected zones has a thermostat"}),
        (
            {"heating_shift_k": 7},
            {},
            {".heating_shift_k": "ThermostatSetpoint:DualSetpoint 'Room Setpoints' would heat"},
        ),
        ({"heating_shift_k": 7, "cooling_shift_k": 2}, {}, {}),
        ({"heating_shift_k": 1}, {"model": "free.idf"}, {"": "the model has no thermostat with setpoints for heating"}),
    ],
)
def test_faults_of_setpoint_shifts(
    files: dict[str, bytes], edit: dict[str, Any], more: dict[str, Any], expected: dict[str, str]
) -> None:
    if not expected:
        assert accept(files, SHIFT, **measure(**edit), **more)
        return
    found = faults(files, SHIFT, **measure(**edit), **more)
    place = "measures[0].variants[0].setpoints[0]"
    assert {
        where.removeprefix(place): what.partition("idf: ")[2][: len(expected.get(where.removeprefix(place), ""))]
        for where, what in found.items()
    } == expected


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ({}, "shifts nothing; give 'heating_shift_k', 'cooling_shift_k' or both, other than 0"),
        ({"cooling_shift_k": 0}, "shifts nothing"),
        ({"heating_shift_k": 50}, "50 is too large | <= 30"),
        ({"heating_shift_k": 1, "zone": "Room"}, "is not a key that a study knows | 'zones'"),
    ],
)
def test_setpoint_shift_that_is_wrong_in_itself(files: dict[str, bytes], edit: dict[str, Any], what: str) -> None:
    (found,) = faults(files, SHIFT, **measure(**edit)).values()
    assert found.startswith(what)


def test_setpoints_that_something_else_sets(files: dict[str, bytes]) -> None:
    field = "Heating Setpoint Temperature Schedule Name"
    other = {"name": "y", "class": "ThermostatSetpoint:DualSetpoint", "field": field, "values": ["Always On"]}
    found = faults(files, SHIFT, other, **measure(heating_shift_k=1))
    assert list(found.values()) == [
        f"'y' and 'x' both set ThermostatSetpoint:DualSetpoint 'Room Setpoints', {field} in many.idf | one parameter "
        "for a field"
    ]
    replaced = {"name": "y", "replaces": {"schedule": "Heating Setpoint"}, "values": ["Steady"]}
    (what,) = faults(files, {"name": "x", "setpoints": "heating", "values": [1]}, replaced).values()
    assert what.startswith("'y' and 'x' both set ThermostatSetpoint:DualSetpoint 'Room Setpoints'")
    shift = PARAMETER | {"name": "y", "schedule": "Heating Setpoint", "apply": "add"}
    found = faults(files, SHIFT, shift, **measure(heating_shift_k=1))
    assert list(found) == ["parameters[1]"]


def test_level_that_shifts_setpoints(files: dict[str, bytes]) -> None:
    """Whatever the schedules are called: one parameter for several models."""
    shift = {"name": "x", "setpoints": "cooling", "zones": "R*", "range": {"from": -2, "to": 2}}
    checked = accept(files, shift, sampling={"method": "latin_hypercube", "samples": 3})
    assert [str(each) for each in checked.targets] == ["x: cooling setpoints of 1 object in many.idf: 26 -> 24 to 28"]
    assert checked.baseline_values == {"many.idf": {"x": 0}}
    both = PARAMETER | {"targets": [{"setpoints": "heating", "days": ["AllDays"]}, {"setpoints": "cooling"}]}
    assert [each.new for each in accept(files, both).targets] == ["21 to 22", "27 to 28"]


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (
            {"setpoints": "heating", "values": [0, 7]},
            {
                "parameters[0].values[1]": "many.idf: ThermostatSetpoint:DualSetpoint 'Room Setpoints' would heat to "
                "27 C and cool to 26 C on Sunday at 00:00 from 1/1 | heating below cooling setpoints"
            },
        ),
        (
            {"setpoints": "warm", "values": [1]},
            {"parameters[0].setpoints": "\"warm\" is not known | 'heating' or 'cooling'"},
        ),
        (
            {"setpoints": "heating", "multiply": [1]},
            {"parameters[0]": "has 'multiply' beside 'setpoints', to which levels are added; give 'values' | "},
        ),
        (
            {"setpoints": "heating", "zone": "Room", "values": [1]},
            {"parameters[0].zone": "is not a key that a study knows | 'zones', 'name'"},
        ),
        (
            {
                "targets": [{"setpoints": "heating", "zones": "Attic"}, {"setpoints": "cooling", "zon": "Room"}],
                "values": [1],
            },
            {"parameters[0].targets[1].zon": "is not a key that a study knows | 'zones'"},
        ),
        (
            {"targets": [{"setpoints": "heating", "zones": "Attic"}, {"setpoints": "cooling"}], "values": [1]},
            {
                "parameters[0].targets[0].zones": "many.idf: none of the selected zones has a thermostat with "
                "setpoints for heating | zones that have one"
            },
        ),
    ],
)
def test_faults_of_levels_that_shift_setpoints(
    files: dict[str, bytes], parameter: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(files, {"name": "x", **parameter}) == expected
