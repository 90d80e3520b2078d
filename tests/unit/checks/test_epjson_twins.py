"""The same model as IDF and as epJSON: the same problems on submission, and the same edits to the last digit."""

import json
import re
from typing import Any

import pytest

from epsm.checks.rules import Rules
from epsm.checks.study import check_study
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.errors import StudyRejected
from epsm.study.limits import Limits
from epsm.study.parsing import parse_study
from tests.conftest import study_document
from tests.unit.checks.checked_models import as_epjson
from tests.unit.checks.study.folders import DAY_OF_WEATHER, Folder

MORE = """
Schedule:File,Occupancy,Any Number,occ.csv,1,0;
DesignSpecification:OutdoorAir,Fresh,Flow/Zone,,,0.02;
ZoneInfiltration:DesignFlowRate,Facade,Room,Always On,Flow/ExteriorArea,,,0.0003;
Lights,Desk lamps,Room,Office Hours,LightingLevel,120;
Boiler:HotWater,Boiler,NaturalGas,Autosize,0.8,,,Autosize,0.1,1,1,In,Out;
BranchList,Branches,One,Two;
Branch,One;
Branch,Two;
"""
FLOW = "ZoneInfiltration:DesignFlowRate"
FACES = {"thermal_absorptance": 0.9, "solar_absorptance": 0.6, "visible_absorptance": 0.6}


@pytest.fixture
def twins(one_zone: str) -> dict[str, bytes]:
    idf = (
        one_zone.replace("  Room Inlet;              !- Zone Supply", f"  Room Inlet{',' * 18}Fresh;  !- Zone Supply")
        + MORE
    )
    return {"room.idf": idf.encode(), "room.epJSON": json.dumps(as_epjson(idf)).encode()}


def document(source: str, study: dict[str, Any]) -> dict[str, Any]:
    return study_document(**{"models": [source], "parameters": [], **study})


def at_the_door(twins: dict[str, bytes], source: str, study: dict[str, Any]) -> tuple[Any, ...]:
    """Everything that a study's check says, without the model's own name and lines."""
    tables = dict.fromkeys(("occ.csv", "low.csv"), b"0.5,1\n" * 8760) | {"short.csv": b"1\n"}
    files = {source: twins[source], "chicago.epw": DAY_OF_WEATHER.encode(), **tables}
    try:
        found = check_study(json.dumps(document(source, study)).encode(), Folder(files), Rules(Limits(1000)))
    except StudyRejected as refusal:
        return "rejected", sorted(
            re.sub(rf"{re.escape(source)}(: line \d+)?", "room", str(each)) for each in refusal.problems
        )
    told = [str(each).replace(source, "room") for each in found.targets]
    return "accepted", told, found.baseline_values[source], found.external_files[source], found.remarks


def edited(twins: dict[str, bytes], source: str, study: dict[str, Any], engine: Engine, level: Any) -> dict[str, Any]:
    """The model of a variant as epJSON: objects by name, those without one by their order."""
    of = parse_study(json.dumps(document(source, study)))
    prepared = prepare(twins[source], source, of, engine.idd)
    before = prepared.render({})
    text = prepared.render({"x": level})
    assert prepared.render({}) == before, "the baseline is as before"
    classes: dict[str, Any] = json.loads(text) if source.endswith(".epJSON") else as_epjson(text)
    return {
        name: sorted((_named(name, *each) for each in group.items()), key=lambda each: each[0])
        for name, group in classes.items()
    }


def _named(class_name: str, key: str, fields: Any) -> tuple[str, Any]:
    return "" if re.fullmatch(rf"{re.escape(class_name)} \d+", key) else key, fields


def field(class_name: str, name: str, **more: Any) -> dict[str, Any]:
    return {"parameters": [{"name": "x", "class": class_name, "field": name, **more}]}


def measure(**edits: Any) -> dict[str, Any]:
    variants = [{"name": "new", **edits}]
    return {"measures": [{"name": "x", "variants": variants}], "parameters": [{"name": "x", "measure": "x"}]}


