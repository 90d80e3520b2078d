"""A list of samples in a CSV beside study.json."""

import csv
import io
import math
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from epsm.problems import Problem
from epsm.study.sampling.base import MAX_SAMPLES
from epsm.study.schema import Study
from epsm.study.values import Text, Value
from epsm.text import listed, nearest

_TEXT: TypeAdapter[str] = TypeAdapter(Text)
MAX_LIST_BYTES = 5_000_000
_MAX_SHOWN = 20

Rows = tuple[dict[str, Value], ...]


def with_samples_of(study: Study, name: str, content: bytes) -> tuple[Study, list[Problem]]:
    """A study with the samples that a file lists, and the faults of the file.

    Args:
        study: The study.
        name: Path of the file in it.
        content: The file.
    """
    if len(content) > MAX_LIST_BYTES:
        return study, [Problem(name, f"has {len(content):,} bytes", f"at most {MAX_LIST_BYTES:,}")]
    rows, problems = read_sample_list(content, name, [parameter.name for parameter in study.parameters])
    return study.model_copy(update={"sampling": study.sampling.model_copy(update={"rows": rows})}), problems


def read_sample_list(content: bytes, source: str, names: Sequence[str]) -> tuple[Rows, list[Problem]]:
    """The samples of a CSV with a column for each parameter, and the faults of the file.

    Args:
        content: The file. Columns may be separated by commas, semicolons or tabs.
        source: Its path in the study.
        names: The parameters.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return (), [Problem(source, f"is not UTF-8 text (byte {error.start})", "UTF-8")]
    header = text.split("\n", 1)[0]
    separator = max(",;\t", key=header.count)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    columns = [name.strip() for name in lines[0]] if lines else []
    problems = [*_of_columns(columns, source, names)]
    body = [(number, cells) for number, cells in enumerate(lines[1:], start=1) if any(cell.strip() for cell in cells)]
    if not body:
        problems.append(Problem(source, "has no samples", "a row for each sample after the row of names"))
    if len(body) > MAX_SAMPLES:
        problems.append(Problem(source, f"has {len(body):,} samples", f"at most {MAX_SAMPLES:,}"))
    if problems:
        return (), problems
    rows: list[dict[str, Value]] = []
    for number, cells in body:
        if len(cells) != len(columns):
            fault = f"has {len(cells)} values, and the first row has {len(columns)} names"
            problems.append(Problem(f"{source}: row {number}", fault))
            continue
        row: dict[str, Value] = {}
        for name, cell in zip(columns, cells, strict=True):
            value = _value(cell.strip())
            if isinstance(value, ValueError):
                problems.append(Problem(f"{source}: row {number}, column {name}", str(value), "a number or a text"))
            else:
                row[name] = value
        rows.append(row)
        if len(problems) >= _MAX_SHOWN:
            break
    return tuple(rows), problems


def _of_columns(columns: Sequence[str], source: str, names: Sequence[str]) -> list[Problem]:
    where = f"{source}: row 0"
    problems = [
        Problem(where, f"has the column '{name}', which is not a parameter", nearest(name, names) or listed(names))
        for name in columns
        if name not in names
    ]
    problems += [Problem(where, f"has no column '{name}'", listed(names)) for name in names if name not in columns]
    again = sorted({name for name in columns if columns.count(name) > 1})
    return problems + [Problem(where, f"has the column '{name}' twice") for name in again]


def _value(cell: str) -> Value | ValueError:
    if not cell:
        return ValueError("is blank")
    try:
        number = float(cell)
    except ValueError:
        try:
            return _TEXT.validate_python(cell)
        except ValidationError as error:
            found = error.errors(include_url=False)[0]
            return ValueError(str(found.get("ctx", {}).get("error", found["msg"])))
    return number if math.isfinite(number) else ValueError(f"'{cell}' is not a finite number")
