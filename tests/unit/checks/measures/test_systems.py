"""Ready edits of systems: efficiencies by kind, ideal loads, and faults that are refused on submission."""

from pathlib import Path
from typing import Any

import pyenergyplus
import pytest

from epsm.energyplus import dictionary
from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.study.systems import _FIELDS, _STAGES
from tests.unit.checks.measures.studies import accept, faults, parsed

RESTAURANT = Path(pyenergyplus.__file__).parent / "data" / "model" / "RefBldgQuickServiceRestaurantNew2004_Chicago.idf"
"""Packaged units of one and of two speeds, with gas coils."""
BY = {"name": "plant", "measure": "plant"}
ANNUAL = {"run_period": "annual"}
OUTDOOR_AIR = "DesignSpecification:OutdoorAir,Fresh,Flow/Zone,,,0.02;"


def systems(**edits: Any) -> list[dict[str, Any]]:
    return [{"name": "plant", "variants": [{"name": "better", **edits}]}]


def efficiency(kind: str, **how: Any) -> list[dict[str, Any]]:
    return systems(efficiencies=[{"kind": kind, **how}])


@pytest.fixture(scope="module")
def restaurant() -> bytes:
    return RESTAURANT.read_bytes()


def edited(engine: Engine, model: bytes, measures: list[dict[str, Any]]) -> ModelOutline:
    prepared = prepare(model, "room.idf", parsed(measures, BY), engine.idd)
    before = prepared.render({})
    outline = read_outline(prepared.render({"plant": "better"}).encode(), "in.idf")
    assert prepared.render({}) == before
    return outline


def numbers(outline: ModelOutline, class_name: str, field: str) -> list[str]:
    rule = dictionary.load().find_class(class_name)
    place = rule.find_field(field) if rule else None
    assert place is not None
    return [str(each.value(place)) for each in outline.of_class(class_name)]


@pytest.mark.parametrize("version", ["23.2", "25.1", "25.2"])
def test_every_field_exists_and_is_a_number(version: str) -> None:
    with dictionary.of_version(version):
        for kinds in (_FIELDS, _STAGES):
            for classes in kinds.values():
                for class_name, names in classes.items():
                    rule = dictionary.load().find_class(class_name)
                    assert rule is not None, class_name
                    for name in names:
                        place = rule.find_field(name)
                        assert place is not None, (class_name, name)
                        assert place.rule.type == "number", (class_name, name)


def test_an_efficiency_is_set_in_every_object_of_its_kind(engine: Engine, restaurant: bytes) -> None:
    outline = edited(engine, restaurant, efficiency("furnace_efficiency", value=0.95))
    burners = numbers(outline, "Coil:Heating:Fuel", "Burner Efficiency")
    assert burners == ["0.95"] * len(burners)
    assert len(burners) >= 2


def test_a_cop_is_multiplied_at_every_speed(engine: Engine, restaurant: bytes) -> None:
    outline = edited(engine, restaurant, efficiency("dx_cooling_cop", multiply=2))
    own = read_outline(restaurant, "room.idf")
    for class_name, fields in (
        ("Coil:Cooling:DX:SingleSpeed", ["Gross Rated Cooling COP"]),
        ("Coil:Cooling:DX:TwoSpeed", ["High Speed Gross Rated Cooling COP", "Low Speed Gross Rated Cooling COP"]),
    ):
        for field in fields:
            old, new = (numbers(each, class_name, field) for each in (own, outline))
            assert [float(each) for each in new] == pytest.approx([2 * float(each) for each in old])
            assert old


def test_one_value_for_all_speeds_is_refused(files: dict[str, bytes], restaurant: bytes) -> None:
    found = faults({**files, "room.idf": restaurant}, efficiency("dx_cooling_cop", value=4), BY, options=ANNUAL)
    refusal = found["measures[0].variants[0].efficiencies[0].value"]
    assert refusal.startswith("room.idf: Coil:Cooling:DX:TwoSpeed '")
    assert "has a number for each speed | 'multiply', or 'except' for these" in refusal
    names = [each.name for each in read_outline(restaurant, "room.idf").of_class("Coil:Cooling:DX:TwoSpeed")]
    others = efficiency("dx_cooling_cop", value=4, **{"except": names})
    accept({**files, "room.idf": restaurant}, others, BY, options=ANNUAL)


