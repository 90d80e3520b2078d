"""Emissions and costs of measures: faults that are refused on submission, each with its place."""

from typing import Any

import pytest

from tests.unit.checks.measures.studies import accept, faults

BY_SHELL = {"name": "shell", "measure": "shell"}
WALL = {"slot": "wall_exterior", "u_w_m2k": 0.2, "films": "included"}
LED = {"loads": [{"kind": "lighting", "multiply": 0.5}]}
EUR = {"currency": "EUR"}
FACE = {"roughness": "Rough", "thermal_absorptance": 0.9, "solar_absorptance": 0.7, "visible_absorptance": 0.7}
PLACE = "measures[0].variants[0]"
WALL_PLACE = f"{PLACE}.constructions[0]"
TARIFF = """
UtilityCost:Tariff,Power,Electricity:Facility,kWh,,,,,,,,,12.5;
"""


def shell(**variant: Any) -> dict[str, Any]:
    return {"name": "shell", "variants": [{"name": "new", **variant}]}


def wall(**keys: Any) -> dict[str, Any]:
    return shell(constructions=[{**WALL, **keys}])


def layer(**keys: Any) -> dict[str, Any]:
    return shell(constructions=[{"slot": "wall_exterior", "layers": [{**keys}]}])


@pytest.mark.parametrize(
    ("measure", "impact", "where", "what"),
    [
        (wall(gwp={"stages": "A1-A3"}), EUR, f"{WALL_PLACE}.gwp", "has no number; give one of 'kgco2e_per_m2'"),
        (
            wall(gwp={"kgco2e_per_m2": 1, "kgco2e_per_kg": 2}),
            EUR,
            f"{WALL_PLACE}.gwp",
            "has kgco2e_per_m2 and kgco2e_per_kg; give one of",
        ),
        (
            wall(gwp={"kgco2e_m2": 1}),
            EUR,
            f"{WALL_PLACE}.gwp.kgco2e_m2",
            "is not a key that a study knows | 'kgco2e_per",
        ),
        (wall(gwp={"kgco2e_per_m2": 1, "stages": "A9"}), EUR, f"{WALL_PLACE}.gwp.stages", '"A9" '),
        (
            wall(gwp={"kgco2e_per_m2": 1, "valid_until": 2028}),
            EUR,
            f"{WALL_PLACE}.gwp.valid_until",
            "2028 is not a date; write it as YYYY-MM-DD",
        ),
        (wall(cost={"per_m2": -1}), EUR, f"{WALL_PLACE}.cost.per_m2", "-1 is too small | >= 0"),
        (wall(cost={"source": "offer"}), EUR, f"{WALL_PLACE}.cost", "has no number; give 'per_m2', 'one_off' or both"),
        (
            wall(cost={"per_m2_floor": 1}),
            EUR,
            f"{WALL_PLACE}.cost.per_m2_floor",
            "is not a key that a study knows | 'per_m2",
        ),
        (wall(cost={"per_m2": 1}), None, f"{WALL_PLACE}.cost", 'has no currency | impact with "currency"'),
        (wall(cost={"per_m2": 1}), {"currency": "euro"}, "impact.currency", '"euro" '),
        (shell(**LED, cost={"one_off": 1}), None, f"{PLACE}.cost", "has no currency"),
        (
            shell(**LED, gwp={"source": "x"}),
            None,
            f"{PLACE}.gwp",
            "has no number; give 'kgco2e', 'kgco2e_per_m2_floor'",
        ),
        (shell(**LED, gwp={"kgco2e_per_m2": 1}), None, f"{PLACE}.gwp.kgco2e_per_m2", "is not a key that a study knows"),
        (
            shell(**LED, gwp={"kgco2e": 1}, service_life_years=20),
            None,
            f"{PLACE}.service_life_years",
            "has no study period to be replaced within | impact with 'study_period_years'",
        ),
        (
            wall(gwp={"kgco2e_per_m2": 1}, service_life_years=0),
            None,
            f"{WALL_PLACE}.service_life_years",
            "0 is too small",
        ),
        (shell(**LED), {"study_period_years": 50}, "impact.study_period_years", "is not used: no measure has 'gwp'"),
        (shell(**LED), {}, "impact", "is empty; give 'fuels'"),
        (wall(gwp={"kgco2e_per_m2": 1}), {"pareto": ["site_eui_kwh_m2"]}, "impact.pareto", "is empty | at least one"),
        (
            wall(gwp={"kgco2e_per_m2": 1}),
            {"pareto": ["site_eui_kwh_m2", "measure_cost_eur"]},
            "impact.pareto[1]",
            "'measure_cost_eur' is not a number of the results table",
        ),
        (
            wall(gwp={"kgco2e_per_m2": 1}),
            {"pareto": ["site_eui_kwh_m2", "site_eui_kwh_m2"]},
            "impact",
            "has the same column twice in 'pareto'",
        ),
        (
            shell(constructions=[{"slot": "wall_exterior", "construction": "Roof", "gwp": {"kgco2e_per_m3": 1}}]),
            None,
            WALL_PLACE,
            "has 'gwp' with 'kgco2e_per_m3', which only 'u_w_m2k' takes; give 'kgco2e_per_m2'",
        ),
        (
            layer(name="R", r_m2kw=1, **FACE, gwp={"kgco2e_per_kg": 1}),
            None,
            f"{WALL_PLACE}.layers[0]",
            "has 'gwp' with 'kgco2e_per_kg', which this layer does not have; give 'kgco2e_per_m2'",
        ),
        (
            layer(name="R", r_m2kw=1, **FACE, gwp={"kg": 1}),
            None,
            f"{WALL_PLACE}.layers[0].gwp.kg",
            "is not a key that a study knows",
        ),
        (
            shell(constructions=[{"slot": "window", "glazing": {"u_w_m2k": 1, "shgc": 0.5, "gwp": {}}}]),
            None,
            f"{WALL_PLACE}.glazing.gwp",
            "is not a key that a study knows",
        ),
        # of the model: its insulation of 0.05 m would get thinner
        (
            wall(u_w_m2k=1.0, gwp={"kgco2e_per_m3": 100}),
            None,
            f"{WALL_PLACE}.gwp",
            "room.idf: is of the insulation that is added, and 'Wall Insulation' gets thinner: 0.05 m, then 0.02",
        ),
    ],
)
def test_faults(files: dict[str, bytes], measure: dict[str, Any], impact: Any, where: str, what: str) -> None:
    found = faults(files, [measure], BY_SHELL, **({} if impact is None else {"impact": impact}))

    assert where in found, found
    assert what in found[where]


