"""Targets: the objects that a parameter matches, its effect on them, and what is refused on submission."""

import json
from pathlib import Path
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import CheckedStudy, check_study
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from epsm.study.parsing import parse_study
from tests.conftest import study_document
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder

FLOW = "ZoneInfiltration:DesignFlowRate"
LEAKS = """
ZoneInfiltration:DesignFlowRate, Core leak, Room, Always On, AirChanges/Hour, , , , 0.5;
ZoneInfiltration:DesignFlowRate, Perimeter leak, Room, Always On, AirChanges/Hour, , , , 0.2;
ZoneInfiltration:DesignFlowRate, Attic leak, Room, Always On, AirChanges/Hour, , , , 2;
ZoneInfiltration:DesignFlowRate, Facade, Room, Always On, Flow/ExteriorArea, , , 0.0003;
"""
HOURLY = {
    "class": FLOW,
    "object": ["Core*", "Perimeter*"],
    "except": ["Attic*"],
    "where": {"Design Flow Rate Calculation Method": "airchanges/hour"},
    "field": "Air Changes per Hour",
    "apply": "multiply",
}
FACADE = {
    "class": FLOW,
    "where": {"Design Flow Rate Calculation Method": ["Flow/ExteriorArea", "Flow/ExteriorWallArea"]},
    "field": "Flow Rate per Exterior Surface Area",
    "apply": "multiply",
}
INFILTRATION = {"name": "infiltration", "values": [0.5, 2], "targets": [HOURLY, FACADE]}
WALL = {"name": "wall", "class": "Material", "object": "Wall Insulation", "field": "Thickness", "values": [0.1, 0.2]}


@pytest.fixture
def files(one_zone: str) -> dict[str, bytes]:
    leaky = (one_zone + LEAKS).encode()
    return {"room.idf": one_zone.encode(), "leaky.idf": leaky, "chicago.epw": DAY_OF_WEATHER.encode()}


def accept(
    files: dict[str, bytes], *parameters: dict[str, Any], model: str = "leaky.idf", **changes: Any
) -> CheckedStudy:
    changes = {"models": [model]} | changes
    document = study_document(parameters=list(parameters), **changes)
    return check_study(json.dumps(document).encode(), Folder(files), Rules(Limits(1000)))


