"""Emissions and costs of measures, payback and Pareto ranks: every number worked out by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from epsm.results.measure_impact import installations, measure_impact
from epsm.results.pareto import pareto_ranks
from epsm.results.quantities import Quantities
from epsm.results.rows import page, rows
from epsm.results.table import write_table
from epsm.study.parsing import parse_study
from epsm.study.records import VariantRecord, VariantStatus
from epsm.study.schema import Study
from tests.conftest import study_document
from tests.unit.manifests import manifest_of
from tests.unit.results.test_impact import used
from tests.unit.results.test_rows import Table

WALL = {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included"}
WINDOW = {"slot": "window", "glazing": {"u_w_m2k": 1.1, "shgc": 0.5}}
LED = {"loads": [{"kind": "lighting", "multiply": 0.5}]}
FACE = {"roughness": "Rough", "thermal_absorptance": 0.9, "solar_absorptance": 0.7, "visible_absorptance": 0.7}


def study(variants: Mapping[str, Mapping[str, Any]], impact: Mapping[str, Any] | None = None, **more: Any) -> Study:
    """One measure, `shell`, with these variants."""
    measure = {"name": "shell", "variants": [{"name": name, **each} for name, each in variants.items()]}
    document = study_document(
        measures=[measure], parameters=[{"name": "shell", "measure": "shell"}], impact=impact or {"currency": "EUR"}
    )
    document = {key: value for key, value in (document | more).items() if value is not None}
    return parse_study(json.dumps(document))


def numbers(
    variant: Mapping[str, Any],
    *quantities: Quantities,
    impact: Mapping[str, Any] | None = None,
    floor_m2: float | None = 100.0,
) -> tuple[dict[str, float | None], list[str]]:
    """Of one variant."""
    own = study({"new": variant}, impact)
    return measure_impact(own, {"shell": "new"}, {"shell": list(quantities)}, floor_m2)


def of(area_m2: float | None, *layers: tuple[float | None, float | None]) -> Quantities:
    return {"area_m2": area_m2, "layers": list(layers)}


def test_emissions_and_costs_by_net_area_of_each_element() -> None:
    found, reasons = numbers(
        {
            "constructions": [
                {**WALL, "gwp": {"kgco2e_per_m2": 12.5}, "cost": {"per_m2": 80, "one_off": 500}},
                {**WINDOW, "gwp": {"kgco2e_per_m2": 60}, "cost": {"per_m2": 400}},
            ]
        },
        of(90, (4.5, 67.5)),
        of(20),
    )

    assert found == pytest.approx(
        {
            "embodied_gwp_kgco2e": 90 * 12.5 + 20 * 60,
            "embodied_gwp_kgco2e_m2": (90 * 12.5 + 20 * 60) / 100,
            "embodied_gwp_wall_kgco2e": 1125,
            "embodied_gwp_wall_kgco2e_m2": 11.25,
            "embodied_gwp_window_kgco2e": 1200,
            "embodied_gwp_window_kgco2e_m2": 12,
            "measure_cost_eur": 90 * 80 + 500 + 20 * 400,
            "measure_cost_eur_m2": 157,
            "measure_cost_wall_eur": 7700,
            "measure_cost_wall_eur_m2": 77,
            "measure_cost_window_eur": 8000,
            "measure_cost_window_eur_m2": 80,
        },
        rel=1e-12,
    )
    assert reasons == []


@pytest.mark.parametrize(
    ("gwp", "expected"), [({"kgco2e_per_m3": 110}, 4.5 * 110), ({"kgco2e_per_kg": 3.5, "stages": "A1-A3"}, 67.5 * 3.5)]
)
def test_emissions_of_the_insulation_that_a_target_u_adds(gwp: Mapping[str, Any], expected: float) -> None:
    found, _ = numbers({"constructions": [{**WALL, "gwp": gwp}]}, of(90, (4.5, 67.5)))

    assert found["embodied_gwp_kgco2e"] == pytest.approx(expected, rel=1e-12)
    assert "measure_cost_eur" not in found


def test_emissions_layer_by_layer() -> None:
    brick = {**FACE, "name": "Brick", "thickness_m": 0.1, "conductivity_w_mk": 0.8, "density_kg_m3": 1800.0}
    layers = [
        {**brick, "specific_heat_j_kgk": 900.0, "gwp": {"kgco2e_per_kg": 0.2}},
        {"name": "Felt", "r_m2kw": 2.0, "roughness": "Rough", "gwp": {"kgco2e_per_m2": 5}},
        {"material": "Plaster", **{"gwp": {"kgco2e_per_m3": 300}}},
    ]
    edit = {"slot": "wall_exterior", "layers": layers}
    built = of(50, (5, 9000), (None, None), (0.75, None))
    found, _ = numbers({"constructions": [edit]}, built)
    # 9000 kg x 0.2 + 50 m2 x 5 + 0.75 m3 x 300
    assert found["embodied_gwp_wall_kgco2e"] == pytest.approx(1800 + 250 + 225, rel=1e-12)

    with_work = {**edit, "gwp": {"kgco2e_per_m2": 1}}
    found, _ = numbers({"constructions": [with_work]}, built)
    assert found["embodied_gwp_wall_kgco2e"] == pytest.approx(2275 + 50, rel=1e-12)

    unstated = {**edit, "layers": [*layers[:1], {"material": "Plaster"}, *layers[2:]]}
    found, reasons = numbers({"constructions": [unstated]}, built)
    assert found["embodied_gwp_wall_kgco2e"] is found["embodied_gwp_kgco2e"] is None
    assert reasons == ["no embodied_gwp_kgco2e: shell 'new', constructions[0]: 'Plaster' has no 'gwp'"]


def test_what_is_stated_for_a_variant_as_a_whole() -> None:
    variant = {**LED, "gwp": {"kgco2e": 40, "kgco2e_per_m2_floor": 2}, "cost": {"one_off": 300, "per_m2_floor": 15}}
    found, _ = numbers(variant)

    assert found["embodied_gwp_other_kgco2e"] == found["embodied_gwp_kgco2e"] == pytest.approx(40 + 2 * 100)
    assert found["measure_cost_other_eur"] == found["measure_cost_eur"] == pytest.approx(300 + 15 * 100)


def test_a_variant_states_for_its_constructions_together() -> None:
    found, reasons = numbers({"constructions": [WALL, WINDOW], "gwp": {"kgco2e": 900}}, of(90, (1, 2)), of(20))

    assert (found["embodied_gwp_kgco2e"], found["embodied_gwp_wall_kgco2e"], reasons) == (900, 0, [])


def test_nothing_that_is_not_stated_counts_as_zero() -> None:
    wall = {**WALL, "gwp": {"kgco2e_per_m2": 10}, "cost": {"per_m2": 5}}
    found, reasons = numbers({"constructions": [wall, WINDOW], **LED}, of(90, (1, 2)), of(20))

    assert found["embodied_gwp_wall_kgco2e"] == pytest.approx(900)
    for name in ("embodied_gwp_kgco2e", "embodied_gwp_window_kgco2e", "embodied_gwp_other_kgco2e", "measure_cost_eur"):
        assert found[name] is None, name
        assert found[f"{name}_m2"] is None, name
    assert reasons == [
        "no embodied_gwp_kgco2e: shell 'new', constructions[1] has no 'gwp'",
        "no measure_cost_eur: shell 'new', constructions[1] has no 'cost'",
    ]
    _, (reason, *_) = numbers({"constructions": [wall], **LED}, of(90, (1, 2)))
    assert reason == "no embodied_gwp_kgco2e: shell 'new' has no 'gwp' for its loads"


@pytest.mark.parametrize("quantities", [[], [of(None)]])
def test_without_areas_there_is_no_number(quantities: Sequence[Quantities]) -> None:
    found, reasons = numbers({"constructions": [{**WALL, "gwp": {"kgco2e_per_m2": 10}}]}, *quantities)

    assert found["embodied_gwp_kgco2e"] is None
    assert reasons == ["no embodied_gwp_kgco2e: shell 'new', constructions[0]: the run has no area of its surfaces"]


def test_a_model_without_such_surfaces_gets_nothing() -> None:
    wall = {**WALL, "gwp": {"kgco2e_per_m2": 10}, "cost": {"per_m2": 1, "one_off": 500}}

    found, reasons = numbers(
        {"constructions": [wall, {**WINDOW, **{"gwp": {"kgco2e_per_m2": 1}, "cost": {"per_m2": 2}}}]},
        of(90, (1, 1)),
        of(0),
    )

    assert (found["embodied_gwp_kgco2e"], found["embodied_gwp_window_kgco2e"]) == (900, 0)
    assert reasons == []


def test_stored_carbon_is_negative() -> None:
    found, _ = numbers({"constructions": [{**WALL, "gwp": {"kgco2e_per_m3": -700}}]}, of(90, (2, 100)))

    assert found["embodied_gwp_kgco2e"] == pytest.approx(-1400)


def test_replacements_within_the_study_period() -> None:
    impact = {"currency": "EUR", "study_period_years": 60}
    wall = {**WALL, "gwp": {"kgco2e_per_m2": 10}, "cost": {"per_m2": 100}}
    window = {**WINDOW, "gwp": {"kgco2e_per_m2": 50}, "cost": {"per_m2": 400}, "service_life_years": 25}
    variant = {"constructions": [wall, window], **LED, "gwp": {"kgco2e": 30}, "cost": {"one_off": 200}}
    found, _ = numbers({**variant, "service_life_years": 60}, of(90, (1, 1)), of(20), impact=impact)

    # The window is installed in year 0, 25 and 50; wall and lamps last for 60 years.
    assert found["embodied_gwp_window_kgco2e"] == pytest.approx(3 * 20 * 50)
    assert found["embodied_gwp_kgco2e"] == pytest.approx(900 + 3000 + 30)
    assert found["measure_cost_eur"] == pytest.approx(9000 + 8000 + 200)
    assert found["replacement_cost_eur"] == pytest.approx(2 * 8000)


@pytest.mark.parametrize(
    ("period", "life", "expected"), [(60, 60, 1), (60, 30, 2), (60, 25, 3), (60, 100, 1), (50, 15, 4), (60, 0.1, 600)]
)
def test_installations(period: float, life: float, expected: int) -> None:
    one = study({"new": {**LED, "gwp": {"kgco2e": 1}}}, {"study_period_years": period})
    assert installations(one, life) == expected
    assert installations(one, None) == 1


TWO = {
    "cheap": {**LED, "gwp": {"kgco2e": 100}, "cost": {"one_off": 1000}},
    "dear": {**LED, "gwp": {"kgco2e": 500}, "cost": {"one_off": 9000}},
}
PRICES = {"electricity": {"gwp_kgco2e_per_kwh": 0.4, "cost_per_kwh": 0.25}}


def test_payback_and_whole_life() -> None:
    own = study(TWO, {"currency": "EUR", "fuels": PRICES, "study_period_years": 50})
    baseline, cheap, dear = rows(manifest_of(own), [used(0, 2000, 0), used(1, 1200, 0), used(2, 2400, 0)])

    # 800 kWh x 0.25 = 200 EUR a year of 1000 EUR
    assert cheap["simple_payback_years"] == pytest.approx(5, rel=1e-12)
    # 100 + 50 x 1200 x 0.4
    assert cheap["whole_life_gwp_kgco2e"] == pytest.approx(24_100, rel=1e-12)
    assert cheap["whole_life_gwp_kgco2e_m2"] == pytest.approx(241, rel=1e-12)
    assert cheap["missing"] is None
    assert (baseline["simple_payback_years"], baseline["measure_cost_eur"], baseline["missing"]) == (None, 0, None)
    assert baseline["whole_life_gwp_kgco2e"] == pytest.approx(40_000, rel=1e-12)
    assert dear["simple_payback_years"] is None
    assert dear["missing"] == "no simple_payback_years: it saves no energy cost"


def test_payback_by_the_bills_of_the_models_tariffs() -> None:
    records = [used(0, 2000, 0), used(1, 1200, 0), used(2, 1000, 0)]
    for record, bill in zip(records, (900.0, 800.0, 450.0), strict=True):
        record.summary["utility_bills"] = {"utility_bill": bill}

    _, cheap, dear = rows(manifest_of(study(TWO)), records)

    assert (cheap["simple_payback_years"], dear["simple_payback_years"]) == (pytest.approx(10), pytest.approx(20))


def test_no_payback_by_the_bills_where_a_price_of_the_study_is_missing() -> None:
    """The bills are in US dollars, the costs in euros."""
    own = study(TWO, {"currency": "EUR", "fuels": PRICES})
    records = [used(0, 2000, 100), used(1, 1200, 100), used(2, 1000, 100)]
    for record, bill in zip(records, (900.0, 800.0, 450.0), strict=True):
        record.summary["utility_bills"] = {"utility_bill": bill}

    _, cheap, _ = rows(manifest_of(own), records)

    assert (cheap["utility_bill_saved"], cheap["simple_payback_years"]) == (100, None)
    assert "no simple_payback_years: there is no energy_cost_saved" in cheap["missing"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"period": "31 days (01/01-01/31)"}, "the energy covers 31 days (01/01-01/31), not a year"),
        ({}, "there is no utility_bill_saved"),
    ],
)
def test_no_payback_without_a_year_and_its_cost(changes: Mapping[str, Any], reason: str) -> None:
    records = [used(0, 2000, 0), used(1, 1200, 0)]
    for record in records:
        record.summary.update(changes)

    _, sample, _ = rows(manifest_of(study(TWO)), records)

    assert sample["simple_payback_years"] is None
    assert f"no simple_payback_years: {reason}" in sample["missing"]


def test_pareto_ranks_of_energy_cost_and_emissions(tmp_path: Path) -> None:
    variants = {
        "a": {**LED, "gwp": {"kgco2e": 100}, "cost": {"one_off": 1000}},
        "b": {**LED, "gwp": {"kgco2e": 100}, "cost": {"one_off": 2000}},
        "c": {**LED, "gwp": {"kgco2e": 50}, "cost": {"one_off": 3000}},
        "d": {**LED, "gwp": {"kgco2e": 10}, "cost": {"one_off": 10}},
        "e": {**LED, "cost": {"one_off": 10}},
    }
    own = study(variants)
    failed = VariantRecord(4, VariantStatus.FAILED, stage="engine", error="it crashed")
    # Baseline 20 kWh/m2 for nothing; a dominates b in all; c costs more than a and emits less; d failed; e has no GWP.
    records = [used(0, 2000, 0), used(1, 1500, 0), used(2, 1600, 0), used(3, 1500, 0), failed, used(5, 1000, 0)]
    write_table(manifest_of(own), records, tmp_path / "results.parquet", tmp_path / "results.csv")
    table = pd.read_parquet(tmp_path / "results.parquet")

    assert [None if pd.isna(rank) else rank for rank in table["pareto_rank"]] == [1, 1, 2, 1, None, None]
    assert "no pareto_rank: there is no embodied_gwp_kgco2e" in table["missing"].iloc[5]
    assert json.loads((tmp_path / "pareto.json").read_text()) == {
        "objectives": ["site_eui_kwh_m2", "measure_cost_eur", "embodied_gwp_kgco2e"],
        "ranks": {"0": 1, "1": 1, "2": 2, "3": 1},
    }


def test_variants_of_another_model_are_not_compared(tmp_path: Path) -> None:
    own = study(TWO, models=["a.idf", "b.idf"])
    records = [used(index, energy, 0) for index, energy in enumerate((2000, 2000, 1500, 200, 200, 100))]
    write_table(manifest_of(own), records, tmp_path / "results.parquet", tmp_path / "results.csv")

    # "cheap" saves nothing and costs something; all of the first model would be worse than any of the second.
    assert list(pd.read_parquet(tmp_path / "results.parquet")["pareto_rank"]) == [1, 2, 1, 1, 2, 1]


def test_objectives_that_a_study_names(tmp_path: Path) -> None:
    own = study(TWO, {"currency": "EUR", "pareto": ["unmet_heating_hours", "measure_cost_eur"]})
    records = [used(index, 1000, 0, unmet_heating_hours=hours) for index, hours in enumerate((5.0, 5.0, 0.0))]
    write_table(manifest_of(own), records, tmp_path / "results.parquet", tmp_path / "results.csv")

    assert list(pd.read_parquet(tmp_path / "results.parquet")["pareto_rank"]) == [1, 2, 1]


def test_ranks_are_those_of_the_definition() -> None:
    """Against the definition itself, on points of one to three objectives with many ties."""
    import random

    for seed in range(60):
        draw = random.Random(seed)
        size, most = draw.choice([1, 2, 3]), draw.choice([3, 20, 1000])
        points = [tuple(float(draw.randint(0, most)) for _ in range(size)) for _ in range(draw.randint(1, 80))]
        assert pareto_ranks(points) == by_definition(points), seed


def by_definition(points: Sequence[tuple[float, ...]]) -> list[int]:
    ranks = [0] * len(points)
    rank = 0
    while 0 in ranks:
        rank += 1
        left = [place for place, known in enumerate(ranks) if known == 0]
        for place in [p for p in left if not any(dominates(points[q], points[p]) for q in left)]:
            ranks[place] = rank
    return ranks


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def test_a_page_has_the_same_numbers() -> None:
    own = study(TWO, {"currency": "EUR", "fuels": PRICES, "study_period_years": 50})
    records = [used(0, 2000, 0), used(1, 1200, 0), used(2, 2400, 0)]

    whole, alone = list(rows(manifest_of(own), records)), page(manifest_of(own), Table(*records), 1, 2)

    assert alone == whole[1:]
