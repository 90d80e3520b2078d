"""Measures that replace constructions and multiply loads."""

from typing import Any

import pytest

from epsm.energyplus.engine import Engine
from epsm.energyplus.model_editor import prepare
from epsm.energyplus.model_reader import read_outline
from tests.unit.checks.measures.studies import BY_WALLS, THICK, accept, faults, parsed


def envelope(*edits: dict[str, Any], name: str = "walls") -> dict[str, Any]:
    return {"name": name, "variants": [{"name": "warm", "constructions": list(edits)}]}


WARM = {"slot": "wall_exterior", "u_w_m2k": 0.25, "films": "included"}


def test_the_check_lists_the_surfaces_that_get_another_construction(files: dict[str, bytes]) -> None:
    accepted = accept(files, [envelope(WARM, {**WARM, "slot": "roof_ceiling_exterior"})], BY_WALLS)

    assert [str(each) for each in accepted.targets] == [
        "walls warm: construction of wall_exterior of 4 objects in room.idf: 'Wall' -> U 0.25 W/m2K, films included",
        "walls warm: construction of roof_ceiling_exterior of 1 object in room.idf: 'Roof' -> U 0.25 W/m2K, films "
        "included",
    ]


@pytest.mark.parametrize(
    ("edits", "other", "expected"),
    [
        (
            [{**WARM, "u_w_m2k": 5}],
            None,
            {
                "constructions[0].u_w_m2k": "room.idf: 5 W/m2K cannot be reached with 'Wall': without 'Wall "
                "Insulation' it has 0.1333 m2K/W and films of 0.1497 m2K/W; no thickness above 0 gives it | "
                "below 3.533 W/m2K, or another 'insulation_layer'"
            },
        ),
        (
            [{**WARM, "zones": "Attic", "orientation": ["N"]}],
            None,
            {
                "constructions[0]": "room.idf has no surface of slot 'wall_exterior' facing N with zones 'Attic' | "
                "surfaces of each model"
            },
        ),
        (
            [WARM, {**WARM, "slot": "floor_interior"}],
            None,
            {"constructions[1]": "no model has a surface of slot 'floor_interior' | surfaces of some model"},
        ),
        (
            [WARM, {**WARM, "orientation": ["S"]}],
            None,
            {
                "constructions[1]": "two targets set BuildingSurface:Detailed 'South Wall', Construction Name in "
                "room.idf | one parameter for a field"
            },
        ),
        (
            [WARM],
            {**THICK, "field": "Conductivity", "value": 0.03},
            {
                "constructions[0]": "'other' sets a field of Material 'Wall Insulation', from which the target U is "
                "computed | another measure for one of the two"
            },
        ),
        (
            [WARM],
            {"class": "BuildingSurface:Detailed", "object": "East*", "field": "Construction Name", "value": "Roof"},
            {
                "constructions[0]": "'other' and 'walls' both set BuildingSurface:Detailed 'East Wall', Construction "
                "Name in room.idf | one parameter for a field"
            },
        ),
    ],
)
def test_faults_of_constructions_are_reported_at_their_places(
    files: dict[str, bytes], edits: list[Any], other: dict[str, Any] | None, expected: dict[str, str]
) -> None:
    measures, parameters = [envelope(*edits)], [BY_WALLS]
    if other is not None:
        measures.append({"name": "other", "variants": [{"name": "on", "targets": [other]}]})
        parameters.append({"name": "other", "measure": "other"})

    found = faults(files, measures, *parameters)
    assert found == {f"measures[0].variants[0].{where}": what for where, what in expected.items()}


MORE_LOADS = """
Lights, Desk lamps, Room, Always On, LightingLevel, 120;
ZoneInfiltration:DesignFlowRate, Facade, Room, Always On, Flow/ExteriorArea, , , 0.0003;
ZoneInfiltration:EffectiveLeakageArea, Cracks, Room, Always On, 50, 0.000145, 0.000174;
"""


def loads(*edits: dict[str, Any]) -> dict[str, Any]:
    return {"name": "loads", "variants": [{"name": "less", "loads": list(edits)}]}


BY_LOADS = {"name": "loads", "measure": "loads"}


def test_loads_are_multiplied_however_they_are_stated(one_zone: str, engine: Engine, files: dict[str, bytes]) -> None:
    model = one_zone + MORE_LOADS
    halved = loads({"kind": "lighting", "multiply": 0.5}, {"kind": "infiltration", "except": "Room*", "multiply": 0.5})
    prepared = prepare(model.encode(), "room.idf", parsed([halved], BY_LOADS), engine.idd)
    before = prepared.render({})
    outline = read_outline(prepared.render({"loads": "less"}).encode(), "in.idf")

    def fields(class_name: str) -> dict[str, list[str]]:
        return {each.name: list(each.values) for each in outline.of_class(class_name)}

    lights, leaks = fields("Lights"), fields("ZoneInfiltration:DesignFlowRate")
    assert lights["Room Lights"][4:6] == ["", "5"]
    assert lights["Desk lamps"][4] == "60"
    cracks = fields("ZoneInfiltration:EffectiveLeakageArea")["Cracks"]
    assert (cracks[3], leaks["Facade"][6]) == ("25", "0.00015")
    assert prepared.render({}) == before

    accepted = accept({**files, "room.idf": model.encode()}, [halved], BY_LOADS)
    assert [str(each) for each in accepted.targets][:3] == [
        "loads less: Lights, Lighting Level of 1 object in room.idf: 120 -> 60",
        "loads less: Lights, Watts per Floor Area of 1 object in room.idf: 10 -> 5",
        "loads less: ZoneInfiltration:DesignFlowRate, Flow Rate per Exterior Surface Area of 1 object in room.idf: "
        "0.0003 -> 0.00015",
    ]


def test_a_load_that_a_model_does_not_have_is_refused(files: dict[str, bytes]) -> None:
    measures = [
        loads({"kind": "gas_equipment", "multiply": 0.5}, {"kind": "lighting", "object": "Hall*", "multiply": 2})
    ]

    allowed = "objects of each model"
    assert faults(files, measures, BY_LOADS) == {
        "measures[0].variants[0].loads[0]": f"room.idf has no object of this kind | {allowed}",
        "measures[0].variants[0].loads[1]": f"room.idf has no object of this kind called 'Hall*' | {allowed}",
    }


def test_a_load_and_a_parameter_cannot_set_the_same_field(files: dict[str, bytes]) -> None:
    density = {"name": "lights_w_m2", "class": "Lights", "field": "Watts per Floor Area", "values": [5, 6]}

    found = faults(files, [loads({"kind": "lighting", "multiply": 0.5})], BY_LOADS, density)
    assert list(found) == ["parameters[1]"]
    assert "'loads' and 'lights_w_m2' both set Lights 'Room Lights'" in found["parameters[1]"]


def test_a_load_of_an_older_version_is_multiplied_by_its_names(files: dict[str, bytes]) -> None:
    model = files["room.idf"].replace(b"Version,25.2", b"Version,23.2")
    assert model != files["room.idf"]
    accepted = accept({**files, "room.idf": model}, [loads({"kind": "lighting", "multiply": 0.5})], BY_LOADS)

    assert [str(each) for each in accepted.targets] == [
        "loads less: Lights, Watts per Zone Floor Area of 1 object in room.idf: 10 -> 5"
    ]
