"""The studies of examples/, run as they are, and what docs/examples.md says of them.

`office-retrofit`, the example of the README, is run by tests/e2e/test_cli.py. A new folder needs a claim here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import epsm
from epsm_local.provider import connection
from epsm_local.stack import LocalStack
from infra.tools.packaging import ROOT

EXAMPLES = ROOT / "examples"


def indices(
    sensitivity: pd.DataFrame, index: str, metric: str = "heating_kwh", weather: str = ""
) -> "pd.Series[float]":
    """An index of a metric by parameter."""
    rows = sensitivity[(sensitivity["index"] == index) & (sensitivity["metric"] == metric)]
    rows = rows[rows["weather"] == weather] if weather else rows
    return rows.set_index("parameter")["value"].astype(float)


def air_then_insulation_then_glass_then_light(results: pd.DataFrame, sensitivity: pd.DataFrame) -> None:
    heating = indices(sensitivity, "range")
    order = ["infiltration_ach", "insulation_m", "glazing_u", "lighting_w_m2"]
    assert list(heating.sort_values(ascending=False).index) == order
    less, more = results["heating_kwh"].iloc[-1], results["heating_kwh"].iloc[-2]
    assert less < more, "more light should save heating"
    assert results["site_eui_kwh_m2"].iloc[-1] > results["site_eui_kwh_m2"].iloc[-2], "and cost more than it saves"


def a_line_explains_heating(results: pd.DataFrame, sensitivity: pd.DataFrame) -> None:
    heating = indices(sensitivity, "SRC")
    assert heating["infiltration_ach"] > 0.5 > 0 > heating["lighting_w_m2"] > heating["insulation_m"]
    assert sensitivity["r2"].dropna().min() > 0.95
    assert indices(sensitivity, "SRC", "interior_lighting_kwh")["lighting_w_m2"] == pytest.approx(1)
    assert results["heating_kwh"].iloc[1:].std() > 0


def air_has_more_of_the_variance(results: pd.DataFrame, sensitivity: pd.DataFrame) -> None:
    alone, total = indices(sensitivity, "S1"), indices(sensitivity, "ST")
    assert total["infiltration_ach"] > total["insulation_m"] > 0.1
    assert alone.sum() == pytest.approx(1, abs=0.15), "the two hardly interact"
    assert set(sensitivity["used"]) == set(sensitivity["of"]) == {32}
    assert len(results) == 129
    assert (results["cached_from"].isna()).sum() <= 1 + 4 * 4, "each combination runs once"


def air_matters_where_it_is_cold(results: pd.DataFrame, sensitivity: pd.DataFrame) -> None:
    cold, mild, hot = (f"{place}.epw" for place in ("chicago", "san_francisco", "tampa"))
    heating = {place: indices(sensitivity, "range", "heating_kwh", place) for place in (cold, mild, hot)}
    assert heating[cold]["infiltration_ach"] > 2 * heating[mild]["infiltration_ach"]
    assert heating[mild]["infiltration_ach"] > 2 * heating[hot]["infiltration_ach"]
    cooling = indices(sensitivity, "range", "cooling_kwh", hot)
    assert cooling["insulation_m"] > heating[hot]["insulation_m"]
    assert len(results) == 15


def measures_are_compared_by_energy_cost_and_emissions(results: pd.DataFrame, sensitivity: pd.DataFrame) -> None:
    assert len(results) == 12
    runs = results.set_index(["envelope", "glazing", "lighting"])
    airtight, triple = runs.loc["airtight"], runs.xs("triple", level="glazing")
    assert list(airtight["exterior_wall_u_w_m2k"]) == pytest.approx([0.15] * 4, rel=1e-6)
    assert list(airtight["roof_u_w_m2k"]) == pytest.approx([0.12] * 4, rel=1e-6)
    assert list(triple["window_u_w_m2k"]) == pytest.approx([0.8] * 6, rel=0.002)
    assert list(triple["window_shgc"]) == pytest.approx([0.5] * 6, rel=0.002)
    assert results["measure_remarks"].isna().all()
    eui = runs["site_eui_kwh_m2"]
    assert eui["airtight", "triple", "LED"] == eui.min() < 0.5 * eui["none", "none", "none"]
    # Net areas: 78.4 m2 of wall, 48 m2 of roof, 5.6 m2 of window; 48 m2 of floor.
    everything = runs.xs(("airtight", "triple", "LED"))
    wall, roof, window, other = 78.4 * 95, 48 * 70, 5.6 * 520, 900 + 48 * 24
    assert everything["measure_cost_usd"] == pytest.approx(wall + roof + window + other, rel=1e-9)
    assert everything["replacement_cost_usd"] == pytest.approx(window + 3 * 48 * 24, rel=1e-9)
    assert everything["embodied_gwp_window_kgco2e"] == pytest.approx(2 * 5.6 * 95, rel=1e-9)
    added_m = [0.035 * (1 / u - films - known) - 0.05 for u, films, known in ((0.15, 0.1496935, 0.12 / 0.9), ROOF)]
    assert everything["embodied_gwp_wall_kgco2e"] == pytest.approx(78.4 * added_m[0] * 110, rel=1e-6)
    assert everything["embodied_gwp_roof_ceiling_kgco2e"] == pytest.approx(48 * added_m[1] * 110, rel=1e-6)
    lamps = runs.xs(("none", "none", "LED"))
    assert lamps["simple_payback_years"] == runs["simple_payback_years"].min()
    assert lamps["simple_payback_years"] == pytest.approx(48 * 24 / lamps["energy_cost_saved"], rel=1e-9)
    whole_life = runs["embodied_gwp_kgco2e"] + 50 * runs["operational_gwp_kgco2e"]
    assert list(runs["whole_life_gwp_kgco2e"]) == pytest.approx(list(whole_life), rel=1e-9)
    behind = runs[runs["pareto_rank"] > 1].index
    assert list(behind) == [(envelope, "triple", "none") for envelope in ("none", "insulated", "airtight")]


ROOF = (0.12, 0.1373658, 0.15 / 1.7)
"""U, resistance of the films, and of the concrete, m2K/W."""


CLAIMS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], None]] = {
    "climates": air_matters_where_it_is_cold,
    "latin-hypercube": a_line_explains_heating,
    "measures": measures_are_compared_by_energy_cost_and_emissions,
    "one-at-a-time": air_then_insulation_then_glass_then_light,
    "sobol": air_has_more_of_the_variance,
}
"""What each study shows, by its folder, from its results and its sensitivity."""


@pytest.fixture(scope="module")
def runs(stack: LocalStack) -> Iterator[dict[str, epsm.Run]]:
    """All are started before the first is waited for: engines of one run while another collects its results."""
    target = connection(stack.endpoint)
    started = {name: epsm.run(EXAMPLES / name, target) for name in CLAIMS}
    yield started
    for run in started.values():
        run.cancel()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CLAIMS)
def test_an_example_runs_and_shows_what_its_page_says(runs: dict[str, epsm.Run], name: str) -> None:
    run = runs[name].wait(timeout_s=350)
    results = run.results()
    assert set(results["status"]) == {"succeeded"}
    CLAIMS[name](results, run.sensitivity())


def test_every_example_is_run_and_described() -> None:
    folders = {path.name for path in EXAMPLES.iterdir() if (path / "study.json").is_file()}
    assert folders == {*CLAIMS, "office-retrofit"}
    page = Path(ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    assert all(f"](../examples/{name}/study.json)" in page for name in folders)
