"""The study's report: one self-contained HTML file, to read in a browser and to send to a client."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from epsm.results.columns import PERIOD, RUN, SAVINGS, VARIANT
from epsm.results.ended_study import EndedStudy
from epsm.results.headings import heading
from epsm.results.metrics import INTENSITIES, METRICS
from epsm.results.remarks import REMARK_COLUMNS, REMARK_TEXTS, remarks, with_severe_errors
from epsm.results.report_cells import levels, plain, text
from epsm.results.report_impact import impact_section, impact_section_columns
from epsm.results.report_metrics import METRICS_SHOWN, metrics_section
from epsm.results.rows import NOT_RUN
from epsm.study.parameters import Dimension
from epsm.study.records import StudyStatus, VariantStatus
from epsm.study.sampling import InUnitCube, OneAtATime
from epsm.study.schema import Study
from epsm.text import counted, file_labels, middle_cut

_NUMBERS = ("site_eui_kwh_m2", "site_eui_saved_percent", "unmet_heating_hours", "unmet_cooling_hours")
_OUTCOME = ("status", "verdict", "severe_errors", "warnings")
_MEASURES = ("_kwh_m2", "_percent", "_hours")
_MAX_BARS = 40
_MAX_LABEL = 60
_MIN_NAME = 8
_MAX_ROWS = 500
_MAX_REASONS = 20
_COLOURS = ("#c8553d", "#3a7ca5", "#f2c14e", "#6b8f71", "#8d86c9", "#4f6d7a", "#b08968", "#b8b8b8")
_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1d2429}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin-top:2rem}h3,h4{font-size:.95rem;margin-bottom:.2rem}
.facts{color:#55606a}.status{font-weight:600}.failed,.rejected{color:#b3261e}.partial{color:#9a6700}
.completed{color:#1a7f37}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{padding:.3rem .6rem;border-bottom:1px solid #e3e7ea;text-align:right;white-space:nowrap}
th{background:#f5f7f8;position:sticky;top:0;white-space:normal;vertical-align:bottom}td.text,th.text{text-align:left;white-space:normal}
td.label{min-width:14rem}
tr.baseline td{background:#fbf7ea}tr.bad td{color:#b3261e}
.scroll{overflow-x:auto}.legend span{margin-right:1.1rem;white-space:nowrap}
.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.35em;border-radius:2px}
"""


def report_columns(study: Study) -> list[str]:
    """The columns of the results table that the report is made from."""
    return [*columns_of_all(study), *INTENSITIES, *METRICS_SHOWN, *REMARK_COLUMNS]


def columns_of_all(study: Study) -> list[str]:
    """Those of them that are needed of every variant; the others are shown of a few, or are in `outcomes`."""
    shown = ["variant_index", "baseline", *_parameters(study), *_NUMBERS, "period", *_OUTCOME, "note"]
    return [*shown, *impact_section_columns(study), "error", *REMARK_TEXTS]


def _parameters(study: Study) -> list[str]:
    return [parameter.name for parameter in study.parameters]


def write_report(
    path: Path, ended: EndedStudy, sections: Sequence[str] = (), about: Sequence[str] | None = None
) -> None:
    """Write the report of a study.

    Args:
        path: HTML file to write.
        ended: The study, with at least `report_columns` of its results table, or `columns_of_all` and the other two
            attributes for the rest.
        sections: HTML of further sections.
        about: `epsm.results.remarks.remarks` of the table; by default, they are found here.
    """
    manifest, table, study = ended.manifest, ended.table, ended.manifest.study
    places = [name for name, files in (("model", study.models), ("weather", study.weather)) if len(files) > 1]
    note = ["note"] if table["note"].notna().any() else []
    about = remarks(table, study, ended.outcomes) if about is None else about
    parts = [
        _head(ended),
        _periods(table),
        *(f"<p class='status partial'>{escape(remark)}</p>" for remark in (*manifest.remarks, *about)),
        _chart(ended, places),
        impact_section(table, study, places),
        *sections,
        metrics_section(table, study, places, ended.complete),
        _failures(table),
        _engine_messages(table),
        _rows(
            table, ["variant_index", "baseline", *places, *_parameters(study), *_NUMBERS, "period", *_OUTCOME, *note]
        ),
    ]
    title = escape(manifest.study.name)
    path.write_text(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>{title}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n",
        encoding="utf-8",
    )


