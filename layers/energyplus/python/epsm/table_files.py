"""Tables that a model reads from files: whether Schedule:File finds all the rows and numbers that it needs.

What the engine does (ScheduleManager.cc and CsvParser.cc, 25.2): it takes 365 days of values from the column, or 366
if there are enough for a leap year, and does not look whether they are there: behind the last row it reads memory that
belongs to something else. A file is parsed once, with the separator and the skipped rows of the first object that names
it; others get that table.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from epsm import dictionary
from epsm.outline import ModelObject, Outline
from epsm.problems import Problem

_CLASS = "Schedule:File"
_YEAR_H, _LEAP_YEAR_H = 8_760, 8_784
_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "space": " "}
_NOT_TEXT = (".json", ".epjson", ".jsonin", ".cbor", ".msgpack", ".ubjson", ".bson")
"""Endings of files that the engine reads as JSON and its binary forms; their tables are not looked at here."""


@dataclass(frozen=True, slots=True)
class _Use:
    """How one Schedule:File reads its file."""

    column: int
    skip: int
    hours: float
    separator: str
    minutes_per_item: int

    @property
    def rows_needed(self) -> int:
        return math.ceil(max(self.hours, _YEAR_H) * 60 / self.minutes_per_item)


def check_table_files(
    outline: Outline, source: str, read: Callable[[str], tuple[str, bytes] | None]
) -> Iterator[Problem]:
    """Faults of the tables that a model's Schedule:File objects read.

    Args:
        outline: The model.
        source: Its path in the study.
        read: From a file name as the model writes it, its path in the study and its content; None if it is not there.
    """
    first_uses: dict[str, tuple[ModelObject, _Use]] = {}
    for each in outline.of_class(_CLASS):
        name = _text(each, "File Name")
        use = _use(each)
        found = read(name) if name and use else None
        if found is None or use is None or name.casefold().endswith(_NOT_TEXT):
            continue
        path, content = found
        where = f"{source}: line {each.line}" if each.line else f"{source}: {_CLASS} '{each.name}'"
        if 60 % use.minutes_per_item:
            what = f"{_CLASS} '{each.name}' has {use.minutes_per_item} Minutes per Item"
            yield Problem(where, what, "a number that divides 60")
            continue
        other, first = first_uses.setdefault(path, (each, use))
        if (first.separator, first.skip) != (use.separator, use.skip):
            what = f"{_CLASS} '{each.name}' reads {path} with another separator or Rows to Skip than '{other.name}'"
            yield Problem(
                where, f"{what}; EnergyPlus would use those of the first for both", "the same, or another file"
            )
            continue
        yield from _check(content, use, f"{_CLASS} '{each.name}'", path)


def _check(content: bytes, use: _Use, who: str, path: str) -> Iterator[Problem]:
    text = content.decode("latin-1").removeprefix("\xef\xbb\xbf")
    lines = text.replace("\r", "").split("\n")
    while lines and not lines[-1].strip(" \t"):
        lines.pop()
    rows = lines[use.skip :]
    if len(rows) < use.rows_needed:
        hours = max(use.hours, _YEAR_H)
        what = f"has {len(rows):,} rows behind the {use.skip} skipped where {who} needs {use.rows_needed:,}"
        per = f"{hours:,.0f} hours of {use.minutes_per_item} minutes per item"
        hint = "; its lines end in carriage returns alone" if "\n" not in text and "\r" in text else ""
        yield Problem(path, what + hint, f"at least {use.rows_needed:,} ({per})")
        return
    columns = len(rows[0].rstrip(use.separator if use.separator != " " else "").split(use.separator))
    if use.column > columns:
        what = f"has {columns} columns where {who} reads column {use.column}"
        yield Problem(f"{path}: line {use.skip + 1}", what, "another column or Column Separator")
        return
    for number, row in enumerate(rows, start=use.skip + 1):
        cells = row.split(use.separator)
        cell = cells[use.column - 1].strip() if use.column <= len(cells) else ""
        if not _is_number(cell):
            shown = f"is '{cell[:20]}'" if cell else "is empty"
            hint = "a number with a decimal point" if "," in cell else "a number"
            yield Problem(f"{path}: line {number}", f"column {use.column}, which {who} reads, {shown}", hint)
            return


def _use(each: ModelObject) -> _Use | None:
    """None where a field is not what the dictionary allows; that is told elsewhere or by the engine."""
    try:
        return _Use(
            column=int(_text(each, "Column Number") or 1),
            skip=int(_text(each, "Rows to Skip at Top") or 0),
            hours=float(_text(each, "Number of Hours of Data") or _YEAR_H),
            separator=_SEPARATORS[(_text(each, "Column Separator") or "comma").casefold()],
            minutes_per_item=int(_text(each, "Minutes per Item") or 60),
        )
    except (ValueError, KeyError):
        return None


def _text(each: ModelObject, field: str) -> str:
    rule = dictionary.load().find_class(_CLASS)
    place = rule.find_field(field) if rule else None
    assert place is not None
    value = each.value(place)
    return "" if value is None else str(value).strip()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False
