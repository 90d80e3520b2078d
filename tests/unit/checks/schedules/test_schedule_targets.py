"""Schedule targets on submission: what they match in each model, and what is refused."""

from typing import Any

import pytest

from tests.unit.checks.schedules.studies import PARAMETER, SHIFT, accept, faults, measure


def test_matches_with_old_and_new_values(files: dict[str, bytes]) -> None:
    target = {
        "schedule": ["s*", "Blocks"],
        "except": ["Switch", "Seasons"],
        "days": ["weekdays"],
        "from": "08:00",
        "apply": "add",
    }
    checked = accept(files, PARAMETER | {"targets": [target, {"schedule": "Office*", "apply": "multiply"}]})
    first, second = checked.targets
    assert first.objects == ("Steady", "Blocks")
    assert str(first) == ("x: schedule values (Weekdays, 08:00 to 24:00) of 2 objects in many.idf: 2 to 44 -> 3 to 46")
    assert str(second) == "x: schedule values of 1 object in many.idf: 0.1 to 1 -> 0.1 to 2"
    assert checked.baseline_values == {"many.idf": {}}, "what is added and what is multiplied differ"


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ({"schedule": "Heating Setpoint"}, 20),
        ({"schedule": "*ing Setpoint"}, None),
        ({"schedule": "Office Hours", "from": "8:00", "until": "18:00", "days": ["Weekdays"]}, 1),
        ({"schedule": "Office Hours", "from": "8:00", "until": "18:00"}, None),
        ({"schedule": "Office Hours", "apply": "add"}, 0),
        ({"schedule": "Office Hours", "multiply": [0.5, 1], "values": None}, 1),
        ({"schedule": "Heating Setpoint", "apply": "linear", "scale": 2, "offset": 4}, 8),
    ],
)
def test_baseline_has_the_models_own_value_where_it_is_one(
    files: dict[str, bytes], target: dict[str, Any], value: float | None
) -> None:
    parameter = {key: own for key, own in (PARAMETER | target).items() if own is not None}
    assert accept(files, parameter).baseline_values["many.idf"].get("x") == value


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            [PARAMETER | {"schedule": "Heatin Setpoint"}],
            {"parameters[0].schedule": "many.idf has no schedule called 'Heatin Setpoint' | 'Heating Setpoint', "},
        ),
        (
            [PARAMETER | {"schedule": "Steady", "days": ["AllOtherDays"]}],
            {"parameters[0].days": "many.idf: Schedule:Constant 'Steady' has no AllOtherDays | AllDays"},
        ),
        (
            [PARAMETER | {"schedule": "Blocks", "days": ["Saturday"], "until": "12:00"}],
            {"parameters[0].until": "many.idf: Schedule:Compact 'Blocks' is interpolated linearly"},
        ),
        (
            [{"name": "x", "values": [1, 4], "schedule": "Steady", "apply": "multiply"}],
            {
                "parameters[0].values[1]": "many.idf: Schedule:Constant 'Steady' would get 120, which its "
                "ScheduleTypeLimits 'Percent' do not allow | a number >= 0 and <= 100"
            },
        ),
        (
            [{"name": "x", "values": [0, 0.5], "schedule": "Switch"}],
            {
                "parameters[0].values[1]": "many.idf: Schedule:Constant 'Switch' would get 0.5, which its "
                "ScheduleTypeLimits 'On or Off' do not allow | a whole number >= 0 and <= 1"
            },
        ),
        (
            [PARAMETER | {"targets": [{"schedule": "Steady"}, {"schedule": "St*", "days": ["Monday"]}]}],
            {"parameters[0].targets[1]": "two targets edit the same values of Schedule:Constant 'Steady' in many.idf"},
        ),
        (
            [PARAMETER | {"schedule": "Steady"}, PARAMETER | {"name": "y", "schedule": "Steady", "from": "12:00"}],
            {"parameters[1]": "'x' and 'y' both edit the same values of Schedule:Constant 'Steady' in many.idf"},
        ),
        (
            [
                PARAMETER | {"schedule": "Seasons", "apply": "add"},
                PARAMETER | {"name": "y", "class": "Schedule:Day:Hourly", "object": "hourly", "field": "Hour 1"},
            ],
            {"parameters[0]": "'y' sets a field of Schedule:Day:Hourly 'Hourly' in many.idf, which defines 'Seasons'"},
        ),
        (
            [PARAMETER | {"targets": [{"schedule": "no"}, {"schedule": "none"}]}],
            {
                "parameters[0].targets": "none of its 2 targets matches a schedule of many.idf",
                "parameters[0].targets[0]": "no model has a schedule called 'no' | schedules of at least one model",
                "parameters[0].targets[1]": "no model has a schedule called 'none' | schedules of at least one model",
            },
        ),
        (
            [PARAMETER | {"targets": [{"schedule": "no"}, {"class": "Lights", "field": "Watts per Floor Area"}]}],
            {"parameters[0].targets[0]": "no model has a schedule called 'no' | schedules of at least one model"},
        ),
        (
            [{"name": "x", "values": [1, 7], "schedule": "Heating Setpoint", "apply": "add"}],
            {
                "parameters[0].values[1]": "many.idf: ThermostatSetpoint:DualSetpoint 'Room Setpoints' would heat to "
                "27 C and cool to 26 C on Sunday at 00:00 from 1/1 | heating below cooling setpoints"
            },
        ),
        (
            [{"name": "x", "values": ["a"], "schedule": "Steady"}],
            {"parameters[0]": "has a text among its levels, and the values of schedules are numbers"},
        ),
        (
            [PARAMETER | {"schedule": "Steady", "from": "7:00", "until": "07:00"}],
            {"parameters[0]": "has no time between 'from' and 'until'"},
        ),
        (
            [PARAMETER | {"schedule": "Steady", "from": "25:00", "days": ["Mondays"]}],
            {
                "parameters[0].from": "'25:00' is not a time of day such as 07:00",
                "parameters[0].days[0]": "\"Mondays\" is not known | 'AllDays', 'Weekdays'",
            },
        ),
        (
            [PARAMETER | {"targets": [{"schedule": "Steady", "object": "Steady"}]}],
            {"parameters[0].targets[0].object": "is not a key that a study knows"},
        ),
    ],
)
def test_faults_of_schedule_targets(
    files: dict[str, bytes], parameters: list[dict[str, Any]], expected: dict[str, str]
) -> None:
    found = faults(files, *parameters)
    assert found.keys() == expected.keys()
    assert {where: what for where, what in found.items() if not what.startswith(expected[where])} == {}


