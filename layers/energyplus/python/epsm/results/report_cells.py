"""Elements that several sections of the report share: numbers, labels of variants, tables."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import pandas as pd

from epsm.results.headings import heading
from epsm.study.parameters import Dimension
from epsm.study.sampling import OneAtATime
from epsm.study.schema import Study

BASELINE = "baseline"


def text(value: Any, digits: int | None = None) -> str:
    """A value as HTML."""
    return escape(plain(value, digits))


def plain(value: Any, digits: int | None = None) -> str:
    """A value as text; a dash where there is none."""
    if value is None or pd.isna(value):
        return "\N{EN DASH}"
    if isinstance(value, float):
        return f"{value:g}" if digits is None else f"{value:,.{digits}f}"
    return str(value)


def levels(row: pd.Series, labelled: Sequence[Dimension], study: Study) -> str:
    """The levels of a variant, e.g. `insulation_m 0.2, lighting x0.7`."""
    if row["baseline"]:
        return BASELINE
    if isinstance(study.sampling, OneAtATime):
        varied = study.design.sample(row["variant_index"] % study.sample_count - 1)
        labelled = [parameter for parameter in study.parameters if parameter.name in varied]
    return ", ".join(
        f"{parameter.name} {'x' if parameter.multiplies else ''}{plain(row[parameter.name])}" for parameter in labelled
    )


def number_table(rows: pd.DataFrame, columns: Sequence[str], labels: Iterable[str], *, of: str = "variant") -> str:
    """A table of numbers with a label before each row; columns without any number are left out.

    Args:
        rows: The rows, with these columns.
        columns: Columns of EPSM's own.
        labels: Labels of the rows, as plain text.
        of: Heading of the labels.
    """
    shown = [name for name in columns if name in rows and rows[name].notna().any()]
    if not shown or rows.empty:
        return ""
    digits = {name: _digits(rows[name]) for name in shown}
    head = "".join(f"<th>{escape(heading(name))}</th>" for name in shown)
    body = []
    for label, (_, row) in zip(labels, rows.iterrows(), strict=True):
        cells = "".join(f"<td>{text(row[name], digits[name])}</td>" for name in shown)
        kind = " class='baseline'" if label.endswith(BASELINE) else ""

        body.append(f"<tr{kind}><td class='text label'>{escape(label)}</td>{cells}</tr>")
    return f"<div class='scroll'><table><tr><th class='text'>{escape(of)}</th>{head}</tr>{''.join(body)}</table></div>"


def _digits(values: "pd.Series[Any]") -> int | None:
    """Number of decimals to show in a column: none if the numbers are large."""
    if not pd.api.types.is_float_dtype(values):
        return None
    largest = values.abs().max()
    return 0 if largest >= 1000 else 1 if largest >= 10 else 2
