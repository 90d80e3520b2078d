"""Edits that a model or a study does not allow."""

from typing import Any

import pytest

from epsm.errors import StudyRejected
from tests.unit.energyplus.constructions.edits import BRICK, GAP, PANE, plan_of, study_with


def fault_of(model: str, **edit: Any) -> tuple[str, str, str]:
    (fault,) = plan_of(model, **edit).faults
    return fault.key, fault.what, fault.allowed


@pytest.mark.parametrize(
    ("changed", "edit", "fault"),
    [
        (
            ("", ""),
            {"slot": "wall_exterior", "u_w_m2k": 4, "films": "included"},
            (
                "u_w_m2k",
                "4 W/m2K cannot be reached with 'Wall': without 'Wall Insulation' it has 0.1333 m2K/W and films of "
                "0.1497 m2K/W; no thickness above 0 gives it",
                "below 3.533 W/m2K, or another 'insulation_layer'",
            ),
        ),
        (
            ("", ""),
            {"slot": "floor_ground", "u_w_m2k": 0.2, "films": "included"},
            (
                "u_w_m2k",
                "0.2 W/m2K cannot be reached with 'Slab': without 'Concrete' it has 0 m2K/W and films of 0.162 m2K/W; "
                "it would take 8.22 m of 'Concrete'",
                "another target, or another 'insulation_layer'",
            ),
        ),
        (
            ("", ""),
            {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included", "insulation_layer": "wool"},
            ("insulation_layer", "'Wall' has no layer called 'wool'", "'Brick', 'Wall Insulation'"),
        ),
        (
            ("Partition Back,Concrete,Wall Insulation,Brick", "Partition Back,Brick,Wall Insulation,Concrete"),
            {"slot": "wall_interior", "u_w_m2k": 0.4, "films": "included"},
            (
                "",
                "'Partition' of 'Partition South' is not the reverse of 'Partition Back' of 'Partition North', its "
                "other side",
                "mirrored pairs, or 'layers'",
            ),
        ),
        (
            ("Surface,Partition South", "Surface,Partition East"),
            {"slot": "wall_interior", "construction": "Partition", "zones": "Room"},
            (
                "",
                "means 'Partition South', and the other side of 'Partition North' is 'Partition East'",
                "pairs of surfaces",
            ),
        ),
        (
            ("Store Floor,Floor,Slab,Store,,Ground", "Store Floor,Floor,Slab,Store,,Foundation"),
            {"slot": "floor_ground", "construction": "Roof"},
            (
                "",
                "means 1 surface that cannot be edited, 'Store Floor': the outside boundary is a Kiva foundation",
                "'except'",
            ),
        ),
        (
            ("Zone,Store", "ConstructionProperty:InternalHeatSource,Pipes,Slab,1,1,1,0.1;\nZone,Store"),
            {"slot": "floor_ground", "construction": "Roof", "surfaces": "Store*"},
            (
                "",
                "means 1 surface that cannot be edited, 'Store Floor': the construction has an internal heat source",
                "'except'",
            ),
        ),
        (
            ("Construction,Panel,Board;", "Construction:FfactorGroundFloor,Earth,1,20,10;Construction,Panel,Board;"),
            {"slot": "floor_ground", "construction": "Roof", "constructions": "Earth"},
            None,
        ),
        (
            (
                "Zone,Store",
                "WindowShadingControl,Blinds,Room,,InteriorBlind,,AlwaysOn,,,,,,,,,,,South Window;\nZone,Store",
            ),
            {"slot": "window", "glazing": {"u_w_m2k": 1, "shgc": 0.4}},
            (
                "",
                "means 1 surface that cannot be edited, 'South Window': a WindowShadingControl applies",
                "'except'",
            ),
        ),
        (
            ("Zone,Store", "MaterialProperty:PhaseChange,Wall Insulation,0,-20,0.1,22,18260,60,84000;\nZone,Store"),
            {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included", "insulation_layer": "Wall*"},
            (
                "u_w_m2k",
                "0.2 W/m2K cannot be reached with 'Wall': without 'Wall Insulation' it has 0.1333 m2K/W and films of "
                "0.1497 m2K/W; 'Wall Insulation' has a MaterialProperty:PhaseChange, which a copy would not have",
                "another target, or another 'insulation_layer'",
            ),
        ),
        (
            ("Zone,Store", "ConstructionProperty:InternalHeatSource,Pipes,Slab,1,1,1,0.1;\nZone,Store"),
            {"slot": "roof_ceiling_exterior", "construction": "slab"},
            (
                "construction",
                "'slab' cannot be copied: the construction has an internal heat source",
                "a plain Construction",
            ),
        ),
        (
            ("", ""),
            {"slot": "wall_exterior", "construction": "Window"},
            (
                "construction",
                "'Window' is glazed, which slot 'wall_exterior' is not",
                "a construction for slot 'wall_exterior'",
            ),
        ),
        (
            ("", ""),
            {"slot": "wall_exterior", "layers": [{"material": "Woll"}]},
            ("layers[0].material", "the model has no material called 'Woll'", "the name of a material"),
        ),
    ],
)
def test_refusals(
    building: str, changed: tuple[str, str], edit: dict[str, Any], fault: tuple[str, str, str] | None
) -> None:
    model = building.replace(*changed) if changed[0] else building
    assert changed == ("", "") or model != building
    if fault is None:
        assert not plan_of(model, **edit).faults
    else:
        assert fault_of(model, **edit) == fault


def test_c_factor_and_f_factor_constructions_are_refused(building: str) -> None:
    model = building.replace(
        "Store Floor,Floor,Slab,Store,,Ground", "Store Floor,Floor,Earth,Store,,GroundFCfactorMethod"
    )
    model += "Construction:FfactorGroundFloor,Earth,1,20,10;"

    key, what, _ = fault_of(model, slot="floor_ground", construction="Roof")
    assert (key, what) == (
        "",
        "means 1 surface that cannot be edited, 'Store Floor': the construction is an F-factor, which has no layers",
    )
    assert not plan_of(model, slot="floor_ground", construction="Roof", **{"except": "Store*"}).faults


@pytest.mark.parametrize(
    ("edit", "where", "what"),
    [
        ({"slot": "wall", "construction": "X"}, "slot", "is not known"),
        ({"slot": "window", "u_w_m2k": 1, "films": "included"}, "", "give 'glazing'"),
        ({"slot": "wall_exterior", "u_w_m2k": 1}, "", "without 'films'"),
        ({"slot": "wall_exterior"}, "", "has no new construction for the surfaces"),
        (
            {"slot": "wall_exterior", "u_w_m2k": 1, "films": "included", "construction": "X"},
            "",
            "has construction and u_w",
        ),
        ({"slot": "skylight", "orientation": ["S"], "construction": "X"}, "", "has an orientation"),
        (
            {"slot": "wall_exterior", "layers": [{"name": "A", "thickness_m": 0.1}]},
            "layers[0].density_kg_m3",
            "is missing",
        ),
        (
            {"slot": "wall_exterior", "layers": [{"name": "A", "r_m2kw": 1, "roughness": "Rough"}]},
            "",
            "has no absorptances",
        ),
        (
            {"slot": "wall_exterior", "layers": [{"gas": "Argon", "thickness_m": 0.01}]},
            "",
            "has layer 1 of another kind",
        ),
        ({"slot": "window", "layers": [PANE, GAP]}, "", "has a gap as its first or last layer"),
        ({"slot": "window", "layers": [PANE, PANE]}, "", "has layers 1 and 2 of the same kind"),
        ({"slot": "window", "layers": [{**PANE, "emissivity_back": 2}]}, "layers[0].emissivity_back", "2 is too large"),
        ({"slot": "window", "glazing": {"u_w_m2k": 9, "shgc": 0.4}}, "glazing.u_w_m2k", "9 is too large"),
        ({"slot": "window", "glazing": {"u_w_m2k": 1}}, "glazing.shgc", "is missing"),
        ({"slot": "wall_exterior", "layers": [{**BRICK, "conductivity": 1}]}, "layers[0].conductivity", "is not a key"),
    ],
)
def test_faults_of_the_document(edit: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(StudyRejected) as refusal:
        study_with(edit)
    place = "study.json: measures[0].variants[0].constructions[0]" + (f".{where}" if where else "")
    found = {each.where: each.what for each in refusal.value.problems}
    assert place in found, found
    assert what in found[place]


MOISTURE = "CombinedHeatAndMoistureFiniteElement"


@pytest.mark.parametrize(
    ("tied", "named"),
    [
        (f"HeatBalanceAlgorithm,{MOISTURE};", "South Wall"),
        (f"SurfaceProperty:HeatTransferAlgorithm,south wall,{MOISTURE};", "South Wall"),
        (f"SurfaceProperty:HeatTransferAlgorithm:SurfaceList,Some,{MOISTURE},East Wall,South Wall;", "South Wall"),
        (f"SurfaceProperty:HeatTransferAlgorithm:MultipleSurface,All,AllExteriorWalls,{MOISTURE};", "South Wall"),
    ],
)
def test_surfaces_with_moisture_transfer_are_refused(building: str, tied: str, named: str) -> None:
    """A layer without moisture properties crashes the engine (25.2, seen)."""
    _, what, _ = fault_of(building + tied, slot="wall_exterior", surfaces=named, layers=[BRICK])
    assert what.startswith(
        "means 1 surface that cannot be edited, 'South Wall': the heat transfer algorithm is Combined"
    )
    assert not plan_of(building + tied, slot="window", glazing={"u_w_m2k": 1.2, "shgc": 0.4}).faults


def test_other_algorithms_of_surfaces_do_not_matter(building: str) -> None:
    tied = "SurfaceProperty:HeatTransferAlgorithm,South Wall,ConductionFiniteDifference;"
    assert not plan_of(building + tied, slot="wall_exterior", layers=[BRICK]).faults


def test_ventilated_windows_are_refused(building: str) -> None:
    tied = "WindowProperty:AirflowControl,South Window,IndoorAir,OutdoorAir,0.008,AlwaysOnAtMaximumFlow,No,;"
    _, what, _ = fault_of(building + tied, slot="window", glazing={"u_w_m2k": 1.2, "shgc": 0.4})
    assert "'South Window': a WindowProperty:AirflowControl applies" in what