def _head(ended: EndedStudy) -> str:
    manifest, counts, status = ended.manifest, ended.counts, ended.status
    study, severe = manifest.study, with_severe_errors(ended.table)
    # Green only if there are no severe errors.
    colour = StudyStatus.PARTIAL if severe and status is StudyStatus.COMPLETED else status
    reason = f", {severe} of {counts.total} variants with severe errors" if severe else ""
    reason += f" - {escape(ended.error)}" if ended.error else ""
    reused = f" ({counts.reused} of them with results of earlier runs)" if counts.reused else ""
    often = counted(ended.interruptions, "interruption")
    interrupted = f" &middot; {often} by Fargate Spot, repeated" if ended.interruptions else ""
    return (
        f"<h1>{escape(study.name)}</h1>"
        f"<p class='status {colour.value}'>{status.value}{reason}</p>"
        f"<p class='facts'>{counts.total} variants: {counts.succeeded} succeeded{reused}, {counts.failed} failed, "
        f"{counts.not_run} not run{interrupted} &middot; {counted(len(study.models), 'model')}, "
        f"{counted(len(study.all_weather), 'weather file')}, "
        f"{counted(len(study.parameters), 'parameter')}{_sampling(study)} &middot; "
        f"EnergyPlus {escape(manifest.engine_version)} &middot; "
        f"{manifest.created_at:%Y-%m-%d %H:%M} UTC &middot; {escape(manifest.simulation_id)}</p>"
    )


def _sampling(study: Study) -> str:
    """The sampling method, if it is not a grid."""
    if study.sampling.method == "grid":
        return ""
    seed = f", seed {study.sampling.seed}" if isinstance(study.sampling, InUnitCube) else ""
    return f", sampled by {study.sampling.method}{seed}"


def _periods(table: pd.DataFrame) -> str:
    periods = table["period"].dropna().unique()
    if list(periods) == ["annual"]:
        return "<p class='facts'>All energy numbers cover one whole year.</p>"
    if not len(periods):
        return ""
    if list(periods) == ["none"]:
        return "<p class='status partial'>No run period was simulated, so there is no energy use.</p>"
    listed = ", ".join(escape(period) for period in periods)
    return f"<p class='status partial'>The energy numbers do not all cover one year: {listed}.</p>"


