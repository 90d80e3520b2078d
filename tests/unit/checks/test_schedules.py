"""Schedule targets and setpoint shifts at the door: what they mean in each model, and what is refused."""

import json
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.errors import StudyRejected
from epsm.study.schema import Limits
from tests.conftest import DATA, study_document
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder

ACTUATED = """
EnergyManagementSystem:Actuator, Override, Heating Setpoint, Schedule:Constant, Schedule Value;
Schedule:File, Measured, Any Number, use.csv, 1, 0, 8760, Comma;
"""
PARAMETER = {"name": "x", "values": [1, 2]}


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


def accept(files: dict[str, bytes], *parameters: dict[str, Any], model: str = "many.idf", **more: Any) -> CheckedStudy:
    document = study_document(parameters=list(parameters), models=[model], **more)
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], *parameters: dict[str, Any], **more: Any) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, *parameters, **more)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


def measure(**edit: Any) -> dict[str, Any]:
    return {"measures": [{"name": "x", "variants": [{"name": "on", "setpoints": [edit]}]}]}


SHIFT = {"name": "x", "measure": "x"}


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


def test_copy_of_a_schedule_that_an_ems_program_sets(files: dict[str, bytes]) -> None:
    heater = b"ZoneHVAC:Baseboard:Convective:Electric, Heater, Heating Setpoint, HeatingDesignCapacity, 0;"
    files |= {"actuated.idf": files["actuated.idf"] + heater}
    (what,) = faults(files, SHIFT, model="actuated.idf", **measure(heating_shift_k=1, days=["AllDays"])).values()
    assert what.endswith(
        "sets Schedule:Constant 'Heating Setpoint', which something else uses too | a target for the schedule"
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
        ({"heating_shift_k": 1, "zones": "Attic"}, {}, {".zones": "no zone that is meant has a thermostat"}),
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
                "parameters[0].targets[0].zones": "many.idf: no zone that is meant has a thermostat with setpoints for "
                "heating | zones that have one"
            },
        ),
    ],
)
def test_faults_of_levels_that_shift_setpoints(
    files: dict[str, bytes], parameter: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(files, {"name": "x", **parameter}) == expected