def faults(files: dict[str, bytes], *parameters: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(StudyRejected) as refusal:
        accept(files, *parameters, **changes)
    return {each.where.removeprefix("study.json: "): f"{each.what} | {each.allowed}" for each in refusal.value.problems}


def edited(files: dict[str, bytes], *parameters: dict[str, Any], **values: float | str) -> dict[str, tuple[str, ...]]:
    """The values of each object of the model after a variant's edit, by its name."""
    study = parse_study(json.dumps(study_document(models=["leaky.epJSON"], parameters=list(parameters))))
    outline = read_outline(files["leaky.idf"], "leaky.idf")
    model: dict[str, Any] = {"Version": {"Version 1": {"version_identifier": "25.2"}}}
    for leak in outline.of_class(FLOW):
        fields = dict(zip(_KEYS, list(leak.values)[1:], strict=False))
        model.setdefault(FLOW, {})[leak.name] = {key: _typed(value) for key, value in fields.items() if value}
    model["Material"] = {"Wall Insulation": {"thickness": 0.05, "conductivity": 0.035}}
    prepared = prepare(json.dumps(model).encode(), "leaky.epJSON", study, Path("not read of epJSON"))
    before = prepared.render({})
    written: dict[str, Any] = json.loads(prepared.render(dict(values)))
    assert prepared.render({}) == before, "the old values are put back"
    return {**written[FLOW], **written["Material"]}


_KEYS = (
    "zone_or_zonelist_or_space_or_spacelist_name",
    "schedule_name",
    "design_flow_rate_calculation_method",
    "design_flow_rate",
    "flow_rate_per_floor_area",
    "flow_rate_per_exterior_surface_area",
    "air_changes_per_hour",
)


def _typed(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def test_a_parameter_edits_what_each_of_its_targets_means(files: dict[str, bytes]) -> None:
    found: Any = edited(files, INFILTRATION, infiltration=2.0)
    hourly = [found[name]["air_changes_per_hour"] for name in ("Core leak", "Perimeter leak", "Attic leak")]
    assert hourly == [1, 0.4, 2]
    assert found["Facade"]["flow_rate_per_exterior_surface_area"] == 0.0006
    assert "air_changes_per_hour" not in found["Facade"]


@pytest.mark.parametrize(
    ("way", "level", "new"),
    [({"apply": "add"}, -0.1, 0.4), ({"apply": "multiply"}, 2, 1.0), ({"apply": "set"}, 0.3, 0.3),
     ({"apply": "linear", "scale": 2, "offset": 0.1}, 0.3, 0.7)],
)  # fmt: skip
def test_a_level_is_applied_as_the_target_says(files: dict[str, bytes], way: Any, level: float, new: float) -> None:
    leak = {"name": "leak", "class": FLOW, "object": "Core leak", "field": "Air Changes per Hour", "values": [level]}
    found: Any = edited(files, leak | way, leak=float(level))
    assert found["Core leak"]["air_changes_per_hour"] == pytest.approx(new)


def test_conditions_look_at_the_model_and_not_at_what_other_parameters_make_of_it(files: dict[str, bytes]) -> None:
    method = {"name": "method", "class": FLOW, "object": "Core leak", "field": "Design Flow Rate Calculation Method",
              "values": ["Flow/Zone"]}  # fmt: skip
    found: Any = edited(files, method, INFILTRATION, method="Flow/Zone", infiltration=2.0)
    assert found["Core leak"]["air_changes_per_hour"] == 1.0


def test_a_blank_is_left_as_it_is_if_the_target_says_so(files: dict[str, bytes]) -> None:
    every = {"name": "leak", "class": FLOW, "field": "Air Changes per Hour", "apply": "multiply", "values": [2]}
    found: Any = edited(files, every | {"blank": "skip"}, leak=2.0)
    assert "air_changes_per_hour" not in found["Facade"]
    assert found["Attic leak"]["air_changes_per_hour"] == 4
    refused = faults(files, every)
    assert "'Facade' has nothing in Air Changes per Hour" in refused["parameters[0].values"]
    assert '"blank": "skip"' in refused["parameters[0].values"]
    (told,) = accept(files, every | {"blank": "skip"}).targets
    assert told.skipped >= 1


def test_every_object_without_a_number_is_named(files: dict[str, bytes]) -> None:
    more = "".join(f"ZoneInfiltration:DesignFlowRate, More {n}, Room, Always On, Flow/Zone, 1;" for n in range(12))
    files["leaky.idf"] += more.encode()
    every = {"name": "leak", "class": FLOW, "field": "Air Changes per Hour", "apply": "multiply", "values": [2]}
    refused = faults(files, every)["parameters[0].values"]
    assert "'Facade', 'More 0', 'More 1'" in refused
    assert "and 3 more have nothing in Air Changes per Hour, which cannot be multiplied" in refused


COEFFICIENT = {"name": "leak", "class": FLOW, "object": "Core leak", "field": "Constant Term Coefficient"}


@pytest.mark.parametrize(("way", "level", "new"), [("multiply", 0.5, 0.5), ("add", 0.25, 1.25), ("set", 0.75, 0.75)])
def test_a_blank_has_its_default(files: dict[str, bytes], way: str, level: float, new: float) -> None:
    """The IDD's default of the constant term is 1; the object ends before it, and in epJSON has no such key."""
    by_default = COEFFICIENT | {"apply": way, "values": [level]}
    found: Any = edited(files, by_default, leak=level)
    assert found["Core leak"]["constant_term_coefficient"] == new
    told = [str(each) for each in accept(files, by_default).targets]
    assert told == [
        f"leak: {FLOW}, Constant Term Coefficient of 1 object in leaky.idf: 'blank (by default 1)' -> {new:g}"
    ]


def test_a_default_is_the_baselines_own_value_and_left_if_blanks_are(files: dict[str, bytes]) -> None:
    own = accept(files, COEFFICIENT | {"values": [0.5]}).baseline_values
    assert own == {"leaky.idf": {"leak": 1.0}}
    left = COEFFICIENT | {"apply": "multiply", "values": [0.5], "blank": "skip"}
    found: Any = edited(files, left, leak=0.5)
    assert "constant_term_coefficient" not in found["Core leak"]
    (told,) = accept(files, left).targets
    assert told.skipped == 1


def test_a_default_that_is_no_number_is_refused_with_it(files: dict[str, bytes]) -> None:
    volume = {"name": "volume", "class": "Zone", "field": "Volume", "multiply": [2]}
    refused = faults(files, volume)["parameters[0].multiply"]
    assert "Zone 'Room' has nothing (by default 'Autocalculate') in Volume, which cannot be multiplied" in refused


def test_a_default_is_held_to_the_bounds_of_its_field(files: dict[str, bytes]) -> None:
    fraction = {"name": "visible", "class": "Material", "object": "Brick", "field": "Visible Absorptance"}
    refused = faults(files, fraction | {"multiply": [2]})["parameters[0].multiply[0]"]
    assert "Material 'Brick' would get 1.4 in Visible Absorptance | a number >= 0 and <= 1" in refused


def test_what_each_target_means_is_reported_with_old_and_new_values(files: dict[str, bytes]) -> None:
    told = [str(each) for each in accept(files, INFILTRATION, WALL).targets]
    assert told == [
        f"infiltration: {FLOW}, Air Changes per Hour of 2 objects in leaky.idf: 0.2 to 0.5 -> 0.1 to 1",
        f"infiltration: {FLOW}, Flow Rate per Exterior Surface Area of 1 object in leaky.idf: 0.0003 -> 0.00015 to "
        "0.0006",
        "wall: Material, Thickness of 1 object in leaky.idf: 0.05 -> 0.1 to 0.2",
    ]


def test_the_baseline_has_the_level_that_changes_nothing(files: dict[str, bytes]) -> None:
    core = {"class": FLOW, "object": "Core leak", "field": "Air Changes per Hour"}
    added = {"name": "added", "values": [1], "targets": [core | {"apply": "add"}]}
    mapped = core | {"object": "Attic leak", "apply": "linear", "scale": 2, "offset": 1}
    linear = {"name": "linear", "values": [1], "targets": [mapped]}
    assert accept(files, added, linear, WALL).baseline_values["leaky.idf"] == {
        "added": 0.0,
        "linear": 0.5,
        "wall": 0.05,
    }


def test_a_target_may_mean_nothing_in_one_model_if_another_does_and_the_target_means_something_somewhere(
    files: dict[str, bytes],
) -> None:
    wall = {"class": "Material", "object": "Wall Insulation", "field": "Thickness", "apply": "multiply"}
    both = {"name": "both", "values": [2], "targets": [wall, HOURLY]}
    accepted = accept(files, both, models=["room.idf", "leaky.idf"])
    assert [(each.model, len(each.objects)) for each in accepted.targets] == [
        ("room.idf", 1), ("room.idf", 0), ("leaky.idf", 1), ("leaky.idf", 2)
    ]  # fmt: skip
    assert "parameters[0].targets[1]" in faults(files, both, models=["room.idf"])
    nowhere = faults(files, both | {"targets": [HOURLY, HOURLY | {"object": "Core X"}]}, models=["room.idf"])
    assert "none of its 2 targets matches an object of room.idf" in nowhere["parameters[0].targets"]


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"class": "ZoneInfiltration:DesignFlow"}, "class", FLOW),
        ({"field": "Air Change per Hour"}, "field", "'Air Changes per Hour'"),
        ({"where": {"Design Flow Method": "x"}}, "where.Design Flow Method", "'Design Flow Rate Calculation Method'"),
        ({"apply": "power"}, "apply", "'linear'"),
        ({"scale": 2}, "", "only apply 'linear'"),
        ({"apply": "linear", "scale": 0}, "", "'scale' of 0"),
        ({"objekt": "x"}, "objekt", "'object'"),
        ({"blank": "default"}, "blank", "'skip'"),
        ({"unit": "m3/s"}, "unit", "'1/hr'"),
        ({"field": "Schedule Name"}, "", "is not a number"),
    ],
)
def test_a_fault_in_a_target_is_reported_at_its_place(
    files: dict[str, bytes], change: dict[str, Any], place: str, said: str
) -> None:
    found = faults(files, INFILTRATION | {"targets": [FACADE, HOURLY | change]})
    prefix = "parameters[0].targets[1]" + (f".{place}" if place else "")
    at = next((where for where in found if where.startswith(prefix)), "parameters[0].values")
    assert said in found[at], found