def test_two_parameters_edit_other_days_or_hours_of_a_schedule(files: dict[str, bytes]) -> None:
    day = PARAMETER | {"schedule": "Steady", "from": "7:00", "until": "19:00", "days": ["Weekdays"]}
    night = PARAMETER | {"name": "y", "schedule": "Steady", "from": "19:00", "until": "7:00", "days": ["Weekdays"]}
    weekend = PARAMETER | {"name": "z", "schedule": "Steady", "days": ["Weekends"]}
    assert len(accept(files, day, night, weekend).targets) == 3


def test_text_in_a_list_of_samples(files: dict[str, bytes]) -> None:
    rows = {"sampling": {"method": "list", "rows": [{"x": 1}, {"x": "on"}]}}
    assert faults(files, {"name": "x", "schedule": "Steady"}, **rows) == {
        "sampling.rows[1].x": "'on' is a text, and schedules have numbers | a number"
    }


def test_schedule_file_is_refused(files: dict[str, bytes]) -> None:
    assert faults(files, PARAMETER | {"schedule": "Mea*"}, model="actuated.idf") == {
        "parameters[0].schedule": "actuated.idf: Schedule:File 'Measured' takes its values from a file; vary the file "
        "(a parameter with the key file) | other schedules"
    }


@pytest.mark.parametrize("setpoints", [False, True])
def test_schedule_that_an_ems_program_sets(files: dict[str, bytes], setpoints: bool) -> None:
    """The actuator names the class and the name of the schedule, and must find it."""

    def parts(**more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if setpoints:
            return SHIFT, measure(heating_shift_k=1, **more)
        return PARAMETER | {"schedule": "Heating Setpoint", "apply": "add", **more}, {}

    place = "measures[0].variants[0].setpoints[0]" if setpoints else "parameters[0]"
    parameter, more = parts()
    assert faults(files, parameter, model="actuated.idf", **more) == {
        place: "actuated.idf: EnergyManagementSystem:Actuator 'Override' sets Schedule:Constant 'Heating Setpoint', "
        "which would become a Schedule:Compact | AllDays, or another schedule"
    }
    parameter, more = parts(days=["AllDays"])
    assert accept(files, parameter, model="actuated.idf", **more).remarks == (
        "actuated.idf: EnergyManagementSystem:Actuator 'Override' can override edited schedules during the run; the "
        "values of EMS programs are not edited.",
    )
