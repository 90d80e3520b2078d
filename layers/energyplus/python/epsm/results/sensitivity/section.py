"""The report's section on sensitivity: for each metric a chart with intervals, a table, and remarks on validity."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from epsm.results.sensitivity.analysis import Analysis
from epsm.results.sensitivity.indices import Index
from epsm.results.sensitivity.missing import FailureRate
from epsm.results.sensitivity.tables import MetricAnalysis
from epsm.text import file_labels, middle_cut

_MAX_SHOWN = 12
_MAX_BARS = 20
_MAX_PAIRS = 10
_MAX_LABEL = 40
_COLOURS = ("#3a7ca5", "#f2c14e")
_LABEL_WIDTH, _WIDTH, _STEP = 260, 520, 26
_CHARTS: Mapping[str, tuple[str, ...]] = {
    "sobol": ("ST", "S1"),
    "morris": ("mu_star",),
    "one_at_a_time": ("range",),
    "regression": ("SRC",),
    "pawn": ("PAWN",),
}
"""The indices in the chart of each method; parameters are sorted by the first one."""
_MEANINGS = {
    "ST": "ST: share of the variance that the parameter causes, alone or through interactions",
    "S1": "S1: share of the variance that the parameter causes alone",
    "mu_star": "mu*: mean absolute effect of the parameter over its whole range, in the metric's unit",
    "range": "range: largest minus smallest value when only this parameter changes, in the metric's unit",
    "SRC": "SRC: standard deviations of the metric for one standard deviation of the parameter",
    "PAWN": "PAWN: median change of the metric's distribution while the parameter is held constant; below the mark the "
    "parameter cannot be distinguished from one without effect",
}
_METHODS = {
    "sobol": "Sobol indices",
    "morris": "Morris's elementary effects",
    "one_at_a_time": "One parameter at a time",
    "regression": "Standardised regression coefficients",
    "pawn": "PAWN",
    "all": "All methods",
}


def sensitivity_section(found: Sequence[MetricAnalysis], confidence: float) -> str:
    """HTML of the section; empty if nothing was analysed.

    Args:
        found: The analyses.
        confidence: Probability of their intervals.
    """
    if not found:
        return ""
    models, weather = (file_labels(dict.fromkeys(names)) for names in _files(found))
    parts = []
    for analysed in found[:_MAX_SHOWN]:
        places = [
            labels[name] for labels, name in ((models, analysed.model), (weather, analysed.weather)) if len(labels) > 1
        ]
        parts.append(_metric(analysed.analysis, ", ".join([analysed.metric, *places])))
    rest = len(found) - _MAX_SHOWN
    more = f"<p class='facts'>{rest} further analyses are in sensitivity.csv.</p>" if rest > 0 else ""
    bars = (
        f"Bars with {confidence:.4g} confidence intervals. "
        if any(analysed.analysis.indices for analysed in found)
        else ""
    )
    note = f"<p class='facts'>{bars}All numbers are in sensitivity.csv and sensitivity.json.</p>"
    return f"<h2>Sensitivity</h2>{note}{''.join(parts)}{more}"


def failed_section(error: str) -> str:
    """HTML of the section if the analysis itself failed."""
    return f"<h2>Sensitivity</h2><p class='status failed'>The sensitivity analysis failed: {escape(error)}</p>"


def _files(found: Sequence[MetricAnalysis]) -> tuple[list[str], list[str]]:
    return [analysis.model for analysis in found], [analysis.weather for analysis in found]


def _metric(analysis: Analysis, title: str) -> str:
    used = f"{analysis.used} of {analysis.runs} runs have a value."
    parts = [f"<h3>{escape(title)}</h3><p class='facts'>{used}</p>"]
    parts += [f"<p class='status partial'>{escape(remark)}</p>" for remark in analysis.remarks]
    parts += [
        f"<p class='status partial'>No {escape(_METHODS[refusal.method])}: {escape(refusal.reason)}.</p>"
        if analysis.indices
        else f"<p class='facts'>No {escape(_METHODS[refusal.method])}: {escape(refusal.reason)}.</p>"
        for refusal in analysis.refusals
    ]
    for method, names in _CHARTS.items():
        own = [index for index in analysis.indices if index.method == method]
        if own:
            r2 = f", R2 {analysis.r2:.3f}" if method == "regression" and analysis.r2 is not None else ""
            parts.append(f"<h4>{escape(_METHODS[method])}: {escape(str(own[0].basis))}{r2}</h4>")
            parts += [_chart(own, names), _table(own)]
    return "".join([*parts, _failures(analysis.failure_rates)])


def _chart(own: Sequence[Index], names: Sequence[str]) -> str:
    """Bars of the parameters, the most influential first, with their intervals."""
    by_name = {name: {index.parameter: index for index in own if index.name == name} for name in names}
    shown = sorted(
        (index for index in by_name[names[0]].values() if index.value is not None),
        key=lambda index: -abs(index.value or 0.0),
    )[:_MAX_BARS]
    if not shown:
        return ""
    drawn = [by_name[name][index.parameter] for index in shown for name in names]
    ends = [end for index in drawn for end in (index.value, index.low, index.high, index.threshold) if end is not None]
    least, most = min(0.0, *ends), max(0.0, *ends)
    scale = _WIDTH / (most - least or 1.0)

    def at(value: float) -> float:
        return _LABEL_WIDTH + (value - least) * scale

    lines = []
    height = (_STEP - 8) / len(names)
    for line, first in enumerate(shown):
        top = line * _STEP + 4
        label = middle_cut(first.parameter, _MAX_LABEL)
        lines.append(f"<text x='{_LABEL_WIDTH - 8}' y='{top + 13}' text-anchor='end'>{escape(label)}</text>")
        for place, name in enumerate(names):
            index = by_name[name][first.parameter]
            if index.value is not None:
                lines.append(_bar(index, at, top + place * height, height, _COLOURS[place]))
    zero = at(0.0)
    lines.append(f"<line x1='{zero:.1f}' y1='0' x2='{zero:.1f}' y2='{len(shown) * _STEP}' stroke='#55606a'/>")
    legend = "".join(
        f"<span><i style='background:{colour}'></i>{escape(_MEANINGS[name])}</span><br>"
        for name, colour in zip(names, _COLOURS, strict=False)
    )
    return (
        f"<p class='legend'>{legend}</p><div class='scroll'><svg width='{_LABEL_WIDTH + _WIDTH + 90}' "
        f"height='{len(shown) * _STEP + 8}' font-size='11' font-family='system-ui,sans-serif' role='img'>"
        f"{''.join(lines)}</svg></div>"
    )


def _bar(index: Index, at: Callable[[float], float], top: float, height: float, colour: str) -> str:
    assert index.value is not None
    left, right = sorted((at(0.0), at(index.value)))
    middle = top + height / 2
    described = f"{index.name} of {index.parameter}: {_interval(index)}"
    parts = [
        f"<rect x='{left:.1f}' y='{top:.1f}' width='{right - left:.1f}' height='{height - 1:.1f}' fill='{colour}'>"
        f"<title>{escape(described)}</title></rect>"
    ]
    end = max(right, at(0.0))
    if index.low is not None and index.high is not None:
        low, high = at(index.low), at(index.high)
        end = max(end, high)
        parts.append(
            f"<path d='M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 3:.1f}v6M{high:.1f} {middle - 3:.1f}v6' "
            "stroke='#1d2429' fill='none'/>"
        )
    if index.threshold is not None:
        mark = at(index.threshold)
        parts.append(f"<path d='M{mark:.1f} {top:.1f}v{height:.1f}' stroke='#b3261e' stroke-dasharray='2 2'/>")
    parts.append(f"<text x='{end + 6:.1f}' y='{middle + 4:.1f}'>{_number(index.value)}</text>")
    return "".join(parts)


def _table(own: Sequence[Index]) -> str:
    names = list(dict.fromkeys(index.name for index in own if not index.other))
    parameters = list(dict.fromkeys(index.parameter for index in own if not index.other))
    by_place = {(index.parameter, index.name): index for index in own if not index.other}
    threshold = any(index.threshold is not None for index in own)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    head += "<th>without effect below</th>" if threshold else ""
    rows = []
    for parameter in parameters:
        cells = "".join(f"<td>{escape(_interval(by_place[parameter, name]))}</td>" for name in names)
        if threshold:
            mark = by_place[parameter, names[0]].threshold
            cells += f"<td>{'' if mark is None else _number(mark)}</td>"
        basis = by_place[parameter, names[0]].basis
        rows.append(f"<tr><td class='text'>{escape(parameter)}</td>{cells}<td>{escape(str(basis))}</td></tr>")
    table = (
        f"<div class='scroll'><table><tr><th class='text'>parameter</th>{head}<th>used</th></tr>"
        f"{''.join(rows)}</table></div>"
    )
    return table + _pairs([index for index in own if index.other])


def _pairs(pairs: Sequence[Index]) -> str:
    if not pairs:
        return ""
    largest = sorted(pairs, key=lambda index: -abs(index.value or 0.0))[:_MAX_PAIRS]
    rows = "".join(
        f"<tr><td class='text'>{escape(index.parameter)} x {escape(index.other)}</td>"
        f"<td>{escape(_interval(index))}</td></tr>"
        for index in largest
    )
    return f"<div class='scroll'><table><tr><th class='text'>pair</th><th>S2</th></tr>{rows}</table></div>"


def _failures(rates: Sequence[FailureRate]) -> str:
    if not rates:
        return ""
    rows = "".join(
        f"<tr><td class='text'>{escape(rate.parameter)}</td><td class='text'>{escape(rate.part)}</td>"
        f"<td>{rate.runs}</td><td>{rate.missing}</td><td>{rate.percent:.1f}</td></tr>"
        for rate in rates
    )
    return (
        "<h4>Runs without a value by part of each parameter's range</h4><div class='scroll'><table><tr>"
        "<th class='text'>parameter</th><th class='text'>range</th><th>runs</th><th>without value</th><th>%</th></tr>"
        f"{rows}</table></div>"
    )


def _interval(index: Index) -> str:
    if index.value is None:
        return f"none: {index.reason}"
    if index.low is None or index.high is None:
        return _number(index.value)
    return f"{_number(index.value)} ({_number(index.low)} to {_number(index.high)})"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= 0.0005 else "0"