WOOL = {"name": "Wool", "r_m2kw": 4, "roughness": "Rough", **FACES}
STUDIES: dict[str, tuple[dict[str, Any], Any]] = {
    "patterns": (field("Material", "Thickness", object=["wall*", "B*"], multiply=[1.1], **{"except": "*rick"}), 1.1),
    "conditions": (
        field(FLOW, "Air Changes per Hour", apply="add", values=[0.1])
        | {"parameters": [field(FLOW, "Air Changes per Hour", apply="add", values=[0.1])["parameters"][0]
                          | {"where": {"Design Flow Rate Calculation Method": ["airchanges/hour"]}}]},
        0.1,
    ),
    "a condition on a number": (
        {"parameters": [{"name": "x", "class": "Lights", "where": {"Lighting Level": 120}, "field": "Lighting Level",
                         "values": [60]}]},
        60.0,
    ),
    "several targets": (
        {"parameters": [{"name": "x", "values": [0.5, 2], "targets": [
            {"class": FLOW, "field": "Flow Rate per Exterior Surface Area", "apply": "multiply", "blank": "skip"},
            {"class": "Lights", "object": "Desk*", "field": "Lighting Level", "apply": "linear", "scale": 9}]}]},
        0.5,
    ),
    "a default": (field("Material", "Solar Absorptance", multiply=[0.5]), 0.5),
    "no default": (field("Zone", "Volume", multiply=[0.5]), 0.5),
    "an object without a name": (
        field("ZoneHVAC:EquipmentConnections", "Zone Air Node Name", object="ROOM", values=["Other"]), "Other"
    ),
    "an unknown object without a name": (
        field("ZoneHVAC:EquipmentConnections", "Zone Air Node Name", object="Hall", values=["Other"]), "Other"
    ),
    "a repeated field": (field("BranchList", "Branch 2 Name", values=["One"]), "One"),
    "a repeated field that is not there": (field("BranchList", "Branch 3 Name", values=["One"]), "One"),
    "a reference": (field("Lights", "Schedule Name", values=["Always On"]), "Always On"),
    "a reference to nothing": (field("Lights", "Schedule Name", values=["Allways On"]), "Allways On"),
    "a choice": (field("Material", "Roughness", values=["smooth"]), "smooth"),
    "a whole number": (field("Timestep", "Number of Timesteps per Hour", values=[6]), 6.0),
    "a fraction of one": (field("Timestep", "Number of Timesteps per Hour", values=[6.5]), 6.5),
    "a schedule": ({"parameters": [{"name": "x", "schedule": "Office*", "days": ["Weekdays"], "values": [0.5]}]}, 0.5),
    "a time of a schedule": (field("Schedule:Compact", "Field 3", values=[0.5]), 0.5),
    "a file": ({"parameters": [{"name": "x", "file": "occ.csv", "values": ["low.csv"]}]}, "low.csv"),
    "a short file": ({"parameters": [{"name": "x", "file": "occ.csv", "values": ["short.csv"]}]}, "short.csv"),
    "a column of a file": (field("Schedule:File", "Column Number", values=[3]), 3.0),
    "an object": ({"parameters": [{"name": "x", "replaces": {"schedule": "office hours"}, "values": ["Always On"]}]},
                  "Always On"),
    "an object of another kind": (
        {"parameters": [{"name": "x", "replaces": {"construction": "Wall"}, "values": ["Window"]}]}, "Window"
    ),
    "loads": (measure(loads=[{"kind": "lighting", "multiply": 0.5}, {"kind": "infiltration", "multiply": 0.5}]), "new"),
    "efficiencies": (measure(efficiencies=[{"kind": "boiler_efficiency", "value": 0.95}]), "new"),
    "ideal loads": (measure(ideal_loads=[{"sensible_heat_recovery": 0.8, "latent_heat_recovery": 0.5}]), "new"),
    "setpoints": (measure(setpoints=[{"heating_shift_k": -1, "cooling_shift_k": 1}]), "new"),
    "a target U": (
        measure(constructions=[{"slot": "wall_exterior", "orientation": ["S"], "u_w_m2k": 0.2, "films": "included"}]),
        "new",
    ),
    "layers and glazing": (
        measure(constructions=[{"slot": "roof_ceiling_exterior", "layers": [WOOL]},
                               {"slot": "window", "glazing": {"u_w_m2k": 1.1, "shgc": 0.4}}]),
        "new",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_a_twin_is_checked_and_edited_alike(twins: dict[str, bytes], engine: Engine, name: str) -> None:
    study, level = STUDIES[name]
    of_idf, of_epjson = (at_the_door(twins, source, study) for source in twins)
    assert of_epjson == of_idf
    if of_idf[0] == "accepted":
        idf, epjson = (edited(twins, source, study, engine, level) for source in twins)
        assert epjson == idf


def test_twins_are_refused_and_accepted(twins: dict[str, bytes]) -> None:
    outcomes = {name: at_the_door(twins, "room.epJSON", study)[0] for name, (study, _) in STUDIES.items()}
    refused = {name for name, outcome in outcomes.items() if outcome == "rejected"}
    assert refused == {
        *("no default", "an unknown object without a name", "a repeated field that is not there"),
        *("a reference to nothing", "a fraction of one", "a time of a schedule", "a short file", "a column of a file"),
        "an object of another kind",
    }