def test_a_blank_efficiency_has_its_default(files: dict[str, bytes], restaurant: bytes, engine: Engine) -> None:
    """Burner Efficiency is 0.8 where it is blank."""
    own = read_outline(restaurant, "room.idf").of_class("Coil:Heating:Fuel")[0]
    text = restaurant.decode("latin-1")
    before = text.index(own.name, text.index("Coil:Heating:Fuel,"))
    burner = text[before : before + 300]
    assert "0.78," in burner
    blank = (text[:before] + burner.replace("0.78,", ",", 1) + text[before + 300 :]).encode("latin-1")
    assert numbers(read_outline(blank, "room.idf"), "Coil:Heating:Fuel", "Burner Efficiency")[0] == ""
    outline = edited(engine, blank, efficiency("furnace_efficiency", multiply=1.1))
    assert float(numbers(outline, "Coil:Heating:Fuel", "Burner Efficiency")[0]) == pytest.approx(0.88)


@pytest.mark.parametrize(
    ("edits", "where", "what"),
    [
        (
            {"kind": "boiler_efficiency", "value": 0.9},
            "",
            "room.idf has no object of this kind | objects of each model",
        ),
        ({"kind": "furnace_efficiency", "multiply": 2}, ".multiply", "in Burner Efficiency | a number >= 0 and <= 1"),
        ({"kind": "furnace_efficiency", "value": 1.5}, ".value", "1.5 does not fit Coil:Heating:Fuel"),
        ({"kind": "furnace_efficiency"}, "", "has neither 'value' nor 'multiply'; give one"),
        ({"kind": "fan_efficiency", "value": 0.6, "multiply": 2}, "", "has both 'value' and 'multiply'; give one"),
        ({"kind": "boilers", "value": 1}, ".kind", "'boiler_efficiency'"),
        ({"kind": "fan_efficiency", "valeu": 1}, ".valeu", "is not a key that a study knows | 'value'"),
    ],
)
def test_what_fits_no_system_is_refused(
    files: dict[str, bytes], restaurant: bytes, edits: dict[str, Any], where: str, what: str
) -> None:
    found = faults({**files, "room.idf": restaurant}, systems(efficiencies=[edits]), BY)
    assert what in found[f"measures[0].variants[0].efficiencies[0]{where}"]


PUMPS = """
Pump:ConstantSpeed,By Head,In,Out,autosize,179352,AutoSize,0.9,0,Intermittent;
pump:constantspeed,Given,In 2,Out 2,autosize,179352,250,0.9,0,Intermittent;
HeaderedPumps:ConstantSpeed,By Flow,In 3,Out 3,autosize,2,Sequential,179352,autosize,0.9,0,Intermittent,,,,PowerPerFlow;
"""
FANS = """
Fan:SystemModel,By Efficiency,,In 4,Out 4,1,Discrete,0,500,0.9,1,,TotalEfficiencyAndPressure,,,0.6;
Fan:SystemModel,By Default,,In 5,Out 5,1,Discrete,0,500,0.9,1;
Fan:ConstantVolume,By Rise,,0.6,500,1,0.9,1,In 6,Out 6;
"""


@pytest.mark.parametrize(
    ("kind", "objects", "refused", "left"),
    [
        ("pump_efficiency", PUMPS, ["pump:constantspeed 'Given'", "HeaderedPumps:ConstantSpeed 'By Flow'"], "By Head"),
        ("fan_efficiency", FANS, ["Fan:SystemModel 'By Default'"], ["By Efficiency", "By Rise"]),
    ],
)
def test_an_efficiency_that_power_does_not_depend_on_is_refused(
    files: dict[str, bytes], kind: str, objects: str, refused: list[str], left: str | list[str]
) -> None:
    """Electricity would be the same, and the measure would seem to save nothing."""
    model = {**files, "room.idf": files["room.idf"] + objects.encode()}
    found = faults(model, efficiency(kind, multiply=1.05), BY)["measures[0].variants[0].efficiencies[0]"]
    assert f"room.idf: {', '.join(refused)} would use the same electricity: its power is given" in found
    accept(model, efficiency(kind, multiply=1.05, object=left), BY)


