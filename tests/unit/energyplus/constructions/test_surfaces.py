"""The surfaces that an edit of constructions matches, and those that it leaves unchanged."""

from typing import Any

import pytest

from epsm.energyplus.construction_plan import ConstructionPlan
from epsm.energyplus.model_reader import read_outline
from epsm.energyplus.surfaces import surfaces_of
from tests.unit.energyplus.constructions.edits import BRICK, plan_of


def names_of(plan: ConstructionPlan) -> list[str]:
    return [each.name for each in plan.surfaces]


@pytest.mark.parametrize(
    ("slot", "names"),
    [
        ("wall_exterior", ["South Wall", "East Wall", "West Wall", "Store East"]),
        ("wall_interior", ["Partition South", "Partition North"]),
        ("wall_adiabatic", ["Store North"]),
        ("floor_ground", ["Floor", "Store Floor"]),
        ("roof_ceiling_exterior", ["Roof", "Store Roof"]),
        ("window", ["South Window"]),
        ("skylight", ["Store Skylight"]),
        ("door", ["Store Door"]),
        ("floor_interior", []),
    ],
)
def test_slots(building: str, slot: str, names: list[str]) -> None:
    assert (
        names_of(plan_of(building, slot=slot, construction="Window" if slot in ("window", "skylight") else "Slab"))
        == names
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"orientation": ["E", "S"]}, ["South Wall", "East Wall", "Store East"]),
        ({"zones": "store"}, ["Store East"]),
        ({"surfaces": ["*wall"], "except": "West*"}, ["South Wall", "East Wall"]),
        ({"constructions": "Partition*"}, []),
    ],
)
def test_filters(building: str, filters: dict[str, Any], names: list[str]) -> None:
    assert names_of(plan_of(building, slot="wall_exterior", construction="Slab", **filters)) == names


def test_a_building_that_is_turned_faces_elsewhere(building: str) -> None:
    turned = building.replace("Zone,Store,0,", "Zone,Store,90,").replace("  World; ", "  Relative; ")
    assert "Relative;" in turned

    facing = {each.name: each.orientation for each in surfaces_of(read_outline(turned.encode(), "room.idf"))}
    assert (facing["South Wall"], facing["Store East"], facing["Roof"]) == ("S", "S", "")


OPEN = """
Material:NoMass,MAT-AIR-WALL,Rough,0.2079491,0.9,0.7;
Construction,AIR-WALL,MAT-AIR-WALL;
Material:InfraredTransparent,IRT;
Construction,Opening,IRT;
Material:NoMass,Stair Board,Rough,0.2;
Construction,Stair,Stair Board;
"""


def opened(building: str, construction: str) -> str:
    """The building with that construction on both sides of its partition."""
    for own in ("Wall,Partition,", "Wall,Partition Back,"):
        assert own in building
        building = building.replace(own, f"Wall,{construction},")
    return building + OPEN


@pytest.mark.parametrize("name", ["AIR-WALL", "Opening"])
def test_open_partitions_are_left_as_they_are(building: str, name: str) -> None:
    plan = plan_of(opened(building, name), slot="wall_interior", layers=[BRICK])
    assert (names_of(plan), plan.left, plan.settings, plan.faults) == ([], 2, {}, [])
    elsewhere = plan_of(opened(building, name), slot="wall_interior", zones="*", layers=[BRICK])
    assert elsewhere.left == 2, "a filter by zone does not name them"


@pytest.mark.parametrize("by", [{"constructions": "AIR-*"}, {"surfaces": ["Partition South", "Partition North"]}])
def test_open_partitions_are_replaced_if_named(building: str, by: dict[str, Any]) -> None:
    plan = plan_of(opened(building, "AIR-WALL"), slot="wall_interior", layers=[BRICK], **by)
    assert (names_of(plan), plan.left) == (["Partition South", "Partition North"], 0)


def test_a_plain_partition_of_one_layer_is_no_opening(building: str) -> None:
    plan = plan_of(opened(building, "Stair"), slot="wall_interior", layers=[BRICK])
    assert (len(plan.surfaces), plan.left) == (2, 0)
