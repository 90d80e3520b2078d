"""Edits of constructions, and the plans and models that they give."""

import json
from typing import Any

from epsm.energyplus.construction_plan import ConstructionPlan
from epsm.energyplus.construction_plans import plans_of
from epsm.energyplus.model_reader import ModelOutline, read_outline
from epsm.energyplus.surfaces import surfaces_of
from epsm.study.parsing import parse_study
from epsm.study.schema import Study
from tests.conftest import study_document

STORE = """
Zone,Store,0,0,0,0,1,1;
Construction,Wall Inside Out,Wall Insulation,Brick;
Material:NoMass,Board,Rough,0.2;
Construction,Panel,Board;
Construction,Partition,Brick,Wall Insulation,Concrete;
Construction,Partition Back,Concrete,Wall Insulation,Brick;
BuildingSurface:Detailed,Partition South,Wall,Partition,Room,,Surface,Partition North,NoSun,NoWind,0.5,4,
  8,6,3, 8,6,0, 0,6,0, 0,6,3;
BuildingSurface:Detailed,Partition North,Wall,Partition Back,Store,,Surface,Partition South,NoSun,NoWind,0.5,4,
  0,6,3, 0,6,0, 8,6,0, 8,6,3;
BuildingSurface:Detailed,Store North,Wall,Wall,Store,,Adiabatic,,NoSun,NoWind,0.5,4,
  8,9,3, 8,9,0, 0,9,0, 0,9,3;
BuildingSurface:Detailed,Store East,Wall,Wall,Store,,Outdoors,,SunExposed,WindExposed,0.5,4,
  8,6,3, 8,6,0, 8,9,0, 8,9,3;
BuildingSurface:Detailed,Store Floor,Floor,Slab,Store,,Ground,,NoSun,NoWind,0,4,
  0,6,0, 0,9,0, 8,9,0, 8,6,0;
BuildingSurface:Detailed,Store Roof,Roof,Roof,Store,,Outdoors,,SunExposed,WindExposed,0,4,
  0,9,3, 0,6,3, 8,6,3, 8,9,3;
FenestrationSurface:Detailed,Store Skylight,Window,Window,Store Roof,,,,1,4,
  2,8,3, 2,7,3, 4,7,3, 4,8,3;
FenestrationSurface:Detailed,Store Door,Door,Panel,Store East,,,,1,4,
  8,7,2, 8,7,0, 8,8,0, 8,8,2;
"""
FACES = {"thermal_absorptance": 0.9, "solar_absorptance": 0.6, "visible_absorptance": 0.6}
BRICK = {
    "name": "Brick",
    "thickness_m": 0.2,
    "conductivity_w_mk": 0.8,
    "density_kg_m3": 1700,
    "specific_heat_j_kgk": 800,
    "roughness": "Rough",
    **FACES,
}
PANE = {
    "name": "Pane",
    "thickness_m": 0.006,
    "infrared_transmittance": 0,
    "emissivity_front": 0.84,
    "emissivity_back": 0.84,
    "conductivity_w_mk": 0.9,
    **{
        f"{band}_{name}": value
        for band in ("solar", "visible")
        for name, value in (("transmittance", 0.8), ("reflectance_front", 0.07), ("reflectance_back", 0.07))
    },
}
GAP = {"gas": "Argon", "thickness_m": 0.013}


def study_with(*edits: dict[str, Any], model: str = "room.idf", **changes: Any) -> Study:
    variants = [{"name": "new", "constructions": list(edits)}]
    document = study_document(
        models=[model],
        measures=[{"name": "envelope", "variants": variants}],
        parameters=[{"name": "envelope", "measure": "envelope"}],
        **changes,
    )
    return parse_study(json.dumps(document))


def planned(model: str, *edits: dict[str, Any], source: str = "room.idf") -> list[ConstructionPlan]:
    outline = read_outline(model.encode(), source)
    return [plan for _, plan in plans_of(outline, study_with(*edits))]


def plan_of(model: str, **edit: Any) -> ConstructionPlan:
    (plan,) = planned(model, edit)
    return plan


def layers(outline: ModelOutline, surface: str) -> list[str]:
    """The layers that a surface has, from outside to inside."""
    (construction,) = [item.construction for item in surfaces_of(outline) if item.name == surface]
    (found,) = [item for item in outline.of_class("Construction") if item.name == construction]
    assert isinstance(found.values, tuple)
    return list(found.values[1:])


def material(outline: ModelOutline, name: str) -> tuple[str, ...]:
    (found,) = [item.values for item in outline.of_class("Material") if item.name == name]
    assert isinstance(found, tuple)
    return found