def test_a_target_that_makes_a_value_impossible_is_refused(files: dict[str, bytes]) -> None:
    found = faults(files, INFILTRATION | {"values": [-1, 2]})
    assert list(found) == ["parameters[0].values[0]"]


def test_two_targets_may_not_set_one_field(files: dict[str, bytes]) -> None:
    found = faults(files, INFILTRATION | {"targets": [HOURLY, HOURLY | {"object": "Core*"}]})
    assert "two targets set" in found["parameters[0].targets[1]"]
    other = {"name": "other", "class": FLOW, "object": "core leak", "field": "Air Changes per Hour", "values": [1]}
    assert "both set" in faults(files, INFILTRATION, other)["parameters[1]"]


def test_texts_can_only_be_set(files: dict[str, bytes]) -> None:
    found = faults(files, INFILTRATION | {"values": ["much", 1]})
    assert "texts can only be set" in found["parameters[0]"]


def test_factors_and_targets_do_not_go_together(files: dict[str, bytes]) -> None:
    found = faults(files, {"name": "x", "multiply": [2], "targets": [HOURLY]})
    assert "beside 'targets'" in found["parameters[0]"]


def test_a_study_with_targets_survives_being_stored(files: dict[str, bytes]) -> None:
    study = accept(files, INFILTRATION, WALL).study
    assert type(study).model_validate_json(study.model_dump_json(by_alias=True)) == study


@pytest.mark.parametrize(
    ("field", "level", "own"),
    [
        ("Field 3", 20.0, "'Until: 08:00'"),
        ("Field 4", "Until: 09:00", "'0.1'"),
        ("Field 4", 0.2, ""),
        ("Field 3", "Until: 09:00", ""),
    ],
)
def test_a_number_over_an_until_and_a_text_over_a_number_are_refused(
    files: dict[str, bytes], field: str, level: float | str, own: str
) -> None:
    hours = {"name": "hours", "class": "Schedule:Compact", "object": "Office Hours", "field": field, "values": [level]}
    if not own:
        accept(files, hours)
        return
    ((place, said),) = faults(files, hours).items()
    assert place == "parameters[0].values"
    assert f"has {own} in {field}" in said