def test_faults_of_several_kinds_are_reported_together(files: dict[str, bytes]) -> None:
    costs = {"name": "lamps", "variants": [{"name": "LED", **LED, "cost": {"one_off": 1}}]}
    bad = {"name": "wrong", "class": "Material", "object": "Nothing", "field": "Thickness", "values": [1.0]}

    found = faults(files, [costs], {"name": "lamps", "measure": "lamps"}, bad, {**bad, "name": "x y"})

    assert {f"{PLACE}.cost", "parameters[2].name", "parameters[1]"} <= {key.split(".object")[0] for key in found}, found


def test_a_faulty_impact_is_not_reported_as_a_missing_currency(files: dict[str, bytes]) -> None:
    found = faults(files, [wall(cost={"per_m2": 1})], BY_SHELL, impact={"currency": "EUR", "horizon": 3})

    assert list(found) == ["impact.horizon"]


def test_a_material_of_the_model_needs_what_emissions_are_multiplied_by(files: dict[str, bytes]) -> None:
    files["room.idf"] += b"Material:NoMass,Felt,Rough,1.5;\n"
    layers = [{"material": "Felt", "gwp": {"kgco2e_per_m3": 1}}, {"material": "Brick", "gwp": {"kgco2e_per_kg": 1}}]

    found = faults(files, [shell(constructions=[{"slot": "wall_exterior", "layers": layers}])], BY_SHELL)

    what = "room.idf: 'Felt' has no thickness to multiply 'kgco2e_per_m3' by | 'kgco2e_per_m2'"
    assert found == {f"{WALL_PLACE}.layers[0].gwp": what}


def test_names_of_its_columns_are_taken(files: dict[str, bytes]) -> None:
    measure = wall(gwp={"kgco2e_per_m2": 1}, cost={"per_m2": 1})
    names = ("measure_cost_eur", "pareto_rank", "embodied_gwp_wall_kgco2e_m2")
    other = [
        {"name": name, "class": "Lights", "field": field, "values": [1.0]}
        for name, field in zip(names, ("Fraction Radiant", "Fraction Visible", "Return Air Fraction"), strict=True)
    ]
    cell = {"name": "simple_payback_years", "report": "EnvelopeSummary", "table": "x", "row": "y", "column": "z"}

    found = faults(files, [measure], BY_SHELL, *other, impact=EUR, outputs={"cells": [cell]})

    taken = {place: what for place, what in found.items() if place.endswith(".name")}
    assert list(taken) == ["outputs.cells[0].name", *(f"parameters[{index}].name" for index in (1, 2, 3))]
    assert "is a column that this study has" in taken["parameters[1].name"]


def test_tariffs_in_another_currency_are_refused(files: dict[str, bytes]) -> None:
    files["room.idf"] += TARIFF.encode()
    measure = wall(cost={"per_m2": 1})

    found = faults(files, [measure], BY_SHELL, impact=EUR)

    assert "not the currency of the tariffs of room.idf, 'USD'" in found["impact.currency"]
    assert accept(files, [measure], BY_SHELL, impact={"currency": "USD"})
    fuels = {"electricity": {"cost_per_kwh": 0.3}}
    assert accept(files, [measure], BY_SHELL, impact={**EUR, "fuels": fuels}), "the payback is by these prices"
    files["room.idf"] += b"CurrencyType,EUR;\n"
    assert accept(files, [measure], BY_SHELL, impact=EUR)
