"""The report's section of emissions and costs: the Pareto front as a chart, and tables of its variants."""

import math
from collections.abc import Sequence
from html import escape
from itertools import islice

import pandas as pd

from epsm.results.comparison import PAYBACK, RANK, WHOLE_LIFE, impact_columns, objectives
from epsm.results.headings import heading
from epsm.results.measure_impact import COST, EMBODIED, currency_of, elements_of
from epsm.results.pareto import pareto_ranks
from epsm.results.report_cells import number_table, plain
from epsm.results.report_metrics import variant_labels
from epsm.study.records import VariantStatus
from epsm.study.schema import Study

_MAX_CHARTS = 6
_MAX_ROWS = 40
_MAX_POINTS = 3000
_MAX_LABELLED = 40
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 720, 390, 70, 46, 26, 60
_FRONT, _OTHER = "#c8553d", "#9aa5ad"


def impact_section_columns(study: Study) -> list[str]:
    """The columns of the results table that the section is made from."""
    rank = [RANK] if objectives(study) else []
    bills = ["utility_bill", "utility_bill_saved"] if study.has_measure_cost else []
    return [*rank, *objectives(study), *impact_columns(study), *bills]


def impact_section(table: pd.DataFrame, study: Study, places: Sequence[str]) -> str:
    """Emissions and costs of the baselines, the Pareto front and the variants next to it; empty without any.

    Args:
        table: At least `impact_section_columns` and the parameters of the results table.
        study: The study.
        places: Which of `model` and `weather` distinguish variants.
    """
    columns = [name for name in impact_section_columns(study) if name in table]
    success = table["status"] == VariantStatus.SUCCEEDED.value
    if not columns or not success.any() or not any(table[name][success].notna().any() for name in columns):
        return ""
    ranked = RANK in table
    by = [*(["model", "weather"] if places else []), *([RANK] if ranked else []), "site_eui_kwh_m2"]
    others = table[by][success & ~table["baseline"]].sort_values(by, na_position="last")
    baselines = table[["baseline"]][success & table["baseline"]].head(_MAX_ROWS // 2)
    rows = table.loc[[*baselines.index, *others.head(_MAX_ROWS - len(baselines)).index]]
    del others
    labels = variant_labels(rows, study, places)
    rest = int(success.sum()) - len(rows)
    more = f"<p class='facts'>{rest} further variants are in results.csv.</p>" if rest else ""
    return (
        f"<h2>Emissions and cost</h2>{_charts(table, success, study) if ranked else ''}"
        f"{number_table(rows, _totals(study), labels)}{more}{_by_element(rows, labels, study)}"
    )


def _totals(study: Study) -> list[str]:
    currency = currency_of(study)
    return [
        *((RANK,) if objectives(study) else ()),
        "site_eui_kwh_m2",
        "site_eui_saved_percent",
        f"{COST}_{currency}",
        f"replacement_cost_{currency}",
        "energy_cost",
        "energy_cost_saved",
        "utility_bill",
        "utility_bill_saved",
        PAYBACK,
        f"{EMBODIED}_kgco2e",
        "operational_gwp_kgco2e",
        "operational_gwp_saved_kgco2e",
        WHOLE_LIFE[0],
        WHOLE_LIFE[1],
    ]


def _by_element(rows: pd.DataFrame, labels: Sequence[str], study: Study) -> str:
    elements = elements_of(study)
    if len(elements) < 2:
        return ""
    columns = [f"{EMBODIED}_{element}_kgco2e" for element in elements]
    columns += [f"{COST}_{element}_{currency_of(study)}" for element in elements]
    shown = number_table(rows, columns, labels)
    return f"<h3>By element of the building</h3>{shown}" if shown else ""


def _charts(table: pd.DataFrame, success: "pd.Series[bool]", study: Study) -> str:
    axes = _axes(study)
    if axes is None:
        return ""
    charts = []
    shown = ["variant_index", "model", "weather", "baseline", RANK, *axes]
    shown += [parameter.name for parameter in study.parameters]
    groups = table[list(dict.fromkeys(shown))][success].groupby(["model", "weather"], sort=False)
    for (model, weather), group in islice(groups, _MAX_CHARTS):
        title = f"<h3>{escape(f'{model}, {weather}')}</h3>" if groups.ngroups > 1 else ""
        chart = _chart(group.dropna(subset=[*axes, RANK]), axes, study)
        charts.append(f"{title}{chart}" if chart else "")
    headings = [heading(name) for name in objectives(study)]
    legend = (
        f"<p class='legend'><span><i style='background:{_FRONT}'></i>Pareto front (rank 1): none is better in one of "
        f"{escape(', '.join(headings))} without being worse in another</span>"
        f"<span><i style='background:{_OTHER}'></i>other variants</span></p>"
    )
    return legend + "".join(charts) if any(charts) else ""


def _axes(study: Study) -> tuple[str, str] | None:
    """The columns of the horizontal and the vertical axis: cost and energy, or the first two objectives."""
    found = objectives(study)
    cost = f"{COST}_{currency_of(study)}"
    if cost in found and len(found) > 1:
        return cost, next(name for name in found if name != cost)
    return (found[1], found[0]) if len(found) > 1 else None


def _chart(group: pd.DataFrame, axes: tuple[str, str], study: Study) -> str:
    if group.empty:
        return ""
    front = group[group[RANK] == 1]
    others = group[group[RANK] != 1].head(_MAX_POINTS)
    shown = pd.concat([others, front.head(_MAX_POINTS)])
    (x_low, x_high, x_ticks), (y_low, y_high, y_ticks) = (_scale(shown[name]) for name in axes)

    def x(value: float) -> float:
        return _LEFT + (value - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - y_low) / (y_high - y_low) * (_HEIGHT - _BOTTOM - _TOP)

    lines = []
    for tick in x_ticks:
        lines.append(_line(x(tick), _TOP, x(tick), _HEIGHT - _BOTTOM))
        lines.append(_label(x(tick), _HEIGHT - _BOTTOM + 16, f"{tick:,.10g}", "middle"))
    for tick in y_ticks:
        lines.append(_line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick)))
        lines.append(_label(_LEFT - 8, y(tick) + 4, f"{tick:,.10g}", "end"))
    lines.append(_label((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, heading(axes[0]), "middle"))
    lines.append(_label(8, 11, heading(axes[1]), "start"))
    edge = _edge(front, axes)
    if len(edge) > 1:
        path = " ".join(f"{x(across):.1f},{y(up):.1f}" for across, up in edge)
        lines.append(f"<polyline points='{path}' fill='none' stroke='{_FRONT}' stroke-dasharray='4 3' opacity='.6'/>")
    for rows, colour, radius in ((others, _OTHER, 3.5), (front.head(_MAX_POINTS), _FRONT, 5)):
        for (_, row), label in zip(rows.iterrows(), variant_labels(rows, study, ()), strict=True):
            tooltip = f"{label}; {', '.join(f'{heading(name)} {plain(row[name], 1)}' for name in axes)}"
            lines.append(
                f"<circle cx='{x(row[axes[0]]):.1f}' cy='{y(row[axes[1]]):.1f}' r='{radius}' fill='{colour}' "
                f"stroke='#fff'><title>{escape(tooltip)}</title></circle>"
            )
    if len(front) <= _MAX_LABELLED:
        lines += [
            _label(x(row[axes[0]]) + 7, y(row[axes[1]]) - 6, str(row["variant_index"]), "start")
            for _, row in front.iterrows()
        ]
    return (
        f"<div class='scroll'><svg width='{_WIDTH}' height='{_HEIGHT}' font-size='11' "
        f"font-family='system-ui,sans-serif' role='img'>{''.join(lines)}</svg></div>"
    )


def _edge(front: pd.DataFrame, axes: tuple[str, str]) -> list[tuple[float, float]]:
    """The points of the front that no other dominates in the two columns of the chart, from left to right."""
    points = sorted(set(zip(*(front[name].astype(float).tolist() for name in axes), strict=True)))
    return [point for point, rank in zip(points, pareto_ranks(points), strict=True) if rank == 1]


def _scale(values: "pd.Series[float]") -> tuple[float, float, list[float]]:
    """Ends and ticks of an axis.

    >>> _scale(pd.Series([0.0, 87.0]))
    (0.0, 100.0, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0])
    """
    low, high = float(values.min()), float(values.max())
    width = high - low or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(width / 5))
    step = next(step * magnitude for step in (1, 2, 5, 10) if width / (step * magnitude) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    last += first == last
    return first * step, last * step, [place * step for place in range(first, last + 1)]


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='#e3e7ea'/>"


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(text)}</text>"