TEMPLATES = """
HVACTemplate:Plant:Boiler,Own,HotWaterBoiler,autosize,0.8,NaturalGas;
HVACTemplate:Plant:Boiler,District,DistrictHotWater,autosize,0.8,;
HVACTemplate:Plant:Chiller,Electric,ElectricScrewChiller,autosize,4.0,WaterCooled;
HVACTemplate:Plant:Chiller,Bought,DistrictChilledWater,autosize,4.0,;
"""


@pytest.mark.parametrize(
    ("kind", "refused", "left"),
    [
        ("boiler_efficiency", "HVACTemplate:Plant:Boiler 'District' (Boiler Type DistrictHotWater)", "Own"),
        ("chiller_cop", "HVACTemplate:Plant:Chiller 'Bought' (Chiller Type DistrictChilledWater)", "Electric"),
    ],
)
def test_an_efficiency_of_equipment_that_a_template_does_not_choose_is_refused(
    files: dict[str, bytes], kind: str, refused: str, left: str
) -> None:
    model = {**files, "room.idf": files["room.idf"] + TEMPLATES.encode()}
    found = faults(model, efficiency(kind, multiply=1.05), BY)["measures[0].variants[0].efficiencies[0]"]
    assert f"room.idf: {refused} would use the same energy: its type has no {kind}" in found
    accept(model, efficiency(kind, multiply=1.05, object=left), BY)


def with_outdoor_air(one_zone: str) -> bytes:
    own = "  Room Inlet;              !- Zone Supply Air Node Name"
    assert own in one_zone
    blanks = f"  Room Inlet{',' * 18}Fresh;"
    return (one_zone.replace(own, blanks) + OUTDOOR_AIR).encode()


def test_ideal_loads_get_heat_recovery_and_an_economizer(engine: Engine, one_zone: str) -> None:
    recovery = {"sensible_heat_recovery": 0.8, "economizer": "DifferentialDryBulb"}
    outline = edited(engine, with_outdoor_air(one_zone), systems(ideal_loads=[recovery]))
    fields = (
        *("Design Specification Outdoor Air Object Name", "Heat Recovery Type", "Outdoor Air Economizer Type"),
        *("Sensible Heat Recovery Effectiveness", "Latent Heat Recovery Effectiveness"),
    )
    values = [numbers(outline, "ZoneHVAC:IdealLoadsAirSystem", field)[0] for field in fields]
    assert values == ["Fresh", "Sensible", "DifferentialDryBulb", "0.8", "0"]
    both = edited(
        engine,
        with_outdoor_air(one_zone),
        systems(ideal_loads=[{"sensible_heat_recovery": 0.8, "latent_heat_recovery": 0.5}]),
    )
    assert numbers(both, "ZoneHVAC:IdealLoadsAirSystem", "Heat Recovery Type") == ["Enthalpy"]
    assert numbers(both, "ZoneHVAC:IdealLoadsAirSystem", "Outdoor Air Economizer Type")[0] in ("", "NoEconomizer")


def test_ideal_loads_without_outdoor_air_are_refused(files: dict[str, bytes], one_zone: str) -> None:
    measures = systems(ideal_loads=[{"sensible_heat_recovery": 0.8}])
    found = faults(files, measures, BY)
    where = "measures[0].variants[0].ideal_loads[0]"
    assert "ideal loads 'Room Ideal Loads' take no outdoor air: nothing would change" in found[where]
    accept({**files, "room.idf": with_outdoor_air(one_zone)}, measures, BY)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ({}, "changes nothing; give 'sensible_heat_recovery' or 'economizer'"),
        ({"latent_heat_recovery": 0.5, "economizer": "NoEconomizer"}, "without 'sensible_heat_recovery'"),
    ],
)
def test_ideal_loads_without_a_change_are_refused(files: dict[str, bytes], edit: dict[str, Any], what: str) -> None:
    assert what in faults(files, systems(ideal_loads=[edit]), BY)["measures[0].variants[0].ideal_loads[0]"]