def _chart(ended: EndedStudy, places: Sequence[str]) -> str:
    """Site EUI of the baselines and the best variants as bars, stacked by end use."""
    table, study = ended.table, ended.manifest.study
    success = table["status"] == VariantStatus.SUCCEEDED.value
    done = table[["variant_index", "baseline", "site_eui_kwh_m2"]][success].dropna(subset=["site_eui_kwh_m2"])
    if done.empty:
        return ""
    baselines = done[done["baseline"]].head(_MAX_BARS // 2)
    best = done[~done["baseline"]].nsmallest(_MAX_BARS - len(baselines), "site_eui_kwh_m2")
    chosen = pd.concat([baselines, best]).sort_values("variant_index")
    bars = ended.complete(table.loc[chosen.index], INTENSITIES)
    largest = max(float(bars["site_eui_kwh_m2"].max()), 1e-9)
    labelled = study.parameters
    if any(len(levels(row, labelled, study)) > _MAX_LABEL - _MIN_NAME for _, row in bars.iterrows()):
        one_at_a_time = isinstance(study.sampling, OneAtATime)
        labelled = tuple(dimension for dimension in labelled if one_at_a_time or len(dimension.levels) != 1)
    labels = {place: file_labels(table[place].unique()) for place in places}
    label_width, scale, step = 380, 500 / largest, 22
    lines = []
    for line, (_, row) in enumerate(bars.iterrows()):
        x, y = float(label_width), line * step
        pieces = [float(row[name]) if pd.notna(row[name]) else 0.0 for name in INTENSITIES]
        pieces.append(max(0.0, float(row["site_eui_kwh_m2"]) - sum(pieces)))
        full = escape(_label(row, study.parameters, study, labels, None))
        label = escape(_label(row, labelled, study, labels, _MAX_LABEL))
        label += f"<title>{full}</title>" if full != label else ""
        lines.append(f"<text x='{label_width - 8}' y='{y + 14}' text-anchor='end'>{label}</text>")
        for piece, colour in zip(pieces, _COLOURS, strict=True):
            width = piece * scale
            if width > 0:
                lines.append(f"<rect x='{x:.1f}' y='{y + 3}' width='{width:.1f}' height='15' fill='{colour}'/>")
            x += width
        lines.append(f"<text x='{x + 6:.1f}' y='{y + 14}'>{row['site_eui_kwh_m2']:.1f}</text>")
    names = [name.removesuffix("_kwh_m2").replace("_", " ") for name in INTENSITIES] + ["other"]
    legend = "".join(
        f"<span><i style='background:{colour}'></i>{name}</span>" for name, colour in zip(names, _COLOURS, strict=True)
    )
    which = f"; the baselines and the {len(best)} variants with the lowest" if len(done) > len(bars) else ""
    return (
        f"<h2>Site EUI by end use, kWh/m2{which}</h2><p class='legend'>{legend}</p>{_not_in_labels(study, labelled)}"
        f"<div class='scroll'><svg width='950' height='{len(bars) * step + 8}' font-size='11' "
        f"font-family='system-ui,sans-serif' role='img'>{''.join(lines)}</svg></div>"
    )


def _label(
    row: pd.Series,
    labelled: Sequence[Dimension],
    study: Study,
    labels: Mapping[str, Mapping[str, str]],
    max_length: int | None,
) -> str:
    message = levels(row, labelled, study)
    if max_length is None:
        names = [of_files[row[place]] for place, of_files in labels.items()]
        return f"{row['variant_index']}: {', '.join([*names, message])}"
    # Varied values distinguish neighbours; names of files are cut first.
    room = max(_MIN_NAME, (max_length - len(message)) // max(1, len(labels)) - 2)
    names = [middle_cut(of_files[row[place]], room) for place, of_files in labels.items()]
    return middle_cut(f"{row['variant_index']}: {', '.join([*names, message])}", max_length)


def _not_in_labels(study: Study, labelled: Sequence[Dimension]) -> str:
    """The single-value parameters that were left out of the labels: all variants but the baselines have that value."""
    left_out = [parameter for parameter in study.parameters if parameter not in labelled]
    if not left_out:
        return ""
    levels = ", ".join(
        f"{dimension.name} {'x' if dimension.multiplies else ''}{plain(dimension.levels[0])}" for dimension in left_out
    )
    return f"<p class='facts'>In every variant but the baselines: {escape(levels)}.</p>"


def _failures(table: pd.DataFrame) -> str:
    bad = table[["variant_index", "status", "error"]][table["status"] != VariantStatus.SUCCEEDED.value]
    if bad.empty:
        return ""
    reasons = bad.groupby("error", sort=False)["variant_index"].agg(["count", "min"]).sort_values("count")[::-1]
    lines = "".join(
        f"<tr class='bad'><td>{counts['count']}</td><td>{counts['min']}</td>"
        f"<td class='text'>{escape(str(reason))}</td></tr>"
        for reason, counts in reasons.head(_MAX_REASONS).iterrows()
    )
    heading = "Failed or not run" if (bad["status"] == NOT_RUN).any() else "Failed"
    return (
        f"<h2>{heading}</h2><table><tr><th>variants</th><th>first variant</th><th class='text'>reason</th></tr>"
        f"{lines}</table>"
    )


def _engine_messages(table: pd.DataFrame) -> str:
    """EnergyPlus's messages for the successful variants: totals, and by verdict and note."""
    read = ["variant_index", "verdict", "note", "severe_errors", "warnings"]
    done = table[read][table["status"] == VariantStatus.SUCCEEDED.value]
    severe, warnings = int(done["severe_errors"].sum()), int(done["warnings"].sum())
    if not severe and not warnings and done["note"].isna().all():
        return ""
    groups = done.fillna({"note": "", "verdict": ""}).groupby(["verdict", "note"], sort=False)
    summed = (
        groups.agg(
            variants=("variant_index", "count"),
            first=("variant_index", "min"),
            severe=("severe_errors", "sum"),
            warnings=("warnings", "sum"),
        )
        .sort_values(["severe", "variants"], ascending=False)
        .head(_MAX_REASONS)
    )
    lines = "".join(
        f"<tr><td>{message['variants']}</td><td>{message['first']}</td><td class='text'>{escape(verdict)}</td>"
        f"<td>{message['severe']:,}</td><td>{message['warnings']:,}</td><td class='text'>{escape(note)}</td></tr>"
        for (verdict, note), message in zip(summed.index, summed.to_dict("records"), strict=True)
    )
    return (
        f"<h2>EnergyPlus messages: {severe:,} severe errors, {warnings:,} warnings</h2>"
        "<div class='scroll'><table><tr><th>variants</th><th>first variant</th><th class='text'>verdict</th>"
        f"<th>severe errors</th><th>warnings</th><th class='text'>note</th></tr>{lines}</table></div>"
    )


def _rows(table: pd.DataFrame, shown: Sequence[str]) -> str:
    # A parameter's name is the modeller's own.
    own = {*VARIANT, *SAVINGS, *METRICS, *PERIOD, *RUN}
    heads = [heading(name) if name in own else name for name in shown if name != "baseline"]
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = []
    for _, row in table.head(_MAX_ROWS).iterrows():
        kind = "baseline" if row["baseline"] else ""
        kind = kind if row["status"] == VariantStatus.SUCCEEDED.value else "bad"
        cells = "".join(
            f"<td>{text(row[name], 1 if name.endswith(_MEASURES) else None)}</td>"
            for name in shown
            if name != "baseline"
        )
        body.append(f"<tr class='{kind}'>{cells}</tr>")
    rest = len(table) - len(body)
    more = f"<p class='facts'>{rest} further variants are in results.csv.</p>" if rest > 0 else ""
    return f"<h2>Variants</h2><div class='scroll'><table><tr>{head}</tr>{''.join(body)}</table></div>{more}"
